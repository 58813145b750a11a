// The machine: compute core, buffers in two halves, and the one port to the memory that holds maps, weights and scores.
//
// A word crosses the port where `port_valid` and `port_ready` meet. What arrives is on `port_read_data` in that cycle; what
// leaves is on `port_write_data` one cycle later. `port_stream` says what crosses, `port_address` where it lies:
//   0  weights: a word of 9 L bits; address in such words
//   1  map: `port_lanes` elements of `port_planes` bits, plane b at bit b L; address in elements
//   2  scores: a score; its number
// `port_first` marks the first word of a transfer. Addresses run on within a transfer but for a map's steps.
module accelerator #(
    parameter int VECTOR_WIDTH = 8,
    parameter int CHANNEL_LANES = 8,
    parameter int STEPS = 8,
    parameter int PLANES = 3,
    parameter int PORT_PLANES = 8,
    parameter int LARGEST_POOL = 2,
    parameter int LARGEST_STRIDE = 2,
    parameter bit DUAL = 1'b0,
    parameter bit PRUNED = 1'b0,
    parameter bit OUTER = 1'b0,
    parameter bit STATIC_INPUT = 1'b0,
    parameter int MEMBRANE_DEPTH = 1,
    parameter int LIST_KERNELS = 9,
    parameter int STRENGTH_BITS = 1,
    parameter int RANK_BITS = 0,
    parameter int LEAST_FRACTION = 8,
    parameter int LARGEST_FRACTION = 8,
    parameter int FRACTION_BITS = 8,
    parameter int SUM_BITS = 24,
    parameter int MEMBRANE_BITS = 24,
    parameter int SCORE_BITS = 32,
    parameter int ADDRESS_BITS = 16,
    parameter int ELEMENT_BITS = 32,
    parameter int SPIKE_DEPTH = 64,
    parameter int WEIGHT_DEPTH = 64,
    parameter int PROGRAM_DEPTH = 4,
    parameter int PASS_DEPTH = 2,
    parameter int FILTERS = 1,
    parameter int SCORES = 1,
    parameter int SEQUENCER_BITS = 1,
    parameter int READER_BITS = 1,
    parameter int WRITER_BITS = 1,
    parameter int NEURON_BITS = 1,
    parameter int CONTROL_BITS = 374,
    parameter int MAP_BITS = 193,
    parameter int PORT_BITS = 72,
    parameter PROGRAM_FILE = "program.mem",
    parameter PASS_FILE = "passes.mem",
    parameter LENGTHS_FILE = "lengths.mem",
    localparam int BANKS = 3 * (VECTOR_WIDTH + 2),
    localparam int PARTS = PRUNED ? CHANNEL_LANES : 1,
    localparam int MAPS = DUAL ? 2 : 1
) (
    input  logic                                clk,
    input  logic                                reset,
    // An inference: `start` while not `running`, `done` for one cycle behind the last.
    input  logic                                start,
    output logic                                running,
    output logic                                done,
    output logic                                port_valid,
    input  logic                                port_ready,
    output logic                                port_write,
    output logic [1:0]                          port_stream,
    output logic                                port_first,
    output logic [ELEMENT_BITS-1:0]             port_address,
    output logic [7:0]                          port_lanes,
    output logic [7:0]                          port_planes,
    input  logic [PORT_BITS-1:0]                port_read_data,
    output logic [PORT_BITS-1:0]                port_write_data,
    // What the cycle is spent on: the layer, and whether the machine waits, fills or drains instead of computing.
    output logic [7:0]                          layer_number,
    output logic                                waiting,
    output logic                                filling,
    output logic                                draining,
    // Stored elements as they are written.
    output logic                                store_valid,
    output logic [MAPS*VECTOR_WIDTH*PLANES-1:0] store_elements
);
  localparam int L = CHANNEL_LANES;
  localparam int WEIGHT_BITS = 9 * L;
  wire unused_port = &{1'b0, port_read_data};

  // Passes.
  logic pass_finished, begin_pass, leave_pass, resident, group_starts, first_pass, streamed, last_pass;
  logic first_time_step, last_time_step;
  logic weights_done, maps_done, load, load_ahead, hurry, half, fill_map, drain_map, drain_scores;
  logic [15:0] next_layer, load_words, group_filter, group_filters;
  logic [ELEMENT_BITS-1:0] load_address, group_address, fill_element, drain_element;
  logic [MAP_BITS-1:0] fill_shape, drain_shape;
  pass_control #(
      .ELEMENT_BITS(ELEMENT_BITS), .CONTROL_BITS(CONTROL_BITS), .MAP_BITS(MAP_BITS), .DEPTH(PASS_DEPTH), .OUTER(OUTER),
      .FILE(PASS_FILE)
  ) passes (
      .clk(clk), .reset(reset), .start(start), .running(running), .done(done), .filling(filling), .draining(draining),
      .pass_finished(pass_finished), .begin_pass(begin_pass), .leave_pass(leave_pass), .next_layer(next_layer),
      .resident(resident), .group_starts(group_starts), .first_pass(first_pass), .streamed(streamed),
      .first_step(first_time_step), .last_step(last_time_step), .last_pass(last_pass),
      .weights_done(weights_done), .load(load), .load_ahead(load_ahead), .hurry(hurry), .load_address(load_address),
      .load_words(load_words), .group_filter(group_filter), .group_filters(group_filters),
      .group_address(group_address), .maps_done(maps_done), .half(half), .fill_map(fill_map),
      .fill_element(fill_element), .fill_shape(fill_shape), .drain_map(drain_map), .drain_scores(drain_scores),
      .drain_element(drain_element), .drain_shape(drain_shape)
  );

  // The port serves a filter that is waited for, then what drains, then what fills, then weights ahead.
  logic weight_active, weight_urgent, weight_first, weight_last;
  logic out_active, out_first, out_last, in_active, in_first, in_last, score_active, score_first, score_last;
  wire serve_filter = weight_active && weight_urgent;
  wire serve_out = out_active && !serve_filter;
  wire serve_scores = score_active && !serve_filter;
  wire serve_maps = out_active || score_active || in_active;
  wire serve_in = in_active && !serve_filter && !out_active && !score_active;
  wire serve_ahead = weight_active && !serve_filter && !serve_maps;
  wire crosses = port_valid && port_ready;
  wire weight_moves = (serve_filter || serve_ahead) && crosses;
  wire out_moves = serve_out && crosses;
  wire in_moves = serve_in && crosses;
  wire score_moves = serve_scores && crosses;
  assign weights_done = !serve_filter || (weight_moves && weight_last);
  assign maps_done = (!out_active || (out_moves && out_last)) && (!in_active || (in_moves && in_last))
                   && (!score_active || (score_moves && score_last));

  logic [ELEMENT_BITS-1:0] weight_address, out_element, in_element;
  logic [15:0] score_number;
  logic [7:0] out_lanes, out_planes, in_lanes, in_planes;
  assign port_valid = weight_active || serve_maps;
  assign port_write = serve_out || serve_scores;
  assign port_stream = serve_scores ? 2'd2 : serve_out || serve_in ? 2'd1 : 2'd0;
  assign port_first = serve_scores ? score_first : serve_out ? out_first : serve_in ? in_first : weight_first;
  assign port_address = serve_scores ? {{ELEMENT_BITS - 16{1'b0}}, score_number}
                      : serve_out ? out_element : serve_in ? in_element : weight_address;
  assign port_lanes = serve_out ? out_lanes : in_lanes;
  assign port_planes = serve_out ? out_planes : in_planes;

  // Weights.
  logic load_half, read_half, arriving_half, arrives, weight_read, visit;
  logic [ADDRESS_BITS-1:0] load_place, arriving_place, weight_place;
  logic [WEIGHT_BITS-1:0] arriving_word, weight_word;
  weight_loader #(
      .ADDRESS_BITS(ADDRESS_BITS), .ELEMENT_BITS(ELEMENT_BITS), .FILTERS(FILTERS), .LENGTHS_FILE(LENGTHS_FILE)
  ) loader (
      .clk(clk), .reset(reset), .load(load), .load_ahead(load_ahead), .hurry(hurry), .load_address(load_address),
      .load_words(load_words[ADDRESS_BITS-1:0]), .group_starts(group_starts), .visit(visit),
      .streamed(streamed), .last_pass(last_pass), .group_filter(group_filter),
      .group_filters(group_filters), .group_address(group_address), .active(weight_active), .urgent(weight_urgent),
      .first(weight_first), .last(weight_last), .address(weight_address), .moved(weight_moves),
      .write_half(load_half), .write_address(load_place), .read_half(read_half)
  );
  always_ff @(posedge clk) begin
    arrives <= weight_moves && !reset;
    arriving_half <= load_half;
    arriving_place <= load_place;
    arriving_word <= port_read_data[WEIGHT_BITS-1:0];
  end
  weight_buffer #(.WIDTH(WEIGHT_BITS), .DEPTH(WEIGHT_DEPTH), .ADDRESS_BITS(ADDRESS_BITS)) weights (
      .clk(clk), .read_enable(weight_read), .read_half(read_half), .read_address(weight_place),
      .read_data(weight_word), .write_enable(arrives), .write_half(arriving_half), .write_address(arriving_place),
      .write_data(arriving_word)
  );

  // Maps.
  logic out_flat, in_flat;
  logic [7:0] out_row_bank, in_row_bank;
  logic [3:0] out_column_bank, in_column_bank;
  logic [ADDRESS_BITS-1:0] out_place, in_place, out_pitch, in_pitch;
  map_walk #(
      .VECTOR_WIDTH(VECTOR_WIDTH), .CHANNEL_LANES(L), .ADDRESS_BITS(ADDRESS_BITS), .ELEMENT_BITS(ELEMENT_BITS),
      .MAP_BITS(MAP_BITS)
  ) drain (
      .clk(clk), .reset(reset), .start(drain_map), .start_element(drain_element), .map(drain_shape),
      .moved(out_moves), .active(out_active), .first(out_first), .last(out_last), .element(out_element),
      .lanes(out_lanes), .planes(out_planes), .flat(out_flat), .row_bank(out_row_bank),
      .column_bank(out_column_bank), .address(out_place), .plane_pitch(out_pitch)
  );
  map_walk #(
      .VECTOR_WIDTH(VECTOR_WIDTH), .CHANNEL_LANES(L), .ADDRESS_BITS(ADDRESS_BITS), .ELEMENT_BITS(ELEMENT_BITS),
      .MAP_BITS(MAP_BITS)
  ) fill (
      .clk(clk), .reset(reset), .start(fill_map), .start_element(fill_element), .map(fill_shape),
      .moved(in_moves), .active(in_active), .first(in_first), .last(in_last), .element(in_element),
      .lanes(in_lanes), .planes(in_planes), .flat(in_flat), .row_bank(in_row_bank),
      .column_bank(in_column_bank), .address(in_place), .plane_pitch(in_pitch)
  );

  logic port_write_half;
  logic [BANKS*ADDRESS_BITS-1:0] port_read_address, port_write_address;
  logic [BANKS*L-1:0] port_read_words, port_write_words;
  logic [BANKS-1:0] port_read_enable, port_write_enable;
  logic [PORT_PLANES*L-1:0] leaving;
  map_port #(
      .VECTOR_WIDTH(VECTOR_WIDTH), .CHANNEL_LANES(L), .PLANES(PORT_PLANES), .ADDRESS_BITS(ADDRESS_BITS)
  ) port (
      .clk(clk), .reset(reset), .half(half), .arrives(in_moves), .leaves(out_moves),
      .flat(serve_out ? out_flat : in_flat), .planes(port_planes), .row_bank(serve_out ? out_row_bank : in_row_bank),
      .column_bank(serve_out ? out_column_bank : in_column_bank), .address(serve_out ? out_place : in_place),
      .plane_pitch(serve_out ? out_pitch : in_pitch), .arriving(port_read_data[PORT_PLANES*L-1:0]),
      .leaving(leaving), .read_enable(port_read_enable), .read_address(port_read_address),
      .read_data(port_read_words), .write_half(port_write_half), .write_enable(port_write_enable),
      .write_address(port_write_address), .write_data(port_write_words)
  );

  logic [BANKS*ADDRESS_BITS-1:0] read_address, write_address;
  logic [PARTS*ADDRESS_BITS-1:0] read_word;
  logic [BANKS*L-1:0] read_data, write_data, write_mask;
  logic [BANKS-1:0] read_enable, write_enable;
  spike_buffer #(
      .VECTOR_WIDTH(VECTOR_WIDTH), .CHANNEL_LANES(L), .DEPTH(SPIKE_DEPTH), .LANES_APART(PRUNED),
      .ADDRESS_BITS(ADDRESS_BITS)
  ) spikes (
      .clk(clk), .half(half), .read_enable(read_enable), .read_address(read_address), .read_word(read_word),
      .read_data(read_data), .write_enable(write_enable), .write_address(write_address), .write_data(write_data),
      .write_mask(write_mask), .port_read_enable(port_read_enable), .port_read_address(port_read_address),
      .port_read_data(port_read_words), .port_write_half(port_write_half), .port_write_enable(port_write_enable),
      .port_write_address(port_write_address), .port_write_data(port_write_words)
  );

  // Scores: kept over the passes of a group, then drained.
  logic score_valid, scores_left;
  logic [15:0] score_index, score_filter;
  logic [SCORE_BITS-1:0] score, stored_score;
  assign score_first = score_number == 16'd0;
  assign score_last = score_number + 16'd1 == 16'(SCORES);
  always_ff @(posedge clk) begin
    if (reset) score_active <= 1'b0;
    else if (drain_scores) score_active <= 1'b1;
    else if (score_moves && score_last) score_active <= 1'b0;
    if (drain_scores) score_number <= '0;
    else if (score_moves) score_number <= score_number + 16'd1;
    scores_left <= serve_scores;
  end
  sram #(.WIDTH(SCORE_BITS), .DEPTH(SCORES), .ADDRESS_BITS(16)) score_memory (
      .clk(clk), .read_enable(1'b1), .read_address(score_active ? score_number : score_index),
      .read_data(stored_score), .write_enable(score_valid), .write_address(score_filter), .write_data(score),
      .write_mask({SCORE_BITS{1'b1}})
  );
  always_comb begin
    port_write_data = '0;
    if (scores_left) port_write_data[SCORE_BITS-1:0] = stored_score;
    else port_write_data[PORT_PLANES*L-1:0] = leaving;
  end

  compute_core #(
      .VECTOR_WIDTH(VECTOR_WIDTH), .CHANNEL_LANES(L), .STEPS(STEPS), .PLANES(PLANES), .LARGEST_POOL(LARGEST_POOL),
      .LARGEST_STRIDE(LARGEST_STRIDE), .DUAL(DUAL), .PRUNED(PRUNED), .OUTER(OUTER), .STATIC_INPUT(STATIC_INPUT),
      .MEMBRANE_DEPTH(MEMBRANE_DEPTH), .LIST_KERNELS(LIST_KERNELS),
      .STRENGTH_BITS(STRENGTH_BITS), .RANK_BITS(RANK_BITS), .LEAST_FRACTION(LEAST_FRACTION),
      .LARGEST_FRACTION(LARGEST_FRACTION), .FRACTION_BITS(FRACTION_BITS), .SUM_BITS(SUM_BITS), .MEMBRANE_BITS(MEMBRANE_BITS), .SCORE_BITS(SCORE_BITS),
      .ADDRESS_BITS(ADDRESS_BITS), .PROGRAM_DEPTH(PROGRAM_DEPTH), .SEQUENCER_BITS(SEQUENCER_BITS),
      .READER_BITS(READER_BITS), .WRITER_BITS(WRITER_BITS), .NEURON_BITS(NEURON_BITS), .FILTERS(FILTERS),
      .PROGRAM_FILE(PROGRAM_FILE), .LENGTHS_FILE(LENGTHS_FILE)
  ) core (
      .clk(clk), .reset(reset), .begin_pass(begin_pass), .leave_pass(leave_pass), .next_pass_layer(next_layer),
      .first_pass(first_pass), .first_time_step(first_time_step), .last_time_step(last_time_step), .filter_ready(weights_done), .resident(resident), .pass_finished(pass_finished),
      .visit(visit), .waiting(waiting), .layer_number(layer_number), .weight_read(weight_read),
      .weight_address(weight_place), .weight_word(weight_word), .read_enable(read_enable),
      .read_address(read_address), .read_word(read_word), .read_data(read_data), .write_enable(write_enable),
      .write_address(write_address), .write_data(write_data), .write_mask(write_mask), .score_index(score_index),
      .score_before(stored_score), .score_valid(score_valid), .score_filter(score_filter), .score(score),
      .store_valid(store_valid), .store_elements(store_elements)
  );
endmodule
