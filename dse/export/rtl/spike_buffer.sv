// Spike maps: row y and column x lie in bank (y mod (V + 2), x mod 3). Two halves: one is computed on while the port drains and
// fills the other one. Where pruned kernels are skipped a bank is cut by lanes, because each lane reads a channel of its own: the
// word of `read_word` is added to each bank's address.
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
    input  logic                           clk,
    // The half that is computed on.
    input  logic                           half,
    input  logic [BANKS-1:0]               read_enable,
    input  logic [BANKS*ADDRESS_BITS-1:0]  read_address,
    input  logic [PARTS*ADDRESS_BITS-1:0]  read_word,
    output logic [BANKS*CHANNEL_LANES-1:0] read_data,
    input  logic [BANKS-1:0]               write_enable,
    input  logic [BANKS*ADDRESS_BITS-1:0]  write_address,
    input  logic [BANKS*CHANNEL_LANES-1:0] write_data,
    input  logic [BANKS*CHANNEL_LANES-1:0] write_mask,
    // The port: reads the other half, writes the half it says.
    input  logic [BANKS-1:0]               port_read_enable,
    input  logic [BANKS*ADDRESS_BITS-1:0]  port_read_address,
    output logic [BANKS*CHANNEL_LANES-1:0] port_read_data,
    input  logic                           port_write_half,
    input  logic [BANKS-1:0]               port_write_enable,
    input  logic [BANKS*ADDRESS_BITS-1:0]  port_write_address,
    input  logic [BANKS*CHANNEL_LANES-1:0] port_write_data
);
  logic half_before;
  always_ff @(posedge clk) half_before <= half;

  genvar b, p, h;
  generate
    for (b = 0; b < BANKS; b = b + 1) begin : g_bank
      wire [ADDRESS_BITS-1:0] place = read_address[b*ADDRESS_BITS+:ADDRESS_BITS];
      wire [ADDRESS_BITS-1:0] port_place = port_read_address[b*ADDRESS_BITS+:ADDRESS_BITS];
      for (p = 0; p < PARTS; p = p + 1) begin : g_part
        localparam int LOW = b * CHANNEL_LANES + p * WIDTH;
        wire [ADDRESS_BITS-1:0] place_word = place + read_word[p*ADDRESS_BITS+:ADDRESS_BITS];
        wire [2*WIDTH-1:0] words;
        for (h = 0; h < 2; h = h + 1) begin : g_half
          wire computed = half == (h == 1);
          wire arrives = port_write_enable[b] && port_write_half == (h == 1);
          sram #(.WIDTH(WIDTH), .DEPTH(DEPTH), .ADDRESS_BITS(ADDRESS_BITS)) memory (
              .clk(clk),
              .read_enable(computed ? read_enable[b] : port_read_enable[b]),
              .read_address(computed ? place_word : port_place),
              .read_data(words[h*WIDTH+:WIDTH]),
              .write_enable(arrives || (computed && write_enable[b])),
              .write_address(arrives ? port_write_address[b*ADDRESS_BITS+:ADDRESS_BITS]
                                     : write_address[b*ADDRESS_BITS+:ADDRESS_BITS]),
              .write_data(arrives ? port_write_data[LOW+:WIDTH] : write_data[LOW+:WIDTH]),
              .write_mask(arrives ? {WIDTH{1'b1}} : write_mask[LOW+:WIDTH])
          );
        end
        assign read_data[LOW+:WIDTH] = half_before ? words[WIDTH+:WIDTH] : words[0+:WIDTH];
        assign port_read_data[LOW+:WIDTH] = half_before ? words[0+:WIDTH] : words[WIDTH+:WIDTH];
      end
    end
  endgenerate
endmodule
