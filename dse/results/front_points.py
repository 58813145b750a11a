"""The front of a study: what is left when the own fronts of all networks meet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dse.front import nondominated
from dse.objectives import COLUMNS, Objective, matrix
from dse.results.records import FrontPoint, Metrics, NetworkRecord, point_of
from dse.results.reference import Reference


@dataclass(frozen=True, eq=False)
class FrontTable:
    """Points of a front as arrays, in the order they were found.

    Attributes:
        network: number of the network, ``n``.
        row: position in the own front of that network, ``n``.
        metrics: every metric column, ``n`` values each.
    """

    network: NDArray[np.int64]
    row: NDArray[np.int64]
    metrics: Metrics

    def __len__(self) -> int:
        return len(self.network)

    @classmethod
    def empty(cls) -> "FrontTable":
        """No point."""
        none = np.zeros(0, dtype=np.int64)
        return cls(none, none, {column: np.zeros(0) for column in COLUMNS})

    def merged(self, record: NetworkRecord, objectives: Sequence[Objective]) -> "FrontTable":
        """The front of these points and the network's own front; of equal points the earlier one stays."""
        own = record.own_front
        network = np.concatenate([self.network, np.full(len(own), record.number)])
        row = np.concatenate([self.row, np.arange(len(own))])
        none = np.zeros(0)  # before the first network, nothing is known of the formulas of the search
        metrics = {c: np.concatenate([self.metrics.get(c, none), values]) for c, values in own.metrics.items()}
        keep = nondominated(matrix(metrics, objectives), [o.maximise for o in objectives])
        return FrontTable(network[keep], row[keep], {column: values[keep] for column, values in metrics.items()})

    def volume(self, reference: Reference, objectives: Sequence[Objective]) -> float:
        """Hypervolume above the reference point."""
        return reference.volume(self.metrics, objectives)


def front_table(networks: Iterable[NetworkRecord], objectives: Sequence[Objective]) -> FrontTable:
    """The front of all ``networks``, merged in their order."""
    table = FrontTable.empty()
    for record in networks:
        table = table.merged(record, objectives)
    return table


def front_points(networks: Sequence[NetworkRecord], objectives: Sequence[Objective]) -> tuple[FrontPoint, ...]:
    """The front of all ``networks`` as points, best in the first objective first."""
    return table_points(front_table(networks, objectives), networks, objectives)


def table_points(
    table: FrontTable, networks: Iterable[NetworkRecord], objectives: Sequence[Objective]
) -> tuple[FrontPoint, ...]:
    """The points of a table, best in the first objective first."""
    by_number = {record.number: record for record in networks}
    rows = zip(table.network.tolist(), table.row.tolist(), strict=True)
    points = [point_of(by_number[network], row) for network, row in rows]
    return tuple(sorted(points, key=lambda point: _rank(point, objectives)))


def _rank(point: FrontPoint, objectives: Sequence[Objective]) -> tuple[float, ...]:
    """Sorting key: best first, objective by objective."""
    return tuple(point.metrics[o.column] * (-1 if o.maximise else 1) for o in objectives)
