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

  logic [VECTOR_WIDTH*PLANES-1:0] counts[0:STEPS-1];
  logic [VECTOR_WIDTH*PLANES-1:0] previous;
  assign previous = first_column ? '0 : counts[step_index[STEP_BITS-1:0]];

  logic [VECTOR_WIDTH*LARGEST_POOL-1:0] windows;
  always_comb begin
    windows = '0;
    for (int p = 1; p <= LARGEST_POOL; p = p + 1)
      for (int s = 1; s <= LARGEST_STRIDE; s = s + 1)
        if (pool == p[7:0] && stride == s[7:0])
          for (int j = 0; j < VECTOR_WIDTH; j = j + 1)
            for (int i = 0; i < p; i = i + 1)
              if ((j * p + i) * s < VECTOR_WIDTH) windows[j*LARGEST_POOL+i] = spikes[(j*p+i)*s];
  end

  genvar j;
  generate
    for (j = 0; j < VECTOR_WIDTH; j = j + 1) begin : g_element
      logic [PLANES-1:0] count;
      always_comb begin
        count = previous[j*PLANES+:PLANES];
        for (int i = 0; i < LARGEST_POOL; i = i + 1)
          if (windows[j*LARGEST_POOL+i]) count = average ? count + 1'b1 : {{PLANES - 1{1'b0}}, 1'b1};
      end
      assign elements[j*PLANES+:PLANES] = count;
    end
  endgenerate

  always_ff @(posedge clk) if (step) counts[step_index[STEP_BITS-1:0]] <= elements;
endmodule
