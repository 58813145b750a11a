"""CNN-to-SNN conversion: the rectified unit, thresholds from activations, spikes that come ever nearer to the CNN."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from small_networks import digits_genome, images_for
from torch import nn

from dse.cache import ScoreCache
from dse.data import Dataset, load
from dse.score import NetworkScore
from dse.training import run
from dse.training.conversion import CALIBRATION_IMAGES, convert, peaks, with_timesteps
from dse.training.fold import fold
from dse.training.measure import measure
from dse.training.model import SpikingLayer, SpikingNetwork, build_network
from dse.training.optimise import Deadline, fit
from dse.training.rectifier import NormReLU
from dse.training.stages import stages
from searchspaces.genome import NetworkGenome
from searchspaces.recipe import Recipe

RECIPE = Recipe(epochs=6, learning_rate=5e-3)
CPU = torch.device("cpu")


def converted_genome(timesteps: int = 1, **changes: Any) -> NetworkGenome:
    return digits_genome(timesteps, reset="soft", route="conversion", **changes)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits", None)


@pytest.fixture(scope="module")
def cnns(digits: Dataset) -> dict[str, SpikingNetwork]:
    """A trained CNN of binary weights for either kind of pooling, the second one pruned."""
    plain = converted_genome()
    pruned = replace(plain.layers[1], prune_ratio=0.5, weight_bits=4)
    genomes = {
        "or": plain,
        "average": replace(plain, pooling="average", layers=(plain.layers[0], pruned, *plain.layers[2:])),
    }
    trained = {}
    for name, genome in genomes.items():
        (stage,) = stages(genome, RECIPE)
        assert (stage.rectified, stage.genome.timesteps) == (True, 1)
        with run.seeded(0) as rng:
            trained[name] = run.stage_network(stage, CPU)
            fit(trained[name], digits.train, RECIPE, rng, CPU, Deadline(0.0, None))
    return trained


def accuracy(network: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    with torch.no_grad():
        return float((network(images).argmax(1) == labels).float().mean())


@pytest.mark.parametrize("pooling", ["or", "average"])
def test_the_unit_is_batch_norm_and_relu_and_its_gradient_is_numeric(pooling: Any) -> None:
    torch.manual_seed(0)
    unit = NormReLU(3, pool=2, pooling=pooling).double()
    twin = nn.BatchNorm2d(3).double()
    x = torch.randn(4, 3, 5, 4, dtype=torch.float64)
    window = F.max_pool2d if pooling == "or" else lambda y, pool: 4 * F.avg_pool2d(y, pool)
    torch.testing.assert_close(unit(x), window(F.relu(twin(x)), 2))
    torch.testing.assert_close(unit.running_var, twin.running_var)
    assert torch.autograd.gradcheck(
        lambda x, w, b: torch.func.functional_call(unit, {"weight": w, "bias": b}, (x,)),
        (
            x.requires_grad_(),
            torch.rand(3, dtype=torch.float64, requires_grad=True),
            torch.randn(3, dtype=torch.float64, requires_grad=True),
        ),
    )


def test_with_many_strengths_and_steps_it_is_as_good_as_the_cnn(
    cnns: dict[str, SpikingNetwork], digits: Dataset
) -> None:
    images, labels = torch.from_numpy(digits.validation.images), torch.from_numpy(digits.validation.labels)
    calibration = torch.from_numpy(digits.train.images[:CALIBRATION_IMAGES])
    for cnn in cnns.values():
        goal = accuracy(cnn.eval(), images, labels)
        assert goal > 0.9
        found = {}
        for timesteps, levels in ((2, 1), (8, 1), (8, 7), (64, 7)):
            genome = replace(cnn.genome, timesteps=timesteps, levels=levels)
            found[timesteps, levels] = accuracy(convert(cnn, genome, RECIPE, calibration), images, labels)
        assert abs(found[64, 7] - goal) <= 0.01
        assert abs(found[8, 7] - goal) <= 0.02
        assert found[2, 1] < found[8, 7]


def test_rates_approach_clipped_activations(cnns: dict[str, SpikingNetwork]) -> None:
    """Without a pool, spikes per step times the threshold are the activation, up to the largest strength."""
    cnn = cnns["or"].eval()
    images = images_for(cnn.genome, 64, 1)
    with torch.no_grad():
        first = cnn.layers["conv1"]
        assert isinstance(first, SpikingLayer)
        activations = first(images.float(), static=True)
    peak = peaks(cnn, images)["conv1"]
    assert peak == pytest.approx(np.percentile(activations.numpy(), 99.9), rel=1e-5)
    errors = []
    for timesteps, levels in ((4, 1), (16, 1), (16, 7), (128, 7)):
        genome = replace(cnn.genome, timesteps=timesteps, levels=levels)
        network = convert(cnn, genome, RECIPE, images)
        with torch.no_grad():
            spikes = network.stored_maps(images)["conv1"].view(timesteps, *activations.shape)
        rates = spikes.mean(0) * peak / levels
        errors.append(float((rates - activations.clamp(max=peak)).abs().max()) / peak)
        # rounded to the nearest of T x levels + 1 values
        assert errors[-1] <= 0.5 / (timesteps * levels) + 1e-4
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("levels", [1, 7])
def test_another_number_of_steps_is_another_conversion_of_the_same_cnn(
    cnns: dict[str, SpikingNetwork], levels: int
) -> None:
    cnn = cnns["or"].eval()
    images = images_for(cnn.genome, 64, 3)
    genome = replace(cnn.genome, timesteps=8, levels=levels)
    network = convert(cnn, genome, RECIPE, images)
    for timesteps in (1, 3, 8, 16):
        expected = convert(cnn, replace(genome, timesteps=timesteps), RECIPE, images)
        found = with_timesteps(network, timesteps)
        assert found.genome == expected.genome
        for name, tensor in expected.state_dict().items():
            torch.testing.assert_close(found.state_dict()[name], tensor, atol=1e-5, rtol=1e-5)
    assert network.genome == genome
    torch.testing.assert_close(network.state_dict(), convert(cnn, genome, RECIPE, images).state_dict())


def test_a_stored_conversion_answers_by_steps(digits: Dataset, tmp_path: Path) -> None:
    """At its own steps as it was tested; at others as one that was trained for them, from the same seed."""
    cache, steps, found = ScoreCache(tmp_path), (2, 8), {}
    recipe = replace(RECIPE, epochs=2)
    for each in steps:
        genome = converted_genome(each, bits=4, ale_saving=0.2)
        score = run.train(genome, digits, recipe, 0, cache, device="cpu", threads=1)
        assert isinstance(score, NetworkScore)
        assert score.binarised
        tested = run.test(genome, score, cache, digits.validation, device="cpu")
        by_steps = run.answers_by_steps(genome, score, cache, digits.validation, steps, device="cpu")
        assert (each, tested.correct) in by_steps
        found[each] = dict(by_steps)
    assert found[2][8] == pytest.approx(found[8][8], abs=2)
    assert found[8][2] == pytest.approx(found[2][2], abs=2)


def test_one_step_rounds_every_activation(cnns: dict[str, SpikingNetwork]) -> None:
    """At one step the whole network is a CNN of rounded activations, written here without thresholds."""
    cnn = cnns["average"].eval()
    images = images_for(cnn.genome, 64, 2)
    network = convert(cnn, replace(cnn.genome, levels=7), RECIPE, images)
    found, x = peaks(cnn, images), images.float()
    with torch.no_grad():
        for name, layer in cnn.layers.items():
            unit = found[name] / 7
            activations = layer.neuron.activations(layer.synapses(x))  # type: ignore[operator, union-attr]
            x = layer.neuron.pooled((activations / unit + 0.5).floor().clamp(max=7) * unit)  # type: ignore[operator, union-attr]
        expected, logits = cnn.classifier(x), network(images)
    close = torch.isclose(logits, expected, atol=1e-3, rtol=1e-3).all(1)
    assert close.float().mean() >= 0.95  # an activation on the very edge may be rounded to the other side


@pytest.mark.parametrize("pooling", ["or", "membrane", "count", "average"])
def test_every_pooling_and_strength_deploys(pooling: Any, cnns: dict[str, SpikingNetwork], digits: Dataset) -> None:
    cnn = cnns["average" if pooling == "average" else "or"]
    calibration = torch.from_numpy(digits.train.images[:CALIBRATION_IMAGES])
    genome = replace(cnn.genome, timesteps=16, levels=3, pooling=pooling)
    network = convert(cnn, genome, RECIPE, calibration)
    measured = measure(network, fold(network), digits.validation, CPU)
    assert measured.correct > 0.85 * measured.samples
    assert abs(measured.correct - measured.deployed_correct) <= 4
    for before, after in zip(cnn.all_synapses(), network.all_synapses(), strict=True):
        assert torch.equal(before.codes(), after.codes())
        assert (before.kept is None) == (after.kept is None)


def test_a_dead_layer_has_a_threshold() -> None:
    genome = converted_genome()
    cnn = build_network(genome, RECIPE, rectified=True)
    with torch.no_grad():
        cnn.layers["conv1"].neuron.bias.fill_(-1e6)  # type: ignore[union-attr]
    assert peaks(cnn, images_for(genome, 8))["conv1"] == 1.0
    assert torch.isfinite(convert(cnn, genome, RECIPE, images_for(genome, 8))(images_for(genome, 8))).all()
