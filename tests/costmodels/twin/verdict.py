"""Every reason why a machine cannot run a workload, found by laying everything out."""

from dataclasses import dataclass
from itertools import pairwise

from costmodels.workload import Workload
from twin.filters import lay_out, strip_rows
from twin.machine import TAPS, Machine
from twin.tiles import Layers, groups, in_raster_order, membrane_demand, rows_per_tile, spike_demand

COLUMN_BANKS = 3

SUBJECTS = {
    "vector width": "pooling window of {}",
    "odd lanes": "both maps of a threshold pair of {} in one word",
    "bit planes": "an element of {}",
    "flat bit planes": "an element of {} where {} reads it in the same group",
    "vector width over lanes": "elements of a strip of {} flattened for {}",
    "spike buffer": "one tile row of {} in half the spike buffer",
    "membrane buffer": "membranes of one tile row of {}",
    "weight buffer": "largest filter of {} in half the weight buffer",
}
OF_A_GROUP = ("spike buffer", "membrane buffer")


@dataclass(frozen=True, order=True)
class Reason:
    """What is too small, the names of the layers it is too small for, demand and bound."""

    what: str
    layers: tuple[str, ...]
    demand: int
    bound: int

    @property
    def subject(self) -> str:
        """What the model says does not fit: a layer, a pair, or the first and the last of a group."""
        first, last = self.layers[0], self.layers[-1]
        if self.what in OF_A_GROUP and first != last:
            return SUBJECTS[self.what].format(f"{first}..{last}")
        return SUBJECTS[self.what].format(*self.layers)


def reasons(workload: Workload, machine: Machine) -> list[Reason]:
    """All reasons, sorted; empty for a machine that can run the workload."""
    found: list[Reason] = []
    for indices in groups(workload.layers, machine.depth):
        layers = in_raster_order([workload.layers[index] for index in indices], workload.layers, indices[0])
        found += strips_too_low(layers, machine) + pairs_apart(layers, machine) + flat_too_wide(layers, machine)
        found += planes_collide(layers, machine)
        found += maps_too_large(layers, machine, workload.timesteps) + filters_too_large(layers, machine)
    return sorted(found)


def strips_too_low(layers: Layers, machine: Machine) -> list[Reason]:
    """Layers whose pooling window does not fit a strip."""
    return [
        Reason("vector width", (layer.name,), layer.pool, len(range(0, machine.rows, layer.stride)))
        for layer in layers
        if strip_rows(layer, machine) == 0
    ]


def pairs_apart(layers: Layers, machine: Machine) -> list[Reason]:
    """Layers whose neighbouring channels 2 m and 2 m + 1 may lie in two words."""
    return [
        Reason("odd lanes", (layer.name,), machine.lanes + 1, machine.lanes)
        for layer in layers
        if layer.dual_threshold
        and any((2 * m) // machine.lanes != (2 * m + 1) // machine.lanes for m in range(machine.lanes))
    ]


def planes_collide(layers: Layers, machine: Machine) -> list[Reason]:
    """Layers whose elements have more bits than one cycle can write: one a bank, or one a pair of tap banks."""
    found = []
    for layer, reader in zip(layers, [*layers[1:], None], strict=True):
        flat = reader is not None and reader.kind == "fc"
        bound = sum(1 for _ in range(0, TAPS - 1, 2)) if flat else 2 * COLUMN_BANKS
        if layer.spiking and layer.output_bits > bound:
            names = (layer.name, reader.name) if flat and reader else (layer.name,)
            found.append(Reason("flat bit planes" if flat else "bit planes", names, layer.output_bits, bound))
    return found


def taps_touched(elements: int, lanes: int) -> int:
    """Taps under so many neighbouring elements, if they begin in the last lane."""
    return len({(lanes - 1 + element) // lanes for element in range(elements)})


def flat_too_wide(layers: Layers, machine: Machine) -> list[Reason]:
    """Layers before a fully connected one whose strip, laid side by side, meets a tap twice."""
    found = []
    for before, layer in pairwise(layers):
        if layer.kind != "fc":
            continue
        elements = strip_rows(before, machine) // before.pool * (2 if before.dual_threshold else 1)
        taps = TAPS if before.output_bits == 1 else 2
        most = max(n for n in range(1, TAPS * machine.lanes + 1) if taps_touched(n, machine.lanes) <= taps)
        if elements > most:
            found.append(Reason("vector width over lanes", (before.name, layer.name), elements, most))
    return found


def maps_too_large(layers: Layers, machine: Machine, timesteps: int) -> list[Reason]:
    """Buffers that do not hold one row of the group's last map."""
    names = tuple(layer.name for layer in layers)
    if rows_per_tile(layers, machine, timesteps):
        return []
    demands = (
        ("spike buffer", spike_demand(layers, 1, machine, timesteps), machine.spike_half),
        ("membrane buffer", membrane_demand(layers, 1, machine, timesteps), machine.membrane),
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
