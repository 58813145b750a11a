// Two halves of weight words: one is read while the other one is filled.
module weight_buffer #(
    parameter int WIDTH = 72,
    parameter int DEPTH = 16,
    parameter int ADDRESS_BITS = 16
) (
    input  logic                    clk,
    input  logic                    read_enable,
    input  logic                    read_half,
    input  logic [ADDRESS_BITS-1:0] read_address,
    output logic [WIDTH-1:0]        read_data,
    input  logic                    write_enable,
    input  logic                    write_half,
    input  logic [ADDRESS_BITS-1:0] write_address,
    input  logic [WIDTH-1:0]        write_data
);
  logic read_before;
  logic [WIDTH-1:0] lower, upper;
  always_ff @(posedge clk) read_before <= read_half;
  assign read_data = read_before ? upper : lower;
  sram #(.WIDTH(WIDTH), .DEPTH(DEPTH), .ADDRESS_BITS(ADDRESS_BITS)) lower_half (
      .clk(clk), .read_enable(read_enable && !read_half), .read_address(read_address), .read_data(lower),
      .write_enable(write_enable && !write_half), .write_address(write_address), .write_data(write_data),
      .write_mask({WIDTH{1'b1}})
  );
  sram #(.WIDTH(WIDTH), .DEPTH(DEPTH), .ADDRESS_BITS(ADDRESS_BITS)) upper_half (
      .clk(clk), .read_enable(read_enable && read_half), .read_address(read_address), .read_data(upper),
      .write_enable(write_enable && write_half), .write_address(write_address), .write_data(write_data),
      .write_mask({WIDTH{1'b1}})
  );
endmodule
