"""How full the buffers of one machine are, group by group."""

from dataclasses import dataclass

import numpy as np

from costmodels.accelerator import AcceleratorConfig
from costmodels.feasibility import BITS_PER_KIB, half_bits
from costmodels.filters import filter_bank
from costmodels.tiling import groups, membrane_demand_bits, spike_demand_bits, tile_rows
from costmodels.workload import Workload


@dataclass(frozen=True)
class Occupancy:
    """One group of layers on one machine.

    Attributes:
        group: names of its first and last layer.
        rows_per_tile, tiles: stored rows of the last layer; 0 rows where none fits; demands are of one row then.
        resident: weights are loaded once, not streamed filter by filter.
        spike_demand_bits, spike_bound_bits: one half of the spike buffer.
        weight_demand_bits, weight_bound_bits: all weights, and one half of the weight buffer.
        membrane_demand_bits, membrane_bound_bits: membrane buffer; 0 under `inner`.
    """

    group: str
    rows_per_tile: int
    tiles: int
    resident: bool
    spike_demand_bits: int
    spike_bound_bits: int
    weight_demand_bits: int
    weight_bound_bits: int
    membrane_demand_bits: int
    membrane_bound_bits: int


def occupancies(workload: Workload, config: AcceleratorConfig) -> tuple[Occupancy, ...]:
    """The buffers of ``config`` under ``workload``, for each group in order."""
    outer = config.time_order == "outer"
    spike_bound, weight_bound = half_bits(config.spike_buffer_kib), half_bits(config.weight_buffer_kib)
    membrane_bound = config.membrane_buffer_kib * BITS_PER_KIB
    found = []
    width = np.array(config.vector_width)
    for group in groups(workload, config.fusion_depth):
        rows = np.arange(1, group.height + 1)
        spikes = spike_demand_bits(group, rows, width, config.channel_lanes, outer)
        membranes = membrane_demand_bits(group, rows, width) * outer
        fitting = ((spikes <= spike_bound) & (membranes <= membrane_bound)).sum()
        fit = int(tile_rows(group, fitting, width))
        at = max(fit, 1) - 1
        weights = sum(filter_bank(layer, config.channel_lanes).buffer_bits for layer in group.layers)
        found.append(
            Occupancy(
                group=group.name,
                rows_per_tile=fit,
                tiles=-(-group.height // fit) if fit else 0,
                resident=weights <= weight_bound,
                spike_demand_bits=int(spikes[at]),
                spike_bound_bits=spike_bound,
                weight_demand_bits=weights,
                weight_bound_bits=weight_bound,
                membrane_demand_bits=int(membranes[at]),
                membrane_bound_bits=membrane_bound,
            )
        )
    return tuple(found)
