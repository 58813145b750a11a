// The compute core: runs the layers of a pass one after the other; maps, weights and scores lie in buffers around it.
// Stages of an array cycle: issue, address, read, nine taps, lanes (adder tree), shift and accumulate, neuron, pool and write.
module compute_core #(
    parameter int VECTOR_WIDTH = 8,
    parameter int CHANNEL_LANES = 8,
    parameter int STEPS = 8,
    parameter int PLANES = 3,
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
    parameter int PROGRAM_DEPTH = 4,
    parameter int SEQUENCER_BITS = 1,
    parameter int READER_BITS = 1,
    parameter int WRITER_BITS = 1,
    parameter int NEURON_BITS = 1,
    parameter int FILTERS = 1,
    parameter PROGRAM_FILE = "program.mem",
    parameter LENGTHS_FILE = "lengths.mem",
    localparam int ROWS = VECTOR_WIDTH + 2,
    localparam int BANKS = 3 * ROWS,
    localparam int MAPS = DUAL ? 2 : 1,
    localparam int PARTS = PRUNED ? CHANNEL_LANES : 1
) (
    input  logic                                clk,
    input  logic                                reset,
    // Passes and filters: see the sequencer.
    input  logic                                begin_pass,
    input  logic                                leave_pass,
    input  logic [15:0]                         next_pass_layer,
    input  logic                                first_pass,
    input  logic                                first_time_step,
    input  logic                                last_time_step,
    input  logic                                filter_ready,
    input  logic                                resident,
    output logic                                pass_finished,
    output logic                                visit,
    output logic                                waiting,
    output logic [7:0]                          layer_number,
    // Weight buffer.
    output logic                                weight_read,
    output logic [ADDRESS_BITS-1:0]             weight_address,
    input  logic [9*CHANNEL_LANES-1:0]          weight_word,
    // Spike buffer.
    output logic [BANKS-1:0]                    read_enable,
    output logic [BANKS*ADDRESS_BITS-1:0]       read_address,
    output logic [PARTS*ADDRESS_BITS-1:0]       read_word,
    input  logic [BANKS*CHANNEL_LANES-1:0]      read_data,
    output logic [BANKS-1:0]                    write_enable,
    output logic [BANKS*ADDRESS_BITS-1:0]       write_address,
    output logic [BANKS*CHANNEL_LANES-1:0]      write_data,
    output logic [BANKS*CHANNEL_LANES-1:0]      write_mask,
    // Scores: sums of the passes before, and those with this one.
    output logic [15:0]                         score_index,
    input  logic [SCORE_BITS-1:0]               score_before,
    output logic                                score_valid,
    output logic [15:0]                         score_filter,
    output logic [SCORE_BITS-1:0]               score,
    // Stored elements as they are written.
    output logic                                store_valid,
    output logic [MAPS*VECTOR_WIDTH*PLANES-1:0] store_elements
);
  localparam int TREE_LEVELS = $clog2(CHANNEL_LANES);
  localparam int TREE_STAGES = (TREE_LEVELS + 1) / 2;
  localparam int DEPTH = 6 + TREE_STAGES;
  localparam int TREE_WIDTH = 5 + TREE_LEVELS;
  localparam int LANES = CHANNEL_LANES;
  localparam int PROGRAM_BITS = SEQUENCER_BITS + READER_BITS + WRITER_BITS + NEURON_BITS + ADDRESS_BITS;

  // Program: the word behind the running layer is always read ahead.
  logic load_layer;
  logic [ADDRESS_BITS-1:0] program_address;
  logic [PROGRAM_BITS-1:0] next_layer;
  logic [PROGRAM_BITS-ADDRESS_BITS-1:0] layer;
  sram #(
      .WIDTH(PROGRAM_BITS), .DEPTH(PROGRAM_DEPTH), .PRELOAD(1'b1), .FILE(PROGRAM_FILE), .ADDRESS_BITS(ADDRESS_BITS)
  ) program_memory (
      .clk(clk), .read_enable(1'b1), .read_address(program_address), .read_data(next_layer),
      .write_enable(1'b0), .write_address('0), .write_data('0), .write_mask('0)
  );
  always_ff @(posedge clk) if (load_layer) layer <= next_layer[PROGRAM_BITS-1:ADDRESS_BITS];

  logic [SEQUENCER_BITS-1:0] sequencer_layer;
  logic [READER_BITS-1:0] reader_layer;
  logic [WRITER_BITS-1:0] writer_layer;
  logic [NEURON_BITS-1:0] neuron_layer;
  assign {sequencer_layer, reader_layer, writer_layer, neuron_layer} = layer;

  // The layer on an image, whose sums are the same at every step.
  wire static_layer = OUTER && STATIC_INPUT && layer_number == 8'd0;

  logic fully_connected, pruned;
  logic [7:0] kernel, last_taps, last_lanes;
  logic [15:0] in_rows, in_columns;
  logic [ADDRESS_BITS-1:0] row_pitch, column_pitch;
  assign {
    fully_connected, pruned, kernel, last_taps, last_lanes, in_rows, in_columns, row_pitch, column_pitch
  } = reader_layer;

  logic spiking, binary, hard_reset, average, ranked, ranks_of_sums;
  logic [7:0] list_words, neuron_steps, steps, stride, pool, score_rows, strength_bits, fraction_bits;
  logic [15:0] positions;
  assign {
    spiking, binary, hard_reset, average, ranked, ranks_of_sums,
    list_words, neuron_steps, steps, stride, pool, score_rows, strength_bits, fraction_bits, positions
  } = neuron_layer;

  // Issue.
  logic header_valid, slot_valid, array_valid, array_first, array_last, subtract, score_issue, last_word;
  logic lists_restart, lists_advance, lists_more;
  logic [ADDRESS_BITS-1:0] map_offset, row_offset, column_offset, word;
  logic [7:0] header_index, rows, input_plane, row_bank, kernel_row, kernel_column;
  logic [3:0] shift;
  logic [1:0] column_bank;
  logic [15:0] row, column;
  sequencer #(
      .VECTOR_WIDTH(VECTOR_WIDTH), .DEPTH(DEPTH), .ADDRESS_BITS(ADDRESS_BITS), .PROGRAM_BITS(SEQUENCER_BITS),
      .OUTER(OUTER), .FILTERS(FILTERS), .LENGTHS_FILE(LENGTHS_FILE)
  ) control (
      .clk(clk), .reset(reset), .begin_pass(begin_pass), .leave_pass(leave_pass), .pass_finished(pass_finished),
      .next_pass_layer(next_pass_layer), .filter_ready(filter_ready), .resident(resident), .visit(visit),
      .waiting(waiting), .load_layer(load_layer), .layer_number(layer_number),
      .program_address(program_address), .next_weight_base(next_layer[ADDRESS_BITS-1:0]), .layer(sequencer_layer),
      .restores(static_layer && !first_time_step), .slot_valid(slot_valid),
      .weight_read(weight_read), .weight_address(weight_address), .header_valid(header_valid),
      .header_index(header_index), .array_valid(array_valid), .array_first(array_first), .array_last(array_last),
      .subtract(subtract), .shift(shift), .rows(rows), .input_plane(input_plane), .map_offset(map_offset),
      .row_offset(row_offset), .column_offset(column_offset), .word(word), .last_word(last_word),
      .row_bank(row_bank), .column_bank(column_bank), .row(row), .column(column), .kernel_row(kernel_row),
      .kernel_column(kernel_column), .lists_restart(lists_restart), .lists_advance(lists_advance),
      .lists_more(lists_more), .score_valid(score_issue)
  );

  // Weights arrive two stages before the spikes; headers are taken at once.
  logic [9*LANES-1:0] weight_later, weights;
  always_ff @(posedge clk) begin
    weight_later <= weight_word;
    weights <= weight_later;
  end

  // Headers: the list of kept kernels, then constants. Four sets of constants, because neurons lag behind.
  localparam int CONSTANT_BITS = 3 * MEMBRANE_BITS;
  localparam int CONSTANT_WORDS = (CONSTANT_BITS + 9 * LANES - 1) / (9 * LANES);
  logic header_arrives;
  logic [7:0] header_place;
  logic [1:0] header_set, active_set;
  logic [CONSTANT_BITS-1:0] constants[0:3];
  logic [CONSTANT_BITS-1:0] active;
  always_ff @(posedge clk) begin
    header_arrives <= header_valid;
    header_place <= header_index;
    if (reset) header_set <= 2'd3;
    else if (header_valid && header_index == 8'd0) header_set <= header_set + 2'd1;
  end
  genvar w;
  generate
    for (w = 0; w < CONSTANT_WORDS; w = w + 1) begin : g_constants
      localparam int LOW = w * 9 * LANES;
      localparam int BITS = CONSTANT_BITS - LOW < 9 * LANES ? CONSTANT_BITS - LOW : 9 * LANES;
      always_ff @(posedge clk)
        if (header_arrives && header_place == list_words + w[7:0])
          constants[header_set][LOW+:BITS] <= weight_word[BITS-1:0];
    end
  endgenerate
  assign active = constants[active_set];

  logic [LANES-1:0] lane_valid, lane_valid_1;
  logic [LANES*ADDRESS_BITS-1:0] lane_kernel, lane_kernel_1;
  generate
    if (PRUNED) begin : g_lists
      lane_lists #(
          .CHANNEL_LANES(LANES), .KERNELS(LIST_KERNELS), .ADDRESS_BITS(ADDRESS_BITS)
      ) lists (
          .clk(clk), .load(header_arrives && header_place < list_words), .load_word(header_place),
          .load_data(weight_word), .restart(lists_restart), .advance(lists_advance), .more(lists_more),
          .lane_valid(lane_valid), .lane_kernel(lane_kernel)
      );
    end else begin : g_no_lists
      wire unused_lists = &{1'b0, lists_restart, lists_advance};
      assign lists_more = 1'b0;
      assign lane_valid = '0;
      assign lane_kernel = '0;
    end
  endgenerate

  // Address stage.
  logic valid_1, last_word_1;
  logic [7:0] plane_1, row_bank_1, kernel_row_1, kernel_column_1;
  logic [1:0] column_bank_1;
  logic [15:0] row_1, column_1;
  logic [ADDRESS_BITS-1:0] map_offset_1, row_offset_1, column_offset_1, word_1;
  always_ff @(posedge clk) begin
    valid_1 <= array_valid;
    last_word_1 <= last_word;
    plane_1 <= input_plane;
    row_bank_1 <= row_bank;
    column_bank_1 <= column_bank;
    kernel_row_1 <= kernel_row;
    kernel_column_1 <= kernel_column;
    row_1 <= row;
    column_1 <= column;
    map_offset_1 <= map_offset;
    row_offset_1 <= row_offset;
    column_offset_1 <= column_offset;
    word_1 <= word;
    lane_valid_1 <= lane_valid;
    lane_kernel_1 <= lane_kernel;
  end

  logic [BANKS*LANES-1:0] window;
  logic [9*LANES-1:0] tap_mask;
  spike_reader #(
      .VECTOR_WIDTH(VECTOR_WIDTH), .CHANNEL_LANES(LANES), .ADDRESS_BITS(ADDRESS_BITS), .LANES_APART(PRUNED)
  ) reader (
      .clk(clk), .fully_connected(fully_connected), .pruned(pruned), .kernel(kernel), .last_taps(last_taps),
      .last_lanes(last_lanes), .in_rows(in_rows), .in_columns(in_columns), .row_pitch(row_pitch),
      .column_pitch(column_pitch), .valid(valid_1), .plane(plane_1), .map_offset(map_offset_1),
      .row_offset(row_offset_1), .column_offset(column_offset_1), .word(word_1), .last_word(last_word_1),
      .row_bank(row_bank_1), .column_bank(column_bank_1), .row(row_1), .column(column_1),
      .kernel_row(kernel_row_1), .kernel_column(kernel_column_1), .lane_valid(lane_valid_1),
      .lane_kernel(lane_kernel_1), .read_enable(read_enable), .read_address(read_address),
      .read_word(read_word), .read_data(read_data), .window(window), .tap_mask(tap_mask)
  );

  // What an array cycle is to do when its sums arrive: delayed from issue to accumulation. `used` has the rows with an output:
  // those of the strip that the stride keeps.
  localparam int TOKEN_BITS = 9 + VECTOR_WIDTH;
  localparam int TOKEN_STAGES = 4 + TREE_STAGES;
  localparam int WORKING_STAGES = 1 + TREE_STAGES;
  wire [VECTOR_WIDTH-1:0] used;
  genvar r, t;
  generate
    for (r = 0; r < VECTOR_WIDTH; r = r + 1) begin : g_used
      wire [LARGEST_STRIDE-1:0] kept;
      for (t = 1; t <= LARGEST_STRIDE; t = t + 1) begin : g_stride
        assign kept[t-1] = r % t == 0 && stride == t[7:0];
      end
      assign used[r] = rows > r[7:0] && |kept;
    end
  endgenerate
  logic [TOKEN_STAGES*TOKEN_BITS-1:0] tokens;
  wire [TOKEN_BITS-1:0] issued = {
    array_valid, slot_valid && array_last, score_issue, array_first, subtract, shift, used & {VECTOR_WIDTH{slot_valid}}
  };
  always_ff @(posedge clk) tokens <= reset ? '0 : {tokens[(TOKEN_STAGES-1)*TOKEN_BITS-1:0], issued};
  logic add_valid, add_last, score_token, add_first, add_subtract;
  logic [3:0] add_shift;
  logic [VECTOR_WIDTH-1:0] add_rows;
  assign {add_valid, add_last, score_token, add_first, add_subtract, add_shift, add_rows} =
      tokens[TOKEN_STAGES*TOKEN_BITS-1-:TOKEN_BITS];
  wire [WORKING_STAGES*VECTOR_WIDTH-1:0] working;
  generate
    for (t = 0; t < WORKING_STAGES; t = t + 1) begin : g_working
      wire [VECTOR_WIDTH-1:0] token_rows = tokens[(t+2)*TOKEN_BITS+:VECTOR_WIDTH];
      if (OUTER) begin : g_computed
        assign working[t*VECTOR_WIDTH+:VECTOR_WIDTH] = token_rows & {VECTOR_WIDTH{tokens[(t+3)*TOKEN_BITS-1]}};
      end else begin : g_all
        assign working[t*VECTOR_WIDTH+:VECTOR_WIDTH] = token_rows;
      end
    end
  endgenerate

  // Nine taps, then lanes.
  logic [VECTOR_WIDTH*TREE_WIDTH-1:0] row_sums;
  pe_array #(.VECTOR_WIDTH(VECTOR_WIDTH), .CHANNEL_LANES(LANES), .SUM_WIDTH(TREE_WIDTH)) array (
      .clk(clk), .binary(binary), .working(working), .window(window), .tap_mask(tap_mask), .weights(weights),
      .row_sums(row_sums)
  );

  // What neurons left at the step before, where a pass holds one step.
  localparam int WORD = VECTOR_WIDTH * MEMBRANE_BITS;
  logic sums_arrive, ranks_arrive;
  logic [WORD-1:0] stored, membranes, ranked_words;

  logic [VECTOR_WIDTH*SUM_BITS-1:0] totals;
  accumulators #(
      .VECTOR_WIDTH(VECTOR_WIDTH), .SUM_WIDTH(TREE_WIDTH), .WIDTH(SUM_BITS), .OUTER(OUTER)
  ) row_accumulators (
      .clk(clk), .enable(add_valid), .first(add_first), .subtract(add_subtract), .shift(add_shift), .working(add_rows),
      .sums(row_sums), .restore(sums_arrive), .stored(stored), .totals(totals)
  );

  // Neurons: a handover starts one time step, or all of them on the same sum where the input is static. A time step takes a
  // cycle for each bit of a strength; `neuron_steps` counts these cycles.
  logic handover, pool_step, score_add, score_filter_ends;
  logic [VECTOR_WIDTH-1:0] neuron_rows;
  logic [7:0] cycles_left, neuron_step, strength_bit;
  logic [15:0] position;
  wire neuron_cycle = (handover && spiking) || cycles_left != 8'd0;
  wire first_bit = strength_bit == 8'd0;
  wire last_bit = strength_bit + 8'd1 == strength_bits;
  wire step = neuron_cycle && last_bit;
  wire first_step = OUTER ? first_time_step : neuron_step == 8'd0;
  wire [7:0] place = strength_bits - 8'd1 - strength_bit;
  wire step_ends = neuron_step + 8'd1 == steps;
  wire filter_ends = step && step_ends && position + 16'd1 == positions;
  always_ff @(posedge clk) begin
    handover <= add_last && !reset;
    if (add_last) neuron_rows <= add_rows;
    score_add <= score_token && !reset;
    if (reset || load_layer) begin
      cycles_left <= '0;
      strength_bit <= '0;
      neuron_step <= '0;
      position <= '0;
    end else begin
      if (handover && spiking) cycles_left <= neuron_steps - 8'd1;
      else if (cycles_left != 8'd0) cycles_left <= cycles_left - 8'd1;
      if (neuron_cycle) strength_bit <= last_bit ? '0 : strength_bit + 8'd1;
      if (step) neuron_step <= step_ends ? '0 : neuron_step + 8'd1;
      if (step && step_ends) position <= filter_ends ? '0 : position + 16'd1;
    end
    if (reset) active_set <= '0;
    else if (filter_ends || score_filter_ends) active_set <= active_set + 2'd1;
  end

  // A fraction that all layers share shifts nothing.
  localparam int FRACTION_WIDTH = $clog2(LARGEST_FRACTION + 2);
  wire [FRACTION_WIDTH-1:0] shift_bits =
      LEAST_FRACTION == LARGEST_FRACTION ? LARGEST_FRACTION[FRACTION_WIDTH-1:0] : fraction_bits[FRACTION_WIDTH-1:0];
  wire unused_fraction = &{1'b0, fraction_bits, place};
  logic [VECTOR_WIDTH*SUM_BITS-1:0] sums;
  logic [VECTOR_WIDTH*STRENGTH_BITS-1:0] rising, lower_strengths, upper_strengths;
  if_units #(
      .VECTOR_WIDTH(VECTOR_WIDTH), .SUM_WIDTH(SUM_BITS), .STRENGTH_BITS(STRENGTH_BITS),
      .FRACTION_WIDTH(FRACTION_WIDTH), .MEMBRANE_BITS(MEMBRANE_BITS), .DUAL(DUAL), .OUTER(OUTER)
  ) neurons (
      .clk(clk), .step(neuron_cycle), .working(neuron_rows), .handover(handover), .first_step(first_step), .first_bit(first_bit),
      .last_bit(last_bit), .place(place[1:0]), .hard_reset(hard_reset), .fraction_bits(shift_bits),
      .constant(active[MEMBRANE_BITS-1:0]), .lower(active[2*MEMBRANE_BITS-1:MEMBRANE_BITS]),
      .upper(active[3*MEMBRANE_BITS-1:2*MEMBRANE_BITS]), .totals(totals), .stored(stored), .sums(sums), .rising(rising), .membranes(membranes),
      .lower_strengths(lower_strengths), .upper_strengths(upper_strengths)
  );

  logic membrane_read, membrane_write;
  wire unused_moves = &{1'b0, ranks_arrive, membrane_read, membrane_write};
  generate
    if (OUTER) begin : g_outer
      // Handovers to neurons are announced from three cycles before on.
      wire [2:0] comes = {3{spiking}} & {
        tokens[(TOKEN_STAGES-2)*TOKEN_BITS-2], tokens[(TOKEN_STAGES-1)*TOKEN_BITS-2], tokens[TOKEN_STAGES*TOKEN_BITS-2]
      };
      membrane_buffer #(
          .VECTOR_WIDTH(VECTOR_WIDTH), .WIDTH(MEMBRANE_BITS), .DEPTH(MEMBRANE_DEPTH), .ADDRESS_BITS(ADDRESS_BITS)
      ) membrane_words (
          .clk(clk), .reset(reset), .begin_pass(begin_pass), .load_layer(load_layer),
          .fully_connected(fully_connected), .has_sums(static_layer), .has_ranks(ranked),
          .continues(!first_time_step), .keeps(!last_time_step), .comes(comes), .read_enable(membrane_read),
          .sums_arrive(sums_arrive), .ranks_arrive(ranks_arrive), .stored(stored), .step(step), .step_over(pool_step),
          .sums(sums), .membranes(membranes), .ranks(ranked_words), .write_enable(membrane_write)
      );
    end else begin : g_inner
      wire unused_left = &{1'b0, first_time_step, last_time_step, membranes, ranked_words};
      assign {sums_arrive, ranks_arrive, membrane_read, membrane_write} = '0;
      assign stored = '0;
    end
  endgenerate

  score_unit #(
      .VECTOR_WIDTH(VECTOR_WIDTH), .SUM_WIDTH(SUM_BITS), .FRACTION_BITS(FRACTION_BITS), .SCORE_BITS(SCORE_BITS),
      .MEMBRANE_BITS(MEMBRANE_BITS)
  ) scores (
      .clk(clk), .load_layer(load_layer), .first_pass(first_pass), .add(score_add), .rows(score_rows),
      .stride(stride), .bias(active[MEMBRANE_BITS-1:0]), .totals(totals), .filter_ends(score_filter_ends),
      .before_index(score_index), .stored_score(score_before), .score_valid(score_valid), .score_filter(score_filter),
      .score(score)
  );

  // Pool and write.
  logic first_column;
  logic [7:0] step_index;
  logic [MAPS*VECTOR_WIDTH*PLANES-1:0] elements;
  always_ff @(posedge clk) pool_step <= step && !reset;
  genvar k;
  localparam int ELEMENTS = VECTOR_WIDTH * PLANES;
  logic [MAPS*ELEMENTS-1:0] pooled;
  wire [2*VECTOR_WIDTH*STRENGTH_BITS-1:0] strengths = {upper_strengths, lower_strengths};
  wire unused_strengths = &{1'b0, strengths};
  generate
    for (k = 0; k < MAPS; k = k + 1) begin : g_pool
      pooling #(
          .VECTOR_WIDTH(VECTOR_WIDTH), .STEPS(STEPS), .LARGEST_POOL(LARGEST_POOL), .LARGEST_STRIDE(LARGEST_STRIDE),
          .STRENGTH_BITS(STRENGTH_BITS), .PLANES(PLANES)
      ) pool_unit (
          .clk(clk), .step(pool_step), .first_column(first_column), .step_index(step_index), .pool(pool),
          .stride(stride), .average(average),
          .strengths(strengths[k*VECTOR_WIDTH*STRENGTH_BITS+:VECTOR_WIDTH*STRENGTH_BITS]),
          .elements(pooled[k*ELEMENTS+:ELEMENTS])
      );
    end
    if (RANK_BITS > 0) begin : g_ranked
      wire [VECTOR_WIDTH*RANK_BITS-1:0] gathered, earlier;
      for (k = 0; k < VECTOR_WIDTH; k = k + 1) begin : g_word
        assign ranked_words[k*MEMBRANE_BITS+:MEMBRANE_BITS] = MEMBRANE_BITS'(gathered[k*RANK_BITS+:RANK_BITS]);
        assign earlier[k*RANK_BITS+:RANK_BITS] = stored[k*MEMBRANE_BITS+:RANK_BITS];
      end
      wire [MAPS*ELEMENTS-1:0] won;
      ranks #(
          .VECTOR_WIDTH(VECTOR_WIDTH), .SUM_WIDTH(SUM_BITS), .STRENGTH_BITS(STRENGTH_BITS), .WIDTH(RANK_BITS),
          .OUTER(OUTER)
      ) rank_unit (
          .clk(clk), .step_ends(step), .working(neuron_rows), .first_step(first_step), .of_sums(ranks_of_sums), .sums(sums),
          .strengths(rising), .arrive(ranks_arrive), .stored(earlier), .gathered(gathered)
      );
      winners #(
          .VECTOR_WIDTH(VECTOR_WIDTH), .STEPS(STEPS), .LARGEST_POOL(LARGEST_POOL), .LARGEST_STRIDE(LARGEST_STRIDE),
          .STRENGTH_BITS(STRENGTH_BITS), .RANK_BITS(RANK_BITS), .PLANES(PLANES), .MAPS(MAPS)
      ) winner_unit (
          .clk(clk), .step(pool_step), .first_column(first_column), .step_index(step_index), .pool(pool),
          .stride(stride), .signed_ranks(ranks_of_sums), .ranks(gathered),
          .strengths(strengths[MAPS*VECTOR_WIDTH*STRENGTH_BITS-1:0]), .elements(won)
      );
      assign elements = ranked ? won : pooled;
    end else begin : g_not_ranked
      wire unused_ranks = &{1'b0, ranked, ranks_of_sums, sums, rising, ranks_arrive};
      assign ranked_words = '0;
      assign elements = pooled;
    end
  endgenerate
  spike_writer #(
      .VECTOR_WIDTH(VECTOR_WIDTH), .CHANNEL_LANES(LANES), .PLANES(PLANES), .DUAL(DUAL), .ADDRESS_BITS(ADDRESS_BITS),
      .PROGRAM_BITS(WRITER_BITS)
  ) writer (
      .clk(clk), .load_layer(load_layer), .layer(writer_layer), .step(pool_step), .elements(elements),
      .first_column(first_column), .step_index(step_index), .store(store_valid), .stored(store_elements),
      .write_enable(write_enable), .write_address(write_address), .write_data(write_data), .write_mask(write_mask)
  );
endmodule
