"""Filters of a layer as the machine stores them: lane lists, array cycles, buffer words, DRAM bits (section 2)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from costmodels.machine import MACHINE
from costmodels.workload import LayerWorkload

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class FilterBank:
    """The filters of one layer on a machine with a given number of lanes; arrays of length ``filters``.

    Attributes:
        array_cycles: n(m), cycles of the array for one sum.
        words: words(m), header and kernels in the weight buffer, of 9 x lanes bits.
        header_words: h, read at the start of each visit.
        word_bits: 9 x lanes.
    """

    array_cycles: Integers
    words: Integers
    header_words: int
    word_bits: int

    @property
    def dram_bits(self) -> Integers:
        """Bits of one load of each filter: DRAM holds the words of the buffer."""
        return self.words * self.word_bits

    @property
    def buffer_bits(self) -> int:
        """Bits of the weight buffer for all filters."""
        return int(self.words.sum()) * self.word_bits

    @property
    def largest_filter_bits(self) -> int:
        """Bits of the weight buffer for the largest filter."""
        return int(self.words.max()) * self.word_bits


def window_passes(layer: LayerWorkload) -> int:
    """Q: 3 x 3 windows that tile the kernel."""
    return (-(-layer.kernel // MACHINE.window_edge)) ** 2


def lane_words(layer: LayerWorkload, channel_lanes: int) -> int:
    """G: kernels of each lane in a dense filter."""
    width = channel_lanes * (MACHINE.taps if layer.kind == "fc" else 1)
    return -(-layer.in_channels // width)


def filter_bank(layer: LayerWorkload, channel_lanes: int) -> FilterBank:
    """The filters of ``layer`` on ``channel_lanes`` lanes."""
    entries = lane_entries(layer, channel_lanes)
    planes = layer.weight_bits * window_passes(layer)
    header = header_words(layer, channel_lanes)
    return FilterBank(
        array_cycles=entries * planes * layer.input_bits,
        words=header + entries * planes,
        header_words=header,
        word_bits=MACHINE.taps * channel_lanes,
    )


def lane_entries(layer: LayerWorkload, channel_lanes: int) -> Integers:
    """e(m): kernels that the longest lane list of each filter holds, at least 1."""
    if layer.kept is None:
        return np.full(layer.filters, lane_words(layer, channel_lanes), dtype=np.int64)
    longest = kept_kernels(layer, channel_lanes).sum(axis=1, dtype=np.int64).max(axis=1)
    return np.asarray(np.maximum(longest, 1))


def kept_kernels(layer: LayerWorkload, channel_lanes: int) -> NDArray[np.bool_]:
    """Kernels kept, ``filters x words x lanes``; in fc a kernel is a block of nine inputs of one lane and word."""
    assert layer.kept is not None
    words = lane_words(layer, channel_lanes)
    taps = MACHINE.taps if layer.kind == "fc" else 1
    padding = words * taps * channel_lanes - layer.in_channels
    padded = np.pad(layer.kept, ((0, 0), (0, padding)))
    return np.asarray(padded.reshape(layer.filters, words, taps, channel_lanes).any(axis=2))


def header_words(layer: LayerWorkload, channel_lanes: int) -> int:
    """h: words of constants, and of the list of kept kernels where the layer is pruned."""
    constants = -(-layer.constants_bits // (MACHINE.taps * channel_lanes))
    lists = 0 if layer.kept is None else -(-lane_words(layer, channel_lanes) // MACHINE.taps)
    return constants + lists
