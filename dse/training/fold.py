"""Folding: batch norm and thresholds of a trained network become one constant and one threshold per channel.

Training sees y = g (z - m) / s + b with s = sqrt(variance + eps) and fires at potential 1. Divided by g / s > 0:

    c = m - b s / g,    theta = s / g,    theta2 = ratio * theta      (a channel with g < 0 is negated first: z, m, g)

all rounded to multiples of 2^-f. z is in units of weight code times input, so the scales of weights, pixels and
pooling need no folding (see `dse.training.model`).

Each layer takes the finest grid, f = 8 at most, on which its membranes and constants fit the machine's membrane word
whatever the input. Where sums are large (8-bit weights on 8-bit pixels) f is small, and so is what rounding loses.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from costmodels.errors import ConfigurationError
from costmodels.machine import MACHINE
from dse.export.integer_network import (
    IntegerClassifier,
    IntegerLayer,
    IntegerNetwork,
    Integers,
    potential_range,
    signed_bits,
    sum_range,
)
from dse.training.model import Classifier, SpikingLayer, SpikingNetwork, Synapses
from dse.training.neuron import NormIF
from dse.training.quantise import FLOAT_BITS
from searchspaces.genome import NetworkGenome
from searchspaces.shapes import LayerShape, layer_shapes

Reals = NDArray[np.float64]

FRACTION_BITS = MACHINE.fraction_bits

# theta is kept at or above this many grid steps: a channel whose sum hardly varied in training has a tiny s, and
# rounding would garble b. Below it, s is raised: the usual spikes stay, the answer to sums never met is softened.
LOWEST_THETA = 16

# theta is kept at or below this many times what T steps of the largest sum can bring: a channel with g near 0 is
# constant, and its threshold would be infinite. Sums then move the membrane by 1 / 16 of the threshold at most.
HIGHEST_THETA_PER_REACH = 16

LARGEST_INT32 = 2**31 - 1


@dataclass(frozen=True)
class Folded:
    """Constants of one layer on the grid, [M] or [thresholds, M]; ``sign`` is -1 for the channels to negate."""

    sign: Integers
    c: Integers
    thetas: Integers


def to_numpy(tensor: object) -> Reals:
    """A tensor's values in float64."""
    values: Reals = tensor.detach().double().cpu().numpy()  # type: ignore[attr-defined]
    return values


def fold_norm(g: Reals, b: Reals, m: Reals, s: Reals, ratio: float | None, span: Reals, grid: int) -> Folded:
    """Constants of channels [M] whose sums over all steps span ``span``, on a grid of 1 / ``grid``."""
    sign = np.where(g < 0, -1.0, 1.0)
    reach = HIGHEST_THETA_PER_REACH * span * grid
    with np.errstate(divide="ignore"):
        theta = np.clip(s / np.abs(g) * grid, LOWEST_THETA, np.maximum(reach, LOWEST_THETA))
    c = np.clip(np.rint(sign * m * grid - b * theta), -LARGEST_INT32, LARGEST_INT32)
    thetas = np.minimum(np.stack([theta] if ratio is None else [theta, ratio * theta]), LARGEST_INT32)
    return Folded(sign.astype(np.int64), c.astype(np.int64), np.rint(thetas).astype(np.int64))


def integer_codes(synapses: Synapses) -> NDArray[np.int8]:
    """Weight codes, M x in_channels x kernel x kernel."""
    weights = to_numpy(synapses.codes()).astype(np.int8)
    return weights if weights.ndim == 4 else weights[:, :, None, None]


def kept_mask(synapses: Synapses) -> NDArray[np.bool_] | None:
    """Mask of kept kernels, filters x in_channels; None when the layer is not pruned."""
    if synapses.kept is None:
        return None
    mask: NDArray[np.bool_] = synapses.kept.cpu().numpy().copy()
    return mask


def common_fields(
    synapses: Synapses, weights: NDArray[np.int8], shape: LayerShape, largest_input: int
) -> dict[str, Any]:
    """The fields that every layer of the integer network has, but for the accumulator's width."""
    layer = synapses.layer
    return {
        "name": layer.name,
        "kind": layer.kind,
        "weights": weights,
        "kept": kept_mask(synapses),
        "weight_bits": synapses.weight_bits,
        "stride": layer.stride,
        "padding": layer.kernel // 2 if layer.kind == "conv" else 0,
        "input_shape": (shape.in_channels, shape.in_height, shape.in_width),
        "input_bits": shape.input_bits,
        "largest_input": largest_input,
    }


def fold_neuron(neuron: NormIF, sums: tuple[Integers, Integers], timesteps: int, fraction_bits: int) -> Folded:
    """Constants of a layer whose sums lie between ``sums``."""
    return fold_norm(
        to_numpy(neuron.weight),
        to_numpy(neuron.bias),
        to_numpy(neuron.running_mean),
        np.sqrt(to_numpy(neuron.running_var) + neuron.eps),
        None if neuron.log_gap is None else float(neuron.ratio.detach()),
        timesteps * (sums[1] - sums[0]).astype(np.float64),
        1 << fraction_bits,
    )


class WidthError(ConfigurationError):
    """A layer needs wider membranes than the machine has."""


