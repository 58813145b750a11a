"""What a machine must be built with beyond its parameters, so that a network can run on it."""

from dataclasses import dataclass

from costmodels.ranking import rank_bits, ranked
from costmodels.workload import Workload


@dataclass(frozen=True)
class Features:
    """Optional hardware.

    Attributes:
        dual_threshold: a second comparator per row.
        pruning: lists of kept kernels, with an address unit per lane.
        strength_bits: bits of the strongest spike; 1 is a plain spike.
        rank_bits: bits of the widest rank of a neuron in its pooling window; 0 where no window has a winner.
        timesteps: steps for which a window remembers its winner so far, where steps are the inner loop.
    """

    dual_threshold: bool = False
    pruning: bool = False
    strength_bits: int = 1
    rank_bits: int = 0
    timesteps: int = 1

    @classmethod
    def of(cls, workload: Workload) -> "Features":
        """What the layers of ``workload`` need."""
        return cls(
            dual_threshold=any(layer.dual_threshold for layer in workload.layers),
            pruning=any(layer.kept is not None for layer in workload.layers),
            strength_bits=max((layer.levels.bit_length() for layer in workload.layers if layer.spiking), default=1),
            rank_bits=max((rank_bits(layer, workload.timesteps) for layer in workload.layers), default=0),
            timesteps=workload.timesteps if any(map(ranked, workload.layers)) else 1,
        )
