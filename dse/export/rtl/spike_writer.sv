// Follows the neurons: which step, column, strip and filter their spikes belong to, and where the stored elements go. Either
// in the order of maps (bank by row and column), or flat, as the inputs of a fully connected layer (bank by tap).
// Both maps of a dual threshold are neighbours: channels 2 m and 2 m + 1, and neighbours of each row in a flat map.
module spike_writer #(
    parameter int VECTOR_WIDTH = 8,
    parameter int CHANNEL_LANES = 8,
    parameter int PLANES = 3,
    parameter bit DUAL = 1'b0,
    parameter int ADDRESS_BITS = 16,
    parameter int PROGRAM_BITS = 1,
    localparam int ROWS = VECTOR_WIDTH + 2,
    localparam int BANKS = 3 * ROWS,
    localparam int MAPS = DUAL ? 2 : 1
) (
    input  logic                                clk,
    input  logic                                load_layer,
    input  logic [PROGRAM_BITS-1:0]             layer,
    // Of the column and step whose spikes are pooled in this cycle.
    input  logic                                step,
    input  logic [MAPS*VECTOR_WIDTH*PLANES-1:0] elements,
    output logic                                first_column,
    output logic [7:0]                          step_index,
    // Stored elements of a strip's rows, absent ones 0.
    output logic                                store,
    output logic [MAPS*VECTOR_WIDTH*PLANES-1:0] stored,
    // Writes of the buffer.
    output logic [BANKS-1:0]                    write_enable,
    output logic [BANKS*ADDRESS_BITS-1:0]       write_address,
    output logic [BANKS*CHANNEL_LANES-1:0]      write_data,
    output logic [BANKS*CHANNEL_LANES-1:0]      write_mask
);
  localparam logic [8:0] N = ROWS[8:0];
  localparam logic [8:0] L = CHANNEL_LANES[8:0];
  localparam int PLACE = ADDRESS_BITS + 16;

  logic flat, dual;
  logic [7:0] steps, planes, pool, strip_rows, strip_bank_step;
  logic [15:0] columns, strips, stored_rows;
  logic [ADDRESS_BITS-1:0] base, step_pitch, plane_pitch, row_pitch, column_pitch, strip_offset_step;
  logic [7:0] flat_column_lane, flat_column_tap, flat_strip_lane, flat_strip_tap, flat_filter_lane, flat_filter_tap;
  logic [ADDRESS_BITS-1:0] flat_column_word, flat_strip_word, flat_filter_word;
  assign {
    flat, dual, steps, planes, pool, strip_rows, strip_bank_step, columns, strips, stored_rows,
    base, step_pitch, plane_pitch, row_pitch, column_pitch, strip_offset_step,
    flat_column_lane, flat_column_tap, flat_column_word, flat_strip_lane, flat_strip_tap, flat_strip_word,
    flat_filter_lane, flat_filter_tap, flat_filter_word
  } = layer;

  logic [7:0] window_column, row_bank;
  logic [1:0] column_bank;
  logic [15:0] column, strip, rows_left;
  logic [ADDRESS_BITS-1:0] step_offset, row_offset, column_offset, channel_word;
  logic [8:0] lane;
  logic [PLACE-1:0] flat_filter, flat_strip, flat_place;

  wire step_ends = step_index + 8'd1 == steps;
  wire window_ends = window_column + 8'd1 == pool;
  wire column_ends = column + 16'd1 == columns;
  wire strip_ends = strip + 16'd1 == strips;
  wire [8:0] next_bank = {1'b0, row_bank} + {1'b0, strip_bank_step};
  wire [8:0] next_lane = lane + (dual ? 9'd2 : 9'd1);
  wire [PLACE-1:0] next_column, next_strip, next_filter;
  flat_step #(.CHANNEL_LANES(CHANNEL_LANES), .ADDRESS_BITS(ADDRESS_BITS)) column_step (
      .place(flat_place), .by({flat_column_word, flat_column_tap, flat_column_lane}), .moved(next_column)
  );
  flat_step #(.CHANNEL_LANES(CHANNEL_LANES), .ADDRESS_BITS(ADDRESS_BITS)) strip_step (
      .place(flat_strip), .by({flat_strip_word, flat_strip_tap, flat_strip_lane}), .moved(next_strip)
  );
  flat_step #(.CHANNEL_LANES(CHANNEL_LANES), .ADDRESS_BITS(ADDRESS_BITS)) filter_step (
      .place(flat_filter), .by({flat_filter_word, flat_filter_tap, flat_filter_lane}), .moved(next_filter)
  );

  assign first_column = window_column == 8'd0;
  assign store = step && window_ends;

  always_ff @(posedge clk) begin
    if (load_layer) begin
      step_index <= '0;
      step_offset <= '0;
      window_column <= '0;
      lane <= '0;
      channel_word <= '0;
      flat_filter <= '0;
    end else if (step) begin
      step_index <= step_ends ? '0 : step_index + 8'd1;
      step_offset <= step_ends ? '0 : step_offset + step_pitch;
      if (step_ends) window_column <= window_ends ? '0 : window_column + 8'd1;
      if (step_ends && window_ends && column_ends && strip_ends) begin
        lane <= next_lane >= L ? next_lane - L : next_lane;
        if (next_lane >= L) channel_word <= channel_word + 1'b1;
        flat_filter <= next_filter;
      end
    end
  end

  logic begun;
  always_ff @(posedge clk) begin
    // The counts of a strip start with the layer's first step; the layer's fields are there by then.
    if (load_layer) begun <= 1'b0;
    else begun <= 1'b1;
    if (!begun || (step && step_ends && window_ends)) begin
      column <= column + 16'd1;
      column_bank <= column_bank == 2'd2 ? '0 : column_bank + 2'd1;
      if (column_bank == 2'd2) column_offset <= column_offset + column_pitch;
      flat_place <= next_column;
      if (!begun || column_ends) begin
        column <= '0;
        column_bank <= '0;
        column_offset <= '0;
        strip <= strip + 16'd1;
        row_bank <= next_bank >= N ? next_bank[7:0] - N[7:0] : next_bank[7:0];
        row_offset <= row_offset + strip_offset_step + (next_bank >= N ? row_pitch : '0);
        rows_left <= rows_left - {8'd0, strip_rows};
        flat_strip <= next_strip;
        flat_place <= next_strip;
        if (!begun || strip_ends) begin
          strip <= '0;
          row_bank <= '0;
          row_offset <= '0;
          rows_left <= stored_rows;
          flat_strip <= begun ? next_filter : '0;
          flat_place <= begun ? next_filter : '0;
        end
      end
    end
  end

  wire [15:0] rows = rows_left < {8'd0, strip_rows} ? rows_left : {8'd0, strip_rows};
  wire [ADDRESS_BITS-1:0] corner = base + step_offset;
  wire [ADDRESS_BITS-1:0] map_corner = corner + row_offset + column_offset + channel_word;
  wire [ADDRESS_BITS-1:0] flat_corner = corner + flat_place[PLACE-1:16];

  // Elements of rows beyond the map, and of the upper map of a single threshold, are 0.
  always_comb begin
    stored = '0;
    for (int m = 0; m < MAPS; m = m + 1)
      for (int i = 0; i < VECTOR_WIDTH; i = i + 1)
        if (rows > 16'(i) && (m == 0 || dual))
          stored[(m*VECTOR_WIDTH+i)*PLANES+:PLANES] = elements[(m*VECTOR_WIDTH+i)*PLANES+:PLANES];
  end

  bank_writer #(
      .VECTOR_WIDTH(VECTOR_WIDTH), .CHANNEL_LANES(CHANNEL_LANES), .PLANES(PLANES), .DUAL(DUAL), .ADDRESS_BITS(ADDRESS_BITS)
  ) writes (
      .store(store), .flat(flat), .dual(dual), .planes(planes), .rows(rows[7:0]), .stored(stored), .plane_pitch(plane_pitch),
      .row_bank(row_bank), .column_bank(column_bank), .lane(lane), .near(map_corner), .far(map_corner + row_pitch),
      .flat_lane(flat_place[7:0]), .flat_tap(flat_place[15:8]), .flat_address(flat_corner),
      .write_enable(write_enable), .write_address(write_address), .write_data(write_data), .write_mask(write_mask)
  );
endmodule
