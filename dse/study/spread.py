"""Choose networks spread over a front."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dse.objectives import Objective, matrix
from dse.results.records import FrontPoint
from dse.results.reference import Reference


def spread_networks(
    points: Sequence[FrontPoint], objectives: Sequence[Objective], reference: Reference, count: int
) -> tuple[int, ...]:
    """Numbers of at most ``count`` networks of the front, in the order chosen.

    First the best in each objective (the most accurate, the cheapest), in the order of the objectives; then, one after
    the other, the network with the point farthest from all points of the chosen ones. Distances are taken along the
    axes of the hypervolume, each scaled to the extent of the front.
    """
    if not points or count < 1:
        return ()
    metrics = {o.column: np.array([point.metrics[o.column] for point in points]) for o in objectives}
    places = _scaled(reference.gains(metrics, objectives))
    networks = np.array([point.network for point in points])
    chosen: list[int] = []
    for column in matrix(metrics, objectives).T * [[1 if o.maximise else -1] for o in objectives]:
        _add(chosen, int(networks[int(column.argmax())]))
    while len(chosen) < min(count, len(set(networks.tolist()))):
        _add(chosen, int(networks[_farthest(places, np.isin(networks, chosen))]))
    return tuple(chosen[:count])


def _add(chosen: list[int], number: int) -> None:
    if number not in chosen:
        chosen.append(number)


def _farthest(places: NDArray[np.float64], taken: NDArray[np.bool_]) -> int:
    """Row of the point with the greatest distance from its nearest taken point."""
    apart = np.linalg.norm(places[:, None, :] - places[None, taken, :], axis=-1).min(axis=1)
    return int(np.where(taken, -1.0, apart).argmax())


def _scaled(gains: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each column from 0 to 1."""
    low, high = gains.min(axis=0), gains.max(axis=0)
    return np.asarray((gains - low) / np.where(high > low, high - low, 1.0))
