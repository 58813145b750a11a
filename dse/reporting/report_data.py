"""What a report says, as numbers and words: figures and page are drawn from these, and tests read them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from dse.objectives import Objective

Fidelity = Literal["short", "refined", "test"]
Parts = Literal["energy_uj", "area_mm2"]
MOST_BARS = 24
"""Stacked bars that a figure of 1100 pixels shows legibly."""
MOST_PARTS = 7
"""Parts of a bar that a reader tells apart; smaller ones are added up."""
OTHERS = "others"


class Share(NamedTuple):
    """A share of samples with its 95 % interval, all in [0, 1]."""

    value: float
    low: float
    high: float
    samples: int


class Axis(NamedTuple):
    """A measured quantity: ``column`` is its key in `Point.metrics`; ``unit`` is empty for shares and counts."""

    name: str
    label: str
    unit: str
    column: str
    maximise: bool

    @property
    def title(self) -> str:
        """Label with its unit, as an axis shows it; shares are shown in percent."""
        if self.unit == "fraction":
            return f"{self.label} (%)"
        return f"{self.label} ({self.unit})" if self.unit else self.label


def axis(objective: Objective) -> Axis:
    """An objective as a quantity of the page."""
    return Axis(objective.name, objective.label, objective.unit, objective.column, objective.maximise)


class LayerCycles(NamedTuple):
    """Cycles of one layer by cause."""

    name: str
    compute: float
    stall: float
    fill: float


@dataclass(frozen=True)
class Accuracies:
    """Accuracy of one network at one fidelity: float network and folded integer network; None is not measured."""

    float_network: Share | None = None
    deployed: Share | None = None


@dataclass(frozen=True)
class Point:
    """One network on one machine.

    Attributes:
        id: as `dse show STUDY ID` takes it.
        network, machine: in words.
        metrics: column to value of every quantity, accuracy being the deployed short-run accuracy.
        accuracies: fidelity to what was measured at it; a fidelity that was not run is absent.
        energy_uj, area_mm2: term or block to its part.
        layers: cycles of each layer.
        parameters: every gene of network and machine with its value, in words.
        tied: id of a point of the front that costs no more and whose accuracy is not told apart; empty for none.
    """

    id: str
    network: str
    machine: str
    metrics: Mapping[str, float]
    accuracies: Mapping[Fidelity, Accuracies] = field(default_factory=dict)
    energy_uj: Mapping[str, float] = field(default_factory=dict)
    area_mm2: Mapping[str, float] = field(default_factory=dict)
    layers: tuple[LayerCycles, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    tied: str = ""


class TracePoint(NamedTuple):
    """The front's hypervolume after so many trainings and so many seconds."""

    trainings: int
    seconds: float
    hypervolume: float


class FailureRow(NamedTuple):
    """A training without a score."""

    trial: int
    reason: str
    message: str
    seconds: float
    network: str


class Tile(NamedTuple):
    """A figure worth a glance and what it counts."""

    value: str
    meaning: str


class GeneShare(NamedTuple):
    """A gene and the share, 0 to 1, of an objective's variance that it explains alone."""

    gene: str
    share: float


@dataclass(frozen=True)
class ReportData:
    """Everything a page shows.

    Attributes:
        title, subtitle: heading of the page.
        summary: sentences on what was searched and found.
        tiles: the figures at the top.
        objectives: what the search optimised, in the user's order.
        quantities: every quantity that a point has, objectives first.
        front: non-dominated points, most accurate first.
        refined: the front of the networks that were trained longer, at the cost they have then.
        dominated: points that were non-dominated for their own network, but not in the whole.
        trace: hypervolume over the search; ``reference`` is the point it is measured from, in words.
        importances: each objective with the genes that explain most of its variance.
        failures: trainings without a score.
        settings: groups of (name, value) lines: settings, versions, digests.
        limits: what to keep in mind, one paragraph each.
        commands: what to run next, with its purpose.
    """

    title: str
    subtitle: str
    summary: tuple[str, ...]
    tiles: tuple[Tile, ...]
    objectives: tuple[Axis, ...]
    quantities: tuple[Axis, ...]
    front: tuple[Point, ...]
    refined: tuple[Point, ...] = ()
    dominated: tuple[Point, ...] = ()
    trace: tuple[TracePoint, ...] = ()
    reference: str = ""
    importances: tuple[tuple[Axis, tuple[GeneShare, ...]], ...] = ()
    failures: tuple[FailureRow, ...] = ()
    settings: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    limits: tuple[str, ...] = ()
    commands: tuple[tuple[str, str], ...] = ()


