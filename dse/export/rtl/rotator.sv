// Words turned round: word k of the output is word (k + by) mod WORDS of the input. One layer of multiplexers for each bit of `by`.
module rotator #(
    parameter int WORDS = 10,
    parameter int WIDTH = 1,
    localparam int STAGES = $clog2(WORDS)
) (
    input  logic [STAGES-1:0]      by,
    input  logic [WORDS*WIDTH-1:0] words,
    output logic [WORDS*WIDTH-1:0] turned
);
  genvar s, k;
  generate
    for (s = 0; s <= STAGES; s = s + 1) begin : g_stage
      logic [WORDS*WIDTH-1:0] values;
      if (s == 0) begin : g_input
        assign values = words;
      end else begin : g_turned
        for (k = 0; k < WORDS; k = k + 1) begin : g_word
          assign values[k*WIDTH+:WIDTH] = by[s-1] ? g_stage[s-1].values[(k+(1<<(s-1)))%WORDS*WIDTH+:WIDTH]
                                                  : g_stage[s-1].values[k*WIDTH+:WIDTH];
        end
      end
    end
  endgenerate
  assign turned = g_stage[STAGES].values;
endmodule
