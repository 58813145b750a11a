// Counts what the core does, beside the testbench of an exported core: a line after each image, of all images so far.
module event_counter;
  localparam int LAST = core_parameters::VECTOR_WIDTH - 1;
  localparam int LANES = core_parameters::CHANNEL_LANES;
  localparam int BANKS = 3 * (core_parameters::VECTOR_WIDTH + 2);
  localparam int SUMS = 5 * core_parameters::CHANNEL_LANES;
  integer pe_cycles = 0;
  integer row_cycles = 0;
  integer lane_rows = 0;
  integer list_steps = 0;
  integer weight_reads = 0;
  integer if_updates = 0;
  integer threshold_compares = 0;
  integer scores = 0;
  // The spike buffer: words of lanes read from its banks, and filled in, elements' bits stored; words of weights.
  integer spike_reads = 0;
  integer filled_words = 0;
  integer stored_bits = 0;
  integer weight_writes = 0;
  integer input_bits = 0;
  integer output_bits = 0;
  integer b;
  logic [LANES-1:0] written;
  integer membrane_reads = 0;
  integer membrane_writes = 0;
  // Cycles in which sums of the last row's lanes moved though it did not work.
  integer idle_moves = 0;
  logic last_worked;
  logic [SUMS-1:0] last_sums;

  always @(posedge core_testbench.clk) begin
    last_worked <= core_testbench.machine.core.working[LAST];
    last_sums <= core_testbench.machine.core.array.g_row[LAST].lane_sums;
    if (last_worked === 1'b0 && last_sums !== core_testbench.machine.core.array.g_row[LAST].lane_sums)
      idle_moves = idle_moves + 1;
  end

  always @(posedge core_testbench.clk)
    if (!core_testbench.reset) begin
      if (core_testbench.machine.core.array_valid) pe_cycles = pe_cycles + 1;
      if (core_testbench.machine.core.weight_read) weight_reads = weight_reads + 1;
      if (core_testbench.machine.core.pruned && core_testbench.machine.core.lists_advance) list_steps = list_steps + 1;
      if (core_testbench.machine.core.add_valid) row_cycles = row_cycles + $countones(core_testbench.machine.core.add_rows);
      lane_rows = lane_rows + $countones(core_testbench.machine.core.working[core_parameters::VECTOR_WIDTH-1:0]);
      if (core_testbench.machine.core.step) if_updates = if_updates + $countones(core_testbench.machine.core.neuron_rows);
      if (core_testbench.machine.core.neuron_cycle)
        threshold_compares =
            threshold_compares + $countones(core_testbench.machine.core.neuron_rows) * (core_testbench.machine.core.writer.dual ? 2 : 1);
      if (core_testbench.machine.core.score_add) scores = scores + 1;
      if (core_testbench.machine.weight_moves) weight_writes = weight_writes + 1;
      if (core_testbench.machine.in_moves) begin
        filled_words = filled_words + core_testbench.machine.in_planes;
        input_bits = input_bits + core_testbench.machine.in_planes * core_testbench.machine.in_lanes;
      end
      if (core_testbench.machine.out_moves)
        output_bits = output_bits + core_testbench.machine.out_planes * core_testbench.machine.out_lanes;
      spike_reads = spike_reads + $countones(core_testbench.machine.read_enable)
                    + $countones(core_testbench.machine.port_read_enable);
      if (core_testbench.machine.score_moves) output_bits = output_bits + core_parameters::SCORE_BITS;
      for (b = 0; b < BANKS; b = b + 1)
        if (core_testbench.machine.core.write_enable[b]) begin
          written = core_testbench.machine.core.write_mask[b*LANES+:LANES];  // Icarus 11 miscounts a moving part select
          stored_bits = stored_bits + $countones(written);
        end
      if (core_testbench.machine.core.membrane_read) membrane_reads = membrane_reads + 1;
      if (core_testbench.machine.core.membrane_write) membrane_writes = membrane_writes + 1;
      if (core_testbench.done) begin
        $display(
            "events pe_cycles %0d row_cycles %0d lane_rows %0d list_steps %0d weight_reads %0d if_updates %0d compares %0d scores %0d membrane_reads %0d membrane_writes %0d moves %0d",
            pe_cycles, row_cycles, lane_rows, list_steps, weight_reads, if_updates, threshold_compares, scores, membrane_reads, membrane_writes, idle_moves
        );
        $display("port reads %0d written %0d weights %0d input %0d output %0d", spike_reads, filled_words + stored_bits,
                 weight_writes, input_bits, output_bits);
      end
    end
endmodule
