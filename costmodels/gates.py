"""Cells of the datapath, counted from its structure, as closed forms over arrays of machines.

A lane of a row forms ``2 popcount(spikes and weights) - popcount(spikes)`` of its nine taps (for multi-bit weights the
first count is not doubled and the second one is gated off): thirteen AND gates, two popcount trees, a subtractor. A
binary tree adds the lanes of a row, each level one bit wider, with a register behind the lanes and behind every second
level (docs/cost-model.md, D).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from costmodels.accelerator import AcceleratorBatch
from costmodels.machine import MACHINE

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Lane:
    """Cells of one lane of one row."""

    and_gates: int
    spike_weight_adders: int
    spike_adders: int
    half_adders: int
    subtractor_bits: int
    inverters: int

    @property
    def full_adders(self) -> int:
        """Of both popcounts and the subtractor."""
        return self.spike_weight_adders + self.spike_adders + self.subtractor_bits


@dataclass(frozen=True, eq=False)
class Tree:
    """Adder tree over the lanes of a row: adder bits, bits of its sum, and register bits between its levels."""

    adder_bits: Integers
    sum_bits: Integers
    register_bits: Integers


def popcount_cells(inputs: int) -> tuple[int, int, int]:
    """Full adders, half adders and sum bits of a tree that counts the set bits among ``inputs``, column by column.

    Column j holds ``inputs >> j`` bits: ``k`` bits take ``ceil(k / 2) - 1`` full adders, one half adder when k is even,
    and carry ``floor(k / 2)``. So the half adders are the zeros of ``inputs`` in binary.
    """
    sum_bits = inputs.bit_length()
    return inputs - sum_bits, sum_bits - inputs.bit_count(), sum_bits


def lane_cells() -> Lane:
    """The lane: its sum lies in -9 .. 9."""
    full_adders, half_adders, count_bits = popcount_cells(MACHINE.taps)
    return Lane(
        and_gates=MACHINE.taps + count_bits,
        spike_weight_adders=full_adders,
        spike_adders=full_adders,
        half_adders=2 * half_adders,
        subtractor_bits=count_bits + 1,
        inverters=count_bits,
    )


def lane_tree(lanes: Integers) -> Tree:
    """The tree over ``lanes`` (each at least 1); an odd operand passes a level as it is, without an adder."""
    operands = lanes.copy()
    width = last_width = np.full_like(lanes, lane_cells().subtractor_bits)
    adder_bits = np.zeros_like(lanes)
    register_bits = operands * width
    level = 0
    while (operands > 1).any():
        level += 1
        adds = operands > 1
        width = width + adds
        last_width = np.where(operands % 2 == 0, width, last_width)
        adder_bits = adder_bits + operands // 2 * width
        operands = (operands + 1) // 2
        last = adds & (operands == 1)
        staged = adds & (level % MACHINE.tree_levels_per_stage == 0)
        register_bits = register_bits + ((operands - 1) * width + last_width) * (staged | last)
    return Tree(adder_bits=adder_bits, sum_bits=width, register_bits=register_bits)


def row_inputs(batch: AcceleratorBatch) -> Integers:
    """Inputs of one row's sum: L x 9."""
    return batch.channel_lanes * MACHINE.taps


def processing_elements(batch: AcceleratorBatch) -> Integers:
    """V x L x 9."""
    return batch.vector_width * row_inputs(batch)


def pipeline_bits(batch: AcceleratorBatch) -> Integers:
    """Registers behind the lanes and in the trees of all rows."""
    return batch.vector_width * lane_tree(batch.channel_lanes).register_bits


def window_bits(batch: AcceleratorBatch) -> Integers:
    """Registers beside the spikes of a window: two stages of its weight word, and two of the mask of its taps."""
    return 4 * row_inputs(batch)


def rotator_depth(batch: AcceleratorBatch) -> Integers:
    """Multiplexers that a row passes to its place among V + 2: ``ceil(log2(V + 2))``."""
    return np.frexp((batch.vector_width + MACHINE.window_halo - 1).astype(np.float64))[1].astype(np.int64)
