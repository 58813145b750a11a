"""From a study's folder to report data: reads through `dse.results`, prices the front's points again layer by layer."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from math import isclose
from typing import Any

from costmodels.accelerator import AcceleratorConfig
from costmodels.technology import Technology
from dse.console import counted
from dse.costing import Breakdown, price_trained, technology_from
from dse.objectives import OBJECTIVES, Objective
from dse.reporting.candidates import candidates
from dse.reporting.importance import most_important
from dse.reporting.report_data import (
    Accuracies,
    Axis,
    FailureRow,
    Fidelity,
    LayerCycles,
    Point,
    ReportData,
    Share,
    TracePoint,
    axis,
)
from dse.reporting.summary import commands, limits, settings_shown, subtitle, summary, tiles
from dse.results import FailureRecord, FrontPoint, NetworkRecord, StudyFolder
from dse.results.front_points import front_points
from dse.results.interval import wilson_interval
from dse.results.records import Counts, point_of
from dse.results.ties import ties
from dse.words import machine_words, network_words

SAME_COST = 1e-6
"""Relative difference below which a cost is the one that the search saw."""
MOST_DOMINATED = 1500
"""Grey points of the scatter: enough to see the cloud, few enough for a page that opens at once."""


@dataclass(frozen=True, eq=False)
class Study:
    """A study's folder, read once.

    Attributes:
        folder: where.
        networks, refined: what was trained, with masks.
        tests: number of a refined network to its counts on the test set.
        failures: proposals that came to nothing.
        technology: as it was when the study was made.
    """

    folder: StudyFolder
    networks: dict[int, NetworkRecord]
    refined: dict[int, NetworkRecord]
    tests: dict[int, Counts]
    failures: list[FailureRecord]
    technology: Technology

    @classmethod
    def read(cls, folder: StudyFolder) -> "Study":
        """Everything that a report needs of ``folder``."""
        return cls(
            folder=folder,
            networks={record.number: record for record in folder.networks(masks=True)},
            refined={record.number: record for record in folder.refined(masks=True)},
            tests=folder.test_scores(),
            failures=folder.failures(),
            technology=technology_from(folder.manifest.technology),
        )

    @cached_property
    def front(self) -> tuple[FrontPoint, ...]:
        """The front of the short runs, best in the first objective first."""
        return front_points(list(self.networks.values()), self.folder.objectives)

    @cached_property
    def tied(self) -> dict[str, str]:
        """See `dse.results.ties`, of the front of the short runs."""
        return ties(self.front, self.networks, self.folder.objectives)

    @cached_property
    def refined_front(self) -> tuple[FrontPoint, ...]:
        """The front of the refined networks."""
        return front_points(list(self.refined.values()), self.folder.objectives)

    def accuracies(self, number: int) -> dict[Fidelity, Accuracies]:
        """What was measured of one network, by fidelity."""
        measured: dict[Fidelity, Accuracies] = {"short": _scored(self.networks[number])}
        if number in self.refined:
            measured["refined"] = _scored(self.refined[number])
        if number in self.tests:
            counts = self.tests[number]
            shares = (share(counts[kind], counts["samples"]) for kind in ("correct", "deployed_correct"))
            measured["test"] = Accuracies(*shares)
        return measured

    def breakdown(self, point: FrontPoint) -> Breakdown:
        """A point of either front, layer by layer."""
        record = (self.networks if point.fidelity == "short" else self.refined)[point.network]
        return price_trained(point.id, record.genome, record.score, point.machine, self.technology)


def share(correct: int, samples: int) -> Share:
    """A share with its interval."""
    return Share(correct / samples, *wilson_interval(correct, samples), samples)


def _scored(record: NetworkRecord) -> Accuracies:
    score = record.score
    return Accuracies(share(score.correct, score.samples), share(score.deployed_correct, score.samples))


def report_data(folder: StudyFolder) -> ReportData:
    """Everything the page of this study shows."""
    study = Study.read(folder)
    front = tuple(_broken_down(study, point) for point in study.front)
    return ReportData(
        title=folder.name,
        subtitle=subtitle(folder.manifest),
        summary=summary(study),
        tiles=tiles(study),
        objectives=tuple(map(axis, folder.objectives)),
        quantities=quantities(folder.objectives),
        front=front,
        refined=tuple(_plain(study, point) for point in study.refined_front),
        dominated=tuple(_plain(study, point) for point in _dominated(study)),
        trace=tuple(
            TracePoint(index, record.elapsed_s, record.hypervolume)
            for index, record in enumerate(study.networks.values(), start=1)
        ),
        reference=_reference_words(folder),
        importances=most_important(candidates(folder, list(study.networks.values()))),
        failures=(*map(_failure, study.failures), *_without_machine(study), *_not_refined(study)),
        settings=settings_shown(folder.manifest),
        limits=(*limits(study), *_stale(front)),
        commands=commands(study),
    )


def _stale(front: Sequence[Point]) -> Iterable[str]:
    """A warning where today's cost model no longer gives the costs that the search saw."""
    if any(not isclose(sum(p.energy_uj.values()), p.metrics["energy_uj"], rel_tol=SAME_COST) for p in front):
        yield (
            "The cost model has changed since this search: the breakdowns by term and layer are today's and do not "
            "add up to the costs in the tables. `dse recost` prices the whole study anew."
        )


