"""The batch: equal to its rows, exact, additive; and no axis of machine or network without effect."""

import random
from dataclasses import fields, replace
from typing import Any, Literal

import numpy as np
import pytest
from cost_workloads import cifar, conv, fc, mnist, network, pruned

import costmodels.schedule as schedule_module
from costmodels.accelerator import AcceleratorBatch, AcceleratorConfig
from costmodels.errors import ConfigurationError
from costmodels.schedule import EVENTS, count
from costmodels.workload import LayerWorkload, Workload

BASE = AcceleratorConfig(8, 8, 2, 16, 4, "outer", 128)
TIGHT = AcceleratorConfig(8, 8, 2, 3, 1, "outer", 24)


def table(workload: Workload, *configs: AcceleratorConfig, dram: float = 1.0) -> np.ndarray[Any, Any]:
    events = count(workload, AcceleratorBatch.of(configs), dram).events
    return np.stack([getattr(events, name) for name in EVENTS])


def mixed(number: int, seed: int) -> list[AcceleratorConfig]:
    rng = random.Random(seed)
    outer = [rng.random() < 0.5 for _ in range(number)]
    return [
        AcceleratorConfig(
            rng.choice([2, 8, 16]),
            rng.choice([4, 6, 32]),
            rng.randint(1, 4),
            rng.choice([16, 64, 256]),
            rng.choice([2, 16, 128]),
            "outer" if each else "inner",
            rng.choice([32, 128]) if each else 0,
        )
        for each in outer
    ]


def test_batch_equals_its_rows_in_any_order() -> None:
    workload = network([*cifar().layers[:3], pruned(cifar().layers[3], 0.6)], 4)
    configs = mixed(60, 1)
    together = table(workload, *configs)
    for index, config in enumerate(configs):
        assert (together[:, index] == table(workload, config)[:, 0]).all()
    assert (table(workload, *reversed(configs)) == together[:, ::-1]).all()


def test_batches_are_counted_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    configs = mixed(25, 2)
    whole = count(mnist(), AcceleratorBatch.of(configs), 8.0)
    monkeypatch.setattr(schedule_module, "MACHINES_AT_ONCE", 7)
    parts = count(mnist(), AcceleratorBatch.of(configs), 8.0)
    assert (parts.events.cycles == whole.events.cycles).all()
    assert (parts.feasible == whole.feasible).all()
    assert (parts.rows_per_tile == whole.rows_per_tile).all()


def test_no_machine_at_all() -> None:
    empty = count(mnist(), AcceleratorBatch.of([BASE]).take(slice(0, 0)), 8.0)
    assert empty.events.cycles.shape == (0, 4)
    assert empty.feasible.shape == (0,)


def test_counts_are_whole_but_for_additions() -> None:
    for name, counts in zip(EVENTS, table(cifar(), *mixed(40, 3)), strict=True):
        assert name == "pe_adds" or (counts == np.floor(counts)).all()
        assert (counts >= 0).all()


def test_counts_too_large_to_be_exact_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"^counts must stay below 2\*\*53"):
        table(network([conv("c", 512, 1 << 17, 1 << 11, 8)]), AcceleratorConfig(8, 8, 2, 1 << 14, 64), dram=1e-6)


@pytest.mark.parametrize("rate", [0.0, -1.0, 1e-9, float("nan"), float("inf")])
def test_dram_must_move(rate: float) -> None:
    with pytest.raises(ConfigurationError, match=r"^dram_bytes_per_cycle must be above 0, not"):
        table(mnist(), BASE, dram=rate)


def test_more_dram_never_costs_cycles() -> None:
    configs = mixed(40, 4)
    cycles = [count(mnist(), AcceleratorBatch.of(configs), rate).events.cycles.sum(axis=1) for rate in (0.5, 2.0, 16.0)]
    assert (cycles[0] >= cycles[1]).all()
    assert (cycles[1] >= cycles[2]).all()


# fmt: off
AXES = {
    "vector_width": 4, "channel_lanes": 4, "fusion_depth": 1, "spike_buffer_kib": 2, "weight_buffer_kib": 64,
    "time_order": "inner", "membrane_buffer_kib": 12,
}
# fmt: on


