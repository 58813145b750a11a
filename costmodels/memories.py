"""The three on-chip memories of a machine: their words, banks and slices, and what an access costs.

Words and banks are those of docs/cost-model.md:

- spike buffer: two halves; the words of L bits of V + 2 rows and three columns are read in one cycle, so a half has
  3 (V + 2) banks. On a machine that skips pruned kernels each lane reads a channel group of its own: then a half has
  3 L banks, and a word holds V + 2 rows of one lane;
- weight buffer: two halves; a word is one bit plane of L kernels of nine weights;
- membrane buffer: one bank; a word is V membranes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from costmodels.accelerator import AcceleratorBatch
from costmodels.features import Features
from costmodels.machine import MACHINE
from costmodels.sram import Floats, SramPrice, bank_price
from costmodels.technology import Technology

HALVES = 2
_BITS_PER_KIB = 8 * 1024
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Memory:
    """One memory of ``n`` machines, arrays of length ``n``.

    Attributes:
        name: ``"spike"``, ``"weight"`` or ``"membrane"``.
        bits: capacity; 0 where a machine has no such memory.
        word_bits: width of a bank.
        banks: equal parts with an address of their own.
        words_per_read: words of a bank that stand for one counted read.
    """

    name: str
    bits: Integers
    word_bits: Integers
    banks: Integers
    words_per_read: Floats


def spike_memory(batch: AcceleratorBatch, features: Features) -> Memory:
    """Ping-pong spike maps.

    A counted read is L bits. With pruning a window is read as 3 L words of V + 2 bits instead of 3 (V + 2) words of L
    bits, so a counted read is L / (V + 2) of them; a write, one bit under a mask, is one word either way.
    """
    rows, lanes = batch.vector_width + MACHINE.window_halo, batch.channel_lanes
    bits = batch.spike_buffer_kib * _BITS_PER_KIB
    if features.pruning:
        return Memory("spike", bits, rows, HALVES * MACHINE.window_edge * lanes, lanes / rows)
    return Memory("spike", bits, lanes, HALVES * MACHINE.window_edge * rows, np.ones(len(batch)))


def weight_memory(batch: AcceleratorBatch) -> Memory:
    """Weights of the layers in flight."""
    bits = batch.weight_buffer_kib * _BITS_PER_KIB
    banks = np.full_like(bits, HALVES)
    return Memory("weight", bits, MACHINE.taps * batch.channel_lanes, banks, np.ones(len(batch)))


def membrane_memory(batch: AcceleratorBatch) -> Memory:
    """Membranes of the layers in flight, where time is the outer loop."""
    bits = batch.membrane_buffer_kib * _BITS_PER_KIB
    word_bits = batch.vector_width * MACHINE.membrane_bits
    return Memory("membrane", bits, word_bits, np.ones_like(bits), np.ones(len(batch)))


def memory_price(memory: Memory, technology: Technology) -> SramPrice:
    """Energy of one counted read and write, leakage and area of all banks, access time; 0 where there is no memory.

    A word is spread over the fewest equal slices that are at most ``slice_bits`` wide; a slice shallower than
    ``least_words`` is priced as that deep. Priced once for each distinct machine.
    """
    kinds, where = _distinct(np.stack([memory.bits, memory.word_bits, memory.banks]))
    bits, word_bits, banks = (row.astype(np.float64) for row in kinds)
    slices = np.ceil(word_bits / technology.sram.slice_bits)
    width = word_bits / slices
    each_bits = np.maximum(bits / (banks * slices), technology.sram.least_words * width)
    price = bank_price(each_bits / 8, width, technology)
    accessed, all_slices = slices * (bits > 0), slices * banks * (bits > 0)
    return SramPrice(
        read_pj=(price.read_pj * accessed)[where] * memory.words_per_read,
        write_pj=(price.write_pj * accessed)[where],
        leakage_mw=(price.leakage_mw * all_slices)[where],
        area_mm2=(price.area_mm2 * all_slices)[where],
        access_ns=(price.access_ns * (bits > 0))[where],
    )


def _distinct(shape: Integers) -> tuple[Integers, NDArray[np.int64]]:
    """The distinct columns of ``shape`` and, for each column, which of them it is."""
    order = np.lexsort(shape)
    ranked = shape[:, order]
    first = np.ones(shape.shape[1], dtype=np.bool_)
    first[1:] = (ranked[:, 1:] != ranked[:, :-1]).any(axis=0)
    where = np.empty(shape.shape[1], dtype=np.int64)
    where[order] = np.cumsum(first) - 1
    return ranked[:, first], where


def memory_prices(batch: AcceleratorBatch, features: Features, technology: Technology) -> dict[str, SramPrice]:
    """Prices of the spike, weight and membrane memories by name."""
    memories = (spike_memory(batch, features), weight_memory(batch), membrane_memory(batch))
    return {memory.name: memory_price(memory, technology) for memory in memories}
