"""Layers that the accuracy loss estimator (ALE) may make binary, and what that saves; ours where not published.

The first layer and the classifier keep their bits, unless the genome itself says binary.
"""

from searchspaces.genome import LayerGenome, NetworkGenome
from searchspaces.shapes import LayerShape, layer_shapes, removed_kernels

ROUNDING = 1e-9
"""A share written in decimals may exceed by a rounding error the one it means."""


def weight_bits(layer: LayerGenome, shape: LayerShape) -> int:
    """Bits of the weights that the layer keeps in the end."""
    kernels = layer.filters * shape.in_channels
    return (kernels - removed_kernels(layer.prune_ratio, kernels)) * layer.kernel**2 * layer.weight_bits


def total_bits(genome: NetworkGenome) -> int:
    """Bits of all weights, before any layer is made binary."""
    return sum(weight_bits(layer, shape) for layer, shape in layer_shapes(genome))


def savings(genome: NetworkGenome) -> dict[str, int]:
    """Name of each layer that may become binary to the bits that saves, in order."""
    return {
        layer.name: weight_bits(layer, shape) * (layer.weight_bits - 1) // layer.weight_bits
        for layer, shape in list(layer_shapes(genome))[1:-1]
        if layer.weight_bits > 1
    }


def saving_rule(genome: NetworkGenome) -> str:
    """What the share to save must be, in the words after "must", where it is out of reach; else empty."""
    saved = savings(genome)
    most = sum(saved.values()) / total_bits(genome)
    if genome.ale_saving <= most + ROUNDING:
        return ""
    return f"be at most {most:.3g}, what binary weights in {', '.join(saved) or 'no layer'} save of all weight bits"


def smallest(genome: NetworkGenome) -> NetworkGenome:
    """The network in which every layer that ALE may pick is binary: the least that it can weigh."""
    return genome.binarised(savings(genome)) if genome.ale else genome
