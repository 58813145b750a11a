"""The network in training: the same function as a plainly written one, and exact where it should be."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from small_networks import digits_genome, images_for, random_genome, settled_network
from torch import Tensor

from costmodels.errors import ConfigurationError
from dse.training.model import SpikingLayer, SpikingNetwork, build_network
from dse.training.quantise import codes, scale
from searchspaces.genome import LayerGenome
from searchspaces.recipe import Recipe


def effective(synapses: object) -> Tensor:
    """alpha * sign(w), or step * code: what the weights are, with their scale."""
    layer, w, kept = synapses.layer, synapses.weight, synapses.kept  # type: ignore[attr-defined]
    whole = not layer.spiking
    return codes(w, kept, layer.weight_bits, whole) * scale(w, kept, layer.weight_bits, whole)


def winners(maps: Tensor, rank: Tensor, pool: int) -> Tensor:
    """Elements of maps [n, C, H, W] at the first place of highest rank [n, M, H, W] in each window."""
    n, channels, height, width = maps.shape
    cut = [slice(None, height // pool * pool), slice(None, width // pool * pool)]
    cells, ranks = (F.unfold(x[:, :, *cut], pool, stride=pool).view(n, x.shape[1], pool**2, -1) for x in (maps, rank))
    place = ranks.argmax(2, keepdim=True).repeat(1, channels // rank.shape[1], 1, 1)
    return cells.gather(2, place).view(n, channels, height // pool, width // pool)


def plain_network(network: SpikingNetwork, images: Tensor) -> Tensor:
    """Step by step, with scaled weights, pixels in 0..1, averages of windows, torch's own batch norm."""
    genome, steps = network.genome, network.genome.timesteps
    x = [images.double() / (2**genome.input_bits - 1)] * steps
    factor = 1 / (2**genome.input_bits - 1)  # from the network's integers to x
    for module in network.layers.values():
        assert isinstance(module, SpikingLayer)
        layer, neuron = module.synapses.layer, module.neuron
        weight, alpha = (
            effective(module.synapses).double(),
            scale(module.synapses.weight, module.synapses.kept, layer.weight_bits),
        )
        size = alpha.double().flatten() * factor
        v: Tensor | float = 0.0
        rank: Tensor | float = 0.0
        outputs = []
        for step in x:
            if layer.kind == "fc":
                z = F.linear(step.flatten(1), weight)[:, :, None, None]
            else:
                z = F.conv2d(step, weight, stride=layer.stride, padding=layer.kernel // 2)
            z = F.batch_norm(
                z,
                neuron.running_mean.double() * size,
                # eps belongs to sums of codes; in these units it is smaller
                (neuron.running_var.double() + neuron.eps) * size**2,
                neuron.weight.double(),
                neuron.bias.double(),
                eps=0.0,
            )
            u = v + z
            units = [1.0, neuron.ratio.double()][: 1 + layer.dual_threshold]
            maps = [(u / unit).floor().clamp(0, genome.levels) for unit in units]
            v = u - maps[0] if genome.reset == "soft" else u * (maps[0] == 0)
            both = torch.cat(maps, 1)
            rank = rank + (z if genome.pooling == "membrane" else maps[0])
            if layer.pool > 1 and genome.pooling in ("or", "average"):
                both = (F.max_pool2d if genome.pooling == "or" else F.avg_pool2d)(both, layer.pool)
            elif layer.pool > 1:
                both = winners(both, rank, layer.pool)
            outputs.append(both)
        x = outputs
        factor = 1 / layer.pool**2 if genome.pooling == "average" else 1.0
    last = network.classifier.synapses
    weight = codes(last.weight, last.kept, last.layer.weight_bits, True).double()
    total: Tensor | float = 0.0
    for step in x:
        if last.layer.kind == "fc":
            total = total + F.linear(step.flatten(1), weight)
        else:
            total = total + F.conv2d(step, weight, padding=last.layer.kernel // 2).sum((2, 3))
    return total / factor * network.classifier.log_gain.exp() / steps + network.classifier.bias


@pytest.mark.parametrize("seed", range(20))
def test_equals_the_network_written_plainly(seed: int) -> None:
    genome = random_genome(seed)
    network, images = settled_network(genome, seed), images_for(genome, 32, 3)
    with torch.no_grad():
        found, expected = network(images), plain_network(network, images)
    close = torch.isclose(found, expected.float(), atol=1e-3, rtol=1e-3).all(1)
    # float32 against float64: a spike on the very threshold may differ and with it a sample's logits.
    assert close.float().mean() >= 0.95


def test_every_parameter_learns() -> None:
    genome = digits_genome()
    dual = replace(genome.layers[1], dual_threshold=True)
    genome = replace(genome, layers=(genome.layers[0], dual, *genome.layers[2:]))
    torch.manual_seed(0)
    network = build_network(genome, Recipe(epochs=1))
    F.cross_entropy(network(images_for(genome, 64)), torch.arange(64) % 10).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0, name


def test_gradient_equals_that_of_scaled_weights_by_channel() -> None:
    """Leaving alpha out of the sums changes no gradient behind the batch norm but by that factor."""
    from dse.training.neuron import NormIF

    torch.manual_seed(0)
    x, w = torch.randn(64, 12), torch.randn(6, 12)
    grads = []
    for alpha in (torch.ones(6, 1), torch.rand(6, 1) + 0.5):
        torch.manual_seed(1)
        neuron, latent = NormIF(6, 2, eps=0.0), (w * alpha).requires_grad_()
        (neuron(F.linear(x, latent)) * torch.randn(64, 6)).sum().backward()
        assert latent.grad is not None
        grads.append(latent.grad * alpha)
    torch.testing.assert_close(grads[0], grads[1], atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("pooling", ["or", "average"])
def test_stored_maps_are_whole_numbers_in_range(pooling: str) -> None:
    genome = digits_genome(pooling=pooling, timesteps=3)
    network = settled_network(genome)
    with torch.no_grad():
        maps = network.stored_maps(images_for(genome, 8))
    assert list(maps) == ["conv1", "conv2", "fc1"]
    assert maps["conv2"].shape == (3 * 8, 16, 4, 4)
    assert set(maps["conv2"].unique().tolist()) <= set(range(5 if pooling == "average" else 2))
    assert set(maps["conv1"].unique().tolist()) == {0, 1}


def test_bfloat16_operands_are_exact() -> None:
    pixels, largest = torch.arange(256), torch.arange(-127, 128)
    assert torch.equal(pixels.to(torch.bfloat16).float(), pixels.float())
    assert torch.equal(largest.to(torch.bfloat16).float(), largest.float())


def test_flattening_is_channel_by_channel() -> None:
    genome = digits_genome()
    network = settled_network(genome)
    layer = network.layers["fc1"]
    assert isinstance(layer, SpikingLayer)
    x = torch.randn(2, 16, 4, 4).contiguous(memory_format=torch.channels_last)
    weight = layer.synapses.codes().detach().numpy()
    expected = np.einsum("nf,mf->nm", x.contiguous().numpy().reshape(2, -1), weight)
    np.testing.assert_allclose(layer.synapses(x).detach().numpy(), expected, rtol=1e-4, atol=1e-4)


def test_what_is_no_network_is_refused() -> None:
    genome, recipe = digits_genome(), Recipe(epochs=1)
    with pytest.raises(ConfigurationError, match=r"^bwo must be False in a network without binary layers, not True$"):
        build_network(digits_genome(bits=4, bwo=True), recipe)
    with pytest.raises(
        ConfigurationError, match=r"^ale needs a layer of more than one weight bit between the first and"
    ):
        build_network(digits_genome(ale_loss=0.1), recipe)
    with pytest.raises(
        ConfigurationError, match=r"^ale_saving must be at most 0\.72, what binary weights in conv2, fc1"
    ):
        build_network(digits_genome(bits=4, ale_saving=0.73), recipe)
    with pytest.raises(ConfigurationError, match=r"^ale_loss must be 0 where ale_saving is the budget, not 0\.1$"):
        build_network(digits_genome(bits=4, ale_saving=0.2, ale_loss=0.1), recipe)
    dual = tuple(replace(layer, dual_threshold=layer.name == "conv2") for layer in genome.layers)
    with pytest.raises(ConfigurationError, match=r"^dual_threshold must be False in conversion, not True: .*conv2\)$"):
        build_network(replace(genome, route="conversion", reset="soft", layers=dual), recipe)
    with pytest.raises(ConfigurationError, match=r"^reset must be soft in conversion, not hard: "):
        build_network(replace(genome, route="conversion"), recipe)
    events = digits_genome(timesteps=2, static_input=False, route="conversion", reset="soft")
    with pytest.raises(ConfigurationError, match=r"^route must be stbp on event data, not conversion: "):
        build_network(events, recipe)
    with pytest.raises(ConfigurationError, match=r"^route must be stbp on event data, not rounded-conversion: "):
        build_network(replace(events, route="rounded-conversion"), recipe)
    steps = digits_genome(timesteps=1, first_stage_timesteps=4, route="conversion", reset="soft")
    with pytest.raises(ConfigurationError, match=r"^first_stage_timesteps must be 1 in conversion, not 4: "):
        build_network(steps, recipe)
    with pytest.raises(ConfigurationError, match=r"^levels must be one of 1, 3, 7, not 2$"):
        build_network(replace(genome, levels=2, reset="soft"), recipe)
    with pytest.raises(ConfigurationError, match=r"^reset must be soft where levels exceed 1, not hard"):
        build_network(replace(genome, levels=3), recipe)
    with pytest.raises(ConfigurationError, match=r"^layers must be one or more that spike and then a classifier"):
        build_network(replace(genome, layers=genome.layers[:-1]), recipe)
    odd = (LayerGenome("conv1", "conv", 8, weight_bits=3), *genome.layers[1:])
    with pytest.raises(ConfigurationError, match=r"^weight bits must be 1, 2, 4 or 8, not 3 \(layer conv1\)"):
        build_network(replace(genome, layers=odd), recipe)
