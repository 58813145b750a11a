// One integrate-and-fire neuron a row. A step adds the sum less c to the membrane, compares it with one or two
// thresholds and resets by the lower one: to 0 (hard) or by the threshold (soft). Spikes are registered.
module if_units #(
    parameter int VECTOR_WIDTH = 8,
    parameter int SUM_WIDTH = 24,
    parameter int FRACTION_BITS = 8,
    parameter int MEMBRANE_BITS = 24
) (
    input  logic                              clk,
    input  logic                              step,
    input  logic                              handover,
    input  logic                              first_step,
    input  logic                              hard_reset,
    input  logic [MEMBRANE_BITS-1:0]          constant,
    input  logic [MEMBRANE_BITS-1:0]          lower,
    input  logic [MEMBRANE_BITS-1:0]          upper,
    input  logic [VECTOR_WIDTH*SUM_WIDTH-1:0] totals,
    output logic [VECTOR_WIDTH-1:0]           lower_spikes,
    output logic [VECTOR_WIDTH-1:0]           upper_spikes
);
  // Thresholds are unsigned words, potentials signed ones: one more bit compares both.
  localparam int WIDE = MEMBRANE_BITS + 1;

  genvar r;
  generate
    for (r = 0; r < VECTOR_WIDTH; r = r + 1) begin : g_row
      logic [MEMBRANE_BITS-1:0] membrane;
      logic [SUM_WIDTH-1:0]     held;
      wire [SUM_WIDTH-1:0] total = handover ? totals[r*SUM_WIDTH+:SUM_WIDTH] : held;
      wire signed [SUM_WIDTH-1:0] signed_total = total;
      wire signed [MEMBRANE_BITS-1:0] widened = MEMBRANE_BITS'(signed_total);
      wire [MEMBRANE_BITS-1:0] scaled = widened << FRACTION_BITS;
      wire [MEMBRANE_BITS-1:0] previous = first_step ? '0 : membrane;
      wire [MEMBRANE_BITS-1:0] potential = previous + scaled - constant;
      wire signed [WIDE-1:0] signed_potential = {potential[MEMBRANE_BITS-1], potential};
      wire signed [WIDE-1:0] signed_lower = {1'b0, lower};
      wire signed [WIDE-1:0] signed_upper = {1'b0, upper};
      wire lower_fires = signed_potential >= signed_lower;
      always_ff @(posedge clk) begin
        if (handover) held <= total;
        if (step) begin
          membrane <= !lower_fires ? potential : hard_reset ? '0 : potential - lower;
          lower_spikes[r] <= lower_fires;
          upper_spikes[r] <= signed_potential >= signed_upper;
        end
      end
    end
  endgenerate
endmodule
