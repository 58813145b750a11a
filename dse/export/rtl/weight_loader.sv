// Loads weights from DRAM into the half of the weight buffer that is not read: all filters of a group at once, or the next
// filter while one is computed. Keeps which half is filled and which is read.
module weight_loader #(
    parameter int ADDRESS_BITS = 16,
    parameter int ELEMENT_BITS = 32,
    parameter int FILTERS = 1,
    parameter LENGTHS_FILE = "lengths.mem"
) (
    input  logic                    clk,
    input  logic                    reset,
    // A load in front of a group, or ahead of it in idle cycles (`hurry` once it is waited for).
    input  logic                    load,
    input  logic                    load_ahead,
    input  logic                    hurry,
    input  logic [ELEMENT_BITS-1:0] load_address,
    input  logic [ADDRESS_BITS-1:0] load_words,
    // Streamed filters: those of the group, and whether the pass is its last one.
    input  logic                    group_starts,
    input  logic                    visit,
    input  logic                    streamed,
    input  logic                    last_pass,
    input  logic [15:0]             group_filter,
    input  logic [15:0]             group_filters,
    input  logic [ELEMENT_BITS-1:0] group_address,
    // The port.
    output logic                    active,
    output logic                    urgent,
    output logic                    first,
    output logic                    last,
    output logic [ELEMENT_BITS-1:0] address,
    input  logic                    moved,
    // The buffer: where the word that crosses goes, and the half that is read.
    output logic                    write_half,
    output logic [ADDRESS_BITS-1:0] write_address,
    output logic                    read_half
);
  logic [15:0] filter;
  logic [ADDRESS_BITS-1:0] left, next_words;
  sram #(
      .WIDTH(ADDRESS_BITS), .DEPTH(FILTERS), .PRELOAD(1'b1), .FILE(LENGTHS_FILE), .ADDRESS_BITS(16)
  ) lengths (
      .clk(clk), .read_enable(1'b1), .read_address(group_filter + filter), .read_data(next_words),
      .write_enable(1'b0), .write_address('0), .write_data('0), .write_mask('0)
  );

  wire wraps = filter + 16'd1 == group_filters;
  wire next_load = visit && streamed && !(filter == 16'd0 && last_pass);
  wire starts = load || load_ahead || next_load;
  assign last = left == {{ADDRESS_BITS - 1{1'b0}}, 1'b1};

  always_ff @(posedge clk) begin
    if (reset) begin
      active <= 1'b0;
      write_half <= 1'b0;
      read_half <= 1'b0;
    end else begin
      if (starts) begin
        active <= 1'b1;
        write_half <= !write_half;
      end else if (moved && last) active <= 1'b0;
      if (group_starts || (visit && streamed)) read_half <= write_half;
    end
    if (starts) urgent <= !load_ahead;
    else if (hurry) urgent <= 1'b1;
    if (starts) begin
      first <= 1'b1;
      left <= next_load ? next_words : load_words;
      write_address <= '0;
    end else if (moved) begin
      first <= 1'b0;
      left <= left - 1'b1;
      write_address <= write_address + 1'b1;
    end
    // The filter that is loaded next, and where it lies: filters lie one behind the other.
    if (load || load_ahead) address <= load_address;
    else if (next_load && filter == 16'd0) address <= group_address;
    else if (moved) address <= address + 1'b1;
    if (load) filter <= group_filters == 16'd1 ? 16'd0 : 16'd1;
    else if (next_load) filter <= wraps ? 16'd0 : filter + 16'd1;
  end
endmodule
