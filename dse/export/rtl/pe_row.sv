// The nine taps of each lane of one row, added and registered. Bit t L + l of a word belongs to tap t of lane l.
// Binary weights stand for -1 and +1: 2 popcount(s AND w) - popcount(s). Planes of wider weights are 0 and 1.
module pe_row #(
    parameter int CHANNEL_LANES = 8
) (
    input  logic                       clk,
    input  logic                       binary,
    input  logic [9*CHANNEL_LANES-1:0] spikes,
    input  logic [9*CHANNEL_LANES-1:0] weights,
    output logic [5*CHANNEL_LANES-1:0] lane_sums
);
  genvar l, t;
  generate
    for (l = 0; l < CHANNEL_LANES; l = l + 1) begin : g_lane
      wire [8:0] active, agreeing;
      for (t = 0; t < 9; t = t + 1) begin : g_tap
        assign active[t] = spikes[t*CHANNEL_LANES+l];
        assign agreeing[t] = active[t] & weights[t*CHANNEL_LANES+l];
      end
      always_ff @(posedge clk)
        lane_sums[5*l+:5] <= binary ? 5'($countones(agreeing)) * 5'd2 - 5'($countones(active)) : 5'($countones(agreeing));
    end
  endgenerate
endmodule
