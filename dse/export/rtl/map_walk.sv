// Walks the words of a map that crosses the port: step, row, column, word of lanes; flat maps are one long place whose words go
// from tap to tap. Says where each word lies in DRAM (its first element) and in the spike buffer (bank and address of plane 0).
module map_walk #(
    parameter int VECTOR_WIDTH = 8,
    parameter int CHANNEL_LANES = 8,
    parameter int ADDRESS_BITS = 16,
    parameter int ELEMENT_BITS = 32,
    parameter int MAP_BITS = 193
) (
    input  logic                    clk,
    input  logic                    reset,
    // `map` describes the map from the cycle behind `start` on.
    input  logic                    start,
    input  logic [ELEMENT_BITS-1:0] start_element,
    input  logic [MAP_BITS-1:0]     map,
    // The word has crossed.
    input  logic                    moved,
    output logic                    active,
    output logic                    first,
    output logic                    last,
    output logic [ELEMENT_BITS-1:0] element,
    output logic [7:0]              lanes,
    output logic [7:0]              planes,
    output logic                    flat,
    output logic [7:0]              row_bank,
    output logic [3:0]              column_bank,
    output logic [ADDRESS_BITS-1:0] address,
    output logic [ADDRESS_BITS-1:0] plane_pitch
);
  localparam logic [7:0] ROWS = 8'(VECTOR_WIDTH + 2);

  logic [7:0] last_lanes;
  logic [15:0] rows, columns, words, steps;
  logic [ADDRESS_BITS-1:0] base, step_pitch, row_pitch, column_pitch;
  logic [ELEMENT_BITS-1:0] step_elements;
  assign {
    flat, planes, last_lanes, rows, columns, words, steps, base, step_pitch, plane_pitch, row_pitch, column_pitch,
    step_elements
  } = map;

  logic [15:0] step, row, column, word;
  logic [1:0] map_column;
  logic [3:0] tap;
  logic [ELEMENT_BITS-1:0] step_element;
  logic [ADDRESS_BITS-1:0] step_offset, row_offset, column_offset, flat_word;

  wire word_ends = word + 16'd1 == words;
  wire column_ends = column + 16'd1 == columns;
  wire row_ends = row + 16'd1 == rows;
  wire place_ends = word_ends && column_ends && row_ends;
  wire row_wraps = row_bank + 8'd1 == ROWS;
  wire column_wraps = map_column == 2'd2;
  wire tap_wraps = tap == 4'd8;
  assign last = place_ends && step + 16'd1 == steps;
  assign lanes = word_ends ? last_lanes : CHANNEL_LANES[7:0];
  assign column_bank = flat ? tap : {2'd0, map_column};
  assign address = base + step_offset + row_offset + column_offset + (flat ? flat_word : word[ADDRESS_BITS-1:0]);

  always_ff @(posedge clk) begin
    if (reset) active <= 1'b0;
    else if (start) active <= 1'b1;
    else if (moved && last) active <= 1'b0;

    if (start) begin
      first <= 1'b1;
      element <= start_element;
      step_element <= start_element;
      step <= '0;
      step_offset <= '0;
    end else if (moved) begin
      first <= 1'b0;
      element <= place_ends ? step_element + step_elements : element + {{ELEMENT_BITS - 8{1'b0}}, lanes};
      if (place_ends) begin
        step_element <= step_element + step_elements;
        step <= step + 16'd1;
        step_offset <= step_offset + step_pitch;
      end
    end
    if (start || (moved && word_ends)) begin
      word <= '0;
      tap <= '0;
      flat_word <= '0;
    end else if (moved) begin
      word <= word + 16'd1;
      tap <= tap_wraps ? '0 : tap + 4'd1;
      if (tap_wraps) flat_word <= flat_word + 1'b1;
    end
    if (start || (moved && word_ends && column_ends)) begin
      column <= '0;
      map_column <= '0;
      column_offset <= '0;
    end else if (moved && word_ends) begin
      column <= column + 16'd1;
      map_column <= column_wraps ? '0 : map_column + 2'd1;
      if (column_wraps) column_offset <= column_offset + column_pitch;
    end
    if (start || (moved && place_ends)) begin
      row <= '0;
      row_bank <= '0;
      row_offset <= '0;
    end else if (moved && word_ends && column_ends) begin
      row <= row + 16'd1;
      row_bank <= row_wraps ? '0 : row_bank + 8'd1;
      if (row_wraps) row_offset <= row_offset + row_pitch;
    end
  end
endmodule
