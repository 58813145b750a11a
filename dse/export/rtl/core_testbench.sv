// Self-checking: runs all images against a memory, compares every stored element and score with the golden vectors, and counts
// for each layer the cycles in which the machine computes, waits, and fills or drains.
module core_testbench;
  import core_parameters::*;

  localparam int MAPS = DUAL != 0 ? 2 : 1;
  localparam int STORE_BITS = MAPS * VECTOR_WIDTH * PLANES;

  logic clk = 1'b0;
  logic reset = 1'b1;
  logic start = 1'b0;
  logic running, done, port_valid, port_ready, port_write, port_first, waiting, filling, draining, store_valid;
  logic [1:0] port_stream;
  logic [ELEMENT_BITS-1:0] port_address;
  logic [7:0] port_lanes, port_planes, layer_number;
  logic [PORT_BITS-1:0] port_read_data, port_write_data;
  logic [STORE_BITS-1:0] store_elements;

  logic [7:0] images[0:IMAGES*INPUTS-1];
  logic [STORE_BITS-1:0] stores[0:(STORES > 0 ? IMAGES*STORES : 1)-1];
  logic [SCORE_BITS-1:0] scores[0:IMAGES*SCORES-1];
  // By layer, the layer's number being 8 bits wide.
  integer computed[0:255];
  integer stalled[0:255];
  integer filled[0:255];
  integer counts[0:255];
  integer wrong[0:255];
  integer stored, image, errors, i, missed;
  logic [7:0] next_layer;

  accelerator #(
      .VECTOR_WIDTH(VECTOR_WIDTH), .CHANNEL_LANES(CHANNEL_LANES), .STEPS(STEPS), .PLANES(PLANES),
      .PORT_PLANES(PORT_PLANES), .LARGEST_POOL(LARGEST_POOL), .LARGEST_STRIDE(LARGEST_STRIDE), .DUAL(DUAL != 0),
      .PRUNED(PRUNED != 0), .OUTER(OUTER != 0), .STATIC_INPUT(STATIC_INPUT != 0), .MEMBRANE_DEPTH(MEMBRANE_DEPTH),
      .LIST_KERNELS(LIST_KERNELS), .STRENGTH_BITS(STRENGTH_BITS), .RANK_BITS(RANK_BITS),
      .LEAST_FRACTION(LEAST_FRACTION), .LARGEST_FRACTION(LARGEST_FRACTION), .FRACTION_BITS(FRACTION_BITS),
      .SUM_BITS(SUM_BITS), .MEMBRANE_BITS(MEMBRANE_BITS), .SCORE_BITS(SCORE_BITS), .ADDRESS_BITS(ADDRESS_BITS),
      .ELEMENT_BITS(ELEMENT_BITS), .SPIKE_DEPTH(SPIKE_DEPTH), .WEIGHT_DEPTH(WEIGHT_DEPTH),
      .PROGRAM_DEPTH(PROGRAM_DEPTH), .PASS_DEPTH(PASS_DEPTH), .FILTERS(FILTERS), .SCORES(SCORES),
      .SEQUENCER_BITS(SEQUENCER_BITS), .READER_BITS(READER_BITS), .WRITER_BITS(WRITER_BITS),
      .NEURON_BITS(NEURON_BITS), .CONTROL_BITS(CONTROL_BITS), .MAP_BITS(MAP_BITS), .PORT_BITS(PORT_BITS)
  ) machine (
      .clk(clk), .reset(reset), .start(start), .running(running), .done(done), .port_valid(port_valid),
      .port_ready(port_ready), .port_write(port_write), .port_stream(port_stream), .port_first(port_first),
      .port_address(port_address), .port_lanes(port_lanes), .port_planes(port_planes),
      .port_read_data(port_read_data), .port_write_data(port_write_data), .layer_number(layer_number),
      .waiting(waiting), .filling(filling), .draining(draining), .store_valid(store_valid),
      .store_elements(store_elements)
  );
  memory_model #(
      .CHANNEL_LANES(CHANNEL_LANES), .ELEMENT_BITS(ELEMENT_BITS), .PORT_BITS(PORT_BITS), .WEIGHTS(WEIGHTS),
      .ELEMENTS(ELEMENTS), .SCORES(SCORES), .SCORE_BITS(SCORE_BITS), .RATE_BITS(RATE_BITS), .RATE_CYCLES(RATE_CYCLES)
  ) memory (
      .clk(clk), .valid(port_valid), .ready(port_ready), .write(port_write), .stream(port_stream), .first(port_first),
      .address(port_address), .lanes(port_lanes), .planes(port_planes), .read_data(port_read_data),
      .write_data(port_write_data)
  );

  initial forever #5 clk = ~clk;

  initial begin
    $readmemh("images.mem", images);
    $readmemh("stores.mem", stores);
    $readmemh("scores.mem", scores);
    for (i = 0; i < LAYERS; i = i + 1) begin
      computed[i] = 0;
      stalled[i] = 0;
      filled[i] = 0;
      counts[i] = 0;
      wrong[i] = 0;
    end
    stored = 0;
    errors = 0;
    missed = 0;
    repeat (4) @(negedge clk);
    reset = 1'b0;
    repeat (4) @(negedge clk);
    for (image = 0; image < IMAGES; image = image + 1) begin
      for (i = 0; i < INPUTS; i = i + 1) memory.elements[i] = images[image*INPUTS+i];
      start = 1'b1;
      @(negedge clk);
      start = 1'b0;
      while (!done) @(negedge clk);
      @(negedge clk);
      for (i = 0; i < SCORES; i = i + 1) begin
        if (memory.scores[i] !== scores[image*SCORES+i]) missed = missed + 1;
      end
    end
    counts[LAYERS-1] = IMAGES * SCORES;
    wrong[LAYERS-1] = missed;
    for (i = 0; i < LAYERS; i = i + 1) begin
      $display("layer %0d cycles %0d stalls %0d fills %0d compared %0d mismatches %0d", i, computed[i], stalled[i],
               filled[i], counts[i], wrong[i]);
      errors = errors + wrong[i];
    end
    if (stored != IMAGES * STORES || running) errors = errors + 1;
    $display("images %0d errors %0d", IMAGES, errors);
    $display("%s", errors == 0 ? "PASS" : "FAIL");
    $finish;
  end

  // What fills belongs to the layer that comes next, what drains to the one that was last.
  always @(posedge clk) begin
    if (!running) next_layer <= '0;
    else if (filling) filled[next_layer] <= filled[next_layer] + 1;
    else begin
      next_layer <= layer_number + 8'd1;
      if (draining) filled[layer_number] <= filled[layer_number] + 1;
      else if (waiting) stalled[layer_number] <= stalled[layer_number] + 1;
      else computed[layer_number] <= computed[layer_number] + 1;
    end
    if (store_valid) begin
      counts[layer_number] <= counts[layer_number] + 1;
      if (stored >= IMAGES * STORES || store_elements !== stores[stored])
        wrong[layer_number] <= wrong[layer_number] + 1;
      stored <= stored + 1;
    end
  end
endmodule
