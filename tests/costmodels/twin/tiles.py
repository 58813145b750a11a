"""Groups of layers, what a tile demands of the buffers, and the rows each tile computes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from costmodels.workload import LayerWorkload
from twin.filters import kept_for_next_step, strip_rows, visited_columns, words_of_lanes
from twin.machine import MEMBRANE_BITS, WINDOW_EDGE, Machine

Layers = Sequence[LayerWorkload]


@dataclass(frozen=True)
class LayerRows:
    """Rows of one layer in one tile: stored, and read from the map before it."""

    stored: range
    read: range


def groups(layers: Layers, depth: int) -> list[list[int]]:
    """Indices of the layers of each group."""
    grouped: list[list[int]] = [[]]
    for index in range(len(layers)):
        if len(grouped[-1]) == depth:
            grouped.append([])
        grouped[-1].append(index)
    return grouped


def with_predecessors(layers: Layers) -> list[tuple[LayerWorkload | None, LayerWorkload]]:
    """Each layer of a group with the one before it in the group, last pair first."""
    return list(zip([None, *layers[:-1]], layers, strict=True))[::-1]


def allocated_rows(layers: Layers, rows: int) -> list[int]:
    """Rows held of each map 0 .. J of a group whose last map keeps ``rows`` rows."""
    held = [rows]
    for before, layer in with_predecessors(layers):
        if layer.kind == "fc":
            held.insert(0, before.stored_height if before is not None else 1)
        else:
            held.insert(0, min(layer.in_height, (layer.pool * held[0] - 1) * layer.stride + layer.kernel))
    return held


def in_raster_order(layers: list[LayerWorkload], every: Layers, first: int) -> list[LayerWorkload]:
    """The layers of a group: a pruned fc behind a convolution of the group before reads places one by one from DRAM."""
    layer, before = layers[0], every[first - 1] if first else None
    if layer.kind != "fc" or layer.kept is None or before is None:
        return layers
    maps = 2 if before.dual_threshold else 1
    columns = []
    for row in range(before.stored_height):
        for column in range(before.stored_width):
            for channel in range(before.out_channels):
                place = (channel // maps * before.stored_width + column) * before.stored_height + row
                columns.append(layer.kept[:, place * maps + channel % maps])
    return [replace(layer, kept=np.stack(columns, 1)), *layers[1:]]


def padded(elements: int, word: int) -> int:
    """Elements with those that fill the last word."""
    while elements % word:
        elements += 1
    return elements


def deepest_bank(rows: int, columns: int, machine: Machine) -> int:
    """Most places of a map that meet in one bank: row y and column x lie in bank (y mod (V + 2), x mod 3)."""
    banks = Counter(y % (machine.rows + WINDOW_EDGE - 1) for y in range(rows))
    return max(banks.values()) * max(Counter(x % WINDOW_EDGE for x in range(columns)).values())


def map_bits(layers: Layers, index: int, rows: int, machine: Machine, timesteps: int) -> int:
    """Bits of map ``index`` of a group in the spike buffer: all banks are as deep as the fullest one."""
    writer = layers[index - 1] if index > 0 else None
    reader = layers[index] if index < len(layers) else None
    if writer is not None and not writer.spiking:
        return 0
    planes = writer.output_bits if writer is not None else layers[0].input_bits
    once = machine.outer or (writer is None and layers[0].static_input)
    steps = 1 if once else timesteps
    every_bank = WINDOW_EDGE * (machine.rows + WINDOW_EDGE - 1) * machine.lanes
    if reader is not None and reader.kind == "fc":
        return every_bank * words_of_lanes(reader, machine.lanes) * planes * steps
    channels = writer.out_channels if writer is not None else layers[0].in_channels
    columns = writer.stored_width if writer is not None else layers[0].in_width
    words = padded(channels, machine.lanes) // machine.lanes
    return every_bank * deepest_bank(rows, columns, machine) * words * planes * steps


def spike_demand(layers: Layers, rows: int, machine: Machine, timesteps: int) -> int:
    """Bits of a half of the spike buffer for tiles of ``rows`` rows: maps alternate between two regions."""
    regions = [0, 0]
    for index, held in enumerate(allocated_rows(layers, rows)):
        bits = map_bits(layers, index, held, machine, timesteps)
        regions[index % 2] = max(regions[index % 2], bits)
    return sum(regions)


def membrane_demand(layers: Layers, rows: int, machine: Machine, timesteps: int) -> int:
    """Bits of the membrane buffer, in words of a strip, or of V filters of an fc: membranes, sums, ranks.

    They wait for the next step, so a single step leaves nothing, nor does a classifier.
    """
    if not machine.outer or timesteps < 2:
        return 0
    words = 0
    for layer, held in zip(layers, allocated_rows(layers, rows)[1:], strict=True):
        if layer.kind == "fc":
            places = len(range(0, layer.filters, machine.rows))
        else:
            strips = len(range(0, layer.pool * held, strip_rows(layer, machine) or 1))
            places = strips * visited_columns(layer) * layer.filters
        words += places * len(kept_for_next_step(layer))
    return words * machine.rows * MEMBRANE_BITS


def rows_per_tile(layers: Layers, machine: Machine, timesteps: int) -> int:
    """R: tried from the whole map downwards, then whole strips, then parts of one; 0 where not even one row fits."""
    strip = max(1, strip_rows(layers[-1], machine) // layers[-1].pool)
    whole = layers[-1].stored_height
    for rows in range(whole, 0, -1):
        if strip < rows < whole and rows % strip:
            continue
        spikes = spike_demand(layers, rows, machine, timesteps)
        if spikes <= machine.spike_half and membrane_demand(layers, rows, machine, timesteps) <= machine.membrane:
            return rows
    return 0


def tile_rows(layers: Layers, stored: range) -> list[LayerRows]:
    """Rows of every layer in the tile that ends in the rows ``stored`` of the group's last map."""
    rows: list[LayerRows] = []
    for before, layer in with_predecessors(layers):
        if layer.kind == "fc":
            read = range(before.stored_height if before is not None else 1)
        else:
            computed = range(layer.pool * stored.start, layer.pool * stored.stop)
            first = computed[0] * layer.stride - layer.padding
            last = computed[-1] * layer.stride - layer.padding + layer.kernel - 1
            read = range(max(0, first), min(layer.in_height, last + 1))
        rows.insert(0, LayerRows(stored, read))
        stored = read
    return rows


def tiles(layers: Layers, rows: int) -> list[list[LayerRows]]:
    """The tiles of a group, each with the rows of each layer."""
    whole = range(layers[-1].stored_height)
    return [tile_rows(layers, whole[first : first + rows]) for first in range(0, len(whole), rows)]
