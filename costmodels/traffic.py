"""Transfers between DRAM and the buffers: bits and port cycles (section 4)."""

from fractions import Fraction

import numpy as np

from costmodels.filters import Integers
from costmodels.machine import MACHINE
from costmodels.tiling import Group

BITS_PER_BYTE = 8
LARGEST_DENOMINATOR = 10**6  # of the DRAM's bytes per cycle; keeps bits x denominator within 64 bits


def transfer_cycles(bits: Integers, dram_bytes_per_cycle: float) -> Integers:
    """t: cycles that a transfer of ``bits`` keeps the port busy, exact where a rate such as 0.7 has no exact float."""
    rate = BITS_PER_BYTE * Fraction(dram_bytes_per_cycle).limit_denominator(LARGEST_DENOMINATOR)
    return -(-np.asarray(bits, dtype=np.int64) * rate.denominator // rate.numerator)


def input_bits(group: Group, rows: Integers) -> Integers:
    """Bits of ``rows`` input rows of the group for one step."""
    layer = group.layers[0]
    if layer.kind == "fc":
        return np.where(rows > 0, layer.in_channels * layer.input_bits, 0)
    return rows * layer.in_width * layer.in_channels * layer.input_bits


def output_bits(group: Group, rows: Integers) -> Integers:
    """Bits of ``rows`` stored rows of the group for one step; none for a classifier, whose scores leave at the end."""
    layer = group.layers[-1]
    if not layer.spiking:
        return np.zeros_like(rows)
    return rows * layer.stored_width * layer.out_channels * layer.output_bits


def score_bits(group: Group) -> int:
    """Bits of the class scores that leave at the end of the group."""
    layer = group.layers[-1]
    return 0 if layer.spiking else layer.out_channels * MACHINE.score_bits
