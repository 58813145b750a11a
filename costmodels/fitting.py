"""What fits on each machine of a batch: rows of a tile, resident weights, and whether the group can run at all."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from costmodels.axes import Axes, factor
from costmodels.feasibility import BITS_PER_KIB, half_bits, unsuited_strips
from costmodels.filters import Integers
from costmodels.tiling import Group, membrane_demand_bits, spike_demand_bits, tile_rows
from costmodels.variants import Banks, Variants


@dataclass(frozen=True, eq=False)
class Fit:
    """One group on ``n`` machines.

    Attributes:
        rows: R; 0 where not even one row fits.
        resident: weights are loaded once.
        runs: nothing stands against the group.
    """

    rows: Integers
    resident: NDArray[np.bool_]
    runs: NDArray[np.bool_]


def fit(group: Group, banks: Banks, axes: Axes) -> Fit:
    """What fits of ``group`` on each machine."""
    fitting = np.minimum(
        _spike_rows(group, axes)[axes.lanes_index, axes.outer.astype(np.int64), axes.vector_index, axes.spike_index],
        np.where(axes.outer, _membrane_rows(group, axes)[axes.vector_index, axes.membrane_index], group.height),
    )
    rows = tile_rows(group, fitting, axes.vector_widths[axes.vector_index])
    buffers = np.array([sum(bank.buffer_bits for bank in layers) for layers in banks.by_lanes])
    filters = np.array([max(bank.largest_filter_bits for bank in layers) for layers in banks.by_lanes])
    halves = half_bits(axes.weight_kib)
    resident = (buffers[:, None] <= halves)[axes.lanes_index, axes.weight_index]
    streams = (filters[:, None] <= halves)[axes.lanes_index, axes.weight_index]
    wide = _vector_fits(group, axes)[axes.vector_index, axes.lanes_index]
    return Fit(rows, resident, (rows > 0) & (resident | streams) & wide)


def variants(axes: Axes, banks: Banks, fitted: Fit) -> tuple[Variants, Integers]:
    """The distinct machines under a group, and the index of each machine among them."""
    sizes = (len(axes.vector_widths), len(axes.channel_lanes), 2, 2)
    parts = (axes.vector_index, axes.lanes_index, axes.outer, fitted.resident)
    key = fitted.rows
    for part, size in zip(parts, sizes, strict=True):
        key = key * size + part.astype(np.int64)
    distinct, index = factor(key)
    rows, vector, lanes, outer, resident = _digits(distinct, sizes)
    return (
        Variants(
            vector_width=axes.vector_widths[vector],
            channel_lanes=axes.channel_lanes[lanes],
            lanes=lanes,
            outer=outer.astype(np.bool_),
            rows=rows,
            resident=resident.astype(np.bool_),
        ),
        index,
    )


def _digits(key: Integers, sizes: tuple[int, ...]) -> list[Integers]:
    """Digits of ``key`` in a mixed radix, most significant first; ``sizes`` without the first one."""
    digits: list[Integers] = []
    for size in reversed(sizes):
        key, digit = np.divmod(key, size)
        digits.insert(0, digit)
    return [key, *digits]


def _spike_rows(group: Group, axes: Axes) -> Integers:
    """Most rows whose maps fit: ``lanes x 2 (outer) x vector widths x spike buffers``; demand never falls with rows."""
    rows = np.arange(1, group.height + 1)
    widths, halves = axes.vector_widths[:, None], half_bits(axes.spike_kib)
    most = [
        [
            [
                np.searchsorted(demand, halves, side="right")
                for demand in np.broadcast_to(
                    spike_demand_bits(group, rows, widths, int(lanes), outer), (len(widths), len(rows))
                )
            ]
            for outer in (False, True)
        ]
        for lanes in axes.channel_lanes
    ]
    return np.array(most)


def _membrane_rows(group: Group, axes: Axes) -> Integers:
    """Most rows whose membranes fit: ``vector widths x membrane buffers``."""
    rows = np.arange(1, group.height + 1)
    demands = membrane_demand_bits(group, rows, axes.vector_widths[:, None])
    return np.array([np.searchsorted(demand, axes.membrane_kib * BITS_PER_KIB, side="right") for demand in demands])


def _vector_fits(group: Group, axes: Axes) -> NDArray[np.bool_]:
    """Whether strips can be pooled, stored and flattened: ``vector widths x lanes``."""
    return np.array(
        [
            [not any(unsuited_strips(group, int(width), int(lanes))) for lanes in axes.channel_lanes]
            for width in axes.vector_widths
        ]
    )
