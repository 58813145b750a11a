// Self-checking: runs all images, compares every stored element and score with the golden vectors, counts cycles by layer.
module core_testbench;
  import core_parameters::*;

  localparam int MAPS = DUAL != 0 ? 2 : 1;
  localparam int STORE_BITS = MAPS * VECTOR_WIDTH * PLANES;
  localparam int FILL_BITS = 16 + ADDRESS_BITS + CHANNEL_LANES;

  logic clk = 1'b0;
  logic reset = 1'b1;
  logic start = 1'b0;
  logic fill_valid = 1'b0;
  logic [FILL_BITS-1:0] fill = '0;
  logic running, layer_starts, done, store_valid, score_valid;
  logic [STORE_BITS-1:0] store_elements;
  logic [SCORE_BITS-1:0] score;

  logic [FILL_BITS-1:0] fills[0:IMAGES*FILL_WORDS-1];
  logic [STORE_BITS-1:0] stores[0:(STORES > 0 ? IMAGES*STORES : 1)-1];
  logic [SCORE_BITS-1:0] scores[0:IMAGES*SCORES-1];
  integer cycles[0:LAYERS-1];
  integer counts[0:LAYERS-1];
  integer wrong[0:LAYERS-1];
  integer layer, elapsed, stored, scored, image, errors, i;

  compute_core #(
      .VECTOR_WIDTH(VECTOR_WIDTH), .CHANNEL_LANES(CHANNEL_LANES), .STEPS(STEPS), .PLANES(PLANES),
      .LARGEST_POOL(LARGEST_POOL), .LARGEST_STRIDE(LARGEST_STRIDE), .DUAL(DUAL != 0), .PRUNED(PRUNED != 0),
      .LIST_KERNELS(LIST_KERNELS), .STRENGTH_BITS(STRENGTH_BITS), .RANK_BITS(RANK_BITS),
      .LEAST_FRACTION(LEAST_FRACTION), .LARGEST_FRACTION(LARGEST_FRACTION), .FRACTION_BITS(FRACTION_BITS),
      .SUM_BITS(SUM_BITS), .MEMBRANE_BITS(MEMBRANE_BITS),
      .SCORE_BITS(SCORE_BITS), .ADDRESS_BITS(ADDRESS_BITS), .SPIKE_DEPTH(SPIKE_DEPTH), .WEIGHT_DEPTH(WEIGHT_DEPTH),
      .PROGRAM_DEPTH(PROGRAM_DEPTH), .SEQUENCER_BITS(SEQUENCER_BITS), .READER_BITS(READER_BITS),
      .WRITER_BITS(WRITER_BITS), .NEURON_BITS(NEURON_BITS)
  ) core (
      .clk(clk), .reset(reset), .start(start), .running(running), .layer_starts(layer_starts), .done(done),
      .fill_valid(fill_valid), .fill_bank(fill[FILL_BITS-1-:16]), .fill_address(fill[CHANNEL_LANES+:ADDRESS_BITS]),
      .fill_data(fill[CHANNEL_LANES-1:0]), .store_valid(store_valid), .store_elements(store_elements),
      .score_valid(score_valid), .score(score)
  );

  initial forever #5 clk = ~clk;

  initial begin
    $readmemh("fills.mem", fills);
    $readmemh("stores.mem", stores);
    $readmemh("scores.mem", scores);
    for (i = 0; i < LAYERS; i = i + 1) begin
      cycles[i] = 0;
      counts[i] = 0;
      wrong[i] = 0;
    end
    stored = 0;
    scored = 0;
    errors = 0;
    repeat (4) @(negedge clk);
    reset = 1'b0;
    for (image = 0; image < IMAGES; image = image + 1) begin
      for (i = 0; i < FILL_WORDS; i = i + 1) begin
        fill = fills[image*FILL_WORDS+i];
        fill_valid = 1'b1;
        @(negedge clk);
      end
      fill_valid = 1'b0;
      layer = -1;
      elapsed = 0;
      start = 1'b1;
      @(negedge clk);
      start = 1'b0;
      while (!done) @(negedge clk);
      @(negedge clk);
    end
    for (i = 0; i < LAYERS; i = i + 1) begin
      $display("layer %0d cycles %0d compared %0d mismatches %0d", i, cycles[i], counts[i], wrong[i]);
      errors = errors + wrong[i];
    end
    if (stored != IMAGES * STORES || scored != IMAGES * SCORES) errors = errors + 1;
    if (running) errors = errors + 1;
    $display("images %0d errors %0d", IMAGES, errors);
    $display("%s", errors == 0 ? "PASS" : "FAIL");
    $finish;
  end

  // `layer_starts` comes one cycle after the layer was loaded, as `done` comes one cycle after its last.
  always @(posedge clk) begin
    elapsed <= elapsed + 1;
    if (layer_starts || done) begin
      if (layer >= 0) cycles[layer] <= cycles[layer] + elapsed;
      if (layer_starts) layer <= layer + 1;
      elapsed <= 1;
    end
    if (store_valid) begin
      counts[layer] <= counts[layer] + 1;
      if (stored >= IMAGES * STORES || store_elements !== stores[stored]) wrong[layer] <= wrong[layer] + 1;
      stored <= stored + 1;
    end
    if (score_valid) begin
      counts[LAYERS-1] <= counts[LAYERS-1] + 1;
      if (scored >= IMAGES * SCORES || score !== scores[scored]) wrong[LAYERS-1] <= wrong[LAYERS-1] + 1;
      scored <= scored + 1;
    end
  end
endmodule
