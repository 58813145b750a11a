// What neurons leave for their next time step where a pass holds one step: for each slot the sums of a static input, the ranks of
// winners, the membranes, a word each. A word holds a strip's rows, or as many filters of a fully connected layer, one a row.
// Words are read one a cycle, the membranes last, in the cycle before their handover; they are written behind the step.
module membrane_buffer #(
    parameter int VECTOR_WIDTH = 8,
    parameter int WIDTH = 24,
    parameter int DEPTH = 16,
    parameter int ADDRESS_BITS = 16,
    localparam int WORD = VECTOR_WIDTH * WIDTH
) (
    input  logic            clk,
    input  logic            reset,
    input  logic            begin_pass,
    input  logic            load_layer,
    // Of the layer: a slot has sums, ranks.
    input  logic            fully_connected,
    input  logic            has_sums,
    input  logic            has_ranks,
    // Of the pass: its step is not the first one of the tile, not the last one.
    input  logic            continues,
    input  logic            keeps,
    // The handover comes in three cycles, in two, in one; neurons only.
    input  logic [2:0]      comes,
    output logic            read_enable,
    output logic            sums_arrive,
    output logic            ranks_arrive,
    output logic [WORD-1:0] stored,
    // Last cycle of a step, and the cycle behind it.
    input  logic            step,
    input  logic            step_over,
    input  logic [WORD-1:0] sums,
    input  logic [WORD-1:0] membranes,
    input  logic [WORD-1:0] ranks,
    output logic            write_enable
);
  wire [1:0] words = 2'd1 + {1'b0, has_sums} + {1'b0, has_ranks};
  wire [ADDRESS_BITS-1:0] ranks_from = {{ADDRESS_BITS - 1{1'b0}}, has_sums};
  wire [ADDRESS_BITS-1:0] membranes_from = ranks_from + {{ADDRESS_BITS - 1{1'b0}}, has_ranks};

  // Reads.
  logic [ADDRESS_BITS-1:0] read_place, read_address;
  logic [7:0] read_row, arriving_row;
  membrane_place #(.VECTOR_WIDTH(VECTOR_WIDTH), .ADDRESS_BITS(ADDRESS_BITS)) ahead (
      .clk(clk), .begin_pass(begin_pass), .load_layer(load_layer), .fully_connected(fully_connected), .words(words),
      .moves(comes[0]), .address(read_place), .row(read_row)
  );
  wire read_sums = continues && has_sums && (has_ranks ? comes[2] : comes[1]);
  wire read_ranks = continues && has_ranks && comes[1];
  wire read_membranes = continues && comes[0];
  assign read_enable = read_sums || read_ranks || read_membranes;
  assign read_address = read_place + (read_membranes ? membranes_from : read_ranks ? ranks_from : '0);

  // Writes: ranks a cycle behind the membranes.
  logic [ADDRESS_BITS-1:0] write_place, write_address, late_address;
  logic [7:0] write_row;
  logic write_ranks;
  logic [WORD-1:0] written, write_data, write_mask, read_data;
  membrane_place #(.VECTOR_WIDTH(VECTOR_WIDTH), .ADDRESS_BITS(ADDRESS_BITS)) behind (
      .clk(clk), .begin_pass(begin_pass), .load_layer(load_layer), .fully_connected(fully_connected), .words(words),
      .moves(step_over), .address(write_place), .row(write_row)
  );
  wire write_sums = step && has_sums && keeps && !continues;
  wire write_membranes = step_over && keeps;
  assign write_enable = write_sums || write_membranes || write_ranks;
  assign write_address = write_ranks ? late_address : write_place + (write_membranes ? membranes_from : '0);
  assign written = write_ranks ? ranks : write_membranes ? membranes : sums;
  always_ff @(posedge clk) begin
    write_ranks <= write_membranes && has_ranks && !reset;
    late_address <= write_place + ranks_from;
    sums_arrive <= read_sums && !reset;
    ranks_arrive <= read_ranks && !reset;
    if (read_enable) arriving_row <= read_row;
  end

  // A fully connected neuron works in row 0 and lies in a row of its own.
  logic [WIDTH-1:0] own;
  always_comb begin
    own = read_data[WIDTH-1:0];
    for (int r = 1; r < VECTOR_WIDTH; r = r + 1)
      if (fully_connected && arriving_row == 8'(r)) own = read_data[r*WIDTH+:WIDTH];
    stored = read_data;
    stored[WIDTH-1:0] = own;
    write_data = written;
    write_mask = {WORD{1'b1}};
    for (int r = 0; r < VECTOR_WIDTH; r = r + 1)
      if (fully_connected) begin
        write_data[r*WIDTH+:WIDTH] = written[WIDTH-1:0];
        write_mask[r*WIDTH+:WIDTH] = {WIDTH{write_row == 8'(r)}};
      end
  end

  sram #(.WIDTH(WORD), .DEPTH(DEPTH), .ADDRESS_BITS(ADDRESS_BITS)) memory (
      .clk(clk), .read_enable(read_enable), .read_address(read_address), .read_data(read_data),
      .write_enable(write_enable), .write_address(write_address), .write_data(write_data), .write_mask(write_mask)
  );
endmodule
