// Groups of layers, their tiles and passes: fills the buffers, runs a pass while the port drains the pass before and fills the one
// behind, drains the last one. One word of the pass program describes a run of equal tiles; `next` is always one pass ahead.
module pass_control #(
    parameter int ELEMENT_BITS = 32,
    parameter int CONTROL_BITS = 374,
    parameter int MAP_BITS = 193,
    parameter int DEPTH = 2,
    parameter bit OUTER = 1'b0,
    parameter FILE = "passes.mem"
) (
    input  logic                    clk,
    input  logic                    reset,
    input  logic                    start,
    output logic                    running,
    output logic                    done,
    output logic                    filling,
    output logic                    draining,
    // The sequencer: a pass begins with the next cycle, or the group is over.
    input  logic                    pass_finished,
    output logic                    begin_pass,
    output logic                    leave_pass,
    output logic [15:0]             next_layer,
    output logic                    resident,
    output logic                    group_starts,
    output logic                    first_pass,
    // The pass holds the first time step of its tile, the last one.
    output logic                    first_step,
    output logic                    last_step,
    // Of the filter that begins with the next cycle.
    output logic                    streamed,
    output logic                    last_pass,
    // Weights.
    input  logic                    weights_done,
    output logic                    load,
    output logic                    load_ahead,
    output logic                    hurry,
    output logic [ELEMENT_BITS-1:0] load_address,
    output logic [15:0]             load_words,
    output logic [15:0]             group_filter,
    output logic [15:0]             group_filters,
    output logic [ELEMENT_BITS-1:0] group_address,
    // Maps and scores.
    input  logic                    maps_done,
    output logic                    half,
    output logic                    fill_map,
    output logic [ELEMENT_BITS-1:0] fill_element,
    output logic [MAP_BITS-1:0]     fill_shape,
    output logic                    drain_map,
    output logic                    drain_scores,
    output logic [ELEMENT_BITS-1:0] drain_element,
    output logic [MAP_BITS-1:0]     drain_shape
);
  localparam int BITS = CONTROL_BITS + 2 * MAP_BITS;

  typedef enum logic [1:0] {IDLE, FILL, RUN, DRAIN} phase_t;
  phase_t phase;

  // The word of the run that comes behind `next`.
  logic [15:0] run, next_address;
  logic [BITS-1:0] upcoming;
  sram #(.WIDTH(BITS), .DEPTH(DEPTH), .PRELOAD(1'b1), .FILE(FILE), .ADDRESS_BITS(16)) program_memory (
      .clk(clk), .read_enable(1'b1), .read_address(run), .read_data(upcoming), .write_enable(1'b0), .write_address('0),
      .write_data('0), .write_mask('0)
  );

  logic [CONTROL_BITS-1:0] next_control;
  logic [MAP_BITS-1:0] next_in, next_out;
  logic next_ends_group, next_ends_network, next_resident, next_ahead, next_static, next_scores;
  logic [15:0] next_tiles, next_steps, next_filter, next_filters, next_words, next_ahead_words;
  logic [ELEMENT_BITS-1:0] next_weights, next_ahead_weights;
  logic [ELEMENT_BITS-1:0] in_start, in_tile, in_step, out_start, out_tile, out_step;
  assign {
    next_ends_group, next_ends_network, next_resident, next_ahead, next_static, next_scores, next_tiles, next_steps,
    next_layer, next_filter, next_filters, next_words, next_ahead_words, next_weights, next_ahead_weights,
    in_start, in_tile, in_step, out_start, out_tile, out_step
  } = next_control;

  // Where the run's passes are: `next` is the pass behind the one that runs.
  logic [15:0] tile, step;
  logic [ELEMENT_BITS-1:0] tile_in, tile_out, next_in_element, next_out_element;
  logic next_first;
  wire step_ends = step + 16'd1 == next_steps;
  wire run_ends = step_ends && tile + 16'd1 == next_tiles;
  wire next_last = run_ends && next_ends_group;

  // The pass that runs, and the one before it where it drains.
  logic ends_network, scores, ends_group;
  logic [15:0] filter, filters;
  logic [ELEMENT_BITS-1:0] weights, out_element;
  logic [MAP_BITS-1:0] out_shape;
  logic loaded_ahead;

  logic [1:0] primed;
  wire prime = primed == 2'd1;
  wire ready = primed == 2'd2;
  wire filled = phase == FILL && weights_done && maps_done;
  wire over = phase == RUN && pass_finished && weights_done && maps_done;
  wire drained = phase == DRAIN && maps_done;
  wire fill = (phase == IDLE && start && ready) || (drained && !ends_network);

  assign running = phase != IDLE;
  assign filling = phase == FILL;
  assign draining = phase == DRAIN;
  assign group_starts = filled;
  assign begin_pass = filled || (over && !ends_group);
  assign leave_pass = over && ends_group;
  assign streamed = begin_pass ? !next_resident : !resident;
  assign last_pass = begin_pass ? next_last : ends_group;
  assign load = fill && !loaded_ahead;
  assign hurry = fill;
  assign load_ahead = filled && next_ahead;
  assign load_address = fill ? next_weights : next_ahead_weights;
  assign load_words = fill ? next_words : next_ahead_words;
  assign group_filter = filling ? next_filter : filter;
  assign group_filters = fill || filling ? next_filters : filters;
  assign group_address = filling ? next_weights : weights;

  // The pass behind `next`.
  wire [CONTROL_BITS-1:0] upcoming_control = upcoming[BITS-1:2*MAP_BITS];
  logic [ELEMENT_BITS-1:0] upcoming_in, upcoming_out;
  logic upcoming_ends_group, upcoming_ends_network;
  wire unused_starts = &{1'b0, in_start, out_start, upcoming_control};
  assign upcoming_in = upcoming_control[6*ELEMENT_BITS-1-:ELEMENT_BITS];
  assign upcoming_out = upcoming_control[3*ELEMENT_BITS-1-:ELEMENT_BITS];
  assign {upcoming_ends_group, upcoming_ends_network} = upcoming_control[CONTROL_BITS-1-:2];
  wire [ELEMENT_BITS-1:0] following_in = run_ends ? upcoming_in : step_ends ? tile_in + in_tile : next_in_element + in_step;
  wire [ELEMENT_BITS-1:0] following_out =
      run_ends ? upcoming_out : step_ends ? tile_out + out_tile : next_out_element + out_step;

  assign fill_map = fill || (begin_pass && !next_last && (step_ends || !next_static));
  assign fill_element = fill ? next_in_element : following_in;
  assign fill_shape = next_in;
  assign drain_map = over && !scores;
  assign drain_scores = leave_pass && scores;
  assign next_address = upcoming_ends_group && upcoming_ends_network ? 16'd0 : run + 16'd1;

  always_ff @(posedge clk) begin
    done <= 1'b0;
    if (reset) begin
      phase <= IDLE;
      primed <= '0;
      loaded_ahead <= 1'b0;
      half <= 1'b0;
    end else begin
      if (!ready) primed <= primed + 2'd1;
      if (fill) phase <= FILL;
      else if (filled) phase <= RUN;
      else if (leave_pass) phase <= DRAIN;
      else if (drained) phase <= IDLE;
      done <= drained && ends_network;
      if (fill) loaded_ahead <= 1'b0;
      else if (load_ahead) loaded_ahead <= 1'b1;
      if (begin_pass || leave_pass) half <= !half;
    end
    if (reset) run <= '0;
    else if (prime || (begin_pass && run_ends)) run <= next_address;

    if (prime || (begin_pass && run_ends)) begin
      {next_control, next_in, next_out} <= upcoming;
      tile <= '0;
    end else if (begin_pass && step_ends) tile <= tile + 16'd1;
    if (prime || begin_pass) begin
      step <= prime || step_ends ? '0 : step + 16'd1;
      next_first <= prime || next_last;
      next_in_element <= prime ? upcoming_in : following_in;
      next_out_element <= prime ? upcoming_out : following_out;
      if (prime || step_ends) begin
        tile_in <= prime ? upcoming_in : following_in;
        tile_out <= prime ? upcoming_out : following_out;
      end
    end
    if (begin_pass) begin
      ends_network <= next_ends_network;
      scores <= next_scores;
      resident <= next_resident;
      filter <= next_filter;
      filters <= next_filters;
      weights <= next_weights;
      first_pass <= next_first;
      ends_group <= next_last;
      out_element <= next_out_element;
      out_shape <= next_out;
    end
    if (over) drain_shape <= out_shape;
  end
  assign drain_element = out_element;

  generate
    if (OUTER) begin : g_outer
      always_ff @(posedge clk)
        if (begin_pass) begin
          first_step <= step == 16'd0;
          last_step <= step_ends;
        end
    end else begin : g_inner
      assign first_step = 1'b1;
      assign last_step = 1'b1;
    end
  endgenerate
endmodule
