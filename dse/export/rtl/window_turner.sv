// From the words of the banks to a window: rows and columns turned to their order, and what lies outside the map masked.
module window_turner #(
    parameter int VECTOR_WIDTH = 8,
    parameter int CHANNEL_LANES = 8,
    localparam int ROWS = VECTOR_WIDTH + 2,
    localparam int STRIPE = 3 * CHANNEL_LANES,
    localparam int FLAT = 9 * CHANNEL_LANES
) (
    input  logic                   fully_connected,
    input  logic [2:0]             plane,
    input  logic [7:0]             first_row,
    input  logic [1:0]             first_column,
    input  logic [ROWS-1:0]        row_inside,
    input  logic [2:0]             column_inside,
    input  logic [ROWS*STRIPE-1:0] banks,
    output logic [ROWS*STRIPE-1:0] window
);
  localparam int TURN_BITS = $clog2(ROWS);
  wire unused_row = &{1'b0, first_row};
  logic [ROWS*STRIPE-1:0] rows;
  rotator #(.WORDS(ROWS), .WIDTH(STRIPE)) turn (.by(first_row[TURN_BITS-1:0]), .words(banks), .turned(rows));

  // Inputs of a fully connected layer: plane b lies 2 (b mod 4) taps further than plane 0, from the fifth on one more.
  wire [16*CHANNEL_LANES-1:0] flat_twice = {banks[7*CHANNEL_LANES-1:0], banks[FLAT-1:0]};
  logic [FLAT-1:0] flat;
  always_comb
    case (plane)
      3'd0: flat = flat_twice[0+:FLAT];
      3'd1: flat = flat_twice[2*CHANNEL_LANES+:FLAT];
      3'd2: flat = flat_twice[4*CHANNEL_LANES+:FLAT];
      3'd3: flat = flat_twice[6*CHANNEL_LANES+:FLAT];
      3'd4: flat = flat_twice[1*CHANNEL_LANES+:FLAT];
      3'd5: flat = flat_twice[3*CHANNEL_LANES+:FLAT];
      3'd6: flat = flat_twice[5*CHANNEL_LANES+:FLAT];
      default: flat = flat_twice[7*CHANNEL_LANES+:FLAT];
    endcase

  genvar i, j;
  generate
    for (i = 0; i < ROWS; i = i + 1) begin : g_row
      wire [STRIPE-1:0] stripe = rows[i*STRIPE+:STRIPE];
      for (j = 0; j < 3; j = j + 1) begin : g_column
        localparam int HERE = (3 * i + j) * CHANNEL_LANES;
        wire [CHANNEL_LANES-1:0] word = first_column == 2'd2 ? stripe[(j+2)%3*CHANNEL_LANES+:CHANNEL_LANES]
                                      : first_column == 2'd1 ? stripe[(j+1)%3*CHANNEL_LANES+:CHANNEL_LANES]
                                                             : stripe[j*CHANNEL_LANES+:CHANNEL_LANES];
        wire [CHANNEL_LANES-1:0] shown = word & {CHANNEL_LANES{row_inside[i] && column_inside[j]}};
        if (i < 3) begin : g_flat
          assign window[HERE+:CHANNEL_LANES] = fully_connected ? flat[HERE+:CHANNEL_LANES] : shown;
        end else begin : g_map
          assign window[HERE+:CHANNEL_LANES] = shown;
        end
      end
    end
  endgenerate
endmodule
