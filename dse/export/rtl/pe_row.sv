// The lanes of one row. Bit t L + l of a word belongs to tap t of lane l.
module pe_row #(
    parameter int CHANNEL_LANES = 8
) (
    input  logic                       clk,
    input  logic                       enable,
    input  logic                       binary,
    input  logic [9*CHANNEL_LANES-1:0] spikes,
    input  logic [9*CHANNEL_LANES-1:0] weights,
    output logic [5*CHANNEL_LANES-1:0] lane_sums
);
  genvar l, t;
  generate
    for (l = 0; l < CHANNEL_LANES; l = l + 1) begin : g_lane
      wire [8:0] lane_spikes, lane_weights;
      for (t = 0; t < 9; t = t + 1) begin : g_tap
        assign lane_spikes[t] = spikes[t*CHANNEL_LANES+l];
        assign lane_weights[t] = weights[t*CHANNEL_LANES+l];
      end
      pe_lane lane (
          .clk(clk), .enable(enable), .binary(binary), .spikes(lane_spikes), .weights(lane_weights), .sum(lane_sums[5*l+:5])
      );
    end
  endgenerate
endmodule
