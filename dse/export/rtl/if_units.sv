// One integrate-and-fire neuron a row. A time step adds the sum less c to the membrane and finds how often one or two
// thresholds fit, a bit of the strength a cycle, the highest first: theta 2^place is taken off wherever it fits. Then the
// membrane is what the lower threshold left (soft reset), or 0 after any spike (hard). Strengths are registered. Neurons of
// rows that do not work stand still. Under `outer` order the membranes of the step before come from the membrane buffer.
module if_units #(
    parameter int VECTOR_WIDTH = 8,
    parameter int SUM_WIDTH = 24,
    parameter int STRENGTH_BITS = 1,
    parameter int FRACTION_WIDTH = 4,
    parameter int MEMBRANE_BITS = 24,
    parameter bit DUAL = 1'b0,
    parameter bit OUTER = 1'b0
) (
    input  logic                                  clk,
    input  logic                                  step,
    input  logic [VECTOR_WIDTH-1:0]               working,
    // Of the cycle: sums are handed over; first step of the position; first and last bit of the step's strength, place of the bit.
    input  logic                                  handover,
    input  logic                                  first_step,
    input  logic                                  first_bit,
    input  logic                                  last_bit,
    input  logic [1:0]                            place,
    // Of the layer and the filter.
    input  logic                                  hard_reset,
    input  logic [FRACTION_WIDTH-1:0]             fraction_bits,
    input  logic [MEMBRANE_BITS-1:0]              constant,
    input  logic [MEMBRANE_BITS-1:0]              lower,
    input  logic [MEMBRANE_BITS-1:0]              upper,
    input  logic [VECTOR_WIDTH*SUM_WIDTH-1:0]     totals,
    input  logic [VECTOR_WIDTH*MEMBRANE_BITS-1:0] stored,
    // The sums of the running step, and its strengths by the lower threshold, complete in the cycle of the last bit.
    output logic [VECTOR_WIDTH*SUM_WIDTH-1:0]     sums,
    output logic [VECTOR_WIDTH*STRENGTH_BITS-1:0] rising,
    output logic [VECTOR_WIDTH*MEMBRANE_BITS-1:0] membranes,
    output logic [VECTOR_WIDTH*STRENGTH_BITS-1:0] lower_strengths,
    output logic [VECTOR_WIDTH*STRENGTH_BITS-1:0] upper_strengths
);
  // Thresholds are unsigned words, potentials signed ones; multiples of a threshold are wider still.
  localparam int WIDE = MEMBRANE_BITS + STRENGTH_BITS;

  wire signed [WIDE-1:0] lower_multiple = {{STRENGTH_BITS{1'b0}}, lower} << place;

  wire unused_stored = &{1'b0, stored};
  genvar r;
  generate
    for (r = 0; r < VECTOR_WIDTH; r = r + 1) begin : g_row
      localparam int S = r * STRENGTH_BITS;
      logic [MEMBRANE_BITS-1:0] membrane;
      logic [SUM_WIDTH-1:0]     held;
      wire handed = handover && working[r];
      wire [SUM_WIDTH-1:0] total = handed ? totals[r*SUM_WIDTH+:SUM_WIDTH] : held;
      wire signed [SUM_WIDTH-1:0] signed_total = total;
      wire signed [MEMBRANE_BITS-1:0] widened = MEMBRANE_BITS'(signed_total);
      wire [MEMBRANE_BITS-1:0] scaled = widened << fraction_bits;
      wire [MEMBRANE_BITS-1:0] left = OUTER ? stored[r*MEMBRANE_BITS+:MEMBRANE_BITS] : membrane;
      wire [MEMBRANE_BITS-1:0] previous = first_step ? '0 : left;
      wire [MEMBRANE_BITS-1:0] potential = first_bit ? previous + scaled - constant : membrane;
      wire signed [WIDE-1:0] signed_potential = {{STRENGTH_BITS{potential[MEMBRANE_BITS-1]}}, potential};
      wire fires = signed_potential >= lower_multiple;
      wire [MEMBRANE_BITS-1:0] rest = fires ? potential - lower_multiple[MEMBRANE_BITS-1:0] : potential;
      wire [STRENGTH_BITS-1:0] earlier = first_bit ? '0 : lower_strengths[S+:STRENGTH_BITS];
      wire [STRENGTH_BITS-1:0] strength = (earlier << 1) | STRENGTH_BITS'(fires);
      assign sums[r*SUM_WIDTH+:SUM_WIDTH] = total;
      assign rising[S+:STRENGTH_BITS] = strength;
      assign membranes[r*MEMBRANE_BITS+:MEMBRANE_BITS] = OUTER ? membrane : '0;
      always_ff @(posedge clk) begin
        if (handed) held <= total;
        if (step && working[r]) begin
          membrane <= hard_reset && last_bit && |strength ? '0 : rest;
          lower_strengths[S+:STRENGTH_BITS] <= strength;
        end
      end
      if (DUAL) begin : g_upper
        wire signed [WIDE-1:0] upper_multiple = {{STRENGTH_BITS{1'b0}}, upper} << place;
        wire [STRENGTH_BITS-1:0] upper_earlier = first_bit ? '0 : upper_strengths[S+:STRENGTH_BITS];
        wire upper_fires;
        always_ff @(posedge clk)
          if (step && working[r]) upper_strengths[S+:STRENGTH_BITS] <= (upper_earlier << 1) | STRENGTH_BITS'(upper_fires);
        if (STRENGTH_BITS == 1) begin : g_plain
          assign upper_fires = signed_potential >= upper_multiple;
        end else begin : g_strength
          logic [MEMBRANE_BITS-1:0] upper_membrane;
          wire [MEMBRANE_BITS-1:0] upper_potential = first_bit ? potential : upper_membrane;
          wire signed [WIDE-1:0] signed_upper = {{STRENGTH_BITS{upper_potential[MEMBRANE_BITS-1]}}, upper_potential};
          assign upper_fires = signed_upper >= upper_multiple;
          always_ff @(posedge clk)
            if (step && working[r])
              upper_membrane <= upper_fires ? upper_potential - upper_multiple[MEMBRANE_BITS-1:0] : upper_potential;
        end
      end else begin : g_no_upper
        wire unused_upper = &{1'b0, upper};
        assign upper_strengths[S+:STRENGTH_BITS] = '0;
      end
    end
  endgenerate
endmodule
