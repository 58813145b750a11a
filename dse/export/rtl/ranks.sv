// What each row's neuron has gathered so far, by which a pooling window chooses its winner: the sums of its inputs, never
// reset, or its strengths. Registered with the strengths of the step. Under `outer` order the ranks of the step before come from the
// membrane buffer, some cycles early.
module ranks #(
    parameter int VECTOR_WIDTH = 8,
    parameter int SUM_WIDTH = 24,
    parameter int STRENGTH_BITS = 1,
    parameter int WIDTH = 24,
    parameter bit OUTER = 1'b0
) (
    input  logic                                  clk,
    input  logic                                  step_ends,
    input  logic [VECTOR_WIDTH-1:0]               working,
    input  logic                                  first_step,
    input  logic                                  of_sums,
    input  logic [VECTOR_WIDTH*SUM_WIDTH-1:0]     sums,
    input  logic [VECTOR_WIDTH*STRENGTH_BITS-1:0] strengths,
    input  logic                                  arrive,
    input  logic [VECTOR_WIDTH*WIDTH-1:0]         stored,
    output logic [VECTOR_WIDTH*WIDTH-1:0]         gathered
);
  wire [VECTOR_WIDTH*WIDTH-1:0] before_step;
  wire unused_stored = &{1'b0, arrive, stored};
  generate
    if (OUTER) begin : g_outer
      logic [VECTOR_WIDTH*WIDTH-1:0] held;
      always_ff @(posedge clk) if (arrive) held <= stored;
      assign before_step = held;
    end else begin : g_inner
      assign before_step = gathered;
    end
  endgenerate
  genvar r;
  generate
    for (r = 0; r < VECTOR_WIDTH; r = r + 1) begin : g_row
      wire signed [SUM_WIDTH-1:0] sum = sums[r*SUM_WIDTH+:SUM_WIDTH];
      wire signed [WIDTH-1:0] widened = WIDTH'(sum);
      wire unused_sum = &{1'b0, sum};
      wire [WIDTH-1:0] counted = WIDTH'(strengths[r*STRENGTH_BITS+:STRENGTH_BITS]);
      wire [WIDTH-1:0] previous = first_step ? '0 : before_step[r*WIDTH+:WIDTH];
      always_ff @(posedge clk) if (step_ends && working[r]) gathered[r*WIDTH+:WIDTH] <= previous + (of_sums ? widened : counted);
    end
  endgenerate
endmodule
