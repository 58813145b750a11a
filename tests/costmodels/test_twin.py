"""The closed form against the slow twin, which walks the loops: every count of every layer, every verdict."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from twin.configurations import Configuration, configuration, random_config
from twin.exact_fits import EXACT_FITS
from twin.filters import has_winners
from twin.inference import Group, Inference
from twin.machine import Machine
from twin.verdict import reasons

from costmodels.accelerator import AcceleratorBatch, AcceleratorConfig
from costmodels.events import EventCounts
from costmodels.schedule import count

SEEDS = range(400)
OFTEN_ENOUGH = 5
FEATURES = 63
HERE = -1


def neighbours(case: Configuration, seed: int) -> list[AcceleratorConfig]:
    """Other machines of the same batch, which must not matter."""
    random = Random(f"neighbours of {seed}")
    return [random_config(random, case.workload) for _ in range(3)]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_count_equals_the_twins(seed: int) -> None:
    """Exact integers, `pe_adds` up to rounding; the same machines are refused, for the same reasons."""
    case = configuration(seed)
    compare(case, neighbours(case, seed))


@pytest.mark.parametrize("case", EXACT_FITS, ids=lambda case: str(case.workload.name))
def test_a_buffer_may_be_full(case: Configuration) -> None:
    """What is exactly as large as the buffer fits."""
    assert not reasons(case.workload, Machine.of(case.config, case.dram_bytes_per_cycle))
    compare(case, [])


def compare(case: Configuration, others: list[AcceleratorConfig]) -> None:
    """Assert that the model counts on the machine of ``case`` what the twin counts."""
    machine = Machine.of(case.config, case.dram_bytes_per_cycle)
    batch = AcceleratorBatch.of([*others, case.config])
    schedule = count(case.workload, batch, case.dram_bytes_per_cycle)
    expected = reasons(case.workload, machine)
    said = [(reason.subject, reason.demand, reason.bound) for reason in schedule.reasons(HERE)]
    assert sorted(said) == sorted((reason.subject, reason.demand, reason.bound) for reason in expected)
    assert bool(schedule.feasible[HERE]) == (not expected)
    counted = {field.name: getattr(schedule.events, field.name)[HERE] for field in fields(EventCounts)}
    if expected:
        assert not any(counts.any() for counts in counted.values())
        return
    twin = Inference(case.workload, machine)
    twin.run()
    np.testing.assert_allclose(counted.pop("pe_adds"), twin.adds, rtol=1e-9)
    for name, counts in counted.items():
        assert counts.tolist() == [events[name] for events in twin.events], name
    assert twin.clock == schedule.events.cycles[HERE].sum()
    for group in twin.groups:
        assert schedule.rows_per_tile[HERE, group.indices].tolist() == [group.rows] * len(group.indices)


def layer_features(group: Group) -> Iterator[str]:
    """What the layers of a group exercise."""
    for layer in group.layers:
        kind = layer.kind if layer.spiking else f"{layer.kind} classifier"
        yield kind
        yield f"kernel {layer.kernel}"
        yield f"stride {layer.stride}"
        yield f"static {layer.static_input}, spiking {layer.spiking}"
        if layer.kept is not None:
            yield f"pruned {kind}"
            yield f"a filter without weights {not layer.kept.any(axis=1).all()}"
        yield f"two thresholds {layer.dual_threshold}"
        yield f"levels {layer.levels}"
        if layer.pool > 1:
            yield f"{layer.pooling} pooling, a row left over {layer.out_height % layer.pool > 0}"


def machine_features(case: Configuration) -> Iterator[str]:
    """What a configuration exercises of the machine."""
    machine = Machine.of(case.config, case.dram_bytes_per_cycle)
    found = reasons(case.workload, machine)
    yield from (f"infeasible: {reason.what}" for reason in found)
    if found:
        return
    groups = Inference(case.workload, machine).groups
    yield from ("weights ahead" for before, after in pairwise(groups) if before.resident and after.resident)
    for group in groups:
        order = "outer" if machine.outer else "inner"
        tiles = sum(1 for one in group.passes if one.first)
        yield f"{order}, resident {group.resident}, tiled {tiles > 1}"
        yield f"halo {tiles > 1 and len(group.layers) > 1}"
        yield f"layers {len(group.layers)}"
        yield f"{order}, winners {any(map(has_winners, group.layers))}"
        yield from layer_features(group)


def test_the_configurations_exercise_everything() -> None:
    """No feature is left to chance: each occurs several times among the seeds."""
    seen = Counter(feature for seed in SEEDS for feature in set(machine_features(configuration(seed))))
    rare = {feature: times for feature, times in seen.items() if times < OFTEN_ENOUGH}
    assert not rare
    assert len(seen) == FEATURES
