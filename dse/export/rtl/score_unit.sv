// Adds a classifier's row accumulators, one a cycle, into the score of its filter, on the grid of the bias. A filter's score
// begins with the bias in a group's first pass, and goes on from the pass before in the others.
module score_unit #(
    parameter int VECTOR_WIDTH = 8,
    parameter int SUM_WIDTH = 24,
    parameter int FRACTION_BITS = 8,
    parameter int SCORE_BITS = 32,
    parameter int MEMBRANE_BITS = 24
) (
    input  logic                              clk,
    input  logic                              load_layer,
    input  logic                              first_pass,
    input  logic                              add,
    input  logic [7:0]                        rows,
    input  logic [7:0]                        stride,
    input  logic [MEMBRANE_BITS-1:0]          bias,
    input  logic [VECTOR_WIDTH*SUM_WIDTH-1:0] totals,
    output logic                              filter_ends,
    output logic [15:0]                       before_index,
    input  logic [SCORE_BITS-1:0]             stored_score,
    output logic                              score_valid,
    output logic [15:0]                       score_filter,
    output logic [SCORE_BITS-1:0]             score
);
  logic [7:0] row, count;
  logic [SCORE_BITS-1:0] partial;
  logic [SUM_WIDTH-1:0] total;
  always_comb begin
    total = '0;
    for (int r = 0; r < VECTOR_WIDTH; r = r + 1) if (row == 8'(r)) total = totals[r*SUM_WIDTH+:SUM_WIDTH];
  end
  wire signed [SUM_WIDTH-1:0] signed_total = total;
  wire signed [SCORE_BITS-1:0] widened = SCORE_BITS'(signed_total);
  wire [SCORE_BITS-1:0] scaled = widened << FRACTION_BITS;
  wire [SCORE_BITS-1:0] initial_score = {{SCORE_BITS - MEMBRANE_BITS{bias[MEMBRANE_BITS-1]}}, bias};
  wire [SCORE_BITS-1:0] previous = count != 8'd0 ? partial : first_pass ? initial_score : stored_score;
  wire [SCORE_BITS-1:0] after = previous + scaled;
  assign filter_ends = add && count + 8'd1 == rows;

  always_ff @(posedge clk) begin
    score_valid <= filter_ends;
    score <= after;
    score_filter <= before_index;
    if (load_layer) before_index <= '0;
    else if (filter_ends) before_index <= before_index + 16'd1;
    if (load_layer || filter_ends) begin
      row <= '0;
      count <= '0;
    end else if (add) begin
      row <= row + stride;
      count <= count + 8'd1;
      partial <= after;
    end
  end
endmodule
