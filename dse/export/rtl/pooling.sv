// Spikes of one column and step to stored elements. The array's rows keep each stride-th one, pool neighbours make a window,
// and its columns come one after the other, all steps of each, so that a count is held for every step.
module pooling #(
    parameter int VECTOR_WIDTH = 8,
    parameter int STEPS = 8,
    parameter int LARGEST_POOL = 2,
    parameter int LARGEST_STRIDE = 2,
    parameter int PLANES = 3
) (
    input  logic                           clk,
    input  logic                           step,
    input  logic                           first_column,
    input  logic [7:0]                     step_index,
    input  logic [7:0]                     pool,
    input  logic [7:0]                     stride,
    input  logic                           average,
    input  logic [VECTOR_WIDTH-1:0]        spikes,
    output logic [VECTOR_WIDTH*PLANES-1:0] elements
);
  localparam int STEP_BITS = STEPS > 1 ? $clog2(STEPS) : 1;

  wire unused_steps = &{1'b0, step_index};
  logic [VECTOR_WIDTH*PLANES-1:0] counts[0:STEPS-1];
  logic [VECTOR_WIDTH*PLANES-1:0] previous;
  assign previous = first_column ? '0 : counts[step_index[STEP_BITS-1:0]];

  genvar j, i, p, s;
  generate
    for (j = 0; j < VECTOR_WIDTH; j = j + 1) begin : g_element
      wire [LARGEST_POOL-1:0] spiking;
      for (i = 0; i < LARGEST_POOL; i = i + 1) begin : g_row
        // The row's spike under each edge of the window and each stride.
        wire [LARGEST_POOL*LARGEST_STRIDE-1:0] choices;
        for (p = 1; p <= LARGEST_POOL; p = p + 1) begin : g_pool
          for (s = 1; s <= LARGEST_STRIDE; s = s + 1) begin : g_stride
            localparam int ROW = (j * p + i) * s;
            if (i < p && ROW < VECTOR_WIDTH) begin : g_inside
              assign choices[(p-1)*LARGEST_STRIDE+s-1] = pool == p[7:0] && stride == s[7:0] && spikes[ROW];
            end else begin : g_outside
              assign choices[(p-1)*LARGEST_STRIDE+s-1] = 1'b0;
            end
          end
        end
        assign spiking[i] = |choices;
      end
      wire [PLANES-1:0] held = previous[j*PLANES+:PLANES];
      wire any = |{held, spiking};
      assign elements[j*PLANES+:PLANES] = average ? counted(held, spiking) : {{PLANES - 1{1'b0}}, any};
    end
  endgenerate

  function automatic logic [PLANES-1:0] counted(input logic [PLANES-1:0] held, input logic [LARGEST_POOL-1:0] spiking);
    counted = held;
    for (int r = 0; r < LARGEST_POOL; r = r + 1) counted = counted + {{PLANES - 1{1'b0}}, spiking[r]};
  endfunction

  always_ff @(posedge clk) if (step) counts[step_index[STEP_BITS-1:0]] <= elements;
endmodule
