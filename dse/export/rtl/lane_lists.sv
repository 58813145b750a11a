// Lane address unit for pruned kernels: each lane holds one bit for each of its kernels and hands out the kept ones in order.
// `more` says that some lane has a kernel behind the one it is at; a lane that has run out is masked.
module lane_lists #(
    parameter int CHANNEL_LANES = 8,
    parameter int KERNELS = 9,
    parameter int ADDRESS_BITS = 16
) (
    input  logic                                  clk,
    input  logic                                  load,
    input  logic [7:0]                            load_word,
    input  logic [9*CHANNEL_LANES-1:0]            load_data,
    input  logic                                  restart,
    input  logic                                  advance,
    output logic                                  more,
    output logic [CHANNEL_LANES-1:0]              lane_valid,
    output logic [CHANNEL_LANES*ADDRESS_BITS-1:0] lane_kernel
);
  localparam int WORDS = (KERNELS + 8) / 9;

  logic [CHANNEL_LANES-1:0] lane_more;
  assign more = |lane_more;

  genvar l, w, t;
  generate
    for (l = 0; l < CHANNEL_LANES; l = l + 1) begin : g_lane
      logic [9*WORDS-1:0] kept;
      logic [9*WORDS-1:0] left;
      logic [9*WORDS-1:0] rest;
      logic [ADDRESS_BITS-1:0] lowest;

      for (w = 0; w < WORDS; w = w + 1) begin : g_word
        for (t = 0; t < 9; t = t + 1) begin : g_kernel
          always_ff @(posedge clk) if (load && load_word == w[7:0]) kept[9*w+t] <= load_data[t*CHANNEL_LANES+l];
        end
      end

      wire [9*WORDS-1:0] todo = restart ? kept : left;
      assign rest = todo & (todo - 1'b1);
      always_ff @(posedge clk) left <= advance ? rest : todo;

      always_comb begin
        lowest = '0;
        for (int k = 9 * WORDS - 1; k >= 0; k = k - 1) if (todo[k]) lowest = ADDRESS_BITS'(k);
      end
      assign lane_valid[l] = |todo;
      assign lane_more[l] = |rest;
      assign lane_kernel[l*ADDRESS_BITS+:ADDRESS_BITS] = lowest;
    end
  endgenerate
endmodule
