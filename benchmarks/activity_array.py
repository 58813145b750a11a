"""Toggles from the banks to the accumulators in a mean array cycle, of a layer's inputs as the machine reads them.

Like densities they are counted on the integer reference, not in RTL: which taps are set together in a window, and which
in the next one, is what sums toggle by. Blank parts of an image and silent channels stay together. Kernels are of the
window's size, weights binary.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from costmodels.gates import lane_cells
from costmodels.machine import MACHINE
from costmodels.workload import LayerWorkload

EDGE, TAPS, HALO = MACHINE.window_edge, MACHINE.taps, MACHINE.window_halo
COUNT_BITS, LANE_BITS = TAPS.bit_length(), lane_cells().subtractor_bits
Bits = NDArray[np.uint8]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Reads:
    """What one filter of a layer reads, in order: strips, columns, steps, words of lanes, planes.

    Attributes:
        banks: what they show, [reads, V + 2, 3, L] in the order of the banks' columns (of the taps in an fc layer).
        words: the same in the order of the window.
        window: the same without what lies outside the map.
        used: rows with an output, [reads, V].
        word, plane: of each read.
        additions: reads of one sum.
    """

    banks: Bits
    words: Bits
    window: Bits
    used: NDArray[np.bool_]
    word: Integers
    plane: Integers
    additions: int


@dataclass(frozen=True)
class ArrayTurns:
    """Bits that change in a mean array cycle.

    Attributes:
        banks, words, window: as in `Reads`.
        spikes, products: of the taps of all rows, before and behind the weights.
        counts: of both counts of taps.
        lane_sums, row_sums: of used rows.
        tree: of used rows, lanes' sums and those of all levels.
        terms: row sums as wide as a membrane, shifted by their plane.
        totals, previous: of the accumulators, and what is added to.
        handed: of sums that are handed over, each with the one before it.
    """

    banks: float
    words: float
    window: float
    spikes: float
    products: float
    counts: float
    lane_sums: float
    row_sums: float
    tree: float
    terms: float
    totals: float
    previous: float
    handed: float


def reads(layer: LayerWorkload, bits: Bits, rows: int, lanes: int, strip_rows: int) -> Reads:
    """Of a layer's input bits: [T, H, W, C, planes], of a fully connected layer [T, inputs, planes]."""
    if layer.kind == "fc":
        return _flat_reads(bits, rows, lanes)
    return _map_reads(layer, bits, rows, lanes, strip_rows)


def _in_words(bits: Bits, width: int) -> Bits:
    """[..., C, planes] in words of so many channels, the last one filled with 0: [..., words, planes, width]."""
    padded = np.pad(bits, [(0, 0)] * (bits.ndim - 2) + [(0, -bits.shape[-2] % width), (0, 0)])
    return padded.reshape(*padded.shape[:-2], -1, width, bits.shape[-1]).swapaxes(-1, -2)


def _stacked(words: Bits, allocated: int, outside: int) -> Bits:
    """Maps [T, planes, H, W, words, L] above each other, as their rows follow in the banks; 0 around all of them."""
    rows = [(0, 0), (0, 0), (0, allocated - words.shape[2]), (outside, outside), (0, 0), (0, 0)]
    tall = np.pad(words, rows).reshape(-1, words.shape[3] + 2 * outside, *words.shape[4:])
    return np.pad(tall, [(allocated, allocated), (0, 0), (0, 0), (0, 0)])


def _used_rows(layer: LayerWorkload, tops: Integers, rows: int, strip_rows: int) -> NDArray[np.bool_]:
    """Rows of the array with an output, [strips, V]."""
    row = np.arange(rows)
    place = row // layer.stride
    within = (tops[:, None] + place < layer.pool * layer.stored_height) & (place < strip_rows)
    return np.asarray(within & (row % layer.stride == 0))