@dataclass(frozen=True)
class Grid:
    """Fraction bits that a layer has at most, and the bits of the word that must hold its membranes and constants."""

    fraction_bits: int = FRACTION_BITS
    word_bits: int = MACHINE.membrane_bits


def fold_layer(
    module: SpikingLayer, shape: LayerShape, genome: NetworkGenome, largest_input: int, static: bool, grid: Grid
) -> IntegerLayer:
    """The layer in integers, on the finest grid that fits the word.

    Raises:
        WidthError: not even whole numbers fit.
    """
    for bits in range(grid.fraction_bits, -1, -1):
        layer = _on_grid(module, shape, genome, largest_input, static, bits)
        if _word_bits(layer, genome.timesteps) <= grid.word_bits:
            return layer
    raise WidthError(
        f"membranes of layer {layer.name} must fit the machine's {grid.word_bits} bits, not need "
        f"{_word_bits(layer, genome.timesteps)}; take fewer time steps or weight bits"
    )


def _word_bits(layer: IntegerLayer, timesteps: int) -> int:
    """Bits of the widest membrane, constant, threshold, or potential that ranks the neurons of a pooling window."""
    lowest, highest = min(0, int(layer.c.min())), max(int(layer.c.max()), int(layer.thetas.max()))
    if layer.pool > 1 and layer.pooling == "membrane":
        low, high = sum_range(layer.weights, layer.largest_input)
        lowest, highest = min(lowest, timesteps * int(low.min())), max(highest, timesteps * int(high.max()))
    return max(layer.membrane_bits, signed_bits(lowest, highest))


def _on_grid(
    module: SpikingLayer, shape: LayerShape, genome: NetworkGenome, largest_input: int, static: bool, fraction_bits: int
) -> IntegerLayer:
    """The layer on a grid of 2^-``fraction_bits``, however wide its words become."""
    layer, codes = module.synapses.layer, integer_codes(module.synapses)
    assert isinstance(module.neuron, NormIF), "a network of rectified units is converted first"
    folded = fold_neuron(module.neuron, sum_range(codes, largest_input), genome.timesteps, fraction_bits)
    weights = (codes * folded.sign[:, None, None, None]).astype(np.int8)
    sums = sum_range(weights, largest_input)
    potentials = potential_range(sums, folded.c, folded.thetas[0], genome.timesteps, fraction_bits, genome.reset)
    return IntegerLayer(
        **common_fields(module.synapses, weights, shape, largest_input),
        accumulator_bits=signed_bits(int(sums[0].min()), int(sums[1].max())),
        static_input=static,
        fraction_bits=fraction_bits,
        c=folded.c.astype(np.int32),
        thetas=folded.thetas.astype(np.int32),
        reset=genome.reset,
        pool=layer.pool,
        pooling=genome.pooling,
        membrane_bits=signed_bits(*potentials),
        levels=genome.levels,
    )


def fold_classifier(
    module: Classifier, shape: LayerShape, largest_input: int, timesteps: int, fraction_bits: int
) -> IntegerClassifier:
    """The classifier in integers: logits divided by gain / T, which keeps their order."""
    weights = integer_codes(module.synapses)
    gain = np.maximum(np.exp(to_numpy(module.log_gain)), np.finfo(np.float32).tiny)
    bias = np.rint(to_numpy(module.bias) * timesteps / gain * 2**fraction_bits)
    bias = np.clip(bias, -LARGEST_INT32, LARGEST_INT32).astype(np.int32)
    terms = timesteps * shape.out_height * shape.out_width
    low, high = (total * terms for total in sum_range(weights, largest_input))
    scores = ((low << fraction_bits) + bias).min(), ((high << fraction_bits) + bias).max()
    return IntegerClassifier(
        **common_fields(module.synapses, weights, shape, largest_input),
        accumulator_bits=signed_bits(int(low.min()), int(high.max())),
        bias=bias,
        score_bits=signed_bits(min(0, int(scores[0])), max(0, int(scores[1]))),
    )


def fold(
    network: SpikingNetwork, fraction_bits: int = FRACTION_BITS, word_bits: int = MACHINE.membrane_bits
) -> IntegerNetwork:
    """The trained network in integers alone; it decides as the network does in eval mode, but for rare rounding flips.

    Raises:
        ConfigurationError: a layer has float weights.
        WidthError: a layer needs membranes wider than ``word_bits`` on any grid.
    """
    genome = network.genome
    for synapses in network.all_synapses():
        if synapses.weight_bits == FLOAT_BITS:
            raise ConfigurationError(
                f"weight bits must be 1, 2, 4 or 8 in an integer network, not {FLOAT_BITS} "
                f"(layer {synapses.layer.name})"
            )
    *spiking, (_, last_shape) = layer_shapes(genome)
    largest, folded = 2**genome.input_bits - 1, list[IntegerLayer]()
    for layer, shape in spiking:
        module = network.layers[layer.name]
        assert isinstance(module, SpikingLayer)
        static = genome.static_input and not folded
        folded.append(fold_layer(module, shape, genome, largest, static, Grid(fraction_bits, word_bits)))
        largest = folded[-1].largest_output
    classifier = fold_classifier(network.classifier, last_shape, largest, genome.timesteps, fraction_bits)
    return IntegerNetwork(genome.timesteps, fraction_bits, tuple(folded), classifier)
