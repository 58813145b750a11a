// A product by a constant, such as a bank's number times its lanes: the sum of A, shifted, for each bit that is set. For `techmap`.
(* techmap_celltype = "$mul" *)
module product (A, B, Y);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  parameter _TECHMAP_CONSTMSK_B_ = 0;
  parameter _TECHMAP_CONSTVAL_B_ = 0;
  wire _TECHMAP_FAIL_ = A_SIGNED || B_SIGNED || _TECHMAP_CONSTMSK_B_ != {B_WIDTH{1'b1}};
  input [A_WIDTH-1:0] A;
  input [B_WIDTH-1:0] B;
  output [Y_WIDTH-1:0] Y;
  wire [Y_WIDTH-1:0] wide = A;
  wire [(B_WIDTH+1)*Y_WIDTH-1:0] sums;
  assign sums[0+:Y_WIDTH] = 0;
  genvar i;
  generate
    for (i = 0; i < B_WIDTH; i = i + 1) begin : g_bit
      if (_TECHMAP_CONSTVAL_B_[i]) assign sums[(i+1)*Y_WIDTH+:Y_WIDTH] = sums[i*Y_WIDTH+:Y_WIDTH] + (wide << i);
      else assign sums[(i+1)*Y_WIDTH+:Y_WIDTH] = sums[i*Y_WIDTH+:Y_WIDTH];
    end
  endgenerate
  assign Y = sums[B_WIDTH*Y_WIDTH+:Y_WIDTH];
endmodule
