// A bit with a constant input needs no full adder: gates, of which a half adder is one XOR2 and one AND2. For `techmap`.
module ADDER_SUM (A, B, CI, S);
  input A, B, CI;
  output S;
  parameter _TECHMAP_CONSTMSK_A_ = 0;
  parameter _TECHMAP_CONSTMSK_B_ = 0;
  parameter _TECHMAP_CONSTMSK_CI_ = 0;
  wire _TECHMAP_FAIL_ = !_TECHMAP_CONSTMSK_A_ && !_TECHMAP_CONSTMSK_B_ && !_TECHMAP_CONSTMSK_CI_;
  assign S = A ^ B ^ CI;
endmodule

module ADDER_CARRY (A, B, CI, CO);
  input A, B, CI;
  output CO;
  parameter _TECHMAP_CONSTMSK_A_ = 0;
  parameter _TECHMAP_CONSTMSK_B_ = 0;
  parameter _TECHMAP_CONSTMSK_CI_ = 0;
  wire _TECHMAP_FAIL_ = !_TECHMAP_CONSTMSK_A_ && !_TECHMAP_CONSTMSK_B_ && !_TECHMAP_CONSTMSK_CI_;
  assign CO = (A & B) | (CI & (A | B));
endmodule
