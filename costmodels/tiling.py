"""Groups of layers, rows of their tiles, and the one tiling rule: the most rows whose maps fit (section 3)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from costmodels.filters import lane_words
from costmodels.machine import MACHINE
from costmodels.slots import strip_rows, words_between_steps
from costmodels.workload import LayerWorkload, Workload

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Group:
    """Consecutive layers ``first .. first + len(layers)`` of a workload, fused, and the steps that they take."""

    first: int
    layers: tuple[LayerWorkload, ...]
    timesteps: int

    @property
    def stop(self) -> int:
        """Index of the layer behind the group."""
        return self.first + len(self.layers)

    @property
    def name(self) -> str:
        """Names of the first and last layer."""
        ends = dict.fromkeys((self.layers[0].name, self.layers[-1].name))
        return "..".join(ends)

    @property
    def height(self) -> int:
        """Stored rows of the last layer: the rows that tiles divide."""
        return self.layers[-1].stored_height


def groups(workload: Workload, fusion_depth: int) -> list[Group]:
    """Chunks of ``fusion_depth`` layers in order; the last may be shorter."""
    starts = range(0, len(workload.layers), fusion_depth)
    led = leading_layers(workload.layers)
    layers = workload.layers
    return [
        Group(a, (led[a], *layers[a + 1 : a + fusion_depth]), 1 if adds_once(led[a]) else workload.timesteps)
        for a in starts
    ]


def adds_once(layer: LayerWorkload) -> bool:
    """A classifier of a static input: its sum is the same at every step and counts once."""
    return layer.static_input and not layer.spiking


def leading_layers(layers: Sequence[LayerWorkload]) -> tuple[LayerWorkload, ...]:
    """Each layer as it is where it begins a group: a pruned fc then takes its inputs in raster order (section 2)."""
    return tuple(_leading(layer, before) for layer, before in zip(layers, [None, *layers[:-1]], strict=True))


def _leading(layer: LayerWorkload, before: LayerWorkload | None) -> LayerWorkload:
    if layer.kind != "fc" or layer.kept is None or before is None or before.kind == "fc":
        return layer
    return replace(layer, kept=layer.kept[:, raster_order(before)])


def raster_order(before: LayerWorkload) -> Integers:
    """For each input of an fc that begins a group behind ``before``, its number in the order of its own group.

    DRAM holds a map row by row, column by column, all channels of a place together.
    """
    maps = 1 + before.dual_threshold
    order = np.arange(before.out_channels * before.stored_height * before.stored_width)
    by_filter = order.reshape(before.filters, before.stored_width, before.stored_height, maps)
    return by_filter.transpose(2, 1, 0, 3).ravel()


def allocated_rows(group: Group, rows: Integers) -> Integers:
    """Rows that each map of the group is given: ``maps (input first) x len(rows)`` for tiles of ``rows`` rows."""
    maps = [rows]
    for index, layer in reversed(list(enumerate(group.layers))):
        height = map_height(group, index)
        computed = layer.pool * maps[0]
        needed = height if layer.kind == "fc" else (computed - 1) * layer.stride + layer.kernel
        maps.insert(0, np.minimum(needed, height) + np.zeros_like(rows))
    return np.stack(maps)


def map_height(group: Group, index: int) -> int:
    """Rows of map ``index``: 0 is the input of the group (one row where an fc reads it), then each layer's output."""
    if index:
        return group.layers[index - 1].stored_height
    return 1 if group.layers[0].kind == "fc" else group.layers[0].in_height


