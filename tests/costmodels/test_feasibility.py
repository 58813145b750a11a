"""Machines that cannot run a workload: the reasons, their numbers and their remedies."""

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from cost_workloads import cifar, conv, fc, mnist, network

from costmodels.accelerator import AcceleratorBatch, AcceleratorConfig
from costmodels.feasibility import Infeasible, infeasibilities
from costmodels.schedule import EVENTS, count
from costmodels.workload import Workload

ROOMY = AcceleratorConfig(8, 8, 1, 4096, 4096)


def only_reason(workload: Workload, config: AcceleratorConfig) -> Infeasible:
    (reason,) = infeasibilities(workload, config)
    return reason


def test_spike_buffer_says_how_much_is_missing() -> None:
    layer = conv("c", 64, 32, 64, 64, 8)
    reason = only_reason(network([layer], 8), replace(ROOMY, spike_buffer_kib=16))
    assert (reason.demand, reason.bound, reason.unit) == (2 * 10 * 66 * 64 * 8, 8 * 8192, "bits")
    assert str(reason) == (
        "one tile row of c in half the spike buffer: needs 675840 bits, has 65536; "
        "choose spike_buffer_kib of at least 165 or time_order outer"
    )


def test_membrane_buffer_says_how_much_is_missing() -> None:
    config = replace(ROOMY, time_order="outer", membrane_buffer_kib=5)
    reason = only_reason(network([conv("c", 8, 32, 32, 64, 2)], 2), config)
    assert (reason.demand, reason.bound) == (32 * 64 * config.vector_width * 24, 5 * 8192)
    assert f"membrane_buffer_kib of at least {6 * config.vector_width}" in reason.remedy


def test_weight_buffer_must_hold_one_filter_in_each_half() -> None:
    reason = only_reason(network([fc("f", 9000, 4)]), replace(ROOMY, weight_buffer_kib=2))
    assert (reason.demand, reason.bound) == (72 * (125 + 1), 8192)
    assert reason.subject == "largest filter of f in half the weight buffer"


def test_pooling_window_must_fit_a_strip() -> None:
    layer = conv("c", 8, 16, 16, 4, stride=2, pool=4)
    reason = only_reason(network([layer]), replace(ROOMY, vector_width=6))
    assert (reason.demand, reason.bound) == (4, 3)
    assert not infeasibilities(network([layer]), replace(ROOMY, vector_width=7))
    assert reason.remedy == "choose vector_width of at least 7"


def test_flattened_strip_must_fit_the_tap_banks() -> None:
    workload = network([conv("c", 4, 12, 8, 4), fc("f", 384, 4)])
    config = replace(ROOMY, channel_lanes=1, fusion_depth=2)
    assert not infeasibilities(workload, replace(config, vector_width=9))
    reason = only_reason(workload, replace(config, vector_width=10))
    assert (reason.demand, reason.bound, reason.unit) == (10, 9, "elements")
    assert reason.subject == "elements of a strip of c flattened for f"
    assert not infeasibilities(workload, replace(config, vector_width=10, fusion_depth=1))


def test_bit_planes_and_pairs_narrow_the_flattened_strip() -> None:
    """Planes lie two taps apart, so the elements of a strip may touch only two; pairs count twice."""
    counts = network([conv("c", 4, 24, 24, 4, pool=2, pooling="average", output_bits=3), fc("f", 576, 4, input_bits=3)])
    config = replace(ROOMY, channel_lanes=2, fusion_depth=2)
    assert not infeasibilities(counts, replace(config, vector_width=7))
    reason = only_reason(counts, config)
    assert (reason.demand, reason.bound) == (4, 3)
    pairs = network([conv("c", 4, 24, 24, 4, dual_threshold=True), fc("f", 2304, 4)])
    assert only_reason(pairs, replace(config, vector_width=9)).demand == 18
    assert not infeasibilities(pairs, config)


