// Sum of L signed numbers with a register after every second level: ceil(ceil(log2 L) / 2) cycles. Each level is one bit
// wider than the one before. A stage loads where its bit of `enables` is set; the lowest is that of the terms.
module adder_tree #(
    parameter int INPUTS = 8,
    parameter int WIDTH = 5,
    localparam int LEVELS = $clog2(INPUTS),
    localparam int STAGES = (LEVELS + 1) / 2,
    localparam int SUM_WIDTH = WIDTH + LEVELS
) (
    input  logic                    clk,
    input  logic [STAGES:0]         enables,
    input  logic [INPUTS*WIDTH-1:0] terms,
    output logic [SUM_WIDTH-1:0]    sum
);
  genvar i, level;
  generate
    for (level = 0; level <= LEVELS; level = level + 1) begin : g_level
      localparam int COUNT = 1 << (LEVELS - level);
      localparam int BITS = WIDTH + level;
      logic [COUNT*BITS-1:0] values;
      if (level == 0) begin : g_leaves
        for (i = 0; i < COUNT; i = i + 1) begin : g_leaf
          if (i < INPUTS) begin : g_used
            assign values[i*BITS+:BITS] = terms[i*WIDTH+:WIDTH];
          end else begin : g_unused
            assign values[i*BITS+:BITS] = '0;
          end
        end
      end else begin : g_adders
        for (i = 0; i < COUNT; i = i + 1) begin : g_adder
          wire [BITS-2:0] lower = g_level[level-1].values[2*i*(BITS-1)+:BITS-1];
          wire [BITS-2:0] upper = g_level[level-1].values[(2*i+1)*(BITS-1)+:BITS-1];
          wire [BITS-1:0] pair = {lower[BITS-2], lower} + {upper[BITS-2], upper};
          if (level % 2 == 0 || level == LEVELS) begin : g_registered
            always_ff @(posedge clk) if (enables[(level+1)/2]) values[i*BITS+:BITS] <= pair;
          end else begin : g_passed
            assign values[i*BITS+:BITS] = pair;
          end
        end
      end
    end
  endgenerate
  wire unused_stage = &{1'b0, clk, enables};
  assign sum = g_level[LEVELS].values;
endmodule
