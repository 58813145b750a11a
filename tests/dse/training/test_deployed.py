"""The integer network on torch equals the numpy reference in every bit."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_networks import images_for, random_genome, settled_network

from dse.export.integer_network import run_integer, sum_range
from dse.training.deployed import exact_type, membrane_type, run_deployed, run_layer, set_bits
from dse.training.fold import fold

sys.path.insert(0, str(Path(__file__).parents[1] / "export"))
from integer_examples import random_images, random_network


@pytest.mark.parametrize("seed", range(48))
def test_random_networks(seed: int) -> None:
    network = random_network(seed)
    images = random_images(network, 5, seed)
    expected = run_integer(network, images, keep=True)
    found = run_deployed(network, torch.from_numpy(images))
    assert found.scores.tolist() == expected.scores.tolist()
    for layer in network.layers:
        stored = expected.stored[layer.name]
        assert found.set_bits[layer.name] == tuple(int(np.bitwise_count(step).sum()) for step in stored)
        assert found.bits[layer.name] == stored[0].size * layer.output_bits


@pytest.mark.parametrize("seed", range(48))
def test_folded_networks(seed: int) -> None:
    genome = random_genome(seed)
    folded = fold(settled_network(genome, seed))
    images = images_for(genome, 9, seed)
    expected = run_integer(folded, images.numpy(), keep=True)
    assert run_deployed(folded, images).scores.tolist() == expected.scores.tolist()
    x = images[None]
    for layer in folded.layers:
        x = run_layer(layer, x, folded.timesteps)
        assert np.array_equal(x.numpy(), expected.stored[layer.name])


def test_float32_up_to_its_last_exact_whole_number() -> None:
    assert exact_type(25) is torch.float32
    assert exact_type(26) is torch.float64
    assert torch.tensor(2.0**24 - 1) + 1 == 2**24
    assert torch.tensor(2.0**24) + 1 == 2**24


def test_wide_layers_compute_in_float64_and_stay_exact() -> None:
    network = random_network(2)
    first = network.layers[0]
    low, high = sum_range(first.weights, first.largest_input)
    assert membrane_type(replace(first, accumulator_bits=10, membrane_bits=20, fraction_bits=8), 4) is torch.float32
    assert membrane_type(replace(first, accumulator_bits=20, membrane_bits=20, fraction_bits=8), 4) is torch.float64
    # Ranks of pooling by potential add up over the steps: 23 bits of a step are 25 of four steps, 26 of five.
    ranked = replace(first, pooling="membrane", accumulator_bits=14, membrane_bits=20, c=first.c * 0, fraction_bits=8)
    assert [membrane_type(ranked, steps) for steps in (4, 5)] == [torch.float32, torch.float64]
    # Odd constants just above 2^24 would be rounded in float32.
    big = replace(first, c=first.c * 0 + 2**24 + 1, thetas=first.thetas * 0 + 2**24 + 3, accumulator_bits=28)
    wide = replace(network, layers=(big, *network.layers[1:]))
    assert membrane_type(big, 4) is torch.float64
    images = random_images(network, 4, 0)
    assert run_deployed(wide, torch.from_numpy(images)).scores.tolist() == run_integer(wide, images).scores.tolist()
    assert (low <= high).all()


def test_set_bits_of_counts() -> None:
    x = torch.tensor([[[0, 1, 2, 3, 4]], [[7, 8, 0, 0, 0]]], dtype=torch.uint8)
    assert set_bits(x, 3) == (5, 3)
    assert set_bits(x, 4) == (5, 4)
