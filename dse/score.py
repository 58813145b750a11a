"""What a training run says about a network: a score, or the reason why there is none."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from costmodels.workload import Workload
from searchspaces.genome import NetworkGenome
from searchspaces.lowering import lower


@dataclass(frozen=True, eq=False)
class NetworkScore:
    """Outcome of one training run; plain data, read without torch.

    Attributes:
        genome_digest, recipe_digest, data_digest, seed, code_version: the cache key.
        correct, samples: validation samples classified rightly by the float network, and how many were asked.
        deployed_correct: the same by the folded integer network.
        input_density: share of set bits in the input, over all bits and pixels: of images, or of each step's frame.
        firing_rates: layer name to the share of set bits of its stored map (after pooling), one value per time step.
        masks: layer name to ``filters x in_channels`` booleans of kept kernels, for pruned layers only.
        epochs, seconds: what the run did and took.
        weights: file of the trained float parameters (safetensors), relative to the cache folder.
        binarised: layers that training made binary though the genome gives them more bits (ALE).
    """

    genome_digest: str
    recipe_digest: str
    data_digest: str
    seed: int
    code_version: str
    correct: int
    samples: int
    deployed_correct: int
    input_density: tuple[float, ...]
    firing_rates: dict[str, tuple[float, ...]]
    masks: dict[str, NDArray[np.bool_]]
    epochs: int
    seconds: float
    weights: str
    binarised: tuple[str, ...] = ()

    @property
    def accuracy(self) -> float:
        """Share of validation samples that the float network classifies rightly."""
        return self.correct / self.samples

    @property
    def deployed_accuracy(self) -> float:
        """Share of validation samples that the integer network classifies rightly."""
        return self.deployed_correct / self.samples


def lowered(genome: NetworkGenome, score: NetworkScore, name: str = "network") -> Workload:
    """The workload of one inference of a trained network: measured activity, exact masks and weight bits."""
    ended = genome.binarised(score.binarised)
    return lower(ended, score.input_density, score.firing_rates, score.masks, name)


@dataclass(frozen=True)
class Failed:
    """A training run without a score.

    Attributes:
        reason: ``diverged`` (NaN or infinite loss), ``out-of-memory``, ``over-budget`` or ``crashed``.
        message: one line for the report.
        seconds: what the run took.
    """

    reason: Literal["diverged", "out-of-memory", "over-budget", "crashed"]
    message: str
    seconds: float
