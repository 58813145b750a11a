// The place of an input of a fully connected layer, moved on: lane, then tap of nine, then word. A place is {word, tap, lane}.
module flat_step #(
    parameter int CHANNEL_LANES = 8,
    parameter int ADDRESS_BITS = 16
) (
    input  logic [ADDRESS_BITS+15:0] place,
    input  logic [ADDRESS_BITS+15:0] by,
    output logic [ADDRESS_BITS+15:0] moved
);
  localparam logic [8:0] L = CHANNEL_LANES[8:0];
  wire [8:0] lane = {1'b0, place[7:0]} + {1'b0, by[7:0]};
  wire [8:0] tap = {1'b0, place[15:8]} + {1'b0, by[15:8]} + {8'd0, lane >= L};
  assign moved[7:0] = lane >= L ? lane[7:0] - L[7:0] : lane[7:0];
  assign moved[15:8] = tap >= 9'd9 ? tap[7:0] - 8'd9 : tap[7:0];
  assign moved[ADDRESS_BITS+15:16] =
      place[ADDRESS_BITS+15:16] + by[ADDRESS_BITS+15:16] + {{ADDRESS_BITS - 1{1'b0}}, tap >= 9'd9};
endmodule
