"""The accuracy loss estimator: its order against losses found by brute force, its budgets, and what follows it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from safetensors import safe_open
from scipy.stats import spearmanr
from small_networks import digits_genome, images_for, settled_network
from torch import Tensor

from dse.cache import ScoreCache
from dse.data import Dataset, Split, load
from dse.export.integer_network import run_integer
from dse.export.training_folder import WEIGHTS, write_network
from dse.score import NetworkScore, lowered
from dse.training import ale, run
from dse.training.ale import BATCHES, DECISIONS, PART, Binarisation, rises, spread_batches
from dse.training.fold import fold
from dse.training.model import SpikingLayer, SpikingNetwork, build_network
from dse.training.optimise import Deadline, fit
from searchspaces.binarisation import savings, total_bits
from searchspaces.genome import LayerGenome, NetworkGenome
from searchspaces.recipe import Recipe
from searchspaces.training_config import TrainingConfig

CPU = torch.device("cpu")
SIZE = 64


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits", None)


def deep_genome(**changes: Any) -> NetworkGenome:
    """Five convolutions, narrow and wide ones, and a fully connected layer: some can spare their bits, some cannot."""
    shapes = ((16, 3, 2, 8), (4, 1, 1, 8), (24, 5, 1, 8), (24, 3, 1, 2), (3, 3, 1, 8))
    layers = tuple(
        LayerGenome(f"conv{i}", "conv", channels, kernel=kernel, pool=pool, weight_bits=bits)
        for i, (channels, kernel, pool, bits) in enumerate(shapes)
    )
    fc = LayerGenome("fc1", "fc", 16, kernel=1, weight_bits=8)
    last = LayerGenome("out", "fc", 10, kernel=1, spiking=False, weight_bits=8)
    return replace(NetworkGenome((1, 8, 8), 5, 10, 2, 1, "or", "fc", "soft", (*layers, fc, last)), **changes)


def trained(genome: NetworkGenome, digits: Dataset, recipe: Recipe, seed: int = 0) -> SpikingNetwork:
    with run.seeded(seed) as rng:
        network = build_network(genome, recipe)
        fit(network, digits.train, recipe, rng, CPU, Deadline(0.0, None))
    return network


def loss_of(network: SpikingNetwork, digits: Dataset) -> float:
    """Mean over an epoch's batches, each with its own statistics."""
    images, labels = torch.from_numpy(digits.train.images), torch.from_numpy(digits.train.labels)
    with torch.no_grad():
        pairs = zip(images.split(SIZE), labels.split(SIZE), strict=True)
        return float(np.mean([float(F.cross_entropy(network.train()(x), y)) for x, y in pairs]))


def brute_force(network: SpikingNetwork, digits: Dataset) -> dict[str, float]:
    """Layer to the rise of the loss on all training samples, in a network built anew with that layer binary."""
    losses = {}
    for name in ("", *(layer.name for layer in network.genome.layers[1:-1])):
        twin = build_network(network.genome.binarised([name]), Recipe(epochs=1))
        twin.load_state_dict(network.state_dict())
        losses[name] = loss_of(twin, digits)
    plain = losses.pop("")
    return {name: loss - plain for name, loss in losses.items()}


def test_the_order_is_that_of_losses_found_by_brute_force(digits: Dataset) -> None:
    """Rank correlation over the five layers of each of three networks trained for a while."""
    correlations = []
    for seed in range(3):
        network = trained(deep_genome(), digits, Recipe(epochs=4, learning_rate=1e-2, precision="float32"), seed)
        before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        found = rises(network.train(), savings(network.genome), spread_batches(digits.train, SIZE, CPU))
        assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
        assert network.binarised == ()
        expected = brute_force(network, digits)
        correlations.append(float(spearmanr([found[name] for name in expected], list(expected.values()))[0]))
    assert np.mean(correlations) >= 0.8, correlations


def test_statistics_follow_the_unit_of_the_sums() -> None:
    network = settled_network(digits_genome(bits=4))
    layer = network.layers["conv2"]
    assert isinstance(layer, SpikingLayer)

    def in_units_of_weights() -> tuple[Tensor, Tensor]:
        unit = layer.synapses.scale().flatten()
        return layer.neuron.running_mean * unit, layer.neuron.running_var * unit**2

    before, codes = in_units_of_weights(), layer.synapses.codes()
    layer.binarise()
    torch.testing.assert_close(in_units_of_weights(), before)
    assert network.binarised == ("conv2",)
    assert torch.equal(layer.synapses.codes(), torch.where(layer.synapses.weight >= 0, 1.0, -1.0))
    assert not torch.equal(layer.synapses.codes(), codes)


SAVINGS = {"conv2": 3 * 1152, "conv3": 3 * 2304, "conv4": 3 * 144, "fc1": 3 * 8192}
TOTAL = 4 * (72 + 1152 + 2304 + 144 + 8192 + 320)


