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
  logic [5*CHANNEL_LANES-1:0] sums;
  logic [4:0] all, agreeing;
  always_comb begin
    sums = '0;
    for (int l = 0; l < CHANNEL_LANES; l = l + 1) begin
      all = 5'd0;
      agreeing = 5'd0;
      for (int t = 0; t < 9; t = t + 1) begin
        all = all + {4'd0, spikes[t*CHANNEL_LANES+l]};
        agreeing = agreeing + {4'd0, spikes[t*CHANNEL_LANES+l] & weights[t*CHANNEL_LANES+l]};
      end
      sums[5*l+:5] = binary ? {agreeing[3:0], 1'b0} - all : agreeing;
    end
  end
  always_ff @(posedge clk) lane_sums <= sums;
endmodule
