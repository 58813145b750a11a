// Where the neurons of a slot lie in the membrane buffer: the first of its words, and in a fully connected layer the row of them.
// Slots follow each other in every step of a tile alike; each layer begins with a word of its own.
module membrane_place #(
    parameter int VECTOR_WIDTH = 8,
    parameter int ADDRESS_BITS = 16
) (
    input  logic                    clk,
    input  logic                    begin_pass,
    input  logic                    load_layer,
    input  logic                    fully_connected,
    // Words of a slot.
    input  logic [1:0]              words,
    // The next slot comes with the next cycle.
    input  logic                    moves,
    output logic [ADDRESS_BITS-1:0] address,
    output logic [7:0]              row
);
  wire row_ends = !fully_connected || row + 8'd1 == VECTOR_WIDTH[7:0];
  wire word_ends = moves ? row_ends || load_layer : load_layer && row != 8'd0;

  always_ff @(posedge clk) begin
    if (load_layer) row <= '0;
    else if (moves) row <= row_ends ? '0 : row + 8'd1;
    if (begin_pass) address <= '0;
    else if (word_ends) address <= address + {{ADDRESS_BITS - 2{1'b0}}, words};
  end
endmodule