def picking_genome(**changes: Any) -> NetworkGenome:
    """Four layers to pick from; their weights are counted by hand above."""
    layers = (
        LayerGenome("conv1", "conv", 8, weight_bits=4),
        LayerGenome("conv2", "conv", 16, weight_bits=4),
        LayerGenome("conv3", "conv", 16, pool=2, weight_bits=4),
        LayerGenome("conv4", "conv", 16, kernel=3, weight_bits=4, prune_ratio=15 / 16),
        LayerGenome("fc1", "fc", 32, kernel=1, weight_bits=4),
        LayerGenome("out", "fc", 10, kernel=1, spiking=False, weight_bits=4),
    )
    return replace(NetworkGenome((1, 8, 8), 5, 10, 2, 1, "or", "fc", "soft", layers), **changes)


def picked(
    monkeypatch: pytest.MonkeyPatch, rise: dict[str, float], **budget: float
) -> list[tuple[float, tuple[str, ...]]]:
    """Progress at every change of the layers that are binary, and these layers, where the estimates are ``rise``."""
    network = build_network(picking_genome(**budget), Recipe(epochs=1))
    monkeypatch.setattr(ale, "rises", lambda network, names, batches: {name: rise[name] for name in names})
    samples = Split(images_for(network.genome, 40).numpy(), np.arange(40) % 10)
    binarisation = Binarisation.of(network, samples, 8)
    assert binarisation is not None
    changes: list[tuple[float, tuple[str, ...]]] = []
    for step in range(1, 101):
        binarisation.advance(step / 100)
        if network.binarised != (changes[-1][1] if changes else ()):
            changes.append((step / 100, network.binarised))
    return changes


def test_batches_are_spread_over_samples_in_order_of_class() -> None:
    sorted_by_class = Split(np.arange(1000, dtype=np.uint8).reshape(-1, 1, 1, 1), np.repeat(np.arange(10), 100))
    found = spread_batches(sorted_by_class, 50, CPU)
    assert len(found) == BATCHES
    assert all((labels.bincount() == 5).all() for _, labels in found)
    assert len({tuple(images.flatten().tolist()) for images, _ in found}) == BATCHES
    few = spread_batches(sorted_by_class.take(np.arange(30)), 50, CPU)
    assert {len(labels) for _, labels in few} == {30}


def test_it_goes_on_where_it_was(digits: Dataset) -> None:
    """As after a checkpoint: what is left of the budget follows from the layers that are binary."""
    for budget in ({"ale_saving": 0.6}, {"ale_loss": 1.0}):
        whole, again = (build_network(picking_genome(**budget), Recipe(epochs=1)).train() for _ in range(2))
        one, other = (Binarisation.of(network, digits.train, SIZE) for network in (whole, again))
        assert one is not None
        assert other is not None
        one.advance(PART / 3)
        assert len(whole.binarised) == 2
        again.load_state_dict(whole.state_dict())
        again.hold_binary(whole.binarised)
        other.resume(one.taken, one.loss)
        assert (other.left, other.bits, other.loss, other.taken) == (one.left, one.bits, one.loss, one.taken)


def test_what_may_be_saved() -> None:
    assert savings(picking_genome()) == SAVINGS
    assert total_bits(picking_genome()) == TOTAL
    assert savings(picking_genome().binarised(["conv2"])) == {k: v for k, v in SAVINGS.items() if k != "conv2"}


def test_layers_are_picked_by_loss_for_each_bit_until_enough_is_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    rise = {"conv2": 0.1, "conv3": 0.1, "conv4": 0.1, "fc1": 0.1}  # the larger the layer, the less a bit costs
    assert picked(monkeypatch, rise, ale_saving=0.1) == [(0.01, ("fc1",))]
    assert picked(monkeypatch, rise, ale_saving=SAVINGS["fc1"] / TOTAL) == [(0.01, ("fc1",))]
    assert picked(monkeypatch, rise, ale_saving=0.6) == [(0.01, ("fc1",)), (0.13, ("conv3", "fc1"))]
    rise["fc1"] = 100.0
    assert picked(monkeypatch, rise, ale_saving=0.2) == [
        (0.01, ("conv3",)),
        (0.13, ("conv2", "conv3")),
    ]
    everything = sum(SAVINGS.values()) / TOTAL
    assert picked(monkeypatch, rise, ale_saving=everything)[-1] == (0.38, tuple(SAVINGS))


def test_layers_are_picked_until_the_loss_is_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    rise = {"conv2": 0.01, "conv3": -0.2, "conv4": 0.04, "fc1": 0.5}
    assert picked(monkeypatch, rise, ale_loss=0.005) == [(0.01, ("conv3",))]
    assert picked(monkeypatch, rise, ale_loss=0.03) == [(0.01, ("conv3",)), (0.13, ("conv2", "conv3"))]
    # fc1 costs more for all its bits than is left, and whoever comes after it in order waits as well
    assert picked(monkeypatch, rise, ale_loss=0.4) == [(0.01, ("conv3",)), (0.13, ("conv2", "conv3"))]
    assert picked(monkeypatch, rise, ale_loss=0.6)[-1] == (0.38, tuple(SAVINGS))
    assert picked(monkeypatch, dict.fromkeys(SAVINGS, 1.0), ale_loss=0.9) == []
    rise["fc1"] = 100.0
    assert picked(monkeypatch, rise, ale_loss=0.045)[-1][1] == ("conv2", "conv3"), "conv4 alone would fit"
    assert picked(monkeypatch, rise, ale_loss=0.055)[-1][1] == ("conv2", "conv3", "conv4")


