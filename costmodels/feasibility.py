"""Machines that cannot run a workload: every reason with demand, bound, unit and what would help (section 6)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from costmodels.accelerator import AcceleratorConfig
from costmodels.filters import Integers, filter_bank
from costmodels.machine import MACHINE
from costmodels.slots import strip_rows
from costmodels.tiling import Group, groups, membrane_demand_bits, spike_demand_bits
from costmodels.workload import LayerWorkload, Workload

BITS_PER_KIB = 1024 * 8

Number = TypeVar("Number", int, Integers)


@dataclass(frozen=True)
class Infeasible:
    """One reason why a machine cannot run a workload.

    Attributes:
        subject: what is too small or too large, and for which layers.
        demand: what the workload needs.
        bound: what the machine offers.
        unit: of demand and bound.
        remedy: what would help.
    """

    subject: str
    demand: float
    bound: float
    unit: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.subject}: needs {self.demand:g} {self.unit}, has {self.bound:g}; {self.remedy}"


def half_bits(buffer_kib: Number) -> Number:
    """Bits of one half of a double buffer of ``buffer_kib``."""
    return buffer_kib * BITS_PER_KIB // 2


def infeasibilities(workload: Workload, config: AcceleratorConfig) -> tuple[Infeasible, ...]:
    """Every reason why ``config`` cannot run ``workload``; empty when it can."""
    reasons: list[Infeasible] = []
    for group in groups(workload, config.fusion_depth):
        reasons += unsuited_strips(group, config.vector_width, config.channel_lanes)
        reasons += _spike_buffer(group, config)
        reasons += _membrane_buffer(group, config)
        reasons += _weight_buffer(group, config)
    return tuple(reasons)


def unsuited_strips(group: Group, vector_width: int, channel_lanes: int) -> Iterator[Infeasible]:
    """What the strip and the word of lanes do not suit: pooling windows, pairs of maps, bit planes, fc inputs."""
    for layer, reader in zip(group.layers, [*group.layers[1:], None], strict=True):
        yield from _untidy_pool(layer, vector_width)
        yield from _split_pair(layer, channel_lanes)
        yield from _too_many_planes(layer, reader)
        if reader is not None and reader.kind == "fc":
            yield from _too_wide_for_taps(layer, reader, vector_width, channel_lanes)


def _untidy_pool(layer: LayerWorkload, vector_width: int) -> Iterator[Infeasible]:
    rows = -(-vector_width // layer.stride)
    if layer.kind == "conv" and layer.pool > rows:
        remedy = f"choose vector_width of at least {(layer.pool - 1) * layer.stride + 1}"
        yield Infeasible(f"pooling window of {layer.name}", layer.pool, rows, "rows of a strip", remedy)


def _split_pair(layer: LayerWorkload, channel_lanes: int) -> Iterator[Infeasible]:
    if layer.dual_threshold and channel_lanes % 2:
        remedy = "choose an even number of channel_lanes"
        subject = f"both maps of a threshold pair of {layer.name} in one word"
        yield Infeasible(subject, channel_lanes + 1, channel_lanes, "lanes", remedy)


def _too_many_planes(layer: LayerWorkload, reader: LayerWorkload | None) -> Iterator[Infeasible]:
    flat = reader is not None and reader.kind == "fc"
    most = MACHINE.flat_planes if flat else MACHINE.stored_planes
    if layer.spiking and layer.output_bits > most:
        where = f" where {reader.name} reads it in the same group" if flat and reader else ""
        remedy = "choose pooling or, fewer levels or a smaller pool"
        remedy += " or a fusion_depth that parts both layers" if flat else ""
        yield Infeasible(f"an element of {layer.name}{where}", layer.output_bits, most, "bit planes", remedy)


def _too_wide_for_taps(
    layer: LayerWorkload, reader: LayerWorkload, vector_width: int, channel_lanes: int
) -> Iterator[Infeasible]:
    elements = flattened_elements(layer, vector_width)
    most = widest_flattened_strip(layer, channel_lanes)
    if elements > most:
        remedy = "choose a smaller vector_width, more channel_lanes, or a fusion_depth that parts both layers"
        subject = f"elements of a strip of {layer.name} flattened for {reader.name}"
        yield Infeasible(subject, elements, most, "elements", remedy)


def flattened_elements(layer: LayerWorkload, vector_width: int) -> int:
    """Elements that one write stores side by side for a fully connected layer: rows of a strip, of both maps."""
    return int(strip_rows(layer, np.array(vector_width))) // layer.pool * (1 + layer.dual_threshold)


def widest_flattened_strip(layer: LayerWorkload, channel_lanes: int) -> int:
    """Elements that fit the tap banks of a fully connected layer's input in one write, wherever they begin in a lane.

    Bit planes lie two taps apart, so that all of an element are written at once.
    """
    taps = MACHINE.taps if layer.output_bits == 1 else MACHINE.taps // MACHINE.flat_planes
    return (taps - 1) * channel_lanes + 1


def _spike_buffer(group: Group, config: AcceleratorConfig) -> Iterator[Infeasible]:
    outer = config.time_order == "outer"
    width = np.array(config.vector_width)
    demand = int(spike_demand_bits(group, np.array([1]), width, config.channel_lanes, outer)[0])
    bound = half_bits(config.spike_buffer_kib)
    if demand > bound:
        remedies = [f"spike_buffer_kib of at least {-(-2 * demand // BITS_PER_KIB)}"]
        remedies += ["a smaller fusion_depth"] if len(group.layers) > 1 else []
        remedies += [] if outer or group.timesteps == 1 else ["time_order outer"]
        subject = f"one tile row of {group.name} in half the spike buffer"
        yield Infeasible(subject, demand, bound, "bits", "choose " + " or ".join(remedies))


def _membrane_buffer(group: Group, config: AcceleratorConfig) -> Iterator[Infeasible]:
    demand = int(membrane_demand_bits(group, np.array([1]), np.array(config.vector_width))[0])
    bound = config.membrane_buffer_kib * BITS_PER_KIB
    if config.time_order == "outer" and demand > bound:
        remedies = [f"membrane_buffer_kib of at least {-(-demand // BITS_PER_KIB)}", "time_order inner"]
        remedies += ["a smaller fusion_depth"] if len(group.layers) > 1 else []
        subject = f"membranes of one tile row of {group.name}"
        yield Infeasible(subject, demand, bound, "bits", "choose " + " or ".join(remedies))


def _weight_buffer(group: Group, config: AcceleratorConfig) -> Iterator[Infeasible]:
    banks = [filter_bank(layer, config.channel_lanes) for layer in group.layers]
    bound = half_bits(config.weight_buffer_kib)
    if sum(bank.buffer_bits for bank in banks) <= bound:
        return
    for layer, bank in zip(group.layers, banks, strict=True):
        demand = bank.largest_filter_bits
        if demand > bound:
            need = -(-2 * demand // BITS_PER_KIB)
            remedy = f"choose weight_buffer_kib of at least {need}, fewer in_channels or weight_bits"
            yield Infeasible(f"largest filter of {layer.name} in half the weight buffer", demand, bound, "bits", remedy)
