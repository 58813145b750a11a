"""The accelerators of a space: genes, single configurations, and all of them at once as a batch."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from costmodels.accelerator import AcceleratorBatch, AcceleratorConfig
from searchspaces.genes import Gene, chosen, clause

GRID = ("vector_width", "channel_lanes", "fusion_depth", "spike_buffer_kib", "weight_buffer_kib")


@dataclass(frozen=True)
class AcceleratorSpace:
    """Choices of each field of `AcceleratorConfig`; the membrane buffer is active under time order ``outer`` only."""

    vector_width: tuple[int, ...]
    channel_lanes: tuple[int, ...]
    fusion_depth: tuple[int, ...]
    spike_buffer_kib: tuple[int, ...]
    weight_buffer_kib: tuple[int, ...]
    time_order: tuple[str, ...] = ("inner",)
    membrane_buffer_kib: tuple[int, ...] = (0,)

    @cached_property
    def genes(self) -> tuple[Gene, ...]:
        """Every gene, each after the genes that its condition names; those with a single choice among them."""
        time_order = Gene("time_order", self.time_order, ordered=False)
        return (
            *(Gene(name, getattr(self, name)) for name in GRID),
            time_order,
            Gene("membrane_buffer_kib", self.membrane_buffer_kib, clause((time_order, ("outer",)))),
        )

    def config(self, params: Mapping[str, Any]) -> AcceleratorConfig:
        """The machine that ``params`` (gene name to choice) describe; inactive genes and foreign names are ignored.

        Raises:
            SpaceError: an active gene has no value, or one that is not among its choices.
        """
        return AcceleratorConfig(**chosen(self.genes, params))

    def combinations(self) -> int:
        """Number of different machines."""
        return math.prod(len(getattr(self, name)) for name in GRID) * len(self._orders())

    def enumerate(self) -> AcceleratorBatch:
        """Every machine once, in the order of the genes with the last one moving fastest."""
        orders = self._orders()
        axes = [np.asarray(getattr(self, name), dtype=np.int64) for name in GRID]
        grid = np.meshgrid(*axes, np.arange(len(orders)), indexing="ij")
        columns = dict(zip(GRID, (axis.ravel() for axis in grid), strict=False))
        outer = np.array([order == "outer" for order, _ in orders])
        membrane_kib = np.array([kib for _, kib in orders], dtype=np.int64)
        order = grid[-1].ravel()
        return AcceleratorBatch(**columns, outer=outer[order], membrane_buffer_kib=membrane_kib[order])

    def _orders(self) -> list[tuple[str, int]]:
        """Pairs of time order and membrane buffer that differ."""
        return [
            (order, kib)
            for order in self.time_order
            for kib in (self.membrane_buffer_kib if order == "outer" else (0,))
        ]

    def to_dict(self) -> dict[str, list[Any]]:
        """Axes as the keys of ``[accelerator]``."""
        return {f.name: list(getattr(self, f.name)) for f in fields(self)}