def test_many_layers_are_picked_in_few_decisions(monkeypatch: pytest.MonkeyPatch, digits: Dataset) -> None:
    asked = []

    def counted(network: SpikingNetwork, names: Any, batches: Any) -> dict[str, float]:
        asked.append(len(names))
        return dict.fromkeys(names, 0.0)

    monkeypatch.setattr(ale, "rises", counted)
    network = trained(deep_genome(ale_loss=1.0), digits, Recipe(epochs=1, train_samples=320, batch_size=32))
    assert asked == [5, 3, 2, 1]
    assert len(asked) == DECISIONS
    assert network.binarised == tuple(layer.name for layer in network.genome.layers[1:-1])


@pytest.fixture(scope="module")
def score(digits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> tuple[NetworkGenome, NetworkScore, ScoreCache]:
    """A run under a budget of bits that ends with binary weight optimisation."""
    genome, cache = picking_genome(ale_saving=0.2, bwo=True), ScoreCache(tmp_path_factory.mktemp("cache"))
    found = run.train(genome, digits, Recipe(epochs=8, learning_rate=1e-2), 0, cache, device="cpu", threads=1)
    assert isinstance(found, NetworkScore)
    return genome, found, cache


def test_what_training_picked_is_followed_everywhere(
    score: tuple[NetworkGenome, NetworkScore, ScoreCache], digits: Dataset
) -> None:
    genome, found, cache = score
    assert set(found.binarised) <= set(SAVINGS)
    assert sum(SAVINGS[name] for name in found.binarised) >= 0.2 * TOTAL
    assert found.accuracy > 0.8
    network = cache.integer_network(found)
    bits = {part.name: part.weight_bits for part in (*network.layers, network.classifier)}
    assert bits == {layer.name: 1 if layer.name in found.binarised else 4 for layer in genome.layers}
    for part in network.layers:
        kept = part.weights if part.kept is None else part.weights[part.kept]
        assert (set(np.unique(np.abs(kept)).tolist()) == {1}) == (part.name in found.binarised)
    answers = run_integer(network, digits.validation.images).predictions
    assert int((answers == digits.validation.labels).sum()) == found.deployed_correct
    work = lowered(genome, found)
    assert {layer.name: layer.weight_bits for layer in work.layers} == bits
    whole = sum(layer.kept_kernels * layer.kernel**2 * layer.weight_bits for layer in work.layers)
    assert whole == TOTAL - sum(SAVINGS[name] for name in found.binarised)


def test_a_stored_network_comes_back_as_it_ended(
    score: tuple[NetworkGenome, NetworkScore, ScoreCache], digits: Dataset
) -> None:
    genome, found, cache = score
    entry = cache.key(genome, Recipe(epochs=8, learning_rate=1e-2), digits.digest, 0)
    again = cache.get(entry)
    assert again is not None
    assert again.binarised == found.binarised
    network = run.restored(genome, again, cache)
    assert network.binarised == found.binarised
    asked = run.test(genome, again, cache, digits.validation, device="cpu")
    assert asked.deployed_correct == found.deployed_correct
    assert abs(asked.correct - found.correct) <= 1
    one = {part.name: part.weights for part in fold(network).layers}
    other = {part.name: part.weights for part in cache.integer_network(found).layers}
    assert all(np.array_equal(one[name], other[name]) for name in other)


def test_an_export_to_training_has_the_bits_it_ended_with(
    score: tuple[NetworkGenome, NetworkScore, ScoreCache], tmp_path: Path
) -> None:
    genome, found, cache = score
    config = TrainingConfig("mine", "digits", genome, Recipe(epochs=8), 0)
    write_network(tmp_path, config, cache.weights(found), cache.integer_network(found))
    with safe_open(tmp_path / WEIGHTS, framework="np") as file:
        layers = json.loads(file.metadata()["network"])["layers"]
    assert {layer["name"] for layer in layers if layer["weight_bits"] == 1} == set(found.binarised)
    assert "ale_saving = 0.2" in (tmp_path / "config.toml").read_text(), "a new training picks anew"


def test_the_second_stage_keeps_what_the_first_picked(digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    original = ale.rises
    monkeypatch.setattr(ale, "rises", lambda network, *how: asked.append(network.genome) or original(network, *how))
    genome = picking_genome(timesteps=1, reset="hard", first_stage_timesteps=2, ale_saving=0.2)
    recipe = Recipe(epochs=2, train_samples=320, learning_rate=1e-2)
    network = run.trained(genome, digits, recipe, 0, CPU, 0.0)
    assert {genome.timesteps for genome in asked} == {2}
    assert network.binarised
    assert network.genome == genome
    for synapses in network.all_synapses():
        assert (synapses.weight_bits == 1) == (synapses.layer.name in network.binarised)


def test_layers_are_picked_in_the_first_part_of_the_run() -> None:
    assert 0 < PART < 1 - 0.2, "binary weight optimisation begins after the last decision"
