"""From a workload and a batch of machines to counted events: equal machines are counted once, then spread."""

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from costmodels.accelerator import AcceleratorBatch
from costmodels.activity import group_events
from costmodels.axes import Axes, axes
from costmodels.consistency import reject_inconsistent
from costmodels.cycles import time_group
from costmodels.errors import ConfigurationError
from costmodels.events import EventCounts
from costmodels.feasibility import Infeasible, infeasibilities
from costmodels.filters import Integers
from costmodels.fitting import Fit, fit, variants
from costmodels.occupancy import Occupancy, occupancies
from costmodels.tiling import Group, groups, leading_layers
from costmodels.traffic import LARGEST_DENOMINATOR
from costmodels.variants import Banks, variant_tiles
from costmodels.workload import Workload

EVENTS = tuple(field.name for field in fields(EventCounts))
LARGEST_EXACT = 2.0**53
MACHINES_AT_ONCE = 1 << 17


@dataclass(frozen=True, eq=False)
class Schedule:
    """What one inference does on each of ``n`` machines.

    Attributes:
        workload, batch: what was counted.
        events: counts, ``n x layers``; 0 for a machine that cannot run the workload.
        feasible: length ``n``; where False, no count has a meaning.
        rows_per_tile: R of the layer's group, ``n x layers``; 0 where not even one row fits.
    """

    workload: Workload
    batch: AcceleratorBatch
    events: EventCounts
    feasible: NDArray[np.bool_]
    rows_per_tile: NDArray[np.int32]

    def reasons(self, index: int) -> tuple[Infeasible, ...]:
        """Every reason why machine ``index`` cannot run the workload; empty when it can."""
        return infeasibilities(self.workload, self.batch[index])

    def occupancy(self, index: int) -> tuple[Occupancy, ...]:
        """The buffers of machine ``index``, for each group of layers."""
        return occupancies(self.workload, self.batch[index])


def count(workload: Workload, batch: AcceleratorBatch, dram_bytes_per_cycle: float) -> Schedule:
    """Events of one inference of ``workload`` on each machine of ``batch``, by docs/cost-model.md.

    Raises:
        ConfigurationError: the layers contradict each other, or the DRAM rate is not positive.
    """
    reject_inconsistent(workload)
    if not 1 / LARGEST_DENOMINATOR <= dram_bytes_per_cycle < math.inf:
        raise ConfigurationError(
            f"dram_bytes_per_cycle must be above 0, not {dram_bytes_per_cycle} "
            f"(from {1 / LARGEST_DENOMINATOR:g} to any finite rate)"
        )
    counts = np.zeros((len(EVENTS), len(workload.layers), len(batch)))
    feasible = np.zeros(len(batch), dtype=np.bool_)
    rows = np.zeros((len(workload.layers), len(batch)), dtype=np.int32)
    for start in range(0, len(batch), MACHINES_AT_ONCE):
        part = slice(start, start + MACHINES_AT_ONCE)
        _count_part(workload, batch.take(part), dram_bytes_per_cycle, counts[..., part], feasible[part], rows[:, part])
    if counts.max(initial=0) >= LARGEST_EXACT:
        raise ConfigurationError(
            f"counts must stay below 2**53 to be exact, not {counts.max():g} (workload {workload.name})"
        )
    events = EventCounts(**{name: array.T for name, array in zip(EVENTS, counts, strict=True)})
    return Schedule(workload, batch, events, feasible, rows.T)


def _count_part(
    workload: Workload,
    batch: AcceleratorBatch,
    bytes_per_cycle: float,
    counts: NDArray[np.float64],
    feasible: NDArray[np.bool_],
    rows: NDArray[np.int32],
) -> None:
    """Write the counts of ``batch`` into ``counts`` (``events x layers x n``), ``feasible`` and ``rows``."""
    by_axis = axes(batch)
    layers, led = workload.layers, leading_layers(workload.layers)
    banks = Banks.of(by_axis.channel_lanes, layers)
    leading = banks if led == layers else Banks.of(by_axis.channel_lanes, led)
    for depth in np.unique(batch.fusion_depth):
        machines = np.flatnonzero(batch.fusion_depth == depth)
        fused = groups(workload, int(depth))
        own = [banks.group(group, leading) for group in fused]
        fits = [fit(group, filters, by_axis.take(machines)) for group, filters in zip(fused, own, strict=True)]
        for group, each in zip(fused, fits, strict=True):
            rows[group.first : group.stop, machines] = each.rows
        runs = np.logical_and.reduce([each.runs for each in fits])
        feasible[machines] = runs
        if runs.any():
            chosen = np.flatnonzero(runs)
            running = machines[chosen]
            _count_groups(
                fused,
                [Fit(*(array[chosen] for array in vars(each).values())) for each in fits],
                own,
                by_axis.take(running),
                bytes_per_cycle,
                running,
                counts,
            )


def _count_groups(
    fused: list[Group],
    fits: list[Fit],
    banks: list[Banks],
    by_axis: Axes,
    bytes_per_cycle: float,
    machines: Integers,
    counts: NDArray[np.float64],
) -> None:
    """Write the counts of ``machines``, which all run and fuse alike, into ``counts``."""
    ahead = np.zeros(len(machines), dtype=np.int64)
    for group, fitted, own in zip(fused, fits, banks, strict=True):
        distinct, which = variants(by_axis, own, fitted)
        spread = variant_tiles(group, distinct)
        time = time_group(group, own, distinct, spread, bytes_per_cycle)
        events = group_events(group, own, distinct, spread)
        fills = np.zeros_like(time.compute)
        fills[0] += time.fill
        fills[-1] += time.drain
        for index in range(len(group.layers)):
            cycles = {
                "compute_cycles": time.compute[index],
                "stall_cycles": time.stall[index],
                "fill_cycles": fills[index],
            }
            for name, values in (cycles | events[index]).items():
                counts[EVENTS.index(name), group.first + index, machines] = values.astype(np.float64)[which]
        exposed = np.where(fitted.resident, np.maximum(time.weights[which] - ahead, 0), 0)
        counts[EVENTS.index("fill_cycles"), group.first, machines] += exposed
        ahead = np.where(fitted.resident, time.idle[which], 0)
