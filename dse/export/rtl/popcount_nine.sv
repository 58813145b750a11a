// Set bits among nine.
module popcount_nine (
    input  logic [8:0] bits,
    output logic [3:0] count
);
  assign count = 4'($countones(bits));
endmodule