def fidelities(points: Sequence[Point]) -> tuple[Fidelity, ...]:
    """Fidelities at which at least one of the points was measured, in rising order."""
    order: tuple[Fidelity, ...] = ("short", "refined", "test")
    return tuple(kind for kind in order if any(kind in point.accuracies for point in points))


def csv_rows(data: ReportData) -> list[list[str]]:
    """The table of the front as unrounded cells, heading first; a text that a spreadsheet would run is quoted."""
    kinds = fidelities(data.front)
    head = ["id", *(f"{kind}_{what}" for kind in kinds for what in ("float_accuracy", "deployed_accuracy"))]
    head += [axis.column for axis in data.quantities if axis.column != "accuracy"] + ["network", "machine"]
    return [head, *(_csv_row(point, kinds, data.quantities) for point in data.front)]


def _csv_row(point: Point, kinds: Sequence[Fidelity], quantities: Sequence[Axis]) -> list[str]:
    measured = [point.accuracies.get(kind, Accuracies()) for kind in kinds]
    shares = [share for pair in measured for share in (pair.float_network, pair.deployed)]
    cells = [_harmless(point.id), *("" if share is None else repr(share.value) for share in shares)]
    cells += [repr(float(point.metrics[axis.column])) for axis in quantities if axis.column != "accuracy"]
    return [*cells, _harmless(point.network), _harmless(point.machine)]


def _harmless(text: str) -> str:
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def scatter_axes(data: ReportData) -> tuple[Axis, Axis]:
    """Quantities of the scatter, horizontal and vertical: a minimised objective across, accuracy (else the last) up."""
    up = next((axis for axis in data.objectives if axis.maximise), data.objectives[-1])
    others = [axis for axis in (*data.objectives, *data.quantities) if axis.column != up.column]
    across = next((axis for axis in others if not axis.maximise), others[0] if others else up)
    return across, up


def staircase(points: Sequence[tuple[float, float]], up_is_better: bool) -> list[tuple[float, float]]:
    """Corners of the line that bounds what the points dominate, for a minimised first coordinate.

    Args:
        points: non-dominated pairs in any order.
        up_is_better: the second coordinate is maximised.
    """
    ordered = sorted(points)
    corners: list[tuple[float, float]] = []
    for across, up in ordered:
        if corners and (up > corners[-1][1]) == up_is_better and up != corners[-1][1]:
            corners.append((across, corners[-1][1]))
        corners.append((across, up))
    return corners


def bars_shown(points: Sequence[Point], most: int = MOST_BARS) -> tuple[Point, ...]:
    """At most ``most`` points, evenly drawn along the front and with both ends."""
    if len(points) <= most:
        return tuple(points)
    step = (len(points) - 1) / (most - 1)
    return tuple(points[round(index * step)] for index in range(most))


def parts_by_size(points: Sequence[Point], of: Parts) -> tuple[str, ...]:
    """Terms or blocks that are anywhere above zero, largest total first."""
    totals: dict[str, float] = {}
    for point in points:
        for name, value in getattr(point, of).items():
            totals[name] = totals.get(name, 0.0) + value
    return tuple(sorted((name for name, total in totals.items() if total > 0), key=lambda name: -totals[name]))


def parts_shown(points: Sequence[Point], of: Parts) -> dict[str, list[float]]:
    """Part to its value at each point; what comes after the largest `MOST_PARTS` is added up as ``others``."""
    names = parts_by_size(points, of)
    kept = names if len(names) <= MOST_PARTS + 1 else names[:MOST_PARTS]
    shown = {name: [getattr(point, of).get(name, 0.0) for point in points] for name in kept}
    rest = names[len(kept) :]
    if rest:
        shown[OTHERS] = [sum(getattr(point, of).get(name, 0.0) for name in rest) for point in points]
    return shown


def percent(share: Share | None) -> str:
    """``96.4 % ±1.2`` (half the width of the interval), or a dash."""
    if share is None:
        return "–"
    return f"{100 * share.value:.1f} % ±{50 * (share.high - share.low):.1f}"
