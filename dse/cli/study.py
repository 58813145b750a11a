"""Commands on a study, finished or running: `dse front`, `show` and `report`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dse.cli.options import Json, ResultsDir, Study, settled
from dse.console import Column, note, say, say_json, say_table

if TYPE_CHECKING:
    from dse.results import FrontPoint, NetworkRecord, StudyFolder

PointId = Annotated[str, typer.Argument(metavar="ID", help="NETWORK-MACHINE as in the front, or NETWORK alone")]
Refined = Annotated[bool, typer.Option("--refined", help="The network after its longer training.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="instead of STUDY/report.html")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("front")(front)
    app.command("show")(show)
    app.command("report")(report)


def find_study(study: str, results_dir: str | None) -> "StudyFolder":
    """The study in that folder, or of that name in the results folder.

    Raises:
        StudyError: there is none.
    """
    from dse.results import open_study

    path = Path(study)
    return open_study(path if path.is_dir() else settled(results_dir=results_dir)["results_dir"] / study)


def front(study: Study, results_dir: ResultsDir = None, json: Json = False) -> None:
    """Print the front of a study: short runs, and the refined networks with their test scores."""
    from dse.cli.fronts import front_json, say_front

    folder = find_study(study, results_dir)
    if json:
        say_json(front_json(folder))
    elif not say_front(folder):
        note("The front is empty: no trained network runs on any machine within the constraints.")


def show(
    study: Study, point: PointId, refined: Refined = False, results_dir: ResultsDir = None, json: Json = False
) -> None:
    """Show one network on one machine of a study layer by layer, or all good machines of one network."""
    folder = find_study(study, results_dir)
    record = folder.record(point.partition("-")[0], refined)
    if "-" in point:
        _show_point(folder, record, point, json)
    elif json:
        say_json(record.to_dict() | {"own_front": [each.to_dict() for each in _own_points(record)]})
    else:
        _show_network(record)


def _own_points(record: "NetworkRecord") -> "tuple[FrontPoint, ...]":
    from dse.results.records import points_of

    return points_of(record)


def _show_point(folder: "StudyFolder", record: "NetworkRecord", point: str, json: bool) -> None:
    from dse.cli.cost import say_breakdown
    from dse.costing import price_trained, technology_from

    machine = folder.machine(point)
    technology = technology_from(folder.manifest.technology)
    breakdown = price_trained(f"{folder.name} {point}", record.genome, record.score, machine, technology)
    if json:
        say_json({**breakdown.to_dict(), "record": record.to_dict()})
        return
    _say_training(record)
    if breakdown.report.feasible:
        say_breakdown(breakdown)
    else:
        say("\n".join(["This machine cannot run this network:", *map(str, breakdown.report.reasons)]))


def _say_training(record: "NetworkRecord") -> None:
    """Accuracy, and how the network came to it."""
    from dse.console import duration
    from dse.words import share_words

    score = record.score
    say_table(
        [Column("training"), Column("")],
        [
            ("fidelity", record.fidelity),
            ("deployed accuracy", share_words(score.deployed_correct, score.samples)),
            ("float accuracy", share_words(score.correct, score.samples)),
            ("samples", f"{score.samples:,} of the validation split"),
            ("run", f"{score.epochs} epochs in {duration(score.seconds)}, seed {score.seed}, trial {record.trial}"),
            ("firing rates", _rates(record)),
            ("input density", " ".join(f"{density:.3f}" for density in score.input_density)),
            *[("binary by ALE", ", ".join(score.binarised) or "no layer")] * record.genome.ale,
        ],
    )
    say()


def _rates(record: "NetworkRecord") -> str:
    rates = record.score.firing_rates.items()
    return "; ".join(f"{layer} {' '.join(f'{rate:.3f}' for rate in steps)}" for layer, steps in rates)


def _show_network(record: "NetworkRecord") -> None:
    from dse.objectives import OBJECTIVES
    from dse.words import amount, machine_words, network_words

    say(f"network {record.number}: {network_words(record.genome, record.score.binarised)}\n")
    _say_training(record)
    shown = [objective for objective in OBJECTIVES.values() if objective.needs_machine]
    columns = [Column("id"), *(Column(f"{o.name} {o.unit}", "right") for o in shown), Column("machine", fold=True)]
    rows = [
        (point.id, *(amount(point.metrics[o.column]) for o in shown), machine_words(point.machine))
        for point in _own_points(record)
    ]
    if rows:
        say_table(columns, rows)
    else:
        say("no machine runs it within the constraints: " + "; ".join(record.infeasible))


def report(study: Study, output: Output = None, results_dir: ResultsDir = None) -> None:
    """Draw the report of a study again: one self-contained HTML page."""
    say(str(write_report(find_study(study, results_dir), output)))


def write_report(folder: "StudyFolder", output: Path | None = None) -> Path:
    """Write the page and return where it lies."""
    from dse.reporting.from_study import report_data
    from dse.reporting.page import write_page

    path = output or folder.path / "report.html"
    write_page(report_data(folder), path)
    return path