@pytest.mark.parametrize("field", [field.name for field in fields(AcceleratorConfig)])
def test_every_axis_of_the_machine_matters(field: str) -> None:
    workload = network([conv("a", 8, 16, 16, 16, 2), conv("b", 16, 16, 16, 16, 2)], 2)
    extra = {"membrane_buffer_kib": 0} if field == "time_order" else {}
    changes: dict[str, Any] = {field: AXES[field]} | extra
    other = replace(TIGHT, **changes)
    schedule = count(workload, AcceleratorBatch.of([TIGHT, other]), 1.0)
    assert schedule.feasible.all(), [schedule.reasons(i) for i in range(2)]
    assert (schedule.events.cycles[0] != schedule.events.cycles[1]).any()


KEPT = np.arange(16 * 8).reshape(16, 8) % 3 > 0
# fmt: off
PROPERTIES: list[dict[str, Any]] = [
    {"in_channels": 9}, {"out_channels": 18}, {"in_width": 17, "out_width": 17}, {"in_height": 17, "out_height": 17},
    {"kernel": 1, "padding": 0}, {"kernel": 5, "padding": 2}, {"stride": 2, "out_height": 8, "out_width": 8},
    {"padding": 0, "out_height": 14, "out_width": 14}, {"weight_bits": 2}, {"input_bits": 2},
    {"static_input": True, "input_density": (0.25,)}, {"dual_threshold": True}, {"spiking": False}, {"levels": 3},
    {"pool": 2}, {"output_bits": 3}, {"input_density": (0.25, 0.5)}, {"kept": KEPT},
]
# fmt: on


@pytest.mark.parametrize("change", PROPERTIES, ids=lambda change: "-".join(change))
@pytest.mark.parametrize("order", ["inner", "outer"])
def test_every_property_of_a_layer_matters(change: dict[str, Any], order: Literal["inner", "outer"]) -> None:
    layer = conv("a", 8, 16, 16, 16, 2)
    config = replace(BASE, time_order=order, membrane_buffer_kib=128 if order == "outer" else 0)
    before, after = (table(network([each], 2), config) for each in (layer, replace(layer, **change)))
    assert (before != after).any()
    assert after.any()


def test_every_property_of_a_layer_is_in_that_list() -> None:
    without_count = {"name", "kind", "pooling", "output_density"}  # kind: below; or and average differ in output_bits
    assert {key for change in PROPERTIES for key in change} == {f.name for f in fields(LayerWorkload)} - without_count


def test_kind_and_timesteps_matter() -> None:
    one_pixel = conv("a", 90, 1, 1, 16, 2, kernel=1)
    assert (table(network([one_pixel], 2), BASE) != table(network([fc("a", 90, 16, 2)], 2), BASE)).any()
    two, three = (network([conv("a", 8, 16, 16, 16, steps)], steps) for steps in (2, 3))
    assert (table(two, BASE) != table(three, BASE)).any()


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([], "layers must be at least 1, not 0"),
        ([replace(conv("a", 4, 8, 8, 4), out_height=7)], "out_height must be 8 by kernel, stride and padding, not 7"),
        ([conv("a", 4, 8, 8, 4, kernel=1, padding=1)], "padding must be less than kernel 1, not 1"),
        ([conv("a", 4, 8, 8, 4, pool=9)], "pool must be at most out_height 8, not 9"),
        ([replace(fc("a", 4, 4), pool=2)], "pool must be 1 in a fully connected layer, not 2"),
        ([conv("a", 4, 8, 8, 4, input_density=(0.1, 0.2))], "input_density must have 1 values, not 2"),
        ([conv("a", 4, 8, 8, 4, kept=np.ones((4, 3), bool))], "kept must be 4 x 4, not 4 x 3"),
        ([conv("a", 4, 8, 8, 5, dual_threshold=True)], "out_channels must be even under a dual threshold, not 5"),
        ([conv("a", 4, 8, 8, 4, spiking=False), conv("b", 4, 8, 8, 4)], "spiking must be True before the last layer"),
        ([conv("a", 4, 8, 8, 4), conv("b", 4, 8, 8, 4, static_input=True)], "static_input must be False after"),
        ([conv("a", 4, 8, 8, 4, output_bits=3), conv("b", 4, 8, 8, 4)], "input_bits must be 3 as a stores, not 1"),
        ([conv("a", 4, 8, 8, 4), conv("b", 4, 4, 16, 4)], r"input must be \(4, 8, 8\) channels, rows, columns as a"),
        (
            [conv("a", 4, 8, 8, 4, dual_threshold=True, spiking=False)],
            "dual_threshold must be False in a layer without",
        ),
    ],
)
def test_contradictions_in_a_workload_are_refused(layers: list[LayerWorkload], message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{message}"):
        table(network(layers), BASE)
