"""The frozen reference point of a study, and the hypervolume measured from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dse.front import hypervolume
from dse.objectives import Objective, matrix

DECADES = 9.0
"""Costs are not followed further than this below the reference point, where a cost of 0 would be infinitely good."""

ERROR_DECADES = 3.0
"""The same for the error rate: validation sets of thousands of samples do not resolve less than one in a thousand."""


@dataclass(frozen=True)
class Reference:
    """A point that every useful design betters, fixed before the first training and never moved.

    Volumes have one axis per objective, in decades below the reference: of the cost, or of the error rate for accuracy
    (whose reference is chance). So halving a cost, or the errors, weighs the same wherever it happens; linearly,
    the step from 95 to 98 % would be lost beside one from 10 to 90 %.

    Attributes:
        values: metric column to its reference value; costs are above 0.
    """

    values: Mapping[str, float]

    def gains(self, metrics: Mapping[str, NDArray[np.float64]], objectives: Sequence[Objective]) -> NDArray[np.float64]:
        """How much better than the reference, ``points x objectives``: larger is better, 0 is the reference."""
        values = matrix(metrics, objectives)
        return np.stack([self._gain(values[:, i], o) for i, o in enumerate(objectives)], axis=-1)

    def _gain(self, values: NDArray[np.float64], objective: Objective) -> NDArray[np.float64]:
        """Of one objective's column; the only one to maximise is a share of right answers."""
        reference = self.values[objective.column]
        if objective.maximise:
            return _decades(1 - values, 1 - reference, ERROR_DECADES)
        return _decades(values, reference, DECADES)

    def volume(self, metrics: Mapping[str, NDArray[np.float64]], objectives: Sequence[Objective]) -> float:
        """Hypervolume of the points above the reference; 0 without any."""
        gains = self.gains(metrics, objectives)
        return hypervolume(gains, np.zeros(len(objectives)), [True] * len(objectives))


def _decades(cost: NDArray[np.float64], reference: float, most: float) -> NDArray[np.float64]:
    """Decades that ``cost`` lies below ``reference``, at most ``most``."""
    return np.asarray(-np.log10(np.maximum(cost / reference, 10.0**-most)), dtype=np.float64)
