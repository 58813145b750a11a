"""CNN-to-SNN conversion (M-SNN): thresholds for the rates of spikes to follow the activations of a trained CNN.

Ours where not published. A layer's threshold is a high percentile of its activations on a calibration batch, divided by
the number of strengths, so that a neuron that fires at full strength all the time stands for that percentile. All
channels share it, since weights in codes cannot take up one factor for each input. The batch norm takes the thresholds
in: its own divides it, that of the layer before multiplies what it reads. So folding and the integer network follow
unchanged.

A soft reset keeps what a spike did not carry away, so T steps round the activation down to a whole number of
thresholds, half a threshold too low on average. That half is added, spread over the steps.
"""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from dse.training.model import SpikingLayer, SpikingNetwork, build_network
from dse.training.neuron import NormIF
from dse.training.rectifier import NormReLU
from searchspaces.genome import NetworkGenome
from searchspaces.recipe import Recipe

PERCENTILE = 99.9
CALIBRATION_IMAGES = 256


@torch.no_grad()
def peaks(cnn: SpikingNetwork, images: Tensor) -> dict[str, float]:
    """The percentile of every layer's activations on uint8 images [B, C, H, W], by name; 1 where all are 0."""
    cnn.eval()
    x, found = images.to(cnn.precision), {}
    for name, layer in cnn.layers.items():
        assert isinstance(layer, SpikingLayer)
        assert isinstance(layer.neuron, NormReLU), "a network of rectified units is converted"
        activations = layer.neuron.activations(layer.synapses(x))
        found[name] = float(np.percentile(activations.float().cpu().numpy(), PERCENTILE)) or 1.0
        x = layer.neuron.pooled(activations)
    return found


@torch.no_grad()
def convert(cnn: SpikingNetwork, genome: NetworkGenome, recipe: Recipe, images: Tensor) -> SpikingNetwork:
    """The genome's spiking network with the weights of ``cnn``, calibrated on uint8 images [B, C, H, W].

    ``cnn`` has rectified units and otherwise the same layers.
    """
    network = build_network(genome, recipe).to(images.device)
    network.load_state_dict(cnn.state_dict())
    network.hold_binary(cnn.binarised)
    unit = 1.0  # of activation, that a stored 1 of the layer before stands for
    for name, peak in peaks(cnn, images).items():
        threshold = peak / genome.levels
        layer = network.layers[name]
        assert isinstance(layer, SpikingLayer)
        _rescale(layer.neuron, unit, threshold, genome.timesteps)
        unit = threshold
    network.classifier.log_gain.add_(float(np.log(unit)))
    return network.eval()


@torch.no_grad()
def with_timesteps(network: SpikingNetwork, timesteps: int) -> SpikingNetwork:
    """What `convert` makes of the same CNN for another number of steps, from a network that it made."""
    other = build_network(replace(network.genome, timesteps=timesteps), Recipe(epochs=1))
    other.load_state_dict(network.state_dict())
    other.hold_binary(network.binarised)
    for layer in other.layers.values():
        assert isinstance(layer, SpikingLayer)
        layer.neuron.bias.add_(1 / (2 * timesteps) - 1 / (2 * network.genome.timesteps))
    return other.to(network.classifier.bias.device).eval()


def _rescale(neuron: NormIF | NormReLU, unit: float, threshold: float, timesteps: int) -> None:
    """Read sums in ``unit`` and fire at ``threshold``, both in units of the CNN's activations."""
    neuron.running_mean.div_(unit)
    # eps is added to the variance of sums in their own unit: what it was before stays.
    neuron.running_var.add_(neuron.eps).div_(unit**2).sub_(neuron.eps).clamp_(min=0)
    neuron.weight.div_(threshold)
    neuron.bias.div_(threshold).add_(1 / (2 * timesteps))
