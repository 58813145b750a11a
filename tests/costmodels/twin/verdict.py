"""Every reason why a machine cannot run a workload, found by laying everything out."""

from dataclasses import dataclass
from itertools import pairwise

from costmodels.workload import Workload
from twin.filters import lay_out, strip_rows
from twin.machine import TAPS, Machine
from twin.tiles import Layers, groups, in_raster_order, membrane_demand, rows_per_tile, spike_demand

ROWS_IN_TAP_BANKS = 8


SUBJECTS = {
    "vector width": "pooling window of {}",
    "vector width over lanes": "strip flattened for the fully connected layer in {}",
    "spike buffer": "one tile row of {} in half the spike buffer",
    "membrane buffer": "membranes of one tile row of {}",
    "weight buffer": "largest filter of {} in half the weight buffer",
}


@dataclass(frozen=True, order=True)
class Reason:
    """What is too small, the names of the layers it is too small for, demand and bound."""

    what: str
    layers: tuple[str, ...]
    demand: int
    bound: int

    @property
    def subject(self) -> str:
        """What the model says does not fit: one layer, or the first and the last of a group."""
        first, last = self.layers[0], self.layers[-1]
        return SUBJECTS[self.what].format(first if first == last else f"{first}..{last}")


def reasons(workload: Workload, machine: Machine) -> list[Reason]:
    """All reasons, sorted; empty for a machine that can run the workload."""
    found: list[Reason] = []
    for indices in groups(workload.layers, machine.depth):
        layers = in_raster_order([workload.layers[index] for index in indices], workload.layers, indices[0])
        found += strips_too_low(layers, machine) + strips_too_wide(layers, machine)
        found += maps_too_large(layers, machine, workload.timesteps) + filters_too_large(layers, machine)
    return sorted(found)


def strips_too_low(layers: Layers, machine: Machine) -> list[Reason]:
    """Layers whose pooling window does not fit a strip."""
    return [
        Reason("vector width", (layer.name,), layer.pool, len(range(0, machine.rows, layer.stride)))
        for layer in layers
        if strip_rows(layer, machine) == 0
    ]


def strips_too_wide(layers: Layers, machine: Machine) -> list[Reason]:
    """Fully connected layers that cannot take a strip's rows in one write."""
    bound = ROWS_IN_TAP_BANKS * machine.lanes
    names = tuple(layer.name for layer in layers)
    return [
        Reason("vector width over lanes", names, machine.rows, bound)
        for before, layer in pairwise(layers)
        if before.kind == "conv" and layer.kind == "fc" and machine.rows > bound
    ]


def maps_too_large(layers: Layers, machine: Machine, timesteps: int) -> list[Reason]:
    """Buffers that do not hold one row of the group's last map."""
    names = tuple(layer.name for layer in layers)
    if rows_per_tile(layers, machine, timesteps):
        return []
    demands = (
        ("spike buffer", spike_demand(layers, 1, machine, timesteps), machine.spike_half),
        ("membrane buffer", membrane_demand(layers, 1, machine), machine.membrane),
    )
    return [Reason(what, names, demand, bound) for what, demand, bound in demands if demand > bound]


def filters_too_large(layers: Layers, machine: Machine) -> list[Reason]:
    """Layers with a filter that fills more than a half, in a group whose filters do not all fit."""
    word = TAPS * machine.lanes
    sizes = [[word * lay_out(layer, m, machine.lanes).words for m in range(layer.filters)] for layer in layers]
    if sum(map(sum, sizes)) <= machine.weight_half:
        return []
    return [
        Reason("weight buffer", (layer.name,), max(bits), machine.weight_half)
        for layer, bits in zip(layers, sizes, strict=True)
        if max(bits) > machine.weight_half
    ]
