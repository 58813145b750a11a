"""Genomes small enough to train in a test, and networks whose batch norms are as if they had been trained."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from dse.training.model import SpikingLayer, SpikingNetwork, build_network
from searchspaces.genome import LayerGenome, NetworkGenome
from searchspaces.recipe import Recipe


def digits_genome(timesteps: int = 2, bits: int = 1, **changes: Any) -> NetworkGenome:
    """Two convolutions and a fully connected layer on the 8 x 8 digits."""
    layers = (
        LayerGenome("conv1", "conv", 8, weight_bits=bits),
        LayerGenome("conv2", "conv", 16, pool=2, weight_bits=bits),
        LayerGenome("fc1", "fc", 32, kernel=1, weight_bits=bits),
        LayerGenome("out", "fc", 10, kernel=1, spiking=False, weight_bits=bits),
    )
    genome = NetworkGenome((1, 8, 8), 5, 10, timesteps, 1, "or", "fc", "hard", layers)
    return replace(genome, **changes)


def random_genome(seed: int) -> NetworkGenome:
    """Any combination of genes on small images of odd and even sizes."""
    rng = np.random.default_rng(seed)
    gap = bool(rng.random() < 0.5)
    layers = []
    for number in range(int(rng.integers(1, 4))):
        layers.append(
            LayerGenome(
                name=f"conv{number}",
                kind="conv",
                channels=2 * int(rng.integers(1, 4)),
                kernel=int(rng.choice([1, 3, 5])),
                stride=int(rng.choice([1, 2])) if number == 1 else 1,
                pool=int(rng.choice([1, 2, 3])) if number == 0 else 1,
                weight_bits=int(rng.choice([1, 2, 4, 8])),
                dual_threshold=bool(rng.random() < 0.5),
                prune_ratio=float(rng.choice([0.0, 0.3, 0.6])),
            )
        )
    if not gap:
        bits, dual = int(rng.choice([1, 2, 4, 8])), bool(rng.random() < 0.5)
        layers.append(LayerGenome("fc1", "fc", 6, weight_bits=bits, dual_threshold=dual, prune_ratio=0.5))
    bits = int(rng.choice([1, 2, 4, 8]))
    kind: Any = "conv" if gap else "fc"
    layers.append(
        LayerGenome("out", kind, 3, weight_bits=bits, spiking=False, prune_ratio=float(rng.choice([0.0, 0.3])))
    )
    levels = int(rng.choice([1, 1, 3, 7]))
    return NetworkGenome(
        input_shape=(int(rng.integers(1, 4)), int(rng.integers(6, 10)), int(rng.integers(6, 10))),
        input_bits=int(rng.choice([5, 8])),
        classes=3,
        timesteps=int(rng.integers(1, 5)),
        levels=levels,
        pooling=rng.choice(["or", "average", "membrane", "count"]).item(),
        head="gap" if gap else "fc",
        reset="soft" if levels > 1 else rng.choice(["hard", "soft"]).item(),
        layers=tuple(layers),
    )


def event_genome(seed: int) -> NetworkGenome:
    """As `random_genome`, for events: two polarities of one bit, and steps that divide the slices."""
    genome = random_genome(seed)
    timesteps = (1, 2, 4, 8)[seed % 4]
    pooling = "or" if timesteps == 1 and genome.pooling == "membrane" else genome.pooling
    shape = (2, *genome.input_shape[1:])
    return replace(genome, input_shape=shape, input_bits=1, static_input=False, timesteps=timesteps, pooling=pooling)


def images_for(genome: NetworkGenome, n: int, seed: int = 0) -> torch.Tensor:
    """Random pixels, or random slices of events, about a sixth of them with one."""
    rng = np.random.default_rng(seed)
    if not genome.static_input:
        return torch.from_numpy(np.packbits(rng.random((n, *genome.input_shape, 8)) < 1 / 6, axis=-1)[..., 0])
    return torch.from_numpy(rng.integers(0, 2**genome.input_bits, (n, *genome.input_shape)).astype(np.uint8))


def settled_network(genome: NetworkGenome, seed: int = 0) -> SpikingNetwork:
    """Exact masks, batch norms that have seen data and have scales of both signs, in eval mode."""
    torch.manual_seed(seed)
    network = build_network(genome, Recipe(epochs=1))
    for synapses in network.all_synapses():
        if synapses.kept is not None:
            synapses.kept.copy_(torch.rand(synapses.kept.shape) >= synapses.layer.prune_ratio)
    with torch.no_grad():
        for layer in network.layers.values():
            assert isinstance(layer, SpikingLayer)
            size = torch.empty_like(layer.neuron.weight).uniform_(0.3, 1.5)
            layer.neuron.weight.copy_(size * torch.randn_like(size).sign())
            layer.neuron.bias.uniform_(-0.3, 0.8)
            if layer.neuron.log_gap is not None:
                layer.neuron.log_gap.fill_(-0.5)
        network.classifier.bias.uniform_(-1, 1)
        network.train()
        for number in range(5):
            for layer in network.layers.values():
                layer.neuron.momentum = 1 / (number + 1)  # type: ignore[union-attr, assignment]
            network(images_for(genome, 32, number))
    return network.eval()
