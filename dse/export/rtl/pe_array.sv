// V rows x L lanes x 9 taps of one-bit weights and spikes, and the adder tree of each row. A row's registers load where the
// row works: `working` has a bit for each row and stage, nine taps first.
module pe_array #(
    parameter int VECTOR_WIDTH = 8,
    parameter int CHANNEL_LANES = 8,
    parameter int SUM_WIDTH = 8,
    localparam int STAGES = 1 + ($clog2(CHANNEL_LANES) + 1) / 2
) (
    input  logic                                        clk,
    input  logic                                        binary,
    input  logic [STAGES*VECTOR_WIDTH-1:0]              working,
    input  logic [(VECTOR_WIDTH+2)*3*CHANNEL_LANES-1:0] window,
    input  logic [9*CHANNEL_LANES-1:0]                  tap_mask,
    input  logic [9*CHANNEL_LANES-1:0]                  weights,
    output logic [VECTOR_WIDTH*SUM_WIDTH-1:0]           row_sums
);
  genvar r, s;
  generate
    for (r = 0; r < VECTOR_WIDTH; r = r + 1) begin : g_row
      logic [5*CHANNEL_LANES-1:0] lane_sums;
      wire [STAGES-1:0] enables;
      for (s = 0; s < STAGES; s = s + 1) begin : g_stage
        assign enables[s] = working[s*VECTOR_WIDTH+r];
      end
      pe_row #(.CHANNEL_LANES(CHANNEL_LANES)) elements (
          .clk(clk), .enable(enables[0]), .binary(binary), .spikes(window[r*3*CHANNEL_LANES+:9*CHANNEL_LANES] & tap_mask),
          .weights(weights), .lane_sums(lane_sums)
      );
      adder_tree #(.INPUTS(CHANNEL_LANES), .WIDTH(5)) tree (
          .clk(clk), .enables(enables), .terms(lane_sums), .sum(row_sums[r*SUM_WIDTH+:SUM_WIDTH])
      );
    end
  endgenerate
endmodule
