"""The frozen reference point of a study, and the hypervolume measured from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dse.front import hypervolume
from dse.objectives import Objective, matrix

DECADES = 9.0
"""Costs are not followed further than this below the reference point, where a cost of 0 would be infinitely good."""


@dataclass(frozen=True)
class Reference:
    """A point that every useful design betters, fixed before the first training and never moved.

    Volumes have one axis per objective: accuracy counts linearly from the reference (chance level), every cost in
    decades below it, so that halving a cost weighs the same wherever it happens.

    Attributes:
        values: metric column to its reference value; costs are above 0.
    """

    values: Mapping[str, float]

    def gains(self, metrics: Mapping[str, NDArray[np.float64]], objectives: Sequence[Objective]) -> NDArray[np.float64]:
        """How much better than the reference, ``points x objectives``: larger is better, 0 is the reference."""
        values = matrix(metrics, objectives)
        columns = [
            values[:, i] - self.values[o.column] if o.maximise else _decades(values[:, i], self.values[o.column])
            for i, o in enumerate(objectives)
        ]
        return np.stack(columns, axis=-1)

    def volume(self, metrics: Mapping[str, NDArray[np.float64]], objectives: Sequence[Objective]) -> float:
        """Hypervolume of the points above the reference; 0 without any."""
        gains = self.gains(metrics, objectives)
        return hypervolume(gains, np.zeros(len(objectives)), [True] * len(objectives))


def _decades(cost: NDArray[np.float64], reference: float) -> NDArray[np.float64]:
    """Decades that ``cost`` lies below ``reference``."""
    return np.asarray(-np.log10(np.maximum(cost / reference, 10.0**-DECADES)), dtype=np.float64)