def _map_reads(layer: LayerWorkload, bits: Bits, rows: int, lanes: int, strip_rows: int) -> Reads:
    words = _in_words(bits, lanes).transpose(0, 4, 1, 2, 3, 5)
    steps, planes, height, _, groups, _ = words.shape
    bank_rows, outside = rows + HALO, EDGE + layer.stride
    allocated = -(-height // bank_rows) * bank_rows
    tops = np.arange(0, layer.pool * layer.stored_height, strip_rows)
    lefts = np.arange(layer.pool * layer.stored_width) * layer.stride - layer.padding
    y = tops[:, None] * layer.stride - layer.padding + np.arange(bank_rows)
    number = 1 + np.arange(steps * planes).reshape(steps, planes)
    at_row = number[None, None, :, None, :, None, None] * allocated + y[:, None, None, None, None, :, None]
    at_column = (lefts[:, None] + np.arange(EDGE) + outside)[None, :, None, None, None, None, :]
    # Strips, columns, steps, words, planes; window.
    found = _stacked(words, allocated, outside)[at_row, at_column, np.arange(groups)[:, None, None, None]]
    # The column of the window that each bank shows.
    behind = (np.arange(EDGE) - lefts[:, None, None] - np.arange(planes)[:, None]) % EDGE
    banks = np.take_along_axis(found, behind[None, :, None, None, :, None, :, None], 6)
    inside = ((y >= 0) & (y < height))[:, None, None, None, None, :, None, None]
    used = _used_rows(layer, tops, rows, strip_rows)[:, None, None, None, None]
    order, shape = found.shape[:5], (-1, bank_rows, EDGE, lanes)
    word, plane = (np.broadcast_to(n, order).ravel() for n in (np.arange(groups)[:, None], np.arange(planes)))
    return Reads(
        banks=banks.reshape(shape),
        words=found.reshape(shape),
        window=(found * inside).reshape(shape),
        used=np.broadcast_to(used, (*order, rows)).reshape(-1, rows),
        word=word,
        plane=plane,
        additions=groups * planes,
    )


def _flat_reads(bits: Bits, rows: int, lanes: int) -> Reads:
    words = _in_words(bits, TAPS * lanes)  # steps, words, planes, taps and lanes
    steps, groups, planes, _ = words.shape
    taps = words.reshape(steps, groups, planes, TAPS, lanes)
    turned = np.stack([np.roll(taps[:, :, b], 2 * (b % 4) + b // 4, axis=2) for b in range(planes)], 2)
    shape, below = (-1, EDGE, EDGE, lanes), [(0, 0), (0, rows + HALO - EDGE), (0, 0), (0, 0)]
    window, banks = (np.pad(each.reshape(shape), below) for each in (taps, turned))
    used = np.zeros((len(window), rows), bool)
    used[:, 0] = True
    word, plane = (np.broadcast_to(n, words.shape[:3]).ravel() for n in (np.arange(groups)[:, None], np.arange(planes)))
    return Reads(banks, window, window, used, word, plane, groups * planes)


def changes(values: NDArray[np.integer], bits: int, counted: NDArray[np.bool_] | None = None) -> float:
    """Bits that change from one value to the next, on average; where it is not counted, a value changes nothing.

    Args:
        values: [n, ...], as they follow each other, the first behind the last.
        bits: of a value.
        counted: [n, ...] of as many leading axes as it has.
    """
    turned = np.bitwise_count((values ^ np.roll(values, 1, axis=0)).astype(np.int64) & (2**bits - 1))
    if counted is not None:
        turned = turned * counted.reshape(counted.shape + (1,) * (turned.ndim - counted.ndim))
    return float(turned.sum()) / len(values)


def positive_weights(layer: LayerWorkload, weights: NDArray[np.int8], lanes: int) -> Bits:
    """Which of the weights [M, C, 3, 3] or [M, inputs, 1, 1] are positive: [M, words, taps, L]."""
    positive = (weights > 0).astype(np.uint8)
    if layer.kind == "fc":
        return _in_words(positive[..., 0], TAPS * lanes).reshape(len(weights), -1, TAPS, lanes)
    return _in_words(positive.reshape(*weights.shape[:2], TAPS), lanes)


def array_turns(layer: LayerWorkload, seen: Reads, weights: NDArray[np.int8], lanes: int) -> ArrayTurns:
    """A mean over all reads of the filters ``weights``, binary and in machine order."""
    rows, filters, wide = seen.used.shape[1], len(weights), MACHINE.membrane_bits
    taps = np.stack([seen.window[:, r : r + EDGE].reshape(-1, TAPS, lanes) for r in range(rows)], 1)
    positive = positive_weights(layer, weights, lanes)
    agreeing = (taps * positive[:, seen.word][:, :, None]).reshape(-1, rows, TAPS, lanes)
    active_counts, agreeing_counts = (each.sum(2, dtype=np.int64) for each in (taps, agreeing))
    lane_sums = 2 * agreeing_counts - np.tile(active_counts, (filters, 1, 1))
    used, row_sums = np.tile(seen.used, (filters, 1)), lane_sums.sum(2)
    terms = row_sums << np.tile(seen.plane, filters)[:, None]
    length = seen.additions if layer.spiking else len(seen.used)  # a classifier adds all that it reads
    totals = terms.reshape(-1, length, rows).cumsum(1)
    previous = np.pad(totals[:, :-1], [(0, 0), (1, 0), (0, 0)])
    return ArrayTurns(
        banks=changes(seen.banks, 1),
        words=changes(seen.words, 1),
        window=changes(seen.window, 1),
        spikes=changes(taps, 1),
        products=changes(agreeing, 1),
        counts=changes(active_counts, COUNT_BITS) + changes(agreeing_counts, COUNT_BITS),
        lane_sums=changes(lane_sums, LANE_BITS, used),
        row_sums=changes(row_sums, LANE_BITS + (lanes - 1).bit_length(), used),
        tree=_tree_changes(lane_sums, used),
        terms=changes(terms, wide, used),
        totals=changes(totals.reshape(-1, rows), wide, used),
        previous=changes(previous.reshape(-1, rows), wide, used),
        handed=changes(totals[:, -1], wide, used.reshape(-1, length, rows)[:, -1]) / length,
    )


def _tree_changes(lane_sums: Integers, used: NDArray[np.bool_]) -> float:
    found, width = changes(lane_sums, LANE_BITS, used), LANE_BITS
    while lane_sums.shape[-1] > 1:
        lane_sums = np.pad(lane_sums, [(0, 0), (0, 0), (0, lane_sums.shape[-1] % 2)])
        lane_sums, width = lane_sums[..., ::2] + lane_sums[..., 1::2], width + 1
        found += changes(lane_sums, width, used)
    return found
