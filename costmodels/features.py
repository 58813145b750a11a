"""What a machine must be built with beyond its parameters, so that a network can run on it."""

from dataclasses import dataclass

from costmodels.workload import Workload


@dataclass(frozen=True)
class Features:
    """Optional hardware.

    Attributes:
        dual_threshold: a second comparator per row.
        pruning: lists of kept kernels, with an address unit per lane.
    """

    dual_threshold: bool = False
    pruning: bool = False

    @classmethod
    def of(cls, workload: Workload) -> "Features":
        """What the layers of ``workload`` need."""
        return cls(
            dual_threshold=any(layer.dual_threshold for layer in workload.layers),
            pruning=any(layer.kept is not None for layer in workload.layers),
        )
