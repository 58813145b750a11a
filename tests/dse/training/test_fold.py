"""The folded network: decides as the float network does but for rounding, keeps masks, and fits its widths."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_networks import digits_genome, images_for, random_genome, settled_network

from costmodels.errors import ConfigurationError
from costmodels.machine import MACHINE
from dse.export.integer_network import convolve, run_integer, run_layer, signed_bits, sum_range
from dse.training.fold import WidthError, fold, fold_norm
from dse.training.model import SpikingLayer, SpikingNetwork, build_network
from searchspaces.recipe import Recipe
from searchspaces.space import load_space

SEEDS = range(20)


def flips(network: SpikingNetwork, images: torch.Tensor, fraction_bits: int) -> float:
    """Share of stored elements in which the float and the integer network differ, the worst layer's.

    Each integer layer is fed the float network's map, so that one flip is not counted again in the layers behind it.
    """
    folded = fold(network, fraction_bits, word_bits=32)
    with torch.no_grad():
        maps = network.stored_maps(images)
    worst = 0.0
    x = images.numpy()[None]
    for layer in folded.layers:
        _, stored = run_layer(layer, x, folded.timesteps)
        expected = maps[layer.name].reshape(stored.shape).numpy().astype(np.uint8)
        worst = max(worst, float((stored != expected).mean()))
        x = expected
    return worst


def test_flips_are_rare() -> None:
    shares = {8: [], 14: []}  # type: dict[int, list[float]]
    for seed in SEEDS:
        genome = random_genome(seed)
        network = settled_network(genome, seed)
        for fraction_bits, found in shares.items():
            found.append(flips(network, images_for(genome, 32, 99), fraction_bits))
    # Networks this small have neurons of two or three inputs, whose few possible sums may all lie beside a threshold.
    assert max(shares[8]) < 1e-2
    assert np.mean(shares[8]) < 1e-3
    assert max(shares[14]) < 5e-4
    assert np.mean(shares[14]) < 5e-5


def test_flips_fall_with_the_grid() -> None:
    genome = digits_genome(timesteps=4)
    network, images = settled_network(genome), images_for(genome, 64, 5)
    shares = [flips(network, images, bits) for bits in (0, 4, 8)]
    assert shares[0] > shares[1] > shares[2]


@pytest.mark.parametrize("seed", SEEDS)
def test_predictions_agree(seed: int) -> None:
    genome = random_genome(seed)
    network = settled_network(genome, seed)
    images = images_for(genome, 64, 7)
    with torch.no_grad():
        expected = network(images).argmax(1).numpy()
    found = run_integer(fold(network, 14), images.numpy()).predictions
    assert (found != expected).sum() <= 2


@pytest.mark.parametrize("seed", SEEDS)
def test_masks_stay_exact(seed: int) -> None:
    genome = random_genome(seed)
    network = settled_network(genome, seed)
    folded = fold(network)
    for synapses, part in zip(network.all_synapses(), (*folded.layers, folded.classifier), strict=True):
        if synapses.kept is None:
            assert part.kept is None
        else:
            assert np.array_equal(part.kept, synapses.kept.numpy())
            assert (part.weights[~part.kept] == 0).all()
            assert part.weight_bits > 1 or (part.weights[part.kept] != 0).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_widths_hold_all_that_happens(seed: int) -> None:
    genome = random_genome(seed)
    folded = fold(settled_network(genome, seed))
    extremes = torch.stack(
        [torch.zeros(genome.input_shape), torch.full(genome.input_shape, 2.0**genome.input_bits - 1)]
    )
    images = np.concatenate([images_for(genome, 16).numpy(), extremes.numpy().astype(np.uint8)])
    run = run_integer(folded, images, keep=True)
    x = images[None]
    for layer in folded.layers:
        sums = np.stack([convolve(layer, step) for step in x])
        assert signed_bits(min(0, int(sums.min())), max(0, int(sums.max()))) <= layer.accumulator_bits
        u = run.potentials[layer.name]
        assert signed_bits(min(0, int(u.min())), max(0, int(u.max()))) <= layer.membrane_bits
        x = run.stored[layer.name]
        assert int(x.max()) <= layer.largest_output < 2**layer.output_bits
    assert signed_bits(min(0, int(run.scores.min())), max(0, int(run.scores.max()))) <= folded.classifier.score_bits


def one_channel(g: float, b: float, m: float, s: float, ratio: float | None = None) -> tuple[int, int, list[int]]:
    vectors = [np.array([value]) for value in (g, b, m, s)]
    folded = fold_norm(*vectors, ratio, np.array([4.0 * 100]), 256)
    return int(folded.sign[0]), int(folded.c[0]), folded.thetas[:, 0].tolist()


def test_folding_by_hand() -> None:
    # theta = s / g = 2.5 / 0.5 = 5, c = m - b s / g = 3 - 0.2 * 5 = 2, on a grid of 1 / 256
    assert one_channel(0.5, 0.2, 3.0, 2.5) == (1, 2 * 256, [5 * 256])
    # negated: z and m change sign, b does not
    assert one_channel(-0.5, 0.2, 3.0, 2.5) == (-1, -4 * 256, [5 * 256])
    assert one_channel(0.5, 0.2, 3.0, 2.5, ratio=1.5) == (1, 2 * 256, [5 * 256, 7.5 * 256])


@pytest.mark.parametrize("g", [0.0, 1e-9, -1e-9])
@pytest.mark.parametrize(
    ("b", "pattern"), [(-0.4, [0, 0, 0, 0]), (0.4, [0, 0, 1, 0]), (0.6, [0, 1, 0, 1]), (1.2, [1] * 4)]
)
def test_a_channel_without_gain_is_constant(g: float, b: float, pattern: list[int]) -> None:
    network = settled_network(digits_genome(timesteps=4))
    first = network.layers["conv1"]
    assert isinstance(first, SpikingLayer)
    with torch.no_grad():
        first.neuron.weight[3], first.neuron.bias[3] = g, b
    images = images_for(network.genome, 16).numpy()
    stored = run_integer(fold(network), images, keep=True).stored["conv1"]
    for t, expected in enumerate(pattern):
        assert (stored[t, :, 3] == expected).all()


def test_a_channel_whose_input_is_dead_keeps_its_offset() -> None:
    network = settled_network(digits_genome(timesteps=4))
    second = network.layers["conv2"]
    assert isinstance(second, SpikingLayer)
    with torch.no_grad():
        network.layers["conv1"].neuron.bias.fill_(-9)  # type: ignore[union-attr]
        second.neuron.running_mean.zero_()
        second.neuron.running_var.zero_()
        second.neuron.bias.fill_(0.7)
    stored = run_integer(fold(network), images_for(network.genome, 8).numpy(), keep=True).stored["conv2"]
    assert [float(step.mean()) for step in stored] == [0, 1, 0, 1]


def test_an_emptied_filter_is_constant() -> None:
    network = settled_network(digits_genome(timesteps=2))
    pruned = network.layers["conv1"].synapses  # type: ignore[union-attr]
    pruned.kept = torch.ones(8, 1, dtype=torch.bool)
    pruned.kept[2] = False
    layer = network.layers["conv1"]
    assert isinstance(layer, SpikingLayer)
    with torch.no_grad():
        layer.neuron.running_mean[2], layer.neuron.running_var[2], layer.neuron.bias[2] = 0, 0, 0.6
    stored = run_integer(fold(network), images_for(network.genome, 8).numpy(), keep=True).stored["conv1"]
    assert [float(step[:, 2].mean()) for step in stored] == [0, 1]


def test_float_weights_cannot_be_folded() -> None:
    network = build_network(digits_genome(bits=32), Recipe(epochs=1))
    with pytest.raises(ConfigurationError, match=r"^weight bits must be 1, 2, 4 or 8 in an integer network, not 32"):
        fold(network)


@pytest.mark.parametrize("name", ["digits", "mnist", "cifar10"])
def test_the_widest_networks_of_the_presets_fit_the_machines_word(name: str) -> None:
    """Most bits, most steps: every membrane, constant and threshold must fit what the cost model prices."""
    space = load_space(name)
    genome = space.network.genome({gene.name: gene.choices[-1] for gene in space.network.genes})
    genome = replace(genome, layers=tuple(replace(layer, weight_bits=8) for layer in genome.layers), timesteps=8)
    folded = fold(settled_network(genome))
    assert name == "digits" or folded.layers[0].fraction_bits < 8, "wide sums take a coarser grid"
    for layer in folded.layers:
        word = signed_bits(min(0, int(layer.c.min())), max(int(layer.c.max()), int(layer.thetas.max())))
        assert max(word, layer.membrane_bits) <= MACHINE.membrane_bits


def test_a_layer_that_no_grid_fits_is_refused() -> None:
    network = settled_network(digits_genome(timesteps=8, bits=8))
    with pytest.raises(ConfigurationError, match=r"^membranes of layer conv1 must fit the machine's 12 bits, not need"):
        fold(network, word_bits=12)


def test_ranks_by_potential_must_fit_the_word_too() -> None:
    """Never reset, the potentials that rank neurons grow beyond the membranes, which spikes hold down."""
    networks = {
        pooling: settled_network(digits_genome(timesteps=8, bits=8, pooling=pooling)) for pooling in ("or", "membrane")
    }
    for bits in range(12, 33):
        fits = {}
        for pooling, network in networks.items():
            try:
                fits[pooling] = fold(network, word_bits=bits)
            except WidthError:
                continue
        assert "membrane" not in fits or "or" in fits
        for layer in fits["membrane"].layers if "membrane" in fits else ():
            sums = sum_range(layer.weights, layer.largest_input)
            assert layer.pool == 1 or signed_bits(8 * int(sums[0].min()), 8 * int(sums[1].max())) <= bits
    assert "membrane" in fits
