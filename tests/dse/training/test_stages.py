"""Two-stage training: what each stage trains, and that the second starts where the first ended."""

import time
from dataclasses import replace
from typing import Any

import pytest
import torch
from small_networks import digits_genome

from dse.data import load
from dse.training import run
from dse.training.model import SpikingNetwork
from dse.training.stages import SECOND_LEARNING_RATE, Stage, stages
from searchspaces.recipe import Recipe

RECIPE = Recipe(epochs=5, train_samples=320, learning_rate=0.02)
GENOME = digits_genome(timesteps=1, first_stage_timesteps=4, bwo=True)


def test_one_stage_is_the_run_itself() -> None:
    genome = digits_genome(timesteps=2)
    assert stages(genome, RECIPE) == (Stage(genome, RECIPE),)


def test_two_stages_divide_the_epochs() -> None:
    first, second = stages(GENOME, RECIPE)
    assert (first.genome.timesteps, first.genome.bwo, first.settled) == (4, False, False)
    assert (second.genome, second.settled) == (GENOME, True)
    assert (first.recipe.epochs, second.recipe.epochs) == (2, 3)
    assert second.recipe.learning_rate == SECOND_LEARNING_RATE * first.recipe.learning_rate < 0.02
    assert [stage.recipe.epochs for stage in stages(GENOME, replace(RECIPE, epochs=1))] == [1, 1]


def test_a_first_stage_of_fewer_steps_takes_most_epochs() -> None:
    genome = digits_genome(timesteps=4, first_stage_timesteps=2)
    first, second = stages(genome, replace(RECIPE, epochs=9))
    assert (first.genome.timesteps, second.genome.timesteps) == (2, 4)
    assert (first.recipe.epochs, second.recipe.epochs) == (7, 2)
    assert second.recipe.learning_rate == SECOND_LEARNING_RATE * first.recipe.learning_rate
    assert [stage.recipe.epochs for stage in stages(genome, replace(RECIPE, epochs=1))] == [1, 1]


def test_a_rounded_conversion_has_two_stages_of_a_cnn() -> None:
    genome = digits_genome(timesteps=4, levels=3, reset="soft", route="rounded-conversion", bwo=True)
    first, second = stages(genome, RECIPE)
    assert first.rectified
    assert second.rectified
    assert (first.rounded_to, second.rounded_to) == (0, 4 * 3)
    assert (first.settled, second.settled) == (False, True)
    assert (first.genome.bwo, second.genome.bwo) == (False, True)
    assert first.genome.timesteps == second.genome.timesteps == 1
    assert (first.recipe, second.recipe) == tuple(stage.recipe for stage in stages(GENOME, RECIPE))
    (plain,) = stages(replace(genome, route="conversion"), RECIPE)
    assert (plain.rectified, plain.rounded_to, plain.recipe) == (True, 0, RECIPE)


def test_the_second_stage_starts_from_the_first_and_keeps_its_masks(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[dict[str, torch.Tensor]] = []
    ended: list[dict[str, torch.Tensor]] = []
    steps: list[int] = []

    def copied(network: SpikingNetwork) -> dict[str, torch.Tensor]:
        return {name: tensor.clone() for name, tensor in network.state_dict().items()}

    def watched(network: SpikingNetwork, *how: Any) -> None:
        begun.append(copied(network))
        steps.append(network.genome.timesteps)
        fit(network, *how)
        ended.append(copied(network))

    fit = run.fit
    monkeypatch.setattr(run, "fit", watched)
    layers = (GENOME.layers[0], replace(GENOME.layers[1], prune_ratio=0.5), *GENOME.layers[2:])
    genome = replace(GENOME, layers=layers, dynamic_pruning=True)
    network = run.trained(genome, load("digits", None), RECIPE, 0, torch.device("cpu"), time.perf_counter())
    assert steps == [4, 1]
    assert network.genome == genome
    assert all(torch.equal(ended[0][name], begun[1][name]) for name in ended[0])
    mask = "layers.conv2.synapses.kept"
    assert int((~ended[0][mask]).sum()) == 64
    assert torch.equal(ended[0][mask], ended[1][mask])
    assert not torch.equal(ended[0]["layers.conv1.synapses.weight"], ended[1]["layers.conv1.synapses.weight"])
