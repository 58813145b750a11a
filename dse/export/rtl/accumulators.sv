// One accumulator a row: adds or subtracts the sum of the lanes, shifted by the planes of weight and input. Rows that do not
// work are idle, but start from 0. Under `outer` order sums that an earlier step left may come back instead.
module accumulators #(
    parameter int VECTOR_WIDTH = 8,
    parameter int SUM_WIDTH = 8,
    parameter int WIDTH = 24,
    parameter bit OUTER = 1'b0
) (
    input  logic                              clk,
    input  logic                              enable,
    input  logic                              first,
    input  logic                              subtract,
    input  logic [3:0]                        shift,
    input  logic [VECTOR_WIDTH-1:0]           working,
    input  logic [VECTOR_WIDTH*SUM_WIDTH-1:0] sums,
    input  logic                              restore,
    input  logic [VECTOR_WIDTH*WIDTH-1:0]     stored,
    output logic [VECTOR_WIDTH*WIDTH-1:0]     totals
);
  wire restored = OUTER && restore;
  wire unused_stored = &{1'b0, restore, stored};
  genvar r;
  generate
    for (r = 0; r < VECTOR_WIDTH; r = r + 1) begin : g_row
      wire [WIDTH-1:0] wide = {{WIDTH - SUM_WIDTH{sums[r*SUM_WIDTH+SUM_WIDTH-1]}}, sums[r*SUM_WIDTH+:SUM_WIDTH]};
      wire [WIDTH-1:0] term = wide << shift;
      wire [WIDTH-1:0] previous = first ? '0 : totals[r*WIDTH+:WIDTH];
      always_ff @(posedge clk)
        if (restored) totals[r*WIDTH+:WIDTH] <= stored[r*WIDTH+:WIDTH];
        else if (enable && (working[r] || first))
          totals[r*WIDTH+:WIDTH] <= !working[r] ? '0 : subtract ? previous - term : previous + term;
    end
  endgenerate
endmodule
