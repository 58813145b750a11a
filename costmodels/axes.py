"""A batch of machines by the distinct values of each axis: what depends on few values is computed once for each."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from costmodels.accelerator import AcceleratorBatch
from costmodels.filters import Integers

LARGEST_TABLE = 1 << 22


def factor(values: Integers) -> tuple[Integers, Integers]:
    """Distinct ``values`` in rising order, and the index of each element among them; values are not negative."""
    largest = int(values.max(initial=0))
    if largest > LARGEST_TABLE:
        distinct, index = np.unique(values, return_inverse=True)
        return distinct, index
    present = np.zeros(largest + 1, dtype=np.bool_)
    present[values] = True
    position = np.cumsum(present) - 1
    return np.flatnonzero(present), position[values]


@dataclass(frozen=True, eq=False)
class Axes:
    """Distinct values of the axes of ``n`` machines; each ``..._index`` has length ``n``."""

    vector_widths: Integers
    vector_index: Integers
    channel_lanes: Integers
    lanes_index: Integers
    spike_kib: Integers
    spike_index: Integers
    weight_kib: Integers
    weight_index: Integers
    membrane_kib: Integers
    membrane_index: Integers
    outer: NDArray[np.bool_]

    def take(self, index: Integers) -> "Axes":
        """The machines at ``index``, over the same distinct values."""
        per_machine = [name for name in vars(self) if name.endswith("_index") or name == "outer"]
        return replace(self, **{name: getattr(self, name)[index] for name in per_machine})


def axes(batch: AcceleratorBatch) -> Axes:
    """The axes of ``batch`` but the fusion depth."""
    pairs = (
        factor(batch.vector_width),
        factor(batch.channel_lanes),
        factor(batch.spike_buffer_kib),
        factor(batch.weight_buffer_kib),
        factor(batch.membrane_buffer_kib),
    )
    return Axes(*pairs[0], *pairs[1], *pairs[2], *pairs[3], *pairs[4], outer=batch.outer)
