"""Flips of binary weights: which, when, and that they lower a loss that has stalled."""

import copy
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from small_networks import digits_genome

from dse.data import load
from dse.training import optimise, run
from dse.training.bwo import GAMMA, MOMENTUM, SETTLING_STEPS, BinaryPhase, flip_, phase_begins
from dse.training.model import SpikingNetwork, build_network
from searchspaces.recipe import Recipe


def test_a_weight_flips_where_its_gradient_has_pulled_the_other_way() -> None:
    weight = torch.full((40,), 0.5)
    weight[:3] = torch.tensor([0.4, -0.3, -0.2])
    average = torch.zeros(40)
    average[:4] = torch.tensor([1.0, -1.0, 1.0, 0.1])  # root mean square 0.274, three of them 0.82
    assert flip_(weight.clone(), average.clone()) == 0  # four of them 1.1
    assert flip_(weight, average, gamma=3) == 2
    assert weight[:4].tolist() == pytest.approx([-0.4, 0.3, -0.2, 0.5])
    assert average[:4].tolist() == pytest.approx([0.0, 0.0, 1.0, 0.1])  # forgotten where flipped


def test_a_weight_of_zero_is_positive_and_can_flip() -> None:
    weight, average = torch.zeros(40), torch.zeros(40)
    average[0] = 1.0  # root mean square 0.158
    assert flip_(weight, average) == 1
    assert weight[0] < 0
    assert (weight[1:] == 0).all()


def test_the_phase_takes_binary_layers_from_the_optimiser_and_waits_for_its_average() -> None:
    torch.manual_seed(0)
    genome = digits_genome()
    mixed = (genome.layers[0], digits_genome(bits=4).layers[1], *genome.layers[2:])
    network = build_network(digits_genome(layers=mixed), Recipe(epochs=1))
    phase = BinaryPhase.of(network.all_synapses())
    assert [layer.layer.name for layer in phase.layers] == ["conv1", "fc1", "out"]
    images, labels = torch.randint(0, 32, (16, 1, 8, 8), dtype=torch.uint8), torch.arange(16) % 10
    for done in (0, SETTLING_STEPS - 1, SETTLING_STEPS):
        network.zero_grad()
        F.cross_entropy(network(images), labels).backward()
        gradient = network.classifier.synapses.weight.grad
        assert gradient is not None
        expected = MOMENTUM * phase.averages[2] + (1 - MOMENTUM) * gradient
        before = [layer.weight.detach().clone() for layer in phase.layers]
        flips = phase.step(done)
        assert all(layer.weight.grad is None for layer in phase.layers)
        assert network.layers["conv2"].synapses.weight.grad is not None  # type: ignore[union-attr]
        changed = sum(int((now.weight != old).sum()) for now, old in zip(phase.layers, before, strict=True))
        assert changed == flips
        assert (flips > 0) == (done >= SETTLING_STEPS)
        if flips == 0:
            torch.testing.assert_close(phase.averages[2], expected)


def test_the_phase_is_the_last_fifth() -> None:
    assert [phase_begins(steps) for steps in (1, 4, 5, 100)] == [1, 4, 4, 80]


@pytest.mark.parametrize(("gamma", "mean"), [(3.0, 0.9), (GAMMA, 0.99)])  # few of these few weights are due at 4
def test_a_stalled_loss_falls(gamma: float, mean: float) -> None:
    """Three networks whose learning rate has run out; only flips go on."""
    digits, start = load("digits", None), time.perf_counter()
    images, labels = torch.from_numpy(digits.train.images), torch.from_numpy(digits.train.labels)

    def loss(network: SpikingNetwork) -> float:
        with torch.no_grad():
            return float(F.cross_entropy(copy.deepcopy(network).train()(images), labels))

    ratios = []
    for seed in range(3):
        genome = digits_genome(timesteps=2, reset="soft")
        recipe = Recipe(epochs=4, learning_rate=2e-2, precision="float32")
        network = run.trained(genome, digits, recipe, seed, torch.device("cpu"), start).train()
        before, rng = loss(network), np.random.default_rng(seed)
        phase = replace(BinaryPhase.of(network.all_synapses()), gamma=gamma)
        for step in range(60):
            chosen = rng.permutation(len(images))[:64]
            network.zero_grad()
            F.cross_entropy(network(images[chosen]), labels[chosen]).backward()
            phase.step(step)
        ratios.append(loss(network) / before)
    assert max(ratios) < 1
    assert np.mean(ratios) < mean


def test_a_run_with_bwo_moves_binary_weights_in_the_last_phase_by_flips_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    digits, magnitudes, signs = load("digits", None), [], []
    original = optimise.clip_weights

    def watched(network: SpikingNetwork) -> None:
        original(network)
        weight = network.all_synapses()[1].weight.detach()
        magnitudes.append(weight.abs().clone())
        signs.append(weight.sign())

    monkeypatch.setattr(optimise, "clip_weights", watched)
    recipe = Recipe(epochs=30, train_samples=640)
    run.trained(digits_genome(bwo=True), digits, recipe, 0, torch.device("cpu"), time.perf_counter())
    begins = phase_begins(len(signs))
    assert all(torch.equal(magnitudes[begins - 1], later) for later in magnitudes[begins:])
    assert not torch.equal(magnitudes[begins - 3], magnitudes[begins - 2])
    assert torch.equal(magnitudes[begins - 2], magnitudes[begins - 1])  # the learning rate has run out
    assert not all(torch.equal(signs[begins - 1], later) for later in signs[begins:])
