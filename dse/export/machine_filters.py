"""Filters as words of the weight buffer: list of kept kernels, constants, then a word a kernel, window and plane.

There is one word of weights for each kernel, window and plane. A word has nine bits for each lane, the bit of lane
l and tap t at t L + l. See docs/cost-model.md, section 2.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from costmodels.filters import header_words, kept_kernels, lane_words
from costmodels.machine import MACHINE
from costmodels.workload import LayerWorkload
from dse.export.integer_network import IntegerLayer, Integers
from dse.export.machine_order import OrderedPart, bit_plane

EDGE, TAPS = MACHINE.window_edge, MACHINE.taps
WORD = MACHINE.membrane_bits


def to_word(bits: NDArray[np.int64]) -> int:
    """The number whose bit i is ``bits[i]``."""
    return int.from_bytes(np.packbits(bits.astype(np.uint8), bitorder="little").tobytes(), "little")


def layer_words(one: OrderedPart, layer: LayerWorkload, channel_lanes: int) -> list[int]:
    """All filters of a layer, one behind the other."""
    kernels = tap_weights(one, channel_lanes)
    lists = None if layer.kept is None else kept_kernels(layer, channel_lanes)
    words: list[int] = []
    for m in range(layer.filters):
        chosen = kernels[m] if lists is None else _compacted(kernels[m], lists[m])
        if lists is not None:
            words += list_words(lists[m])
        constants = constants_word(one, m)
        count = header_words(layer, channel_lanes) - (0 if lists is None else -(-lists.shape[1] // TAPS))
        words += [(constants >> (TAPS * channel_lanes * i)) & ((1 << TAPS * channel_lanes) - 1) for i in range(count)]
        words += [to_word(bits) for bits in kernel_words(chosen, layer.weight_bits)]
    return words


def tap_weights(one: OrderedPart, lanes: int) -> NDArray[np.int8]:
    """Weight codes by filter, word, window, tap and lane; 0 where there is no input or no weight."""
    weights = one.part.weights
    filters, inputs, edge, _ = weights.shape
    if one.part.kind == "fc":
        words = -(-inputs // (TAPS * lanes))
        padded = np.pad(weights[:, :, 0, 0], ((0, 0), (0, words * TAPS * lanes - inputs)))
        return padded.reshape(filters, words, 1, TAPS, lanes)
    words, tiles = -(-inputs // lanes), -(-edge // EDGE)
    rest = tiles * EDGE - edge
    padded = np.pad(weights, ((0, 0), (0, words * lanes - inputs), (0, rest), (0, rest)))
    cut = padded.reshape(filters, words, lanes, tiles, EDGE, tiles, EDGE)
    return cut.transpose(0, 1, 3, 5, 4, 6, 2).reshape(filters, words, tiles**2, TAPS, lanes)


def _compacted(kernels: NDArray[np.int8], kept: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Kept kernels of each lane (word x lane), moved to the front: words x windows x taps x lanes."""
    longest = max(1, int(kept.sum(0).max()))
    chosen = np.zeros((longest, *kernels.shape[1:]), np.int8)
    for lane in range(kept.shape[1]):
        here = np.flatnonzero(kept[:, lane])
        chosen[: len(here), ..., lane] = kernels[here, ..., lane]
    return chosen


def list_words(kept: NDArray[np.bool_]) -> list[int]:
    """One bit for each kernel (word x lane), nine of each lane in a word of the buffer."""
    words, lanes = kept.shape
    padded = np.pad(kept, ((0, -words % TAPS), (0, 0))).reshape(-1, TAPS * lanes)
    return [to_word(group.astype(np.int64)) for group in padded]


def constants_word(one: OrderedPart, m: int) -> int:
    """The constant c, or the bias, and the thresholds of filter ``m``, the constant lowest.

    A threshold beyond the largest membrane is never reached: the largest word stands for it.
    """
    part, largest = one.part, (1 << WORD) - 1
    if not isinstance(part, IntegerLayer):
        return int(part.bias[m]) & largest
    thetas = [min(int(theta), largest) for theta in part.thetas[:, m]]
    return (int(part.c[m]) & largest) | sum(theta << WORD * (i + 1) for i, theta in enumerate(thetas))


def kernel_words(kernels: NDArray[np.int8], weight_bits: int) -> Iterator[Integers]:
    """Bits of each word, by kernel, window and weight plane."""
    for kernel in kernels:
        for window in kernel:
            for plane in range(weight_bits):
                bits = (window > 0).astype(np.int64) if weight_bits == 1 else bit_plane(window, plane)
                yield bits.ravel()


def lists_of(layer: LayerWorkload, channel_lanes: int) -> int:
    """Words of the list of kept kernels in a header."""
    return 0 if layer.kept is None else -(-lane_words(layer, channel_lanes) // TAPS)
