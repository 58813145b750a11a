// One accumulator a row: adds or subtracts the sum of the lanes, shifted by the planes of weight and input. Rows at or
// beyond `rows` are idle.
module accumulators #(
    parameter int VECTOR_WIDTH = 8,
    parameter int SUM_WIDTH = 8,
    parameter int WIDTH = 24
) (
    input  logic                              clk,
    input  logic                              enable,
    input  logic                              first,
    input  logic                              subtract,
    input  logic [3:0]                        shift,
    input  logic [7:0]                        rows,
    input  logic [VECTOR_WIDTH*SUM_WIDTH-1:0] sums,
    output logic [VECTOR_WIDTH*WIDTH-1:0]     totals
);
  genvar r;
  generate
    for (r = 0; r < VECTOR_WIDTH; r = r + 1) begin : g_row
      wire [WIDTH-1:0] wide = {{WIDTH - SUM_WIDTH{sums[r*SUM_WIDTH+SUM_WIDTH-1]}}, sums[r*SUM_WIDTH+:SUM_WIDTH]};
      wire [WIDTH-1:0] term = wide << shift;
      wire [WIDTH-1:0] previous = first ? '0 : totals[r*WIDTH+:WIDTH];
      wire             used = rows > r[7:0];
      always_ff @(posedge clk)
        if (enable && (used || first))
          totals[r*WIDTH+:WIDTH] <= !used ? '0 : subtract ? previous - term : previous + term;
    end
  endgenerate
endmodule
