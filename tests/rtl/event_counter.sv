// Counts what the core does, beside the testbench of an exported core: a line after each image, of all images so far.
module event_counter;
  integer pe_cycles = 0;
  integer row_cycles = 0;
  integer lane_rows = 0;
  integer list_steps = 0;
  integer weight_reads = 0;
  integer if_updates = 0;
  integer threshold_compares = 0;
  integer scores = 0;

  always @(posedge core_testbench.clk)
    if (!core_testbench.reset) begin
      if (core_testbench.core.array_valid) pe_cycles = pe_cycles + 1;
      if (core_testbench.core.weight_read) weight_reads = weight_reads + 1;
      if (core_testbench.core.pruned && core_testbench.core.lists_advance) list_steps = list_steps + 1;
      if (core_testbench.core.add_valid) row_cycles = row_cycles + $countones(core_testbench.core.add_rows);
      lane_rows = lane_rows + $countones(core_testbench.core.working[core_parameters::VECTOR_WIDTH-1:0]);
      if (core_testbench.core.step) if_updates = if_updates + $countones(core_testbench.core.neuron_rows);
      if (core_testbench.core.neuron_cycle)
        threshold_compares =
            threshold_compares + $countones(core_testbench.core.neuron_rows) * (core_testbench.core.writer.dual ? 2 : 1);
      if (core_testbench.core.score_add) scores = scores + 1;
      if (core_testbench.done)
        $display(
            "events pe_cycles %0d row_cycles %0d lane_rows %0d list_steps %0d weight_reads %0d if_updates %0d compares %0d scores %0d",
            pe_cycles, row_cycles, lane_rows, list_steps, weight_reads, if_updates, threshold_compares, scores
        );
    end
endmodule
