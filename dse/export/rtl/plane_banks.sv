// The banks of all planes of an element: plane b lies b mod 3 columns and b / 3 half strips of rows further than plane 0; in a
// flat map two taps further, from the fifth on one more. So all planes of an element cross in one cycle.
module plane_banks #(
    parameter int VECTOR_WIDTH = 8,
    parameter int PLANES = 1
) (
    input  logic                flat,
    input  logic [7:0]          row_bank,
    input  logic [3:0]          column_bank,
    output logic [PLANES*8-1:0] banks
);
  localparam int ROWS = VECTOR_WIDTH + 2;
  localparam int HALF = (VECTOR_WIDTH + 1) / 2;

  function automatic logic [7:0] wrapped(input logic [7:0] bank, input logic [7:0] bound);
    wrapped = bank >= bound ? bank - bound : bank;
  endfunction

  genvar b;
  generate
    for (b = 0; b < PLANES; b = b + 1) begin : g_plane
      wire [7:0] row = wrapped(row_bank + 8'(b / 3 * HALF), ROWS[7:0]);
      wire [7:0] column = wrapped({4'd0, column_bank} + 8'(b % 3), 8'd3);
      wire [7:0] tap = wrapped({4'd0, column_bank} + 8'(2 * (b % 4) + b / 4), 8'd9);
      assign banks[8*b+:8] = flat ? tap : row + {row[6:0], 1'b0} + column;
    end
  endgenerate
endmodule
