// Adders to bits, each the sum and the carry of a full adder. For `techmap`.
(* techmap_celltype = "$fa" *)
module compressor (A, B, C, X, Y);
  parameter WIDTH = 1;
  (* force_downto *) input [WIDTH-1:0] A, B, C;
  (* force_downto *) output [WIDTH-1:0] X, Y;
  genvar i;
  generate
    for (i = 0; i < WIDTH; i = i + 1) begin : g_bit
      ADDER_SUM sum (.A(A[i]), .B(B[i]), .CI(C[i]), .S(Y[i]));
      ADDER_CARRY carry (.A(A[i]), .B(B[i]), .CI(C[i]), .CO(X[i]));
    end
  endgenerate
endmodule

(* techmap_celltype = "$alu" *)
module ripple (A, B, CI, BI, X, Y, CO);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  (* force_downto *) input [A_WIDTH-1:0] A;
  (* force_downto *) input [B_WIDTH-1:0] B;
  input CI, BI;
  (* force_downto *) output [Y_WIDTH-1:0] X, Y, CO;
  (* force_downto *) wire [Y_WIDTH-1:0] a_wide, b_wide;
  (* force_downto *) wire [Y_WIDTH-1:0] b_signed = BI ? ~b_wide : b_wide;
  wire [Y_WIDTH:0] carries;
  \$pos #(.A_SIGNED(A_SIGNED), .A_WIDTH(A_WIDTH), .Y_WIDTH(Y_WIDTH)) widen_a (.A(A), .Y(a_wide));
  \$pos #(.A_SIGNED(B_SIGNED), .A_WIDTH(B_WIDTH), .Y_WIDTH(Y_WIDTH)) widen_b (.A(B), .Y(b_wide));
  assign carries[0] = CI;
  assign CO = carries[Y_WIDTH:1];
  assign X = a_wide ^ b_signed;
  genvar i;
  generate
    for (i = 0; i < Y_WIDTH; i = i + 1) begin : g_bit
      ADDER_SUM sum (.A(a_wide[i]), .B(b_signed[i]), .CI(carries[i]), .S(Y[i]));
      ADDER_CARRY carry (.A(a_wide[i]), .B(b_signed[i]), .CI(carries[i]), .CO(carries[i+1]));
    end
  endgenerate
endmodule
