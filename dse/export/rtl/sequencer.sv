// Walks the layers of a pass: for each filter its header, then strips, columns, steps, kernels, windows of the kernel, weight
// planes, input planes, one array cycle each. All outputs belong to the cycle in which a word is issued. A filter begins when its
// weights are there, a pass when pass control says so.
//
// A slot lasts at least as long as the neurons need for the one before it: its last array cycle waits until `slot_cycle` says so.
// Under `outer` order the first layer of a static input sums in a tile's first step alone (`restores` in the others): its slots
// then have no array cycle, and the filters' kernels are passed over.
module sequencer #(
    parameter int VECTOR_WIDTH = 8,
    parameter int DEPTH = 8,
    parameter int ADDRESS_BITS = 16,
    parameter int PROGRAM_BITS = 1,
    parameter bit OUTER = 1'b0,
    parameter int FILTERS = 1,
    parameter LENGTHS_FILE = "lengths.mem"
) (
    input  logic                    clk,
    input  logic                    reset,
    // Passes: the next one begins with the next cycle, or there is none.
    input  logic                    begin_pass,
    input  logic                    leave_pass,
    output logic                    pass_finished,
    input  logic [15:0]             next_pass_layer,
    // Filters: one begins with the next cycle; the one behind it is there at the end of this cycle.
    input  logic                    filter_ready,
    input  logic                    resident,
    output logic                    visit,
    output logic                    waiting,
    // Program memory: the word of the layer that comes next, and the one that runs.
    output logic                    load_layer,
    output logic [7:0]              layer_number,
    output logic [ADDRESS_BITS-1:0] program_address,
    input  logic [ADDRESS_BITS-1:0] next_weight_base,
    input  logic [PROGRAM_BITS-1:0] layer,
    input  logic                    restores,
    // Weights.
    output logic                    weight_read,
    output logic [ADDRESS_BITS-1:0] weight_address,
    output logic                    header_valid,
    output logic [7:0]              header_index,
    // One array cycle, or the one cycle in which a restored sum is handed on.
    output logic                    slot_valid,
    output logic                    array_valid,
    output logic                    array_first,
    output logic                    array_last,
    output logic                    subtract,
    output logic [3:0]              shift,
    output logic [7:0]              rows,
    output logic [7:0]              input_plane,
    output logic [ADDRESS_BITS-1:0] map_offset,
    output logic [ADDRESS_BITS-1:0] row_offset,
    output logic [ADDRESS_BITS-1:0] column_offset,
    output logic [ADDRESS_BITS-1:0] word,
    output logic                    last_word,
    output logic [7:0]              row_bank,
    output logic [1:0]              column_bank,
    output logic [15:0]             row,
    output logic [15:0]             column,
    output logic [7:0]              kernel_row,
    output logic [7:0]              kernel_column,
    // Lane lists.
    output logic                    lists_restart,
    output logic                    lists_advance,
    input  logic                    lists_more,
    // One row of a classifier's sums.
    output logic                    score_valid
);
  localparam int BANK_ROWS = VECTOR_WIDTH + 2;
  localparam logic [8:0] N = BANK_ROWS[8:0];

  typedef enum logic [2:0] {IDLE, HEADER, ARRAY, SCORE, TAIL, WAIT} state_t;
  state_t state;

  // Fields of the layer, in the order of the program word.
  logic spiking, pruned, ends_pass;
  logic [7:0] header_words, kernel_tiles, weight_planes, input_planes, slots, slot_cycles;
  logic [7:0] strip_array_rows, strip_rows, first_row_bank, strip_bank_step;
  logic [7:0] first_column_bank, column_bank_step, stride;
  logic [15:0] filters, strips, columns, words, array_rows, first_row, first_column;
  logic [ADDRESS_BITS-1:0] base, step_pitch, plane_pitch, row_pitch, column_pitch;
  logic [ADDRESS_BITS-1:0] first_row_offset, strip_offset_step, first_column_offset, column_offset_step;
  assign {
    spiking, pruned, ends_pass,
    layer_number, header_words, kernel_tiles, weight_planes, input_planes, slots, slot_cycles,
    strip_array_rows, strip_rows, first_row_bank, strip_bank_step, first_column_bank, column_bank_step, stride,
    filters, strips, columns, words, array_rows, first_row, first_column,
    base, step_pitch, plane_pitch, row_pitch, column_pitch,
    first_row_offset, strip_offset_step, first_column_offset, column_offset_step
  } = layer;

  logic [15:0] filter, strip, column_index, entry, rows_left, strip_row;
  logic [7:0] slot, tile_row, tile_column, weight_plane, plane, slot_cycle, count, strip_bank;
  logic [ADDRESS_BITS-1:0] kernel_base, step_offset, plane_offset, strip_offset, position_offset;
  logic [15:0] position_column;
  logic [7:0] position_bank;
  logic begun, filter_begun;

  // Ends of the loops.
  wire plane_ends = plane + 8'd1 == input_planes;
  wire weight_plane_ends = weight_plane + 8'd1 == weight_planes;
  wire tile_column_ends = tile_column + 8'd1 == kernel_tiles;
  wire tile_row_ends = tile_row + 8'd1 == kernel_tiles;
  wire word_ends = plane_ends;
  wire kernel_ends = plane_ends && weight_plane_ends && tile_column_ends && tile_row_ends;
  assign last_word = entry + 16'd1 == words;
  wire restored = OUTER && restores;
  wire sum_ends = restored || (kernel_ends && (pruned ? !lists_more : last_word));
  wire slot_ends = slot + 8'd1 == slots;
  wire column_ends = column_index + 16'd1 == columns;
  wire strip_ends = strip + 16'd1 == strips;
  wire filter_ends = filter + 16'd1 == filters;
  wire released = slot_cycle + 8'd1 >= slot_cycles;
  wire count_ends = count == 8'd1;

  // Ends of filters and layers, in their last cycle; behind them the machine may have to wait.
  logic layer_over, loaded;
  wire slot_over = slot_valid && sum_ends;
  wire array_ends = state == ARRAY && slot_over && slot_ends && column_ends && strip_ends;
  wire score_ends = state == SCORE && count_ends;
  wire tail_ends = state == TAIL && count_ends;
  wire filter_over = (array_ends && spiking && !filter_ends) || (score_ends && filter != filters)
                   || (state == WAIT && !layer_over);
  wire layer_ends = tail_ends || (state == WAIT && layer_over);
  assign pass_finished = layer_ends && ends_pass;
  assign load_layer = begin_pass || (layer_ends && !ends_pass && filter_ready);
  assign visit = load_layer || (filter_over && filter_ready);
  assign waiting = state == WAIT;

  assign header_valid = state == HEADER;
  assign header_index = count;
  assign slot_valid = state == ARRAY && (!sum_ends || released);
  assign array_valid = slot_valid && !restored;
  assign weight_read = header_valid || array_valid;
  // A classifier adds all positions and steps of a filter.
  assign array_first = !begun && (spiking || !filter_begun);
  assign array_last = sum_ends;
  assign subtract = weight_plane_ends && weight_planes != 8'd1;
  assign shift = weight_plane[3:0] + plane[3:0];
  assign rows = rows_left < {8'd0, strip_array_rows} ? rows_left[7:0] : strip_array_rows;
  assign input_plane = plane;
  assign map_offset = base + step_offset + plane_offset;
  assign word = entry[ADDRESS_BITS-1:0];
  assign kernel_row = tile_row + {tile_row[6:0], 1'b0};
  assign kernel_column = tile_column + {tile_column[6:0], 1'b0};
  assign lists_restart = !begun;
  assign lists_advance = array_valid && kernel_ends;
  assign score_valid = state == SCORE;

  // The filter behind this one, whose header is read or whose last word is issued.
  logic [ADDRESS_BITS-1:0] following_address;
  generate
    if (OUTER) begin : g_outer
      logic [ADDRESS_BITS-1:0] filter_words;
      sram #(
          .WIDTH(ADDRESS_BITS), .DEPTH(FILTERS), .PRELOAD(1'b1), .FILE(LENGTHS_FILE), .ADDRESS_BITS(16)
      ) lengths (
          .clk(clk), .read_enable(1'b1), .read_address(filter), .read_data(filter_words), .write_enable(1'b0),
          .write_address('0), .write_data('0), .write_mask('0)
      );
      wire [ADDRESS_BITS-1:0] kernel_words = filter_words - {{ADDRESS_BITS - 8{1'b0}}, header_words};
      assign following_address = weight_address + (restored ? kernel_words : {{ADDRESS_BITS - 1{1'b0}}, 1'b1});
    end else begin : g_inner
      wire unused_restores = &{1'b0, restores};
      assign following_address = weight_address + 1'b1;
    end
  endgenerate

  // Window position: the strip's first row and the column, moved by three for each further window of the kernel.
  function automatic logic [7:0] wrapped(input logic [8:0] bank, input logic [8:0] bound);
    wrapped = bank >= bound ? bank[7:0] - bound[7:0] : bank[7:0];
  endfunction

  wire [8:0] tile_bank = {1'b0, row_bank} + 9'd3;
  wire [8:0] next_strip_bank = {1'b0, strip_bank} + {1'b0, strip_bank_step};
  wire [8:0] next_column_bank = {1'b0, position_bank} + {1'b0, column_bank_step};
  wire [7:0] tile_bank_wrapped = wrapped(tile_bank, N);
  wire [7:0] strip_bank_wrapped = wrapped(next_strip_bank, N);
  wire [7:0] column_bank_wrapped = wrapped(next_column_bank, 9'd3);
  wire [ADDRESS_BITS-1:0] tile_row_step = tile_bank >= N ? row_pitch : '0;
  wire [ADDRESS_BITS-1:0] strip_step = strip_offset_step + (next_strip_bank >= N ? row_pitch : '0);
  wire [ADDRESS_BITS-1:0] column_step = column_offset_step + (next_column_bank >= 9'd3 ? column_pitch : '0);
  wire [15:0] next_strip_row = strip_row + {8'd0, strip_array_rows};
  assign column_bank = position_bank[1:0];

  always_ff @(posedge clk) begin
    if (reset || leave_pass) state <= IDLE;
    else if (visit) state <= HEADER;
    else
      case (state)
        HEADER: if (count + 8'd1 == header_words) state <= ARRAY;
        ARRAY: if (array_ends) state <= !spiking ? SCORE : filter_ends ? TAIL : WAIT;
        SCORE: if (count_ends) state <= filter == filters ? TAIL : WAIT;
        TAIL: if (count_ends) state <= WAIT;
        default: state <= state;
      endcase
    if (visit) layer_over <= 1'b0;
    else if (tail_ends) layer_over <= 1'b1;

    if (visit) count <= '0;
    else if (state == HEADER) count <= count + 8'd1;
    else if (array_ends) count <= spiking ? DEPTH[7:0] + slot_cycles - 8'd1 : strip_rows;
    else if (score_ends) count <= DEPTH[7:0];
    else count <= count - 8'd1;

    if (load_layer) filter <= '0;
    else if (array_ends) filter <= filter + 16'd1;

    // The first word of a streamed filter is that of the half it lies in.
    if (load_layer) weight_address <= next_weight_base;
    else if (state == HEADER) weight_address <= weight_address + 1'b1;
    else if (array_ends) weight_address <= resident ? following_address : '0;
    else if (array_valid && word_ends) weight_address <= sum_ends ? kernel_base : weight_address + 1'b1;
    if (state == HEADER) kernel_base <= weight_address + 1'b1;

    // The word behind the layer's, once that was loaded.
    loaded <= load_layer;
    if (reset) program_address <= '0;
    else if (loaded) program_address <= ends_pass ? next_pass_layer[ADDRESS_BITS-1:0] : program_address + 1'b1;

    // Loops of one filter.
    if (state == HEADER) begin
      strip <= '0;
      strip_row <= first_row;
      strip_bank <= first_row_bank;
      strip_offset <= first_row_offset;
      rows_left <= array_rows;
      column_index <= '0;
      position_column <= first_column;
      position_bank <= first_column_bank;
      position_offset <= first_column_offset;
      slot <= '0;
      step_offset <= '0;
      filter_begun <= 1'b0;
      row <= first_row;
      row_bank <= first_row_bank;
      row_offset <= first_row_offset;
      column <= first_column;
      column_offset <= first_column_offset;
    end
    if (state == HEADER || slot_over) begin
      begun <= 1'b0;
      slot_cycle <= '0;
      entry <= '0;
    end else if (state == ARRAY) begin
      if (array_valid) begun <= 1'b1;
      if (!released) slot_cycle <= slot_cycle + 8'd1;
    end
    if (state == HEADER || (array_valid && plane_ends)) begin
      plane <= '0;
      plane_offset <= '0;
    end else if (array_valid) begin
      plane <= plane + 8'd1;
      plane_offset <= plane_offset + plane_pitch;
    end
    if (state == HEADER) begin
      weight_plane <= '0;
      tile_row <= '0;
      tile_column <= '0;
    end
    if (array_valid && plane_ends) begin
      weight_plane <= weight_plane_ends ? '0 : weight_plane + 8'd1;
      if (weight_plane_ends) begin
        tile_column <= tile_column_ends ? '0 : tile_column + 8'd1;
        column <= tile_column_ends ? position_column : column + 16'd3;
        column_offset <= tile_column_ends ? position_offset : column_offset + column_pitch;
        if (tile_column_ends) begin
          tile_row <= tile_row_ends ? '0 : tile_row + 8'd1;
          row <= tile_row_ends ? strip_row : row + 16'd3;
          row_bank <= tile_row_ends ? strip_bank : tile_bank_wrapped;
          row_offset <= tile_row_ends ? strip_offset : row_offset + tile_row_step;
          if (tile_row_ends) entry <= sum_ends ? '0 : entry + 16'd1;
        end
      end
    end
    if (slot_over) begin
      filter_begun <= 1'b1;
      slot <= slot_ends ? '0 : slot + 8'd1;
      step_offset <= slot_ends ? '0 : step_offset + step_pitch;
      if (slot_ends) begin
        column_index <= column_ends ? '0 : column_index + 16'd1;
        position_column <= column_ends ? first_column : position_column + {8'd0, stride};
        position_bank <= column_ends ? first_column_bank : column_bank_wrapped;
        position_offset <= column_ends ? first_column_offset : position_offset + column_step;
        column <= column_ends ? first_column : position_column + {8'd0, stride};
        column_offset <= column_ends ? first_column_offset : position_offset + column_step;
        if (column_ends) begin
          strip <= strip + 16'd1;
          strip_row <= next_strip_row;
          strip_bank <= strip_bank_wrapped;
          strip_offset <= strip_offset + strip_step;
          rows_left <= rows_left - {8'd0, strip_array_rows};
          row <= next_strip_row;
          row_bank <= strip_bank_wrapped;
          row_offset <= strip_offset + strip_step;
        end
      end
    end
  end
endmodule
