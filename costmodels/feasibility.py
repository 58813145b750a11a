"""Machines that cannot run a workload: every reason with demand, bound, unit and what would help (section 6)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np

from costmodels.accelerator import AcceleratorConfig
from costmodels.filters import Integers, filter_bank
from costmodels.machine import MACHINE
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


def unpooled_strip(layer: LayerWorkload, vector_width: int) -> bool:
    """A pooling window of ``layer`` is taller than a strip."""
    return layer.kind == "conv" and layer.pool > -(-vector_width // layer.stride)


def flattened(group: Group) -> bool:
    """A fully connected layer of the group reads the map of a convolution of the group."""
    kinds = [layer.kind for layer in group.layers]
    return ("conv", "fc") in pairwise(kinds)


def widest_flattened_strip(channel_lanes: Number) -> Number:
    """Rows of a strip that fit the tap banks of a fully connected layer's input in one write."""
    return (MACHINE.taps - 1) * channel_lanes


def infeasibilities(workload: Workload, config: AcceleratorConfig) -> tuple[Infeasible, ...]:
    """Every reason why ``config`` cannot run ``workload``; empty when it can."""
    reasons: list[Infeasible] = []
    for group in groups(workload, config.fusion_depth):
        reasons += _vector_width(group, config)
        reasons += _spike_buffer(group, config)
        reasons += _membrane_buffer(group, config)
        reasons += _weight_buffer(group, config)
    return tuple(reasons)


def _vector_width(group: Group, config: AcceleratorConfig) -> Iterator[Infeasible]:
    for layer in group.layers:
        if unpooled_strip(layer, config.vector_width):
            yield Infeasible(
                f"pooling window of {layer.name}",
                layer.pool,
                -(-config.vector_width // layer.stride),
                "rows of a strip",
                f"choose vector_width of at least {(layer.pool - 1) * layer.stride + 1}",
            )
    widest = widest_flattened_strip(config.channel_lanes)
    if flattened(group) and config.vector_width > widest:
        yield Infeasible(
            f"strip flattened for the fully connected layer in {group.name}",
            config.vector_width,
            widest,
            "rows",
            f"choose vector_width of at most {widest}, more channel_lanes, or fusion_depth 1",
        )


def _spike_buffer(group: Group, config: AcceleratorConfig) -> Iterator[Infeasible]:
    outer = config.time_order == "outer"
    demand = int(spike_demand_bits(group, np.array([1]), config.channel_lanes, outer)[0])
    bound = half_bits(config.spike_buffer_kib)
    if demand > bound:
        remedies = [f"spike_buffer_kib of at least {-(-2 * demand // BITS_PER_KIB)}"]
        remedies += ["a smaller fusion_depth"] if len(group.layers) > 1 else []
        remedies += [] if outer or group.timesteps == 1 else ["time_order outer"]
        subject = f"one tile row of {group.name} in half the spike buffer"
        yield Infeasible(subject, demand, bound, "bits", "choose " + " or ".join(remedies))


def _membrane_buffer(group: Group, config: AcceleratorConfig) -> Iterator[Infeasible]:
    demand = int(membrane_demand_bits(group, np.array([1]))[0])
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
