// Sum of L signed numbers with a register after every second level: ceil(ceil(log2 L) / 2) cycles.
module adder_tree #(
    parameter int INPUTS = 8,
    parameter int WIDTH = 5,
    localparam int LEVELS = $clog2(INPUTS),
    localparam int SUM_WIDTH = WIDTH + LEVELS
) (
    input  logic                    clk,
    input  logic [INPUTS*WIDTH-1:0] terms,
    output logic [SUM_WIDTH-1:0]    sum
);
  genvar i, level;
  generate
    for (level = 0; level <= LEVELS; level = level + 1) begin : g_level
      localparam int COUNT = 1 << (LEVELS - level);
      logic [COUNT*SUM_WIDTH-1:0] values;
      if (level == 0) begin : g_leaves
        for (i = 0; i < COUNT; i = i + 1) begin : g_leaf
          if (i < INPUTS) begin : g_used
            assign values[i*SUM_WIDTH+:SUM_WIDTH] = {{LEVELS{terms[i*WIDTH+WIDTH-1]}}, terms[i*WIDTH+:WIDTH]};
          end else begin : g_unused
            assign values[i*SUM_WIDTH+:SUM_WIDTH] = '0;
          end
        end
      end else begin : g_adders
        for (i = 0; i < COUNT; i = i + 1) begin : g_adder
          wire [SUM_WIDTH-1:0] pair = g_level[level-1].values[2*i*SUM_WIDTH+:SUM_WIDTH]
                                    + g_level[level-1].values[(2*i+1)*SUM_WIDTH+:SUM_WIDTH];
          if (level % 2 == 0 || level == LEVELS) begin : g_registered
            always_ff @(posedge clk) values[i*SUM_WIDTH+:SUM_WIDTH] <= pair;
          end else begin : g_passed
            assign values[i*SUM_WIDTH+:SUM_WIDTH] = pair;
          end
        end
      end
    end
  endgenerate
  generate
    if (LEVELS == 0) begin : g_single
      wire unused_clk = &{1'b0, clk};
    end
  endgenerate
  assign sum = g_level[LEVELS].values;
endmodule
