"""Machines for the tests of prices."""

import itertools

from costmodels.accelerator import AcceleratorBatch, AcceleratorConfig


def grid() -> AcceleratorBatch:
    """A small grid over every axis, with machines that cannot run much."""
    inner = itertools.product((2, 8, 32), (4, 32, 64), (1, 3), (4, 64, 256), (8, 128))
    outer = itertools.product((4, 16), (8, 32), (2,), (16, 128), (32,), (16, 128))
    return AcceleratorBatch.of(
        [AcceleratorConfig(*values) for values in inner]
        + [AcceleratorConfig(*values[:5], "outer", values[5]) for values in outer]
    )


def one(**fields: int | str) -> AcceleratorBatch:
    """A batch of one machine, the reference point with some fields changed."""
    base: dict[str, int | str] = {
        "vector_width": 8,
        "channel_lanes": 32,
        "fusion_depth": 2,
        "spike_buffer_kib": 64,
        "weight_buffer_kib": 64,
    }
    return AcceleratorBatch.of([AcceleratorConfig(**(base | fields))])  # type: ignore[arg-type]
