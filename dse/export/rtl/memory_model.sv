// The memory on the other side of the port, for simulation: a word crosses once its bits have come, RATE_BITS / RATE_CYCLES of them
// a cycle from the transfer's first cycle on. A transfer that has to wait for another one keeps what has come.
module memory_model #(
    parameter int CHANNEL_LANES = 8,
    parameter int ELEMENT_BITS = 32,
    parameter int PORT_BITS = 72,
    parameter int WEIGHTS = 1,
    parameter int ELEMENTS = 1,
    parameter int SCORES = 1,
    parameter int SCORE_BITS = 32,
    parameter int RATE_BITS = 8,
    parameter int RATE_CYCLES = 1
) (
    input  logic                    clk,
    input  logic                    valid,
    output logic                    ready,
    input  logic                    write,
    input  logic [1:0]              stream,
    input  logic                    first,
    input  logic [ELEMENT_BITS-1:0] address,
    input  logic [7:0]              lanes,
    input  logic [7:0]              planes,
    output logic [PORT_BITS-1:0]    read_data,
    input  logic [PORT_BITS-1:0]    write_data
);
  localparam int L = CHANNEL_LANES;

  logic [9*L-1:0] weights[0:WEIGHTS-1];
  logic [7:0] elements[0:ELEMENTS-1];
  logic [SCORE_BITS-1:0] scores[0:SCORES-1];
  initial $readmemh("weights.mem", weights);

  // Bits that have come and not crossed, times RATE_CYCLES, for weights, maps that leave, maps that arrive, scores. The first word
  // of a transfer is asked for until it crosses; the transfer starts with the first cycle in which it is.
  logic [47:0] come[0:3];
  logic [3:0] asked;
  wire [1:0] channel = stream == 2'd0 ? 2'd0 : stream == 2'd2 ? 2'd3 : write ? 2'd1 : 2'd2;
  wire [47:0] bits = stream == 2'd0 ? 48'(9 * L) : stream == 2'd2 ? 48'(SCORE_BITS) : {40'd0, lanes} * {40'd0, planes};
  wire [47:0] wanted = bits * 48'(RATE_CYCLES);
  wire [47:0] here = 48'(RATE_BITS) + (first && !asked[channel] ? 48'd0 : come[channel]);
  assign ready = here >= wanted;

  logic put;
  logic [1:0] put_stream;
  logic [ELEMENT_BITS-1:0] put_address;
  logic [7:0] put_lanes, put_planes;
  initial asked = '0;
  always @(posedge clk) begin
    if (valid) begin
      come[channel] <= ready ? here - wanted : here;
      asked[channel] <= first && !ready;
    end
    put <= valid && ready && write;
    put_stream <= stream;
    put_address <= address;
    put_lanes <= lanes;
    put_planes <= planes;
  end

  function automatic logic [7:0] leaving(input logic [ELEMENT_BITS-1:0] l);
    leaving = '0;
    for (int b = 0; b < 8; b = b + 1) if (put_planes > 8'(b)) leaving[b] = write_data[b*L+l];
  endfunction

  // An element that is written in this cycle is read as it will be.
  function automatic logic [7:0] element(input logic [ELEMENT_BITS-1:0] place);
    if (put && put_stream == 2'd1 && place >= put_address && place < put_address + {24'd0, put_lanes})
      element = leaving(place - put_address);
    else element = elements[place];
  endfunction

  // Half a cycle late: the machine takes what it reads at the end of the cycle.
  always @(negedge clk) begin
    if (put && put_stream == 2'd2) scores[put_address] <= write_data[SCORE_BITS-1:0];
    if (put && put_stream == 2'd1)
      for (int l = 0; l < L; l = l + 1)
        if (put_lanes > 8'(l)) elements[put_address+ELEMENT_BITS'(l)] <= leaving(ELEMENT_BITS'(l));
    if (valid && !write) read_data <= stream == 2'd0 ? PORT_BITS'(weights[address]) : word(address);
  end

  function automatic logic [PORT_BITS-1:0] word(input logic [ELEMENT_BITS-1:0] place);
    logic [7:0] one;
    word = '0;
    for (int l = 0; l < L; l = l + 1) begin
      one = lanes > 8'(l) ? element(place + ELEMENT_BITS'(l)) : 8'd0;
      for (int b = 0; b < 8; b = b + 1) if (planes > 8'(b)) word[b*L+l] = one[b];
    end
  endfunction
endmodule