def quantities(objectives: Sequence[Objective]) -> tuple[Axis, ...]:
    """Every metric column, the objectives of the search first."""
    others = [objective for objective in OBJECTIVES.values() if objective not in objectives]
    return tuple(axis(objective) for objective in (*objectives, *others))


def _plain(study: Study, point: FrontPoint) -> Point:
    record = study.networks[point.network]
    return Point(
        id=point.id,
        network=network_words(record.genome, record.score.binarised),
        machine=machine_words(point.machine),
        metrics=point.metrics,
        accuracies=study.accuracies(point.network),
        parameters=parameters(point.params, point.machine),
    )


def _broken_down(study: Study, point: FrontPoint) -> Point:
    plain, breakdown = _plain(study, point), study.breakdown(point)
    layers = tuple(LayerCycles(x.name, x.compute_cycles, x.stall_cycles, x.fill_cycles) for x in breakdown.layers)
    parts = {"energy_uj": breakdown.energy_uj, "area_mm2": breakdown.report.area_mm2, "layers": layers}
    return Point(**{**vars(plain), **parts, "tied": study.tied.get(point.id, "")})


def parameters(genes: dict[str, Any], machine: AcceleratorConfig) -> tuple[tuple[str, str], ...]:
    """Every gene of network and machine with its value."""
    return tuple((name, str(value)) for name, value in (*genes.items(), *asdict(machine).items()))


def _dominated(study: Study) -> list[FrontPoint]:
    """Best machines of each network that are not on the front, evenly thinned where there are too many."""
    front = {(point.network, point.machine_index) for point in study.front}
    rows = [
        (record, row)
        for record in study.networks.values()
        for row, machine in enumerate(record.own_front.machine_index.tolist())
        if (record.number, machine) not in front
    ]
    step = max(1, -(-len(rows) // MOST_DOMINATED))
    return [point_of(record, row) for record, row in rows[::step]]


def _reference_words(folder: StudyFolder) -> str:
    values = folder.reference.values
    words = [f"{o.label.lower()} {_amount_words(o, values[o.column])}" for o in folder.objectives]
    return f"Measured from {', '.join(words)}: fixed before the first training and never moved."


def _amount_words(objective: Objective, value: float) -> str:
    if objective.column == "accuracy":
        return f"{100 * value:.3g} %"
    return f"{value:.3g} {objective.unit}".strip()


def _failure(record: FailureRecord) -> FailureRow:
    words = network_words(record.genome)
    return FailureRow(record.trial, record.reason, record.message, record.seconds, words)


def _without_machine(study: Study) -> Iterable[FailureRow]:
    """Networks that were trained and that no machine of the space runs within the constraints."""
    for record in study.networks.values():
        if not record.feasible:
            reason = "; ".join(record.infeasible) or f"none of {counted(record.machines, 'machine')}"
            yield FailureRow(
                record.trial,
                "no machine",
                reason,
                record.score.seconds,
                network_words(record.genome, record.score.binarised),
            )


def _not_refined(study: Study) -> Iterable[FailureRow]:
    """Networks whose longer training or test came to nothing."""
    for entry in study.folder.manifest.refined:
        for number, failed in entry.get("failed", {}).items():
            record = study.networks[int(number)]
            message = f"{failed['reason']}: {failed['message']}"
            yield FailureRow(
                record.trial,
                "not refined",
                message,
                failed["seconds"],
                network_words(record.genome, record.score.binarised),
            )
