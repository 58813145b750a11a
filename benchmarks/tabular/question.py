"""What every contestant is asked: find the front of one half of a table, every network priced on every machine."""

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from table import FULL, TABLE, Entry, half, read_table, table_space

from costmodels.evaluate import evaluate_totals
from dse.front import hypervolume, nondominated
from dse.objectives import matrix
from dse.results.reference import Reference
from dse.study.pricing import Priced
from dse.study.problem import Problem, new_problem
from dse.study.reference_point import freeze
from dse.study.settings import SearchSettings
from searchspaces.genome import NetworkGenome
from searchspaces.space import SearchSpace, load_space

SHORT = "e3"
"""Run whose score a contestant is told."""


class Step(NamedTuple):
    """One training of a contestant: the network, the machine (None is all of them), and when it was decided, in seconds
    of processor time since the contestant began."""

    number: int
    machine: int | None
    decided_s: float


@dataclass(frozen=True, eq=False)
class Question:
    """A half of a table as a search problem.

    Attributes:
        entries: of that half.
        space_file: of the table.
        objectives: names.
        told: kind of run whose score a contestant sees.
    """

    entries: Sequence[Entry]
    space_file: Path
    objectives: tuple[str, ...] = ("acc", "energy")
    told: str = SHORT

    @cached_property
    def space(self) -> SearchSpace:
        """Over the networks of the half."""
        return table_space(load_space(self.space_file), self.entries)

    @property
    def settings(self) -> SearchSettings:
        """Of a search."""
        return SearchSettings(space=str(self.space_file), objectives=self.objectives, workers=1)

    @cached_property
    def problem(self) -> Problem:
        """As a search poses it."""
        with patch("dse.study.problem.load_space", lambda _: self.space):
            return new_problem(self.settings, remembered_totals)

    @cached_property
    def reference(self) -> Reference:
        """Frozen for the whole space, so that both halves share it."""
        found = freeze(load_space(self.space_file).network, self.problem.pricer)
        assert found is not None, "no machine of the space runs any network"
        return found

    @cached_property
    def by_number(self) -> dict[int, Entry]:
        """Entries by their place in the space."""
        return {entry.number: entry for entry in self.entries}

    @cached_property
    def genomes(self) -> dict[int, NetworkGenome]:
        """Genomes by number."""
        return {entry.number: self.space.network.genome(entry.params) for entry in self.entries}

    @cached_property
    def by_digest(self) -> dict[str, Entry]:
        """Entries by genome."""
        return {genome.digest(): self.by_number[number] for number, genome in self.genomes.items()}

    @cache  # noqa: B019  (lives as long as the process)
    def priced(self, number: int, kind: str) -> Priced:
        """Every machine under that network as the run of that kind left it."""
        genome = self.genomes[number]
        return self.problem.pricer.price(genome, self.by_number[number].score(kind, genome))

    @cache  # noqa: B019  (lives as long as the process)
    def gains(self, number: int) -> NDArray[np.float64]:
        """What each machine is worth at the true accuracy and the full run's activity, ``machines x objectives``.

        In decades below the reference point; 0 where the machine does not run the network.
        """
        return self.gains_at(number, FULL, self.by_number[number].truth)

    def gains_at(self, number: int, kind: str, accuracy: float) -> NDArray[np.float64]:
        """The like at any accuracy, and at the activity of the run of that kind."""
        priced = self.priced(number, kind)
        metrics = {**priced.metrics, "accuracy": np.full(len(priced.runs), accuracy)}
        return np.where(priced.runs[:, None], self.reference.gains(metrics, self.problem.objectives), 0.0)

    @cached_property
    def true_volume(self) -> float:
        """What all networks of the half cover together."""
        return volume(np.concatenate([front(self.gains(entry.number)) for entry in self.entries]))

    def curve(self, steps: Sequence[Step]) -> list[float]:
        """Share of the true volume after each training."""
        points, shares = np.zeros((0, len(self.objectives))), list[float]()
        for step in steps:
            gains = self.gains(step.number)
            new = gains if step.machine is None else gains[step.machine][None]
            points = front(np.concatenate([points, new]))
            shares.append(volume(points) / self.true_volume)
        return shares

    def told_values(self, priced: Priced, machine: int) -> list[float]:
        """What plain Optuna is told of a design: its objectives."""
        return matrix(priced.metrics, self.problem.objectives)[machine].tolist()


def front(gains: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows that no other row betters."""
    return gains[nondominated(gains, [True] * gains.shape[1])]


def volume(gains: NDArray[np.float64]) -> float:
    """Hypervolume above the reference."""
    return hypervolume(gains, np.zeros(gains.shape[1]), [True] * gains.shape[1])


_TOTALS: dict[bytes, Any] = {}


def remembered_totals(workload: Any, machines: Any, technology: Any) -> Any:
    """Costs of every machine, computed once for each workload: contestants ask again and again."""
    key = pickle.dumps((workload, len(machines)))
    if key not in _TOTALS:
        _TOTALS[key] = evaluate_totals(workload, machines, technology)
    return _TOTALS[key]


def question(table: Path = TABLE, which: str = "dev", **changes: Any) -> Question:
    """The question over one half of a table, whose space lies beside it under the same name."""
    space_file = table.with_name(table.name.partition(".")[0] + ".toml")
    return Question(half(read_table(table), which), space_file, **changes)
