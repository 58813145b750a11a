// A sum or a carry alone, as in the highest bit of an adder. For `techmap`.
module ADDER_SUM (input A, input B, input CI, output S);
  assign S = A ^ B ^ CI;
endmodule

module ADDER_CARRY (input A, input B, input CI, output CO);
  assign CO = (A & B) | (CI & (A | B));
endmodule
