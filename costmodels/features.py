"""What a machine must be built with beyond its parameters, so that a network can run on it."""

from dataclasses import dataclass

import numpy as np

from costmodels.filters import Integers
from costmodels.machine import MACHINE
from costmodels.ranking import rank_bits
from costmodels.workload import LayerWorkload, Workload


@dataclass(frozen=True)
class Features:
    """Optional hardware, as wide as its network needs: a machine is built for one network.

    Attributes:
        dual_threshold: a second comparator per row.
        pruned_channels: channels (in fc blocks of nine inputs) of the widest pruned layer, for whose kernels each lane
            has a list and an address unit; 0 where nothing is pruned.
        strength_bits: bits of the strongest spike; 1 is a plain spike.
        planes: bits of the largest element that is stored.
        port_planes: bits of the largest element that crosses the port, for a fusion depth of 1, 2, ...; the last one
            also for more.
        largest_pool, largest_stride: of all layers.
        rank_bits: bits of the widest rank of a neuron in its pooling window; 0 where no window has a winner.
        timesteps: steps for which a pooling window remembers what it has, where steps are the inner loop.
        grids: layers have different fixed-point grids, so that neurons shift their sums.
    """

    dual_threshold: bool = False
    pruned_channels: int = 0
    strength_bits: int = 1
    planes: int = 1
    port_planes: tuple[int, ...] = (1,)
    largest_pool: int = 1
    largest_stride: int = 1
    rank_bits: int = 0
    timesteps: int = 1
    grids: bool = False

    @property
    def pruning(self) -> bool:
        """Lists of kept kernels, with an address unit per lane."""
        return self.pruned_channels > 0

    def list_bits(self, channel_lanes: Integers) -> Integers:
        """Bits of one lane's list, whole words of a header: nine kernels of each lane."""
        return np.asarray(-(-self.pruned_channels // (MACHINE.taps * channel_lanes)) * MACHINE.taps)

    def port_planes_at(self, fusion_depth: Integers) -> Integers:
        """``port_planes`` of machines with these fusion depths."""
        return np.asarray(np.array(self.port_planes)[np.minimum(fusion_depth, len(self.port_planes)) - 1])

    @classmethod
    def of(cls, workload: Workload) -> "Features":
        """What the layers of ``workload`` need."""
        layers = workload.layers
        spiking = [layer for layer in layers if layer.spiking]
        return cls(
            dual_threshold=any(layer.dual_threshold for layer in layers),
            pruned_channels=max((_listed(layer) for layer in layers if layer.kept is not None), default=0),
            strength_bits=max((layer.levels.bit_length() for layer in spiking), default=1),
            planes=max((layer.output_bits for layer in spiking), default=1),
            port_planes=tuple(_port_planes(workload, depth) for depth in range(1, len(layers) + 1)),
            largest_pool=max(layer.pool for layer in layers),
            largest_stride=max(layer.stride for layer in layers),
            rank_bits=max((rank_bits(layer, workload.timesteps) for layer in layers), default=0),
            timesteps=workload.timesteps,
            grids=len({_fraction_bits(layer, workload.timesteps) for layer in spiking}) > 1,
        )


def _listed(layer: LayerWorkload) -> int:
    """Kernels of a filter over all lanes."""
    return -(-layer.in_channels // MACHINE.taps) if layer.kind == "fc" else layer.in_channels


def _port_planes(workload: Workload, fusion_depth: int) -> int:
    """Bits of the widest element of a map between groups, or of the input."""
    ends = [*workload.layers[fusion_depth - 1 :: fusion_depth], workload.layers[-1]]
    return max([workload.layers[0].input_bits, *(layer.output_bits for layer in ends if layer.spiking)])


def _fraction_bits(layer: LayerWorkload, timesteps: int) -> int:
    """Bits of the finest grid on which all steps of the largest sum fit a membrane, half of the weights being positive.

    Folding finds the grid from the weights themselves, which no workload has.
    """
    weights = layer.in_channels if layer.kept is None else int(layer.kept.sum(axis=1).max())
    largest = weights * layer.kernel**2 * 2 ** (layer.weight_bits - 1) * (2**layer.input_bits - 1) // 2
    bits: int = min(MACHINE.fraction_bits, MACHINE.membrane_bits - 1 - (timesteps * largest).bit_length())
    return bits