def bank_places(rows: Integers, columns: int, vector_width: Integers) -> Integers:
    """Words that a map of one word of lanes takes in 3 (V + 2) banks, each as deep as the fullest of them."""
    bank_rows, edge = vector_width + MACHINE.window_halo, MACHINE.window_edge
    return -(-rows // bank_rows) * bank_rows * -(-columns // edge) * edge


def map_bits(
    group: Group, index: int, rows: Integers, vector_width: Integers, channel_lanes: int, outer: bool
) -> Integers:
    """Bits of the spike buffer for ``rows`` rows of map ``index``; of the shape that rows and widths broadcast to."""
    reader = group.layers[index] if index < len(group.layers) else None
    writer = group.layers[index - 1] if index else None
    if writer is not None and not writer.spiking:
        return np.zeros_like(rows)
    static = index == 0 and group.layers[0].static_input
    steps = 1 if outer or static else group.timesteps
    if reader is not None and reader.kind == "fc":
        # Nine taps of a word lie in nine banks; the others have nothing at these addresses.
        one_row = bank_places(np.ones_like(rows), 1, vector_width)
        return one_row * lane_words(reader, channel_lanes) * channel_lanes * reader.input_bits * steps
    columns, channels, planes = _map_shape(reader, writer)
    words = -(-channels // channel_lanes) * planes * steps
    return bank_places(rows, columns, vector_width) * words * channel_lanes


def _map_shape(reader: LayerWorkload | None, writer: LayerWorkload | None) -> tuple[int, int, int]:
    """Columns, channels and bit planes of a map by the layer that writes it, or reads it where it comes from DRAM."""
    if writer is not None:
        return writer.stored_width, writer.out_channels, writer.output_bits
    assert reader is not None
    return reader.in_width, reader.in_channels, reader.input_bits


def spike_demand_bits(
    group: Group, rows: Integers, vector_width: Integers, channel_lanes: int, outer: bool
) -> Integers:
    """Bits of one half of the spike buffer for tiles of ``rows`` rows; never falls with more rows.

    Returns the shape that ``rows`` and ``vector_width`` broadcast to.
    """
    allocated = allocated_rows(group, rows)
    maps = np.broadcast_arrays(
        *(map_bits(group, i, held, vector_width, channel_lanes, outer) for i, held in enumerate(allocated))
    )
    return np.asarray(np.max(maps[0::2], axis=0) + np.max(maps[1::2], axis=0))


def membrane_demand_bits(group: Group, rows: Integers, vector_width: Integers) -> Integers:
    """Bits of the membrane buffer under `outer` for tiles of ``rows`` rows; never falls with more rows.

    A word holds a strip of neurons, or V filters of a fully connected layer. Nothing waits for a second step where
    there is one step alone. Returns the shape that ``rows`` and ``vector_width`` broadcast to.
    """
    words = np.zeros_like(rows * vector_width)
    if group.timesteps > 1:
        for layer, stored in zip(group.layers, allocated_rows(group, rows)[1:], strict=True):
            words = words + membrane_words(layer, stored, vector_width) * words_between_steps(layer)
    return np.asarray(words * vector_width * MACHINE.membrane_bits)


def membrane_words(layer: LayerWorkload, stored_rows: Integers, vector_width: Integers) -> Integers:
    """Words of V membranes for ``stored_rows`` rows of the layer's map."""
    if layer.kind == "fc":
        return -(-layer.filters // vector_width)
    strips = -(-layer.pool * stored_rows // np.maximum(strip_rows(layer, vector_width), 1))
    return strips * layer.pool * layer.stored_width * layer.filters


def tile_rows(group: Group, fitting: Integers, vector_width: Integers) -> Integers:
    """R: the rows that fit, less those of a strip that the tile would cut; 0 where none fit."""
    layer = group.layers[-1]
    strip = np.maximum(strip_rows(layer, vector_width) // layer.pool, 1)
    cut = (fitting < group.height) & (fitting >= strip)
    return np.asarray(np.where(cut, fitting // strip * strip, fitting))


@dataclass(frozen=True, eq=False)
class Tiles:
    """The tiles of a group, equal ones once; arrays of length ``kinds``, rows of maps ``maps x kinds``.

    Attributes:
        rows: stored rows of each map (input first) that the tile reads or writes.
        next_rows: input rows of the tile that follows, 0 after the last tile.
        previous_rows: output rows of the tile before, 0 at the first tile.
        last: the last tile of the group.
        count: how many such tiles there are.
    """

    rows: Integers
    next_rows: Integers
    previous_rows: Integers
    last: Integers
    count: Integers


def map_rows(group: Group, rows: int) -> Integers:
    """Rows of each map in each tile of ``rows`` rows: ``maps x tiles``, halo included, clipped at the border."""
    low, high = map_spans(group, rows)
    return high - low


def map_spans(group: Group, rows: int) -> tuple[Integers, Integers]:
    """First row of each map in each tile of ``rows`` rows, and the row behind its last one: ``maps x tiles`` each."""
    low = np.arange(0, group.height, rows, dtype=np.int64)
    high = np.minimum(low + rows, group.height)
    lows, highs = [low], [high]
    for index, layer in reversed(list(enumerate(group.layers))):
        height = map_height(group, index)
        if layer.kind == "fc":
            low, high = np.zeros_like(low), np.full_like(high, height)
        else:
            low, high = (
                np.maximum(layer.pool * low * layer.stride - layer.padding, 0),
                np.minimum((layer.pool * high - 1) * layer.stride - layer.padding + layer.kernel, height),
            )
        lows.insert(0, low)
        highs.insert(0, high)
    return np.stack(lows), np.stack(highs)


def tiles(group: Group, rows: int) -> Tiles:
    """The distinct tiles of ``rows`` rows of the group's last layer."""
    maps = map_rows(group, rows)
    following = np.append(maps[0, 1:], 0)
    preceding = np.insert(maps[-1, :-1], 0, 0)
    last = (np.arange(maps.shape[1]) == maps.shape[1] - 1).astype(np.int64)
    distinct, count = np.unique(np.vstack([maps, following, preceding, last]), axis=1, return_counts=True)
    return Tiles(distinct[:-3], distinct[-3], distinct[-2], distinct[-1], count)
