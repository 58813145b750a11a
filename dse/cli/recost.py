"""`dse recost`: every trained network priced again under other assumptions, without training."""

from typing import TYPE_CHECKING, Annotated

import typer

from dse.cli.exits import EXIT_INFEASIBLE
from dse.cli.options import Constraint, Dram, Json, Objective, ResultsDir, Study, Technology
from dse.console import counted, note, say, say_json

if TYPE_CHECKING:
    from dse.results import StudyFolder
    from dse.study.recost import RecostResult

Machines = Annotated[
    str | None, typer.Option("--space", metavar="TEXT", help="preset or file whose machines are priced")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("recost")(recost)


def recost(
    study: Study,
    technology: Technology = None,
    dram: Dram = None,
    space: Machines = None,
    objective: Objective = None,
    constraint: Constraint = None,
    results_dir: ResultsDir = None,
    json: Json = False,
) -> None:
    """Price every trained network of a study again under another technology, DRAM or space of machines.

    Exit code 3 if no network runs on any machine any more.
    """
    from dse.cli.study import find_study
    from dse.study.recost import recost as price_again

    folder = find_study(study, results_dir)
    result = price_again(
        folder.path,
        technology=technology,
        dram_pj_per_bit=dram,
        space=space,
        objectives=objective.split(",") if objective else None,
        constraints=constraint or None,
    )
    if json:
        say_json(_plain(result))
    else:
        _say(folder, result, objective)
    if not result.front:
        note("Nothing is feasible: no network runs on any of these machines within the constraints.")
        raise typer.Exit(EXIT_INFEASIBLE)


def _say(folder: "StudyFolder", result: "RecostResult", objective: str | None) -> None:
    from dse.cli.fronts import say_points
    from dse.objectives import parse_objectives

    objectives = parse_objectives(objective) if objective else folder.objectives
    say_points(objectives, result.front, folder.networks())
    before, after = ({point.network for point in points} for points in (result.before, result.front))
    come = ", ".join(map(str, sorted(after - before))) or "none"
    gone = ", ".join(map(str, sorted(before - after))) or "none"
    say(f"\nnetworks new on the front: {come}; no longer on it: {gone}")
    seconds = f"{result.seconds:.2f} s"
    note(f"{counted(result.networks, 'network')} on {counted(result.machines, 'machine')} priced in {seconds}")
    if result.left_out:
        note(f"no machine runs {counted(len(result.left_out), 'network')}: {', '.join(map(str, result.left_out))}")
    note(f"written to {result.folder}")


def _plain(result: "RecostResult") -> dict[str, object]:
    return {
        "folder": str(result.folder),
        "front": [point.to_dict() for point in result.front],
        "before": [point.to_dict() for point in result.before],
        "networks": result.networks,
        "machines": result.machines,
        "left_out": list(result.left_out),
        "seconds": result.seconds,
    }
