"""The DRAM port of a group: what is transferred around each pass, in port cycles (section 4)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from costmodels.filters import Integers
from costmodels.slots import Pass
from costmodels.tiling import Group, Tiles
from costmodels.traffic import input_places, map_cycles, word_cycles
from costmodels.variants import Banks, Variants


@dataclass(frozen=True, eq=False)
class Loads:
    """Port cycles of weights for each of ``l`` numbers of lanes.

    Attributes:
        filters: for each number of lanes, for each layer, the cycles of each filter.
        resident: all weights of the group in one transfer, length ``l``.
        streamed: all filters, one transfer each, length ``l``.
        first: the first filter of the group, length ``l``.
    """

    filters: tuple[tuple[Integers, ...], ...]
    resident: Integers
    streamed: Integers
    first: Integers


def weight_loads(banks: Banks, bytes_per_cycle: float) -> Loads:
    """Port cycles of the filters of ``banks``."""
    filters = tuple(
        tuple(word_cycles(bank.words, bank.word_bits, bytes_per_cycle) for bank in layers) for layers in banks.by_lanes
    )
    words = np.array([sum(int(bank.words.sum()) for bank in layers) for layers in banks.by_lanes])
    word_bits = np.array([layers[0].word_bits for layers in banks.by_lanes])
    streamed = np.array([sum(int(load.sum()) for load in layers) for layers in filters])
    first = np.array([int(layers[0][0]) for layers in filters])
    return Loads(filters, word_cycles(words, word_bits, bytes_per_cycle), streamed, first)


@dataclass(frozen=True, eq=False)
class MapTransfers:
    """Port cycles of one pass's input and output, for ``e`` tiles and their neighbours."""

    own_input: Integers
    next_input: Integers
    own_output: Integers
    previous_output: Integers


def map_transfers(group: Group, each: Variants, tiles: Tiles, bytes_per_cycle: float) -> MapTransfers:
    """Port cycles of the maps of ``tiles``, whose machines are ``each``."""
    steps = np.where(each.outer, 1, group.timesteps)
    input_steps = 1 if group.layers[0].static_input else steps

    first, last = group.layers[0], group.layers[-1]

    def read(rows: Integers) -> Integers:
        places = input_places(group, rows) * input_steps
        return map_cycles(places, first.in_channels, first.input_bits, each.channel_lanes, bytes_per_cycle)

    def written(rows: Integers) -> Integers:
        places = rows * last.stored_width * steps * last.spiking
        return map_cycles(places, last.out_channels, last.output_bits, each.channel_lanes, bytes_per_cycle)

    return MapTransfers(
        own_input=read(tiles.rows[0]),
        next_input=read(tiles.next_rows),
        own_output=written(tiles.rows[-1]),
        previous_output=written(tiles.previous_rows),
    )


@dataclass(frozen=True, eq=False)
class PassSort:
    """Passes of one sort over each of ``e`` tiles.

    Attributes:
        kind: what such a pass holds under `outer`; under `inner` it is always all steps.
        count: how many of them a tile has.
        busy: B(k), port cycles of the transfers that the pass hides.
        final: 1 where the pass is the group's last one.
    """

    kind: Pass
    count: Integers
    busy: Integers
    final: Integers


def pass_sorts(group: Group, each: Variants, tiles: Tiles, maps: MapTransfers, loads: Loads) -> Iterator[PassSort]:
    """First, middle and last pass over a tile; a tile with a single pass has a first one only."""
    several = each.outer & (group.timesteps > 1)
    streamed = np.where(each.resident, 0, loads.streamed[each.lanes])
    skipped = np.where(each.resident, 0, loads.first[each.lanes])
    again = np.zeros_like(maps.own_input) if group.layers[0].static_input else maps.own_input
    final = np.where(several, 0, tiles.last)
    following = np.where(several, again, maps.next_input)
    busy = streamed - skipped * final + following + maps.previous_output
    yield PassSort(Pass.FIRST_STEP, np.ones_like(final), busy, final)
    if not several.any():
        return
    middle = several * (group.timesteps - 2)
    yield PassSort(Pass.LATER_STEP, middle, streamed + again + maps.own_output, np.zeros_like(final))
    final = several * tiles.last
    busy = streamed - skipped * final + maps.next_input + maps.own_output
    yield PassSort(Pass.LATER_STEP, several.astype(np.int64), busy, final)
