"""What one inference does on each machine, counted: the interface between the schedule and its price."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class EventCounts:
    """Events of one inference, every array ``n machines x layers``; exact integers unless scaled by a firing rate.

    Cycles (they add up to the latency of the layer; see docs/cost-model.md):
        compute_cycles: the array works or drains its pipeline.
        stall_cycles: the array waits for a DRAM transfer that compute does not hide.
        fill_cycles: first fill and last drain of a group, booked on its first and last layer.
    Arithmetic:
        pe_cycles: cycles in which the PE array and its adder trees are clocked.
        pe_adds: additions with a set input bit under a kept weight bit, that is scaled by the input's density.
        accumulator_updates: row accumulators written.
        if_updates: neuron steps (subtract c, compare, reset), dual thresholds counted by `threshold_compares`.
        threshold_compares: comparisons with a threshold, two a neuron step under a dual threshold.
        pool_updates: pooling windows' inputs seen.
    On-chip memory, in words of the width named in `costmodels.area`:
        spike_reads, spike_writes, weight_reads, weight_writes, membrane_reads, membrane_writes.
    Off-chip traffic in bits:
        dram_weight_bits, dram_input_bits, dram_output_bits.
    """

    compute_cycles: Counts
    stall_cycles: Counts
    fill_cycles: Counts
    pe_cycles: Counts
    pe_adds: Counts
    accumulator_updates: Counts
    if_updates: Counts
    threshold_compares: Counts
    pool_updates: Counts
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
