// Strengths of one column and step to stored elements: of each window those of the neuron that has gathered most so far, of
// equals the first in row order, for both maps of a dual threshold. The columns of a window come one after the other, all
// steps of each, so that rank, row and strengths of the winner are held for every step.
module winners #(
    parameter int VECTOR_WIDTH = 8,
    parameter int STEPS = 8,
    parameter int LARGEST_POOL = 2,
    parameter int LARGEST_STRIDE = 2,
    parameter int STRENGTH_BITS = 1,
    parameter int RANK_BITS = 24,
    parameter int PLANES = 3,
    parameter int MAPS = 1
) (
    input  logic                                       clk,
    input  logic                                       step,
    input  logic                                       first_column,
    input  logic [7:0]                                 step_index,
    input  logic [7:0]                                 pool,
    input  logic [7:0]                                 stride,
    input  logic                                       signed_ranks,
    input  logic [VECTOR_WIDTH*RANK_BITS-1:0]          ranks,
    input  logic [MAPS*VECTOR_WIDTH*STRENGTH_BITS-1:0] strengths,
    output logic [MAPS*VECTOR_WIDTH*PLANES-1:0]        elements
);
  localparam int STEP_BITS = STEPS > 1 ? $clog2(STEPS) : 1;
  localparam int WINDOWS = (VECTOR_WIDTH + 1) / 2;
  localparam int ROW_BITS = LARGEST_POOL > 1 ? $clog2(LARGEST_POOL) : 1;
  localparam int SPIKES = MAPS * STRENGTH_BITS;
  localparam int NEURON = RANK_BITS + SPIKES;
  localparam int WINNER = NEURON + ROW_BITS;

  wire unused_steps = &{1'b0, step_index};
  logic [WINDOWS*WINNER-1:0] held[0:STEPS-1];
  logic [WINDOWS*WINNER-1:0] previous, next;
  assign previous = held[step_index[STEP_BITS-1:0]];
  always_ff @(posedge clk) if (step) held[step_index[STEP_BITS-1:0]] <= next;

  // A row's neuron: rank, then strengths, the lower map's lowest.
  wire [VECTOR_WIDTH*NEURON-1:0] neurons;
  wire [WINDOWS*LARGEST_POOL*NEURON-1:0] places;
  window_rows #(
      .VECTOR_WIDTH(VECTOR_WIDTH), .WINDOWS(WINDOWS), .LARGEST_POOL(LARGEST_POOL), .LARGEST_STRIDE(LARGEST_STRIDE),
      .WIDTH(NEURON)
  ) order (.pool(pool), .stride(stride), .rows(neurons), .places(places));

  genvar r, m, j, i;
  generate
    for (r = 0; r < VECTOR_WIDTH; r = r + 1) begin : g_row
      assign neurons[r*NEURON+SPIKES+:RANK_BITS] = ranks[r*RANK_BITS+:RANK_BITS];
      for (m = 0; m < MAPS; m = m + 1) begin : g_map
        assign neurons[r*NEURON+m*STRENGTH_BITS+:STRENGTH_BITS] =
            strengths[(m*VECTOR_WIDTH+r)*STRENGTH_BITS+:STRENGTH_BITS];
      end
    end
    for (j = 0; j < WINDOWS; j = j + 1) begin : g_window
      // The winner so far, then against each row of the column.
      for (i = 0; i <= LARGEST_POOL; i = i + 1) begin : g_best
        wire [WINNER-1:0] best;
        if (i == 0) begin : g_before
          assign best = previous[j*WINNER+:WINNER];
        end else begin : g_row
          wire [NEURON-1:0] neuron = places[(j*LARGEST_POOL+i-1)*NEURON+:NEURON];
          wire [WINNER-1:0] other = g_best[i-1].best;
          wire [RANK_BITS-1:0] rank = neuron[NEURON-1-:RANK_BITS];
          wire [RANK_BITS-1:0] other_rank = other[NEURON-1-:RANK_BITS];
          wire signed [RANK_BITS:0] mine = {signed_ranks && rank[RANK_BITS-1], rank};
          wire signed [RANK_BITS:0] its = {signed_ranks && other_rank[RANK_BITS-1], other_rank};
          wire [ROW_BITS-1:0] other_row = other[WINNER-1-:ROW_BITS];
          wire first = first_column && i == 1;
          wire behind;
          if (i < 2 ** ROW_BITS) begin : g_not_last
            assign behind = other_row > ROW_BITS'(i - 1);
          end else begin : g_last
            wire unused_row = &{1'b0, other_row};
            assign behind = 1'b0;
          end
          wire wins = first || mine > its || (mine == its && behind);
          assign best = wins && pool >= i[7:0] ? {ROW_BITS'(i - 1), neuron} : other;
        end
      end
      assign next[j*WINNER+:WINNER] = g_best[LARGEST_POOL].best;
    end
    for (m = 0; m < MAPS; m = m + 1) begin : g_elements
      for (j = 0; j < VECTOR_WIDTH; j = j + 1) begin : g_element
        if (j < WINDOWS) begin : g_used
          assign elements[(m*VECTOR_WIDTH+j)*PLANES+:PLANES] =
              PLANES'(next[j*WINNER+m*STRENGTH_BITS+:STRENGTH_BITS]);
        end else begin : g_unused
          assign elements[(m*VECTOR_WIDTH+j)*PLANES+:PLANES] = '0;
        end
      end
    end
  endgenerate
endmodule
