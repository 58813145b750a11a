"""Points of a front whose place rests on a difference in accuracy that the samples do not show."""

from collections.abc import Mapping, Sequence

import numpy as np

from dse.objectives import Objective, matrix
from dse.results.interval import wilson_interval
from dse.results.records import FrontPoint, NetworkRecord


def ties(
    points: Sequence[FrontPoint], records: Mapping[int, NetworkRecord], objectives: Sequence[Objective]
) -> dict[str, str]:
    """Id of each tied point to the id of the point it is tied with, the cheapest in the first objective of cost.

    A point is tied where another network's is at least as good in every objective but accuracy, and the 95 % intervals of
    their accuracies overlap: on other samples, that one might have beaten it. Without accuracy and a cost among the
    objectives no point is tied.

    Args:
        points: of one front.
        records: number to network, of all networks of the front.
        objectives: of the search.
    """
    rest = [objective for objective in objectives if objective.column != "accuracy"]
    if len(rest) == len(objectives) or not rest or not points:
        return {}
    intervals = np.array([_interval(records[point.network]) for point in points])
    columns = {o.column: np.array([point.metrics[o.column] for point in points]) for o in rest}
    costs = matrix(columns, rest)
    found = {}
    for place, point in enumerate(points):
        as_good = (costs <= costs[place]).all(axis=1) & (intervals[:, 1] >= intervals[place, 0])
        others = [i for i in np.flatnonzero(as_good).tolist() if points[i].network != point.network]
        if others:
            found[point.id] = points[min(others, key=lambda i: costs[i, 0])].id
    return found


def _interval(record: NetworkRecord) -> tuple[float, float]:
    return wilson_interval(record.score.deployed_correct, record.score.samples)
