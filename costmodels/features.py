"""What a machine must be built with beyond its parameters, so that a network can run on it."""

from dataclasses import dataclass

import numpy as np

from costmodels.filters import Integers
from costmodels.machine import MACHINE
from costmodels.ranking import rank_bits, ranked
from costmodels.workload import LayerWorkload, Workload


@dataclass(frozen=True)
class Features:
    """Optional hardware, as wide as its network needs: a machine is built for one network.

    Attributes:
        dual_threshold: a second comparator per row.
        pruned_channels: channels (in fc blocks of nine inputs) of the widest pruned layer, for whose kernels each lane
            has a list and an address unit; 0 where nothing is pruned.
        strength_bits: bits of the strongest spike; 1 is a plain spike.
        pool_bits: bits of the largest element that a pooling window stores; 0 where no layer pools.
        rank_bits: bits of the widest rank of a neuron in its pooling window; 0 where no window has a winner.
        score_words: classes whose scores are gathered.
        timesteps: steps for which a window remembers its winner so far, where steps are the inner loop.
    """

    dual_threshold: bool = False
    pruned_channels: int = 0
    strength_bits: int = 1
    pool_bits: int = 0
    rank_bits: int = 0
    score_words: int = 0
    timesteps: int = 1

    @property
    def pruning(self) -> bool:
        """Lists of kept kernels, with an address unit per lane."""
        return self.pruned_channels > 0

    def list_bits(self, channel_lanes: Integers) -> Integers:
        """Bits of one lane's list, whole words of a header: nine kernels of each lane."""
        return np.asarray(-(-self.pruned_channels // (MACHINE.taps * channel_lanes)) * MACHINE.taps)

    @classmethod
    def of(cls, workload: Workload) -> "Features":
        """What the layers of ``workload`` need."""
        layers = workload.layers
        spiking = [layer for layer in layers if layer.spiking]
        return cls(
            dual_threshold=any(layer.dual_threshold for layer in layers),
            pruned_channels=max((_listed(layer) for layer in layers if layer.kept is not None), default=0),
            strength_bits=max((layer.levels.bit_length() for layer in spiking), default=1),
            pool_bits=max((layer.output_bits for layer in spiking if layer.pool > 1), default=0),
            rank_bits=max((rank_bits(layer, workload.timesteps) for layer in layers), default=0),
            score_words=max((layer.out_channels for layer in layers if not layer.spiking), default=0),
            timesteps=workload.timesteps if any(map(ranked, layers)) else 1,
        )


def _listed(layer: LayerWorkload) -> int:
    """Kernels of a filter over all lanes."""
    return -(-layer.in_channels // MACHINE.taps) if layer.kind == "fc" else layer.in_channels
