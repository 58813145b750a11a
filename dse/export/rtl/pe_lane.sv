// The nine taps of one lane of one row, added and registered. Binary weights stand for -1 and +1:
// 2 popcount(s AND w) - popcount(s). Planes of wider weights are 0 and 1.
module pe_lane (
    input  logic       clk,
    input  logic       enable,
    input  logic       binary,
    input  logic [8:0] spikes,
    input  logic [8:0] weights,
    output logic [4:0] sum
);
  logic [3:0] agreeing, active;
  popcount_nine agreeing_taps (.bits(spikes & weights), .count(agreeing));
  popcount_nine active_taps (.bits(spikes), .count(active));
  wire [4:0] positive = binary ? {agreeing, 1'b0} : {1'b0, agreeing};
  wire [4:0] negative = binary ? {1'b0, active} : 5'd0;
  always_ff @(posedge clk) if (enable) sum <= positive - negative;
endmodule
