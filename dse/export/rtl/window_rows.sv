// Rows of the array in the order of pooling windows: the array's rows keep each stride-th one, pool neighbours make a
// window. Place j POOL + i holds row i of window j; places without a row are 0.
module window_rows #(
    parameter int VECTOR_WIDTH = 8,
    parameter int WINDOWS = 8,
    parameter int LARGEST_POOL = 2,
    parameter int LARGEST_STRIDE = 2,
    parameter int WIDTH = 1
) (
    input  logic [7:0]                            pool,
    input  logic [7:0]                            stride,
    input  logic [VECTOR_WIDTH*WIDTH-1:0]         rows,
    output logic [WINDOWS*LARGEST_POOL*WIDTH-1:0] places
);
  localparam int CHOICES = LARGEST_POOL * LARGEST_STRIDE;

  function automatic logic [WIDTH-1:0] either(input logic [CHOICES*WIDTH-1:0] parts);
    either = '0;
    for (int c = 0; c < CHOICES; c = c + 1) either = either | parts[c*WIDTH+:WIDTH];
  endfunction

  genvar j, i, p, s;
  generate
    for (j = 0; j < WINDOWS; j = j + 1) begin : g_window
      for (i = 0; i < LARGEST_POOL; i = i + 1) begin : g_row
        // The row under each edge of the window and each stride.
        wire [CHOICES*WIDTH-1:0] choices;
        for (p = 1; p <= LARGEST_POOL; p = p + 1) begin : g_pool
          for (s = 1; s <= LARGEST_STRIDE; s = s + 1) begin : g_stride
            localparam int ROW = (j * p + i) * s;
            localparam int CHOICE = (p - 1) * LARGEST_STRIDE + s - 1;
            if (i < p && ROW < VECTOR_WIDTH) begin : g_inside
              wire chosen = pool == p[7:0] && stride == s[7:0];
              assign choices[CHOICE*WIDTH+:WIDTH] = rows[ROW*WIDTH+:WIDTH] & {WIDTH{chosen}};
            end else begin : g_outside
              assign choices[CHOICE*WIDTH+:WIDTH] = '0;
            end
          end
        end
        assign places[(j*LARGEST_POOL+i)*WIDTH+:WIDTH] = either(choices);
      end
    end
  endgenerate
endmodule
