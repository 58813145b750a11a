"""Transfers between DRAM and the buffers: bits, and port cycles of their words, at most one a cycle (section 4)."""

from fractions import Fraction

import numpy as np

from costmodels.filters import Integers
from costmodels.machine import MACHINE
from costmodels.tiling import Group

BITS_PER_BYTE = 8
LARGEST_DENOMINATOR = 10**6  # of the DRAM's bytes per cycle; keeps bits x denominator within 64 bits


def bit_cycles(bits: Integers, dram_bytes_per_cycle: float) -> Integers:
    """Cycles until ``bits`` bits have come, exact where a rate such as 0.7 has no exact float."""
    rate = BITS_PER_BYTE * Fraction(dram_bytes_per_cycle).limit_denominator(LARGEST_DENOMINATOR)
    return -(-np.asarray(bits, dtype=np.int64) * rate.denominator // rate.numerator)


def word_cycles(words: Integers, word_bits: Integers | int, dram_bytes_per_cycle: float) -> Integers:
    """t of ``words`` words of ``word_bits`` each: filters and scores."""
    return np.maximum(bit_cycles(words * word_bits, dram_bytes_per_cycle), words)


def map_cycles(places: Integers, channels: int, planes: int, lanes: Integers, dram_bytes_per_cycle: float) -> Integers:
    """t of ``places`` places of a map, each cut into words of ``lanes`` channels, the last one shorter.

    A word crosses once its bits have come and the word before it has crossed, so t is the largest sum, over all words,
    of the cycles until the word's bits are there and the words behind it. It is found at one of four words: the first
    one, the last full one of the first place or of the last place, or the last one.
    """
    words = -(-channels // lanes)
    last_bits = (channels - (words - 1) * lanes) * planes
    total, bits = places * words, places * channels * planes
    cycles = [
        total,
        bit_cycles((words - 1) * lanes * planes, dram_bytes_per_cycle) + total - words + 1,
        bit_cycles(bits - last_bits, dram_bytes_per_cycle) + 1,
        bit_cycles(bits, dram_bytes_per_cycle),
    ]
    return np.where(places > 0, np.max(np.broadcast_arrays(*cycles), axis=0), 0)


def input_places(group: Group, rows: Integers) -> Integers:
    """Places of one step of ``rows`` input rows; the input of a fully connected layer is one long place."""
    return np.minimum(rows, 1) if group.layers[0].kind == "fc" else rows * group.layers[0].in_width


def input_bits(group: Group, rows: Integers) -> Integers:
    """Bits of ``rows`` input rows of the group for one step."""
    return input_places(group, rows) * group.layers[0].in_channels * group.layers[0].input_bits


def output_bits(group: Group, rows: Integers) -> Integers:
    """Bits of ``rows`` stored rows of the group for one step; none for a classifier, whose scores leave at the end."""
    layer = group.layers[-1]
    if not layer.spiking:
        return np.zeros_like(rows)
    return rows * layer.stored_width * layer.out_channels * layer.output_bits


def scores(group: Group) -> int:
    """Class scores that leave at the end of the group."""
    return 0 if group.layers[-1].spiking else group.layers[-1].out_channels


def score_bits(group: Group) -> int:
    """Bits of the class scores that leave at the end of the group."""
    return scores(group) * MACHINE.score_bits
