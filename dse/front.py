"""Non-dominated points and the hypervolume they cover, over plain arrays."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def nondominated(values: Values, maximise: Sequence[bool]) -> NDArray[np.bool_]:
    """Which of ``n`` points no other point dominates.

    Args:
        values: ``n x m``.
        maximise: ``m`` booleans, True where larger is better.

    Returns:
        ``n`` booleans. Of points equal in all columns the first alone is True.

    Raises:
        ValueError: a NaN (the comparison would keep or drop it by accident), or a shape that is not ``n x m``.
    """
    points = _checked(values, len(maximise))
    if not len(points):
        return np.zeros(0, dtype=np.bool_)
    from moocore import is_nondominated

    return np.asarray(is_nondominated(points, maximise=list(maximise)), dtype=np.bool_)


def hypervolume(values: Values, reference: Sequence[float] | Values, maximise: Sequence[bool]) -> float:
    """Volume between the ``reference`` point and the ``n x m`` points that are better than it in every column.

    Points that do not better the reference in some column add nothing; no point at all covers 0.

    Raises:
        ValueError: a NaN, or shapes that do not fit.
    """
    points = _checked(values, len(maximise))
    corner = _checked(np.asarray(reference, dtype=np.float64)[None, :], len(maximise))[0]
    if not len(points):
        return 0.0
    from moocore import hypervolume as volume

    return float(volume(points, ref=corner, maximise=list(maximise)))


def _checked(values: Values, columns: int) -> Values:
    """The points as a contiguous ``n x columns`` array without NaN."""
    points = np.ascontiguousarray(values, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != columns:
        raise ValueError(f"points must be an n x {columns} array, not of shape {points.shape}")
    if np.isnan(points).any():
        row = int(np.isnan(points).any(axis=1).argmax())
        raise ValueError(f"points must be numbers, not NaN (row {row} of {len(points)})")
    return points
