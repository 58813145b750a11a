"""What one inference does on each machine, counted: the interface between the schedule and its price."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class EventCounts:
    """Events of one inference, every array ``n machines x layers``; exact integers but for ``pe_adds``.

    Defined in docs/cost-model.md, section 5. Cycles, which add up to the latency over the layers:
        compute_cycles: the filters of the layer and the pipeline's end, neuron waits included.
        stall_cycles: waits for a streamed filter; on a group's last layer also for maps that compute does not hide.
        fill_cycles: exposed weights and first input on a group's first layer, last output on its last.
    Arithmetic:
        pe_cycles: cycles in which the PE array and its adder trees work.
        row_cycles: rows that work in them, added up; rows without an output are gated.
        pe_adds: additions of a set input bit under a kept weight bit, expected from the input's density.
        accumulator_updates: row accumulators written: row_cycles, and a classifier's sums added into its scores.
        if_updates: neuron steps (subtract c, compare, reset).
        threshold_compares: comparisons with a threshold, two a neuron step under a dual threshold.
        pool_updates: spikes that enter a pooling window.
        pool_rank_bits: bits of ranks gathered and compared in windows that pass a winner.
        list_steps: kernels that the lists of kept kernels hand out, to all lanes at once, in pruned layers.
    On-chip memory, in words:
        spike_reads, spike_writes: of ``channel_lanes`` bits, writes under a bit mask.
        weight_reads, weight_writes: of 9 x ``channel_lanes`` bits.
        membrane_reads, membrane_writes: of ``vector_width`` membranes.
    Off-chip traffic in bits:
        dram_weight_bits, dram_input_bits, dram_output_bits.
    """

    compute_cycles: Counts
    stall_cycles: Counts
    fill_cycles: Counts
    pe_cycles: Counts
    row_cycles: Counts
    pe_adds: Counts
    accumulator_updates: Counts
    if_updates: Counts
    threshold_compares: Counts
    pool_updates: Counts
    pool_rank_bits: Counts
    list_steps: Counts
    spike_reads: Counts
    spike_writes: Counts
    weight_reads: Counts
    weight_writes: Counts
    membrane_reads: Counts
    membrane_writes: Counts
    dram_weight_bits: Counts
    dram_input_bits: Counts
    dram_output_bits: Counts

    @property
    def cycles(self) -> Counts:
        """All cycles of each layer."""
        return self.compute_cycles + self.stall_cycles + self.fill_cycles

    @property
    def dram_bits(self) -> Counts:
        """All bits to and from DRAM of each layer."""
        return self.dram_weight_bits + self.dram_input_bits + self.dram_output_bits
