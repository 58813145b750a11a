"""Machines whose buffers are as small as tiles, streamed filters and groups need, for the random small networks.

A KiB has 32 bits here, because at 8192 no network that Icarus simulates in a second would fill a buffer.
"""

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from small_cores import random_core

import costmodels.feasibility
import costmodels.fitting
import costmodels.occupancy
from costmodels.accelerator import AcceleratorBatch, AcceleratorConfig
from costmodels.occupancy import occupancies
from costmodels.schedule import Schedule, count
from costmodels.tiling import groups
from costmodels.workload import Workload
from dse.export.integer_network import IntegerNetwork
from dse.export.machine_order import workload

Order = Literal["inner", "outer"]
SMALL_KIB_BITS = 32
RATES = (0.3, 0.7, 1.0, 2.5, 12.8)
DRAWS = 60
MOST_TRIED = 6


def shrink_kib(patch: pytest.MonkeyPatch) -> None:
    """Let a KiB of the cost model have `SMALL_KIB_BITS` bits."""
    for module in (costmodels.feasibility, costmodels.fitting, costmodels.occupancy):
        patch.setattr(module, "BITS_PER_KIB", SMALL_KIB_BITS)


def bytes_per_cycle(seed: int) -> float:
    return RATES[seed % len(RATES)]


def schedule_of(work: Workload, config: AcceleratorConfig, rate: float) -> Schedule:
    return count(work, AcceleratorBatch.of([config]), rate)


def tight_machine(seed: int, order: Order = "inner") -> tuple[IntegerNetwork, AcceleratorConfig] | None:
    """A random network, and the machine that needs most tiles, streams and groups; None if no drawn one can run it."""
    network, ample = random_core(seed)
    if ample.vector_width > 4 or ample.channel_lanes > 4:
        ample = replace(ample, vector_width=1 + seed % 4, channel_lanes=1 + seed // 4 % 4)
    work = workload(network)
    drawn = drawn_machines(np.random.default_rng([seed, 1]), replace(ample, time_order=order))
    runs = count(work, AcceleratorBatch.of(drawn), 1.0).feasible
    able = [config for config, can in zip(drawn, runs, strict=True) if can][:MOST_TRIED]
    return (network, max(able, key=lambda config: tightness(work, config))) if able else None


def tightness(work: Workload, config: AcceleratorConfig) -> int:
    """Layers in several tiles, two or more in a group counting most, streamed groups, and whether there are groups."""
    full, fused = occupancies(work, config), groups(work, config.fusion_depth)
    tiled = sum(len(group.layers) ** 2 for one, group in zip(full, fused, strict=True) if one.tiles > 1)
    return tiled + sum(not one.resident for one in full) + (len(full) > 1)


def drawn_machines(rng: np.random.Generator, ample: AcceleratorConfig) -> list[AcceleratorConfig]:
    return [
        replace(
            ample,
            fusion_depth=int(rng.integers(1, 5)),
            spike_buffer_kib=int(2 ** rng.uniform(2, 9)),
            weight_buffer_kib=int(2 ** rng.uniform(3, 9)),
            membrane_buffer_kib=int(2 ** rng.uniform(4, 10)) if ample.time_order == "outer" else 0,
        )
        for _ in range(DRAWS)
    ]
