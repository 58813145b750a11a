"""Map sizes and bit planes of a network's layers, and how many kernels its prune ratios remove."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from searchspaces.genome import LayerGenome, NetworkGenome, Pooling

# A ratio written in decimals times a whole number may fall below the integer it means by a rounding error.
ROUNDING = 1e-9


@dataclass(frozen=True)
class LayerShape:
    """Maps of one layer: read, computed, and stored after pooling; a fully connected layer reads a 1 x 1 map."""

    in_channels: int
    in_height: int
    in_width: int
    out_height: int
    out_width: int
    stored_height: int
    stored_width: int
    input_bits: int
    output_bits: int


def convolved(edge: int, stride: int) -> int:
    """Rows (or columns) of a convolution's output for an odd kernel padded by ``kernel // 2``."""
    return (edge - 1) // stride + 1


def canonical_pooling(pooling: Pooling, timesteps: int) -> Pooling:
    """The rule that trains the same network: in one step a neuron has gathered no more than its potential."""
    return "or" if pooling == "membrane" and timesteps == 1 else pooling


def canonical_first_stage(first: int, timesteps: int) -> int:
    """Steps of the first stage; 1, none, where they are those of the network."""
    return 1 if first == timesteps else first


def stored_bits(pool: int, pooling: Pooling, levels: int) -> int:
    """Bit planes of one stored element: a spike's strength, or the spike count of an average-pooling window."""
    largest = levels * pool**2 if pooling == "average" else levels
    return math.ceil(math.log2(largest + 1))


def removed_kernels(prune_ratio: float, kernels: int) -> int:
    """Kernels that ``prune_ratio`` removes out of ``kernels``: rounded down, so that one is always kept."""
    return math.floor(prune_ratio * kernels + ROUNDING)


def exact_ratio(prune_ratio: float, kernels: int) -> float:
    """The share that is really removed: equal for two ratios exactly when they remove equally many kernels."""
    return removed_kernels(prune_ratio, kernels) / kernels


def layer_shapes(genome: NetworkGenome) -> Iterator[tuple[LayerGenome, LayerShape]]:
    """Each layer of the network with its shape, classifier last.

    The classifier stores no map: its ``output_bits`` is 0.
    """
    channels, height, width = genome.input_shape
    bits = genome.input_bits
    for layer in genome.layers:
        if layer.kind == "fc":
            channels, height, width = channels * height * width, 1, 1
        shape = _layer_shape(layer, genome, channels, height, width, bits)
        yield layer, shape
        channels, height, width, bits = layer.channels, shape.stored_height, shape.stored_width, shape.output_bits


def _layer_shape(
    layer: LayerGenome, genome: NetworkGenome, channels: int, height: int, width: int, bits: int
) -> LayerShape:
    out_height, out_width = convolved(height, layer.stride), convolved(width, layer.stride)
    return LayerShape(
        in_channels=channels,
        in_height=height,
        in_width=width,
        out_height=out_height,
        out_width=out_width,
        stored_height=out_height // layer.pool,
        stored_width=out_width // layer.pool,
        input_bits=bits,
        output_bits=stored_bits(layer.pool, genome.pooling, genome.levels) if layer.spiking else 0,
    )
