"""Every method end to end on the digits: trained, scored in integers, lowered to work and priced."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from small_networks import digits_genome

from costmodels.accelerator import AcceleratorBatch, AcceleratorConfig
from costmodels.cost_table import CostTable
from costmodels.evaluate import evaluate
from costmodels.technology import Technology
from dse.cache import ScoreCache
from dse.data import Dataset, load
from dse.export.integer_network import run_integer
from dse.score import NetworkScore, lowered
from dse.training import optimise, run
from dse.training.model import SpikingNetwork
from searchspaces.genome import LayerGenome, NetworkGenome
from searchspaces.recipe import Recipe

RECIPE = Recipe(epochs=6, learning_rate=5e-3)
PLAIN = digits_genome(timesteps=4, reset="soft")


def pruned(genome: NetworkGenome, ratio: float) -> tuple[LayerGenome, ...]:
    """Its layers, the second one pruned."""
    first, second, *others = genome.layers
    return (first, replace(second, prune_ratio=ratio), *others)


METHODS = {
    "levels": replace(PLAIN, levels=3),
    "levels-average": replace(PLAIN, levels=7, pooling="average"),
    "membrane": replace(PLAIN, pooling="membrane"),
    "count": replace(PLAIN, pooling="count"),
    "two-stage": replace(PLAIN, timesteps=1, reset="hard", first_stage_timesteps=4),
    "bwo": replace(PLAIN, bwo=True),
    "ale-loss": replace(digits_genome(timesteps=4, reset="soft", bits=4), ale_loss=1.0),
    "conversion": replace(PLAIN, route="conversion", timesteps=16, levels=3),
    "conversion-rounded": replace(PLAIN, route="rounded-conversion"),
    "conversion-pruned": replace(PLAIN, route="conversion", timesteps=8, levels=7, layers=pruned(PLAIN, 0.6)),
    "dynamic": replace(PLAIN, layers=pruned(PLAIN, 0.6), dynamic_pruning=True),
}
MACHINE = {"vector_width": 4, "channel_lanes": 8, "fusion_depth": 2, "spike_buffer_kib": 64, "weight_buffer_kib": 64}


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits", None)


def score_of(genome: NetworkGenome, digits: Dataset, cache: ScoreCache) -> NetworkScore:
    score = run.train(genome, digits, RECIPE, 0, cache, device="cpu", threads=1)
    assert isinstance(score, NetworkScore)
    return score


def cost(genome: NetworkGenome, score: NetworkScore, order: str = "inner") -> CostTable:
    work = lowered(genome, score)
    machine = AcceleratorConfig(**MACHINE, time_order=order, membrane_buffer_kib=64 if order == "outer" else 0)  # type: ignore[arg-type]
    return evaluate(work, AcceleratorBatch.of([machine]), Technology.default())


@pytest.mark.parametrize("name", METHODS)
def test_a_method_learns_deploys_and_is_priced(name: str, digits: Dataset, tmp_path: Path) -> None:
    genome, cache = METHODS[name], ScoreCache(tmp_path / "cache")
    score = score_of(genome, digits, cache)
    assert score.accuracy > 0.85
    assert abs(score.correct - score.deployed_correct) <= 4
    found = run_integer(cache.integer_network(score), digits.validation.images)
    assert int((found.predictions == digits.validation.labels).sum()) == score.deployed_correct
    assert cost(genome, score).feasible.all()
    assert run.test(genome, score, cache, digits.validation, device="cpu").deployed_correct == score.deployed_correct


def test_ranks_cost_registers_under_inner_and_memory_under_outer(digits: Dataset, tmp_path: Path) -> None:
    """One activity for all: what differs is the rule alone."""
    score = score_of(replace(PLAIN, timesteps=4), digits, ScoreCache(tmp_path))
    genomes = {rule: replace(PLAIN, pooling=rule) for rule in ("or", "membrane", "count")}
    inner = {rule: cost(genome, score) for rule, genome in genomes.items()}
    area = {rule: float(table.area_mm2[0]) for rule, table in inner.items()}
    assert area["or"] < area["count"] < area["membrane"]
    energy = {rule: float(table.energy_uj[0]) for rule, table in inner.items()}
    assert energy["or"] < energy["count"] < energy["membrane"]
    assert len({float(table.latency_ms[0]) for table in inner.values()}) == 1
    reads = {
        rule: float(cost(genome, score, "outer").schedule.events.membrane_reads.sum())
        for rule, genome in genomes.items()
    }
    assert reads["or"] < reads["count"] == reads["membrane"]


def test_dynamic_pruning_brings_kernels_back_and_ends_exact(
    digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def watched(network: SpikingNetwork, progress: float) -> None:
        original(network, progress)
        kept = network.all_synapses()[1].kept
        assert kept is not None
        seen.append(kept.numpy().copy())

    original = optimise.prune_network
    monkeypatch.setattr(optimise, "prune_network", watched)
    genome = METHODS["dynamic"]
    score = score_of(genome, digits, ScoreCache(tmp_path))
    came_back = sum(int((after & ~before).sum()) for before, after in pairwise(seen))
    assert came_back > 0
    assert (~score.masks["conv2"]).sum() == int(0.6 * 16 * 8)
    assert np.array_equal(score.masks["conv2"], seen[-1])
    settled = [mask for mask in seen if (~mask).sum() == int(0.6 * 16 * 8)]
    assert np.array_equal(settled[-1], settled[-2])
    seen.clear()
    score_of(replace(genome, dynamic_pruning=False), digits, ScoreCache(tmp_path))
    assert sum(int((after & ~before).sum()) for before, after in pairwise(seen)) == 0
