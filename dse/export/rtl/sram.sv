// One memory: a read port with one cycle of latency and a write port under a bit mask. Replace by a macro of this shape.
module sram #(
    parameter int WIDTH = 8,
    parameter int DEPTH = 16,
    parameter bit PRELOAD = 1'b0,
    parameter FILE = "none.mem",
    parameter int ADDRESS_BITS = 16
) (
    input  logic                    clk,
    input  logic                    read_enable,
    input  logic [ADDRESS_BITS-1:0] read_address,
    output logic [WIDTH-1:0]        read_data,
    input  logic                    write_enable,
    input  logic [ADDRESS_BITS-1:0] write_address,
    input  logic [WIDTH-1:0]        write_data,
    input  logic [WIDTH-1:0]        write_mask
);
  localparam int INDEX_BITS = DEPTH > 1 ? $clog2(DEPTH) : 1;

  logic [WIDTH-1:0] words[0:DEPTH-1];
  wire [INDEX_BITS-1:0] read_index = read_address[INDEX_BITS-1:0];
  wire [INDEX_BITS-1:0] write_index = write_address[INDEX_BITS-1:0];
  wire unused_address = &{1'b0, read_address, write_address};

  generate
    if (PRELOAD) begin : g_preload
      initial $readmemh(FILE, words);
    end
  endgenerate

  always_ff @(posedge clk) if (read_enable) read_data <= words[read_index];

  always_ff @(posedge clk)
    if (write_enable) words[write_index] <= (words[write_index] & ~write_mask) | (write_data & write_mask);
endmodule