def test_both_maps_of_a_threshold_pair_share_a_word() -> None:
    workload = network([conv("c", 4, 8, 8, 4, dual_threshold=True)])
    reason = only_reason(workload, replace(ROOMY, channel_lanes=5))
    assert str(reason) == (
        "both maps of a threshold pair of c in one word: needs 6 lanes, has 5; choose an even number of channel_lanes"
    )
    assert not infeasibilities(workload, replace(ROOMY, channel_lanes=6))


@pytest.mark.parametrize(("planes", "reasons"), [(6, 0), (7, 1)])
def test_an_element_is_written_in_one_cycle(planes: int, reasons: int) -> None:
    layer = conv("c", 4, 8, 8, 4, pool=2, pooling="average", levels=7, output_bits=planes)
    assert len(infeasibilities(network([layer]), ROOMY)) == reasons


def test_an_element_for_a_fully_connected_layer_has_four_planes() -> None:
    layers = [conv("c", 4, 8, 8, 4, pool=2, pooling="average", levels=7, output_bits=5), fc("f", 64, 4, input_bits=5)]
    reason = only_reason(network(layers), replace(ROOMY, fusion_depth=2))
    assert (reason.demand, reason.bound, reason.unit) == (5, 4, "bit planes")
    assert reason.subject == "an element of c where f reads it in the same group"
    assert not infeasibilities(network(layers), ROOMY)


def test_all_reasons_at_once() -> None:
    config = AcceleratorConfig(1, 8, 2, 1, 1, "outer", 0)
    layers = [*mnist().layers[:2], fc("wide", 3136, 8, 8, weight_bits=8)]
    subjects = [reason.subject for reason in infeasibilities(network(layers, 8), config)]
    assert subjects == [
        "pooling window of conv1",
        "pooling window of conv2",
        "one tile row of conv1..conv2 in half the spike buffer",
        "membranes of one tile row of conv1..conv2",
        "membranes of one tile row of wide",
        "largest filter of wide in half the weight buffer",
    ]


@pytest.mark.parametrize("field", ["spike_buffer_kib", "membrane_buffer_kib", "weight_buffer_kib", "vector_width"])
def test_following_the_remedy_helps(field: str) -> None:
    start: dict[str, Any] = {"spike_buffer_kib": 1, "weight_buffer_kib": 1, "vector_width": 1, "membrane_buffer_kib": 0}
    workload = network([conv("c", 600, 8, 32, 8, 2, pool=2)], 2)
    config = replace(ROOMY, time_order="outer", membrane_buffer_kib=4096)

    def with_value(value: int) -> AcceleratorConfig:
        changes: dict[str, Any] = {field: value}
        return replace(config, **changes)

    (reason,) = infeasibilities(workload, with_value(start[field]))
    needed = int(reason.remedy.split("at least ")[1].split(" ")[0].rstrip(","))
    assert not infeasibilities(workload, with_value(needed))
    assert infeasibilities(workload, with_value(needed - 1))


def test_the_flag_says_what_the_reasons_say_and_counts_are_zero() -> None:
    rng = random.Random(3)
    configs = []
    for _ in range(300):
        outer = rng.random() < 0.5
        configs.append(
            AcceleratorConfig(
                rng.choice([1, 2, 8, 32]),
                rng.choice([1, 4, 64]),
                rng.randint(1, 4),
                rng.choice([8, 64, 256]),
                rng.choice([1, 4, 64]),
                "outer" if outer else "inner",
                rng.choice([0, 16, 128]) if outer else 0,
            )
        )
    for workload in (mnist(), cifar(), network([fc("wide", 3136, 8, weight_bits=8)])):
        schedule = count(workload, AcceleratorBatch.of(configs), 8.0)
        assert 0 < schedule.feasible.sum() < len(configs)
        for index, feasible in enumerate(schedule.feasible):
            assert feasible == (not schedule.reasons(index))
            occupied = schedule.occupancy(index)
            depth = configs[index].fusion_depth
            assert schedule.rows_per_tile[index, ::depth].tolist() == [group.rows_per_tile for group in occupied]
        counts = np.stack([getattr(schedule.events, name) for name in EVENTS])
        assert (counts[:, ~schedule.feasible] == 0).all()
        assert np.isfinite(counts).all()
