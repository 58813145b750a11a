// Between the port and the spike buffer's banks: a word that arrives is written with all its planes one cycle later; a word that
// leaves is read now and is on the port one cycle later.
module map_port #(
    parameter int VECTOR_WIDTH = 8,
    parameter int CHANNEL_LANES = 8,
    parameter int PLANES = 1,
    parameter int ADDRESS_BITS = 16,
    localparam int BANKS = 3 * (VECTOR_WIDTH + 2)
) (
    input  logic                          clk,
    input  logic                          reset,
    input  logic                          half,
    // A word that crosses in this cycle; `arrives` or `leaves`.
    input  logic                          arrives,
    input  logic                          leaves,
    input  logic                          flat,
    input  logic [7:0]                    planes,
    input  logic [7:0]                    row_bank,
    input  logic [3:0]                    column_bank,
    input  logic [ADDRESS_BITS-1:0]       address,
    input  logic [ADDRESS_BITS-1:0]       plane_pitch,
    input  logic [PLANES*CHANNEL_LANES-1:0] arriving,
    output logic [PLANES*CHANNEL_LANES-1:0] leaving,
    // The buffer, in the half that is not computed on.
    output logic [BANKS-1:0]              read_enable,
    output logic [BANKS*ADDRESS_BITS-1:0] read_address,
    input  logic [BANKS*CHANNEL_LANES-1:0] read_data,
    output logic                          write_half,
    output logic [BANKS-1:0]              write_enable,
    output logic [BANKS*ADDRESS_BITS-1:0] write_address,
    output logic [BANKS*CHANNEL_LANES-1:0] write_data
);
  localparam int L = CHANNEL_LANES;

  logic [PLANES*8-1:0] banks, before_banks;
  logic before_arrives;
  logic [7:0] before_planes;
  logic [ADDRESS_BITS-1:0] before_address, before_pitch;
  logic [PLANES*L-1:0] before_data;
  plane_banks #(.VECTOR_WIDTH(VECTOR_WIDTH), .PLANES(PLANES)) place (
      .flat(flat), .row_bank(row_bank), .column_bank(column_bank), .banks(banks)
  );
  always_ff @(posedge clk) begin
    before_arrives <= arrives && !reset;
    write_half <= !half;
    before_banks <= banks;
    before_planes <= planes;
    before_address <= address;
    before_pitch <= plane_pitch;
    before_data <= arriving;
  end

  wire [PLANES*BANKS-1:0] from;
  // At most one plane has a bank: what each would set is or-ed, which takes fewer gates than choosing the last; a lone
  // plane reaches every bank ungated.
  genvar k, b, l;
  generate
    for (b = 0; b < PLANES; b = b + 1) begin : g_from
      for (k = 0; k < BANKS; k = k + 1) begin : g_from_bank
        assign from[b*BANKS+k] = before_banks[8*b+:8] == 8'(k);
      end
    end
    for (l = 0; l < L; l = l + 1) begin : g_lane
      wire [BANKS-1:0] held;
      for (k = 0; k < BANKS; k = k + 1) begin : g_held
        assign held[k] = read_data[k*L+l];
      end
      for (b = 0; b < PLANES; b = b + 1) begin : g_plane
        assign leaving[b*L+l] = |(held & from[b*BANKS+:BANKS]);
      end
    end
    for (k = 0; k < BANKS; k = k + 1) begin : g_bank
      logic [ADDRESS_BITS-1:0] own_read, own_write, read_offset, write_offset;
      logic [L-1:0] own_data;
      logic own_reads, own_enable;
      always_comb begin
        own_read = PLANES == 1 ? address : '0;
        own_write = PLANES == 1 ? before_address : '0;
        own_data = PLANES == 1 ? before_data[L-1:0] : '0;
        own_reads = 1'b0;
        own_enable = 1'b0;
        read_offset = '0;
        write_offset = '0;
        for (int i = 0; i < PLANES; i = i + 1) begin
          if (banks[8*i+:8] == 8'(k) && planes > 8'(i)) begin
            own_reads = leaves;
            own_read = own_read | (address + read_offset);
          end
          if (before_banks[8*i+:8] == 8'(k) && before_planes > 8'(i)) begin
            own_enable = before_arrives;
            own_write = own_write | (before_address + write_offset);
            own_data = own_data | before_data[i*L+:L];
          end
          read_offset = read_offset + plane_pitch;
          write_offset = write_offset + before_pitch;
        end
      end
      assign read_enable[k] = own_reads;
      assign read_address[k*ADDRESS_BITS+:ADDRESS_BITS] = own_read;
      assign write_enable[k] = own_enable;
      assign write_address[k*ADDRESS_BITS+:ADDRESS_BITS] = own_write;
      assign write_data[k*L+:L] = own_data;
    end
  endgenerate
endmodule
