// Sum and carry of the same three bits are a full adder. For `extract`.
module FA (input A, input B, input CI, output S, output CO);
  ADDER_SUM sum (.A(A), .B(B), .CI(CI), .S(S));
  ADDER_CARRY carry (.A(A), .B(B), .CI(CI), .CO(CO));
endmodule
