// From the position of a window to its spikes: addresses of the banks (one cycle), the read, then rows and columns turned to
// window order and spikes outside the map or the kernel masked. One bit plane of one step.
module spike_reader #(
    parameter int VECTOR_WIDTH = 8,
    parameter int CHANNEL_LANES = 8,
    parameter int ADDRESS_BITS = 16,
    parameter bit LANES_APART = 1'b0,
    localparam int ROWS = VECTOR_WIDTH + 2,
    localparam int BANKS = 3 * ROWS,
    localparam int PARTS = LANES_APART ? CHANNEL_LANES : 1
) (
    input  logic                                  clk,
    // Of the layer.
    input  logic                                  fully_connected,
    input  logic                                  pruned,
    input  logic [7:0]                            kernel,
    input  logic [7:0]                            last_taps,
    input  logic [7:0]                            last_lanes,
    input  logic [15:0]                           in_rows,
    input  logic [15:0]                           in_columns,
    input  logic [ADDRESS_BITS-1:0]               row_pitch,
    input  logic [ADDRESS_BITS-1:0]               column_pitch,
    // Of the window, one cycle after it was issued.
    input  logic                                  valid,
    input  logic [7:0]                            plane,
    input  logic [ADDRESS_BITS-1:0]               map_offset,
    input  logic [ADDRESS_BITS-1:0]               row_offset,
    input  logic [ADDRESS_BITS-1:0]               column_offset,
    input  logic [ADDRESS_BITS-1:0]               word,
    input  logic                                  last_word,
    input  logic [7:0]                            row_bank,
    input  logic [1:0]                            column_bank,
    input  logic [15:0]                           row,
    input  logic [15:0]                           column,
    input  logic [7:0]                            kernel_row,
    input  logic [7:0]                            kernel_column,
    input  logic [CHANNEL_LANES-1:0]              lane_valid,
    input  logic [CHANNEL_LANES*ADDRESS_BITS-1:0] lane_kernel,
    // The buffer, one cycle later.
    output logic [BANKS-1:0]                      read_enable,
    output logic [BANKS*ADDRESS_BITS-1:0]         read_address,
    output logic [PARTS*ADDRESS_BITS-1:0]         read_word,
    input  logic [BANKS*CHANNEL_LANES-1:0]        read_data,
    // The window, two cycles later.
    output logic [BANKS*CHANNEL_LANES-1:0]        window,
    output logic [9*CHANNEL_LANES-1:0]            tap_mask
);
  localparam int HALF = (VECTOR_WIDTH + 1) / 2;

  // A map of several planes keeps them apart, so that all planes of an element are written at once: see plane_banks.sv.
  wire [1:0] column_skew = plane == 8'd1 || plane == 8'd4 || plane == 8'd7 ? 2'd1
                         : plane == 8'd2 || plane == 8'd5 ? 2'd2 : 2'd0;
  wire [7:0] row_skew = fully_connected || plane < 8'd3 ? 8'd0 : plane < 8'd6 ? HALF[7:0] : 8'(2 * HALF);

  // Address stage: of each bank whether it holds the window's first rows and columns or the ones behind the wrap.
  logic [ADDRESS_BITS-1:0] corner_near, corner_column, corner_row, corner_both;
  logic [ROWS-1:0] row_wraps;
  logic [2:0] column_wraps;
  logic [7:0] turn_rows;
  logic [1:0] turn_columns;
  logic [2:0] read_plane;
  logic [ROWS-1:0] row_inside;
  logic [2:0] column_inside;
  logic [8:0] kernel_taps;
  logic [9*CHANNEL_LANES-1:0] lane_taps;
  logic reads, reads_map;

  wire [ADDRESS_BITS-1:0] near = map_offset + row_offset + column_offset;
  wire [8:0] turned_rows = {1'b0, row_bank} + {1'b0, row_skew};
  wire [2:0] turned_columns = {1'b0, column_bank} + (fully_connected ? 3'd0 : {1'b0, column_skew});

  always_ff @(posedge clk) begin
    reads <= valid;
    reads_map <= valid && !fully_connected;
    corner_near <= near;
    corner_column <= near + column_pitch;
    corner_row <= near + row_pitch;
    corner_both <= near + row_pitch + column_pitch;
    turn_rows <= turned_rows >= ROWS[8:0] ? turned_rows[7:0] - ROWS[7:0] : turned_rows[7:0];
    turn_columns <= turned_columns >= 3'd3 ? turned_columns[1:0] - 2'd3 : turned_columns[1:0];
    read_plane <= plane[2:0];
  end

  logic [ROWS-1:0] row_wraps_next, row_inside_next;
  logic [2:0] column_wraps_next, column_inside_next;
  logic [8:0] kernel_taps_next;
  logic [9*CHANNEL_LANES-1:0] lane_taps_next;
  logic [7:0] logical_row;
  logic [1:0] logical_column;
  logic signed [15:0] place;
  always_comb begin
    for (int k = 0; k < ROWS; k = k + 1) begin
      logical_row = 8'(k) >= row_skew ? 8'(k) - row_skew : 8'(k) + ROWS[7:0] - row_skew;
      row_wraps_next[k] = logical_row < row_bank;
      place = $signed(row) + $signed(16'(k));
      row_inside_next[k] = place >= 0 && place < $signed(in_rows);
    end
    for (int j = 0; j < 3; j = j + 1) begin
      logical_column = 2'(j);
      if (!fully_connected && column_skew != 2'd0)
        logical_column = 2'(j) >= column_skew ? 2'(j) - column_skew : 2'(j) + 2'd3 - column_skew;
      column_wraps_next[j] = logical_column < column_bank;
      place = $signed(column) + $signed(16'(j));
      column_inside_next[j] = place >= 0 && place < $signed(in_columns);
    end
    for (int i = 0; i < 3; i = i + 1)
      for (int j = 0; j < 3; j = j + 1)
        kernel_taps_next[3*i+j] = fully_connected || (kernel_row + 8'(i) < kernel && kernel_column + 8'(j) < kernel);
    for (int t = 0; t < 9; t = t + 1)
      for (int l = 0; l < CHANNEL_LANES; l = l + 1)
        if (pruned) lane_taps_next[t*CHANNEL_LANES+l] = lane_valid[l];
        else if (!last_word) lane_taps_next[t*CHANNEL_LANES+l] = 1'b1;
        else if (!fully_connected) lane_taps_next[t*CHANNEL_LANES+l] = last_lanes > 8'(l);
        else
          lane_taps_next[t*CHANNEL_LANES+l] = last_taps > 8'(t) || (last_taps == 8'(t) && last_lanes > 8'(l));
  end
  always_ff @(posedge clk) begin
    row_wraps <= row_wraps_next;
    row_inside <= row_inside_next;
    column_wraps <= column_wraps_next;
    column_inside <= column_inside_next;
    kernel_taps <= kernel_taps_next;
    lane_taps <= lane_taps_next;
  end

  genvar l, k, j;
  generate
    for (l = 0; l < PARTS; l = l + 1) begin : g_word
      if (LANES_APART) begin : g_own
        always_ff @(posedge clk)
          read_word[l*ADDRESS_BITS+:ADDRESS_BITS] <= pruned ? lane_kernel[l*ADDRESS_BITS+:ADDRESS_BITS] : word;
      end else begin : g_common
        wire unused_lanes = &{1'b0, lane_kernel};
        always_ff @(posedge clk) read_word <= word;
      end
    end
    for (k = 0; k < ROWS; k = k + 1) begin : g_bank_row
      for (j = 0; j < 3; j = j + 1) begin : g_bank
        assign read_enable[k*3+j] = k < 3 ? reads : reads_map;
        assign read_address[(k*3+j)*ADDRESS_BITS+:ADDRESS_BITS] = row_wraps[k]
            ? (column_wraps[j] ? corner_both : corner_row) : (column_wraps[j] ? corner_column : corner_near);
      end
    end
  endgenerate

  // Window stage, beside the data: turned and masked.
  logic [7:0] window_rows;
  logic [1:0] window_columns;
  logic [2:0] window_plane;
  logic [ROWS-1:0] window_row_inside;
  logic [2:0] window_column_inside;
  always_ff @(posedge clk) begin
    window_rows <= turn_rows;
    window_columns <= turn_columns;
    window_plane <= read_plane;
    window_row_inside <= row_inside;
    window_column_inside <= column_inside;
    for (int t = 0; t < 9; t = t + 1)
      tap_mask[t*CHANNEL_LANES+:CHANNEL_LANES] <=
          lane_taps[t*CHANNEL_LANES+:CHANNEL_LANES] & {CHANNEL_LANES{kernel_taps[t]}};
  end

  window_turner #(.VECTOR_WIDTH(VECTOR_WIDTH), .CHANNEL_LANES(CHANNEL_LANES)) turner (
      .fully_connected(fully_connected), .plane(window_plane), .first_row(window_rows), .first_column(window_columns),
      .row_inside(window_row_inside), .column_inside(window_column_inside), .banks(read_data), .window(window)
  );
endmodule
