"""A training run from genome to cached score, and the ways in which it fails."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_networks import digits_genome

from dse.cache import ScoreCache
from dse.data import Dataset, Split, load
from dse.export.integer_network import run_integer
from dse.score import Failed, NetworkScore
from dse.training import optimise, run
from dse.training.bwo import PHASE_LEARNING_RATE, phase_begins
from dse.training.optimise import learning_rate_factor, learning_rate_factor_of_phases, optimiser, prune_is_due
from searchspaces.genome import NetworkGenome
from searchspaces.recipe import Recipe

QUICK = Recipe(epochs=2, train_samples=300, batch_size=64, learning_rate=5e-3)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits", None)


@pytest.fixture
def cache(tmp_path: Path) -> ScoreCache:
    return ScoreCache(tmp_path / "cache")


def score_of(genome: NetworkGenome, digits: Dataset, recipe: Recipe, cache: ScoreCache, **how: Any) -> NetworkScore:
    score = run.train(genome, digits, recipe, how.pop("seed", 0), cache, device="cpu", threads=1)
    assert isinstance(score, NetworkScore)
    return score


def test_a_digits_network_learns_and_deploys(digits: Dataset, cache: ScoreCache) -> None:
    genome = digits_genome(timesteps=4)
    score = score_of(genome, digits, Recipe(epochs=10, learning_rate=5e-3), cache)
    assert score.accuracy > 0.93
    assert score.deployed_accuracy > 0.93
    assert abs(score.correct - score.deployed_correct) <= 4
    assert score.samples == len(digits.validation)
    assert set(score.firing_rates) == {"conv1", "conv2", "fc1"}
    assert all(len(rates) == 4 and all(0 < rate < 1 for rate in rates) for rates in score.firing_rates.values())
    assert score.masks == {}


def test_the_score_is_what_the_stored_integer_network_says(digits: Dataset, cache: ScoreCache) -> None:
    genome = digits_genome(pooling="average")
    score = score_of(genome, digits, QUICK, cache)
    found = run_integer(cache.integer_network(score), digits.validation.images, keep=True)
    assert int((found.predictions == digits.validation.labels).sum()) == score.deployed_correct
    for name, planes in (("conv1", 1), ("conv2", 3), ("fc1", 1)):
        stored = found.stored[name]
        bits = np.unpackbits(stored[..., None], axis=-1).sum(axis=tuple(range(1, stored.ndim + 1)), dtype=np.int64)
        np.testing.assert_allclose(score.firing_rates[name], bits / (stored[0].size * planes), rtol=1e-12)
    pixels = np.unpackbits(digits.validation.images[..., None], axis=-1).sum()
    assert score.input_density == pytest.approx((pixels / (digits.validation.images.size * 5),))


def test_test_scores_the_stored_weights(digits: Dataset, cache: ScoreCache) -> None:
    genome = digits_genome()
    score = score_of(genome, digits, QUICK, cache)
    again = run.test(genome, score, cache, digits.validation, device="cpu")
    assert (again.deployed_correct, again.samples) == (score.deployed_correct, score.samples)
    assert abs(again.correct - score.correct) <= 1
    few = run.test(genome, score, cache, digits.train.take(np.arange(50)), device="cpu")
    assert few.samples == 50


def test_same_seed_same_score_another_seed_another(digits: Dataset, tmp_path: Path) -> None:
    genome = digits_genome()
    recipe = replace(QUICK, augment="shift-flip", label_smoothing=0.1)
    scores = [
        score_of(genome, digits, recipe, ScoreCache(tmp_path / name), seed=seed)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    files = [(tmp_path / name / score.weights).read_bytes() for name, score in zip("abc", scores, strict=True)]
    assert files[0] == files[1] != files[2]
    assert scores[0].firing_rates == scores[1].firing_rates != scores[2].firing_rates


def test_the_callers_random_numbers_and_threads_are_left_alone(digits: Dataset, cache: ScoreCache) -> None:
    torch.manual_seed(5)
    expected, threads = torch.rand(3), torch.get_num_threads()
    torch.manual_seed(5)
    score_of(digits_genome(), digits, replace(QUICK, epochs=1), cache)
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads


def test_a_second_request_is_answered_from_the_cache(
    digits: Dataset, cache: ScoreCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = score_of(digits_genome(), digits, QUICK, cache)
    monkeypatch.setattr(run, "fit", lambda *_: pytest.fail("trained again"))
    second = score_of(digits_genome(), digits, replace(QUICK, time_budget_s=1.0), cache)
    assert second.seconds == first.seconds
    assert second.firing_rates == first.firing_rates


@pytest.mark.parametrize("ratio", [0.3, 0.75])
def test_masks_are_exact_in_score_and_integer_network(ratio: float, digits: Dataset, cache: ScoreCache) -> None:
    genome = digits_genome()
    pruned = tuple(replace(layer, prune_ratio=0.0 if layer.name == "conv1" else ratio) for layer in genome.layers)
    score = score_of(replace(genome, layers=pruned), digits, QUICK, cache)
    assert set(score.masks) == {"conv2", "fc1", "out"}
    sizes = {"conv2": 16 * 8, "fc1": 32 * 256, "out": 10 * 32}
    network = cache.integer_network(score)
    for part in (*network.layers[1:], network.classifier):
        mask = score.masks[part.name]
        assert (~mask).sum() == round(ratio * 100) * sizes[part.name] // 100
        assert part.kept is not None
        assert np.array_equal(part.kept, mask)
        assert np.array_equal((part.weights != 0).any((2, 3)), mask)


def test_masks_are_exact_after_a_single_step(digits: Dataset, cache: ScoreCache) -> None:
    genome = digits_genome()
    pruned = (genome.layers[0], replace(genome.layers[1], prune_ratio=0.5), *genome.layers[2:])
    one_step = replace(QUICK, epochs=1, train_samples=64)
    score = score_of(replace(genome, layers=pruned), digits, one_step, cache)
    assert (~score.masks["conv2"]).sum() == 64


def test_not_a_number_is_a_failure(digits: Dataset, cache: ScoreCache) -> None:
    exploding = replace(QUICK, weight_decay=1e38)
    result = run.train(digits_genome(bits=8), digits, exploding, 0, cache, device="cpu", threads=1)
    assert isinstance(result, Failed)
    assert result.reason == "diverged"
    assert result.message == "the loss became nan"
    assert not cache.folder.exists()


def test_parameters_that_are_no_numbers_at_the_end_are_a_failure(digits: Dataset, cache: ScoreCache) -> None:
    one_step = replace(QUICK, epochs=1, train_samples=64, learning_rate=float("inf"))
    result = run.train(digits_genome(), digits, one_step, 0, cache, device="cpu", threads=1)
    assert isinstance(result, Failed)
    assert result.reason == "diverged"
    assert result.message.endswith("is not finite after training")


def test_enormous_parameters_fold_or_say_why_not(digits: Dataset, cache: ScoreCache) -> None:
    recipe = replace(QUICK, learning_rate=1e30)
    result = run.train(digits_genome(), digits, recipe, 0, cache, device="cpu", threads=1)
    if isinstance(result, Failed):
        assert result.reason == "crashed"
        assert result.message.startswith("membranes of layer ")
    else:
        assert 0 <= result.deployed_correct <= result.samples


def test_over_budget_is_a_failure_and_soon(digits: Dataset, cache: ScoreCache) -> None:
    result = run.train(
        digits_genome(), digits, Recipe(epochs=100_000, time_budget_s=0.2), 0, cache, device="cpu", threads=1
    )
    assert isinstance(result, Failed)
    assert result.reason == "over-budget"
    assert result.message == "the run took longer than its budget of 0.2 s"
    assert result.seconds >= 0.2


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: not enough memory: you tried"),
    ],
)
def test_out_of_memory_is_a_failure(
    error: Exception, digits: Dataset, cache: ScoreCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object) -> None:
        raise error

    monkeypatch.setattr(run, "fit", exhausted)
    result = run.train(digits_genome(), digits, QUICK, 0, cache, device="cpu", threads=1)
    assert isinstance(result, Failed)
    assert result.reason == "out-of-memory"
    assert result.message


def test_torch_really_says_not_enough_memory() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60)
    assert run.is_out_of_memory(caught.value)


def test_a_mistake_is_no_failure_of_training(
    digits: Dataset, cache: ScoreCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(*_: object) -> None:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(run, "fit", mistaken)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        run.train(digits_genome(), digits, QUICK, 0, cache, device="cpu", threads=1)


def test_a_set_smaller_than_a_batch_trains(digits: Dataset, cache: ScoreCache) -> None:
    few = Split(digits.train.images[:20], digits.train.labels[:20])
    score = score_of(digits_genome(), replace(digits, train=few), QUICK, cache)
    assert score.samples == len(digits.validation)


def test_learning_rate_rises_then_falls_to_nothing() -> None:
    factors = [learning_rate_factor(step, 100) for step in range(101)]
    peak = round(optimise.WARM_UP * 100)
    assert factors[peak] == max(factors) == 1
    assert factors[: peak + 1] == sorted(factors[: peak + 1])
    assert factors[peak:] == sorted(factors[peak:], reverse=True)
    assert factors[-1] == pytest.approx(0)


def test_before_flips_the_learning_rate_falls_to_nothing_and_rises_once_more_for_what_is_not_binary() -> None:
    factors = [learning_rate_factor_of_phases(step, 100) for step in range(101)]
    assert phase_begins(100) == 80
    assert factors[:81] == [learning_rate_factor(step, 80) for step in range(81)]
    assert 0.099 < factors[81] < PHASE_LEARNING_RATE == 0.1
    assert factors[90] == pytest.approx(0.05)
    assert factors[81:] == sorted(factors[81:], reverse=True)
    assert factors[100] == pytest.approx(0)
    assert [learning_rate_factor_of_phases(step, 4) for step in range(5)] == [
        learning_rate_factor(step, 4) for step in range(5)
    ]


def test_weights_alone_decay() -> None:
    network = run.build_network(digits_genome(), QUICK)
    decayed, others = optimiser(network, QUICK).param_groups
    assert {id(p) for p in decayed["params"]} == {id(s.weight) for s in network.all_synapses()}
    assert decayed["weight_decay"] == QUICK.weight_decay
    assert others["weight_decay"] == 0
    assert len(decayed["params"]) + len(others["params"]) == len(list(network.parameters()))


@pytest.mark.parametrize("steps", [1, 7, 40, 1000])
def test_masks_are_final_at_the_end_of_the_pruning_part(steps: int) -> None:
    due = [step for step in range(steps) if prune_is_due(step, steps)]
    assert due[-1] == min(int(np.ceil(0.6 * steps)), max(due))
    assert len(due) <= 42


def test_the_clock_is_looked_at_before_the_first_step() -> None:
    with pytest.raises(optimise.OverBudgetError):
        optimise.Deadline(time.perf_counter() - 2, 1.0).check()
    optimise.Deadline(time.perf_counter() - 2, None).check()
