"""Configurations of the accelerator: one, and a batch of many as arrays."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from costmodels.errors import ConfigurationError

TIME_ORDERS = ("inner", "outer")


@dataclass(frozen=True)
class AcceleratorConfig:
    """One machine.

    Attributes:
        vector_width: output rows computed at once (V).
        channel_lanes: input channels read at once (L).
        fusion_depth: consecutive layers run with the maps between them kept on chip (F).
        spike_buffer_kib: ping-pong spike maps, both halves together.
        weight_buffer_kib: weights of the layers in flight, both halves of the double buffer.
        time_order: ``"inner"`` runs all steps of a strip back to back, ``"outer"`` one step of a group at a time.
        membrane_buffer_kib: membranes of the layers in flight; 0 unless ``time_order`` is ``"outer"``.
    """

    vector_width: int
    channel_lanes: int
    fusion_depth: int
    spike_buffer_kib: int
    weight_buffer_kib: int
    time_order: Literal["inner", "outer"] = "inner"
    membrane_buffer_kib: int = 0

    def __post_init__(self) -> None:
        for name in ("vector_width", "channel_lanes", "fusion_depth", "spike_buffer_kib", "weight_buffer_kib"):
            if getattr(self, name) < 1:
                raise ConfigurationError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.membrane_buffer_kib < 0:
            raise ConfigurationError(f"membrane_buffer_kib must be at least 0, not {self.membrane_buffer_kib}")
        if self.time_order not in TIME_ORDERS:
            raise ConfigurationError(f"time_order must be one of {', '.join(TIME_ORDERS)}, not {self.time_order!r}")
        if self.time_order == "inner" and self.membrane_buffer_kib:
            raise ConfigurationError(
                "membrane_buffer_kib must be 0 with time_order inner, where membranes live in registers, "
                f"not {self.membrane_buffer_kib}"
            )


@dataclass(frozen=True, eq=False)
class AcceleratorBatch:
    """``n`` machines as arrays of length ``n``, in the order of the fields of `AcceleratorConfig`.

    ``outer`` is True where ``time_order`` is ``"outer"``.
    """

    vector_width: NDArray[np.int64]
    channel_lanes: NDArray[np.int64]
    fusion_depth: NDArray[np.int64]
    spike_buffer_kib: NDArray[np.int64]
    weight_buffer_kib: NDArray[np.int64]
    outer: NDArray[np.bool_]
    membrane_buffer_kib: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.vector_width)

    def __getitem__(self, index: int) -> AcceleratorConfig:
        values = {f.name: int(getattr(self, f.name)[index]) for f in fields(self) if f.name != "outer"}
        return AcceleratorConfig(**values, time_order=TIME_ORDERS[int(self.outer[index])])  # type: ignore[arg-type]

    def take(self, index: Sequence[int] | NDArray[np.int64] | slice) -> "AcceleratorBatch":
        """The machines at ``index``, as a batch."""
        return AcceleratorBatch(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    @classmethod
    def of(cls, configs: Iterable[AcceleratorConfig]) -> "AcceleratorBatch":
        """The batch that holds ``configs`` in their order."""
        rows = list(configs)
        integers = {
            f.name: np.array([getattr(row, f.name) for row in rows], dtype=np.int64)
            for f in fields(AcceleratorConfig)
            if f.name != "time_order"
        }
        return cls(**integers, outer=np.array([row.time_order == "outer" for row in rows], dtype=np.bool_))
