// Strengths of one column and step to stored elements: the largest of a window, or their sum. Its columns come one after the
// other, all steps of each, so that a value is held for every step.
module pooling #(
    parameter int VECTOR_WIDTH = 8,
    parameter int STEPS = 8,
    parameter int LARGEST_POOL = 2,
    parameter int LARGEST_STRIDE = 2,
    parameter int STRENGTH_BITS = 1,
    parameter int PLANES = 3
) (
    input  logic                                  clk,
    input  logic                                  step,
    input  logic                                  first_column,
    input  logic [7:0]                            step_index,
    input  logic [7:0]                            pool,
    input  logic [7:0]                            stride,
    input  logic                                  average,
    input  logic [VECTOR_WIDTH*STRENGTH_BITS-1:0] strengths,
    output logic [VECTOR_WIDTH*PLANES-1:0]        elements
);
  localparam int STEP_BITS = STEPS > 1 ? $clog2(STEPS) : 1;

  wire unused_steps = &{1'b0, step_index};
  logic [VECTOR_WIDTH*PLANES-1:0] values[0:STEPS-1];
  logic [VECTOR_WIDTH*PLANES-1:0] previous;
  assign previous = first_column ? '0 : values[step_index[STEP_BITS-1:0]];

  wire [VECTOR_WIDTH*LARGEST_POOL*STRENGTH_BITS-1:0] places;
  window_rows #(
      .VECTOR_WIDTH(VECTOR_WIDTH), .WINDOWS(VECTOR_WIDTH), .LARGEST_POOL(LARGEST_POOL),
      .LARGEST_STRIDE(LARGEST_STRIDE), .WIDTH(STRENGTH_BITS)
  ) order (.pool(pool), .stride(stride), .rows(strengths), .places(places));

  genvar j;
  generate
    for (j = 0; j < VECTOR_WIDTH; j = j + 1) begin : g_element
      wire [LARGEST_POOL*STRENGTH_BITS-1:0] window = places[j*LARGEST_POOL*STRENGTH_BITS+:LARGEST_POOL*STRENGTH_BITS];
      assign elements[j*PLANES+:PLANES] = pooled(previous[j*PLANES+:PLANES], window, average);
    end
  endgenerate

  function automatic logic [PLANES-1:0] pooled(
      input logic [PLANES-1:0] held, input logic [LARGEST_POOL*STRENGTH_BITS-1:0] window, input logic added
  );
    logic [PLANES-1:0] strength;
    pooled = held;
    for (int i = 0; i < LARGEST_POOL; i = i + 1) begin
      strength = PLANES'(window[i*STRENGTH_BITS+:STRENGTH_BITS]);
      if (added) pooled = pooled + strength;
      else if (strength > pooled) pooled = strength;
    end
  endfunction

  always_ff @(posedge clk) if (step) values[step_index[STEP_BITS-1:0]] <= elements;
endmodule
