// V rows x L lanes x 9 taps of one-bit weights and spikes, and the adder tree of each row.
module pe_array #(
    parameter int VECTOR_WIDTH = 8,
    parameter int CHANNEL_LANES = 8,
    parameter int SUM_WIDTH = 8
) (
    input  logic                                        clk,
    input  logic                                        binary,
    input  logic [(VECTOR_WIDTH+2)*3*CHANNEL_LANES-1:0] window,
    input  logic [9*CHANNEL_LANES-1:0]                  tap_mask,
    input  logic [9*CHANNEL_LANES-1:0]                  weights,
    output logic [VECTOR_WIDTH*SUM_WIDTH-1:0]           row_sums
);
  genvar r;
  generate
    for (r = 0; r < VECTOR_WIDTH; r = r + 1) begin : g_row
      logic [5*CHANNEL_LANES-1:0] lane_sums;
      pe_row #(.CHANNEL_LANES(CHANNEL_LANES)) elements (
          .clk(clk), .binary(binary), .spikes(window[r*3*CHANNEL_LANES+:9*CHANNEL_LANES] & tap_mask),
          .weights(weights), .lane_sums(lane_sums)
      );
      adder_tree #(.INPUTS(CHANNEL_LANES), .WIDTH(5)) tree (
          .clk(clk), .terms(lane_sums), .sum(row_sums[r*SUM_WIDTH+:SUM_WIDTH])
      );
    end
  endgenerate
endmodule
