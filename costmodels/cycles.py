"""Time of a group of layers: filters, passes, stalls and their booking (sections 4 and 5)."""

from dataclasses import dataclass

import numpy as np

from costmodels.filters import Integers
from costmodels.machine import MACHINE
from costmodels.port import Loads, map_transfers, pass_sorts, weight_loads
from costmodels.slots import Pass, position_cycles, positions, score_cycles, tail_cycles
from costmodels.tiling import Group, Tiles
from costmodels.traffic import scores, word_cycles
from costmodels.variants import Banks, Variants, VariantTiles


@dataclass(frozen=True, eq=False)
class GroupTime:
    """Cycles of a group on ``k`` variants.

    Attributes:
        compute, stall: ``layers x k``.
        fill: input of the first pass, and the first filter where weights are streamed; no resident weights.
        drain: output of the last pass.
        idle: port cycles in the passes that no transfer of the group uses.
        weights: port cycles of one load of all weights of the group.
    """

    compute: Integers
    stall: Integers
    fill: Integers
    drain: Integers
    idle: Integers
    weights: Integers


@dataclass(frozen=True, eq=False)
class Work:
    """The filters of one pass over each of ``e`` tiles.

    Attributes:
        compute: cycles of the filters and the pipeline's end, ``layers x e``.
        waits: cycles until the next filter is there, ``layers x e``; 0 where weights are resident.
        relief: the last layer's wait that falls away in the group's last pass, behind which no filter is loaded.
    """

    compute: Integers
    waits: Integers
    relief: Integers


def time_group(
    group: Group, banks: Banks, variants: Variants, spread: VariantTiles, bytes_per_cycle: float
) -> GroupTime:
    """Cycles of ``group`` on ``variants``, whose tiles are ``spread``."""
    each = variants.take(spread.variant)
    loads = weight_loads(banks, bytes_per_cycle)
    maps = map_transfers(group, each, spread.tiles, bytes_per_cycle)
    shape = (len(group.layers), len(variants.rows))
    compute, stall, idle = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape[1], np.int64)
    known: dict[Pass, Work] = {}
    for sort in pass_sorts(group, each, spread.tiles, maps, loads):
        kind = sort.kind if group.layers[0].static_input else Pass.FIRST_STEP
        if kind not in known:
            known[kind] = pass_work(group, banks, loads, each, spread.tiles, kind)
        work = known[kind]
        waits = work.waits.copy()
        waits[-1] -= work.relief * sort.final
        slack = work.compute.sum(axis=0) + waits.sum(axis=0) - sort.busy
        waits[-1] += np.maximum(-slack, 0)
        compute += spread.total(sort.count * work.compute)
        stall += spread.total(sort.count * waits)
        idle += spread.total(sort.count * np.maximum(slack, 0))
    first_filter = np.where(variants.resident, 0, loads.first[variants.lanes])
    leaving = word_cycles(np.array(scores(group)), MACHINE.score_bits, bytes_per_cycle)
    return GroupTime(
        compute=compute,
        stall=stall,
        fill=spread.total(maps.own_input * (spread.tiles.previous_rows == 0)) + first_filter,
        drain=spread.total(maps.own_output * spread.tiles.last) + leaving,
        idle=idle,
        weights=loads.resident[variants.lanes],
    )


def pass_work(group: Group, banks: Banks, loads: Loads, each: Variants, tiles: Tiles, kind: Pass) -> Work:
    """Filters of a pass over each tile: of ``kind`` under `outer`, of all steps under `inner`."""
    shape = (len(group.layers), len(each.rows))
    compute, waits = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    relief = np.zeros(shape[1], np.int64)
    for lanes in range(len(banks.channel_lanes)):
        for outer, held in ((False, Pass.ALL_STEPS), (True, kind)):
            here = np.flatnonzero((each.lanes == lanes) & (each.outer == outer))
            if len(here):
                part = _work(group, banks, loads, lanes, each.take(here), tiles.rows[:, here], held)
                compute[:, here], waits[:, here], relief[here] = part.compute, part.waits, part.relief
    return Work(compute, waits, relief)


def _work(group: Group, banks: Banks, loads: Loads, lanes: int, each: Variants, rows: Integers, kind: Pass) -> Work:
    """`pass_work` for one number of lanes and one kind of pass."""
    compute, waits = np.zeros_like(rows[1:]), np.zeros_like(rows[1:])
    relief = np.zeros_like(rows[0])
    streamed = np.flatnonzero(~each.resident)
    for index, layer in enumerate(group.layers):
        bank, load = banks.by_lanes[lanes][index], loads.filters[lanes][index]
        slots = position_cycles(layer, bank, group.timesteps, kind)
        places = positions(layer, layer.pool * rows[index + 1], each.vector_width)
        fixed = bank.header_words + score_cycles(layer, each.vector_width)
        tail = tail_cycles(layer, group.timesteps, int(banks.channel_lanes[lanes]), kind)
        compute[index] = places * slots.sum() + layer.filters * fixed + tail
        if len(streamed):
            following = loads.filters[lanes][(index + 1) % len(group.layers)][0]
            places, fixed = places[streamed], fixed[streamed]
            end = places * slots[-1] + fixed + tail
            relief[streamed] = np.maximum(following - end, 0)
            busy = overlapped(places, slots[:-1], fixed, load[1:]) + end + relief[streamed]
            waits[index, streamed] = busy - compute[index, streamed]
    return Work(compute, waits, relief)


def overlapped(places: Integers, slots: Integers, fixed: Integers, waits: Integers) -> Integers:
    """Sum over filters of max(places x slots + fixed, waits), for each element of ``places``.

    ``slots`` and ``waits`` are per filter, ``fixed`` per element. From some number of places on a filter hides its
    wait; sorted by that number the filters split in two.
    """
    if len(slots) and (slots == slots[0]).all() and (waits == waits[0]).all():  # a dense layer: filters are alike
        return np.asarray(len(slots) * np.maximum(places * slots[0] + fixed, waits[0]))
    total = np.zeros_like(places)
    for value in np.unique(fixed):
        enough = -(-(waits - value) // slots)
        order = np.argsort(enough, kind="stable")
        slots_before = np.append(0, np.cumsum(slots[order]))
        waits_after = np.append(np.cumsum(waits[order][::-1])[::-1], 0)
        chosen = fixed == value
        hidden = np.searchsorted(enough[order], places[chosen], side="right")
        total[chosen] = places[chosen] * slots_before[hidden] + hidden * value + waits_after[hidden]
    return total
