"""The table: published value, ours, the difference, and the setting it was measured in."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from statistics import stdev
from typing import Any, Literal

from dse.reproduction.plan import Plan, Row
from dse.reproduction.quantities import PLATEAU, QUANTITIES, STEPS, UNTRAINED, Outcome, Side, value_of

Outcomes = Mapping[tuple[str, str], tuple[Outcome, ...]]
"""(network, data set) to what came of its seeds."""

ROUNDING = 1e-9  # of exact shares computed in floats


@dataclass(frozen=True)
class Line:
    """One line, a row on one data set.

    Attributes:
        published, source: the published value, and where it was read; None and empty where the bound is our own.
        target, must: what is asked of ours, by the paper or by ourselves.
        ours, deviation: mean over seeds and their standard deviation; None where there are too few.
        difference: ours less the target.
        seeds: trained.
        verdict: ``met``, ``short``, ``open`` where nothing is trained yet.
        setting: in words.
    """

    name: str
    method: str
    what: str
    dataset: str
    published: float | None
    source: str
    target: float
    must: str
    ours: float | None
    deviation: float | None
    difference: float | None
    seeds: int
    verdict: Literal["met", "short", "open"]
    setting: str

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def table(plan: Plan, outcomes: Outcomes) -> tuple[Line, ...]:
    """Every line of a plan, with what is known of it so far."""
    return tuple(_line(plan, row, dataset, outcomes) for row, dataset in plan.cells())


def _line(plan: Plan, row: Row, dataset: str, outcomes: Outcomes) -> Line:
    def side(network: str) -> Side:
        key = network, dataset
        return Side(plan.trainings[key].genome, outcomes.get(key, ()))

    network = side(row.network)
    values = QUANTITIES[row.quantity](network, [side(other) for other in row.against])
    ours = value_of(row.quantity, values) if values else None
    figure = row.figure
    return Line(
        name=row.name,
        method=row.method,
        what=row.what,
        dataset=dataset,
        published=figure.value if figure else None,
        source=figure.source if figure else "",
        target=row.target,
        must=row.must,
        ours=ours,
        deviation=stdev(values) if len(values) > 1 else None,
        difference=None if ours is None else ours - row.target,
        seeds=0 if row.quantity in UNTRAINED else len(values),
        verdict=_verdict(row, ours),
        setting=_setting(plan, row, dataset),
    )


def _verdict(row: Row, ours: float | None) -> Literal["met", "short", "open"]:
    if ours is None:
        return "open"
    by = ours - row.target
    holds = {"at least": by >= -ROUNDING, "at most": by <= ROUNDING, "equal": abs(by) <= ROUNDING}
    return "met" if holds[row.must] else "short"


def _setting(plan: Plan, row: Row, dataset: str) -> str:
    training = plan.trainings[row.network, dataset]
    widths = "-".join(str(layer.channels) for layer in training.genome.layers)
    if row.quantity in UNTRAINED:
        return f"{widths}, T = {training.genome.timesteps}, counted"
    recipe = training.recipe
    samples = f"{recipe.train_samples:,}" if recipe.train_samples else "all"
    steps = f"T = {training.genome.timesteps}"
    told = "training samples" if row.quantity == "loss-lowered" else "test set, integer network"
    if row.quantity == "steps-fewer":
        steps = f"T = {STEPS[0]} to {STEPS[-1]}"
        told = f"test set, float network, plateau {PLATEAU:g} points below the highest"
    return f"{widths}, {steps}, {recipe.epochs} epochs of {samples} samples, {told}"


HEADINGS = ("method", "what", "data set", "asked", "published", "ours", "difference", "seeds", "verdict", "setting")


def words(lines: tuple[Line, ...]) -> Iterator[tuple[str, ...]]:
    """The cells of each line under `HEADINGS`."""
    for line in lines:
        ours = "-" if line.ours is None else _number(line.ours)
        spread = f" ± {_number(line.deviation)}" if line.deviation is not None else ""
        difference = "-" if line.difference is None else f"{_number(line.difference, '+')}"
        published = "-" if line.published is None else f"{line.published:g}"
        yield (
            *(line.method, line.what, line.dataset, f"{line.must} {line.target:g}", published, ours + spread),
            *(difference, str(line.seeds) if line.seeds else "-", line.verdict, line.setting),
        )


def _number(value: float, sign: str = "") -> str:
    """Two decimals; three figures where that would show nothing."""
    return f"{value:{sign}.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:{sign}.3g}"


def markdown(lines: tuple[Line, ...]) -> str:
    """The table in Markdown."""
    rows = [HEADINGS, ("---",) * len(HEADINGS), *words(lines)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
