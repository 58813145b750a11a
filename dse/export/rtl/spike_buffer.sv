// Spike maps: row y and column x lie in bank (y mod (V + 2), x mod 3). Where pruned kernels are skipped a bank is cut by lanes,
// because each lane reads a channel of its own: the word of `read_word` is added to each bank's address.
module spike_buffer #(
    parameter int VECTOR_WIDTH = 8,
    parameter int CHANNEL_LANES = 8,
    parameter int DEPTH = 16,
    parameter bit LANES_APART = 1'b0,
    parameter int ADDRESS_BITS = 16,
    localparam int BANKS = 3 * (VECTOR_WIDTH + 2),
    localparam int PARTS = LANES_APART ? CHANNEL_LANES : 1,
    localparam int WIDTH = LANES_APART ? 1 : CHANNEL_LANES
) (
    input  logic                                clk,
    input  logic                                read_enable,
    input  logic [BANKS*ADDRESS_BITS-1:0]       read_address,
    input  logic [PARTS*ADDRESS_BITS-1:0]       read_word,
    output logic [BANKS*CHANNEL_LANES-1:0]      read_data,
    input  logic [BANKS-1:0]                    write_enable,
    input  logic [BANKS*ADDRESS_BITS-1:0]       write_address,
    input  logic [BANKS*CHANNEL_LANES-1:0]      write_data,
    input  logic [BANKS*CHANNEL_LANES-1:0]      write_mask
);
  genvar b, p;
  generate
    for (b = 0; b < BANKS; b = b + 1) begin : g_bank
      wire [ADDRESS_BITS-1:0] place = read_address[b*ADDRESS_BITS+:ADDRESS_BITS];
      for (p = 0; p < PARTS; p = p + 1) begin : g_part
        sram #(.WIDTH(WIDTH), .DEPTH(DEPTH), .ADDRESS_BITS(ADDRESS_BITS)) memory (
            .clk(clk),
            .read_enable(read_enable),
            .read_address(place + read_word[p*ADDRESS_BITS+:ADDRESS_BITS]),
            .read_data(read_data[b*CHANNEL_LANES+p*WIDTH+:WIDTH]),
            .write_enable(write_enable[b]),
            .write_address(write_address[b*ADDRESS_BITS+:ADDRESS_BITS]),
            .write_data(write_data[b*CHANNEL_LANES+p*WIDTH+:WIDTH]),
            .write_mask(write_mask[b*CHANNEL_LANES+p*WIDTH+:WIDTH])
        );
      end
    end
  endgenerate
endmodule
