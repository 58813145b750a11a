"""The network that is trained: quantised convolutions with time folded into the batch, and fused spiking neurons.

A network to be converted is trained with rectified units in the neurons' place (`dse.training.rectifier`).

Convolutions multiply whole numbers: integer pixels or spikes, times weight codes (`dse.training.quantise`). The
positive factors that make codes weights and pixels fractions (alpha, 1 / (2^bits - 1), 1 / pool^2) are left out where a
batch norm follows, because it divides by them again; the classifier, which has none, learns one gain for all classes.
So the spikes are the same, operands are exact in bfloat16, and `dse.training.fold` need not undo the factors.

A fully connected layer behind a convolution reads the map flattened channel by channel: C, then rows, then columns.
"""

import math
from collections.abc import Collection

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from dse.training.convolution import convolve
from dse.training.frames import frames
from dse.training.neuron import NormIF
from dse.training.quantise import codes, scale
from dse.training.rectifier import NormReLU
from dse.training.trainable import check_trainable
from searchspaces.genome import LayerGenome, NetworkGenome
from searchspaces.recipe import Recipe
from searchspaces.shapes import LayerShape, layer_shapes

GRADIENT_RATE = 0.1  # of the moving average behind dynamic pruning: about ten batches


class Synapses(nn.Module):
    """Weights of one layer and the integer sums they make.

    Attributes:
        weight: the trained real numbers, filters x in_channels [x kernel x kernel].
        weight_bits: of a code; those of the genome, or 1 since training made the layer binary (`dse.training.ale`).
        kept: filters x in_channels booleans, only where the genome prunes the layer.
        gradient: moving average of the loss's gradient by the codes, removed kernels included, only where the layer is
            pruned dynamically.
    """

    kept: Tensor | None
    gradient: Tensor | None

    def __init__(self, layer: LayerGenome, in_channels: int, dynamic_pruning: bool = False) -> None:
        super().__init__()
        self.layer, self.weight_bits = layer, layer.weight_bits
        kernel = (layer.kernel, layer.kernel) if layer.kind == "conv" else ()
        self.weight = nn.Parameter(torch.empty(layer.filters, in_channels, *kernel))
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        pruned = layer.prune_ratio > 0
        self.register_buffer("kept", torch.ones(layer.filters, in_channels, dtype=torch.bool) if pruned else None)
        gradient = torch.zeros_like(self.weight) if pruned and dynamic_pruning else None
        self.register_buffer("gradient", gradient, persistent=False)

    @property
    def whole_layer(self) -> bool:
        """One scale for all output channels: the classifier's sums are compared with each other."""
        return not self.layer.spiking

    @property
    def fan_in(self) -> int:
        """Weights of one output."""
        return self.weight[0].numel()

    def codes(self) -> Tensor:
        """Weight codes, 0 where pruned, with a straight-through gradient."""
        found = codes(self.weight, self.kept, self.weight_bits, self.whole_layer)
        if self.gradient is not None and found.requires_grad:
            found.register_hook(self._follow)  # type: ignore[no-untyped-call]
        return found

    @torch.no_grad()
    def _follow(self, gradient: Tensor) -> None:
        """Take the gradient by the codes into its average."""
        assert self.gradient is not None, "registered where there is one"
        self.gradient.lerp_(gradient, GRADIENT_RATE)

    def scale(self) -> Tensor:
        """Factor from codes to weights (see `dse.training.quantise`)."""
        return scale(self.weight, self.kept, self.weight_bits, self.whole_layer)

    def forward(self, x: Tensor) -> Tensor:
        """Sums of x [n, C, H, W] (flattened for a fully connected layer) over kernels, in x's type."""
        if self.layer.kind == "fc":
            return F.linear(x.flatten(1), self.codes().to(x.dtype))
        return convolve(x, self.codes(), self.layer.stride, self.layer.kernel // 2)


class SpikingLayer(nn.Module):
    """Synapses, then batch norm, neurons (or rectified units) and pooling."""

    neuron: NormIF | NormReLU

    def __init__(
        self, layer: LayerGenome, shape: LayerShape, genome: NetworkGenome, recipe: Recipe, rectified: bool
    ) -> None:
        super().__init__()
        self.synapses = Synapses(layer, shape.in_channels, genome.dynamic_pruning)
        if rectified:
            self.neuron = NormReLU(layer.filters, pool=layer.pool, pooling=genome.pooling)
        else:
            self.neuron = NormIF(
                layer.filters,
                genome.timesteps,
                levels=genome.levels,
                pool=layer.pool,
                pooling=genome.pooling,
                reset=genome.reset,
                dual_threshold=layer.dual_threshold,
                surrogate=recipe.surrogate,
                surrogate_width=recipe.surrogate_width,
            )

    @torch.no_grad()
    def binarise(self) -> None:
        """One-bit weights from here on; the running statistics change to the unit of the new sums."""
        before, self.synapses.weight_bits = self.synapses.scale(), 1
        change = (before / self.synapses.scale()).flatten()
        self.neuron.running_mean.mul_(change)
        self.neuron.running_var.mul_(change.square())

    def forward(self, x: Tensor, static: bool) -> Tensor:
        """The stored map at every step, [T*B, ...] with the step slowest; x has no T when ``static``."""
        spikes: Tensor = self.neuron(self.synapses(x), static=static)
        return spikes


class Classifier(nn.Module):
    """Sums of all steps (and of all positions under a gap head) as logits: ``gain * sum / T + bias``."""

    def __init__(self, layer: LayerGenome, shape: LayerShape, genome: NetworkGenome) -> None:
        super().__init__()
        self.timesteps = genome.timesteps
        self.synapses = Synapses(layer, shape.in_channels, genome.dynamic_pruning)
        terms = self.synapses.fan_in * shape.out_height * shape.out_width
        with torch.no_grad():
            size = self.synapses.codes().square().mean().sqrt()
        self.log_gain = nn.Parameter(-torch.log(size * math.sqrt(terms)))
        self.bias = nn.Parameter(torch.zeros(layer.channels))

    def forward(self, spikes: Tensor) -> Tensor:
        """Logits [B, classes] in float32 of spikes [T*B, ...]."""
        # The sum over steps goes in front of the weights, which do not change with time.
        counts = spikes.view(self.timesteps, -1, *spikes.shape[1:]).sum(0)
        sums = self.synapses(counts).float()
        if sums.ndim == 4:
            sums = sums.sum((2, 3))
        logits: Tensor = sums * (self.log_gain.exp() / self.timesteps) + self.bias
        return logits


class SpikingNetwork(nn.Module):
    """A genome's network.

    Attributes:
        layers: `SpikingLayer` by name, in order.
        classifier: the last layer.
        precision: type in which convolutions compute; parameters are float32.
    """

    def __init__(self, genome: NetworkGenome, recipe: Recipe, rectified: bool = False) -> None:
        super().__init__()
        self.genome = genome
        self.precision = torch.float32
        *spiking, (last, last_shape) = layer_shapes(genome)
        self.layers = nn.ModuleDict(
            {layer.name: SpikingLayer(layer, shape, genome, recipe, rectified) for layer, shape in spiking}
        )
        self.classifier = Classifier(last, last_shape, genome)

    def stored_maps(self, images: Tensor) -> dict[str, Tensor]:
        """What every spiking layer stores, by name, [T*B, ...] with the step slowest; images are uint8 [B, C, H, W]."""
        static, maps = self.genome.static_input, dict[str, Tensor]()
        x = (images if static else frames(images, self.genome.timesteps).flatten(0, 1)).to(self.precision)
        for name, layer in self.layers.items():
            x = maps[name] = layer(x, static)
            static = False
        return maps

    def forward(self, images: Tensor) -> Tensor:
        """Logits [B, classes] of uint8 images [B, C, H, W] with pixels 0 to 2^input_bits - 1, or slices of events."""
        *_, last = self.stored_maps(images).values()
        logits: Tensor = self.classifier(last)
        return logits

    @property
    def binarised(self) -> tuple[str, ...]:
        """Layers that are binary though the genome gives them more bits."""
        return tuple(s.layer.name for s in self.all_synapses() if s.weight_bits != s.layer.weight_bits)

    def hold_binary(self, names: Collection[str]) -> None:
        """Give these layers one-bit weights; their statistics are those of one already."""
        for synapses in self.all_synapses():
            if synapses.layer.name in names:
                synapses.weight_bits = 1

    def all_synapses(self) -> list[Synapses]:
        """Synapses of every layer in order, the classifier's last."""
        return [module for module in self.modules() if isinstance(module, Synapses)]


def build_network(genome: NetworkGenome, recipe: Recipe, rectified: bool = False) -> SpikingNetwork:
    """The untrained network; weights drawn from torch's global generator.

    Args:
        rectified: rectified units instead of neurons, for a network that will be converted.

    Raises:
        ConfigurationError: the genome asks for what cannot be trained, or is no network.
    """
    check_trainable(genome)
    return SpikingNetwork(genome, recipe, rectified)
