"""`dse reproduce`: what the papers publish against what this project reaches, trained and measured."""

from pathlib import Path
from typing import Annotated

import typer

from dse.cli.exits import EXIT_FAILED, EXIT_INTERRUPTED
from dse.cli.options import CacheDir, DataDir, Device, Json, Quiet, ResultsDir, settled
from dse.console import Column, counted, note, say_json, say_table

Name = Annotated[str | None, typer.Argument(metavar="[NAME]", help="one row or one method; all where it is left out")]
BudgetOption = Annotated[
    str, typer.Option("--budget", metavar="small|full", help="small: reduced, tens of minutes on a CPU; full: a GPU")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reproduce")(reproduce)


def reproduce(
    name: Name = None,
    budget: BudgetOption = "small",
    data_dir: DataDir = None,
    device: Device = None,
    results_dir: ResultsDir = None,
    cache_dir: CacheDir = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train the networks of the papers' claims, three seeds each, and set ours beside the published values.

    Everything is kept under RESULTS/reproduction/BUDGET; stopped at any moment, the same command goes on. Exit code 1
    if a training failed.
    """
    from dse.cache import ScoreCache
    from dse.data.folder import cache_folder
    from dse.reproduction.plan import read_plan
    from dse.reproduction.record import Record
    from dse.reproduction.run import Place
    from dse.reproduction.run import reproduce as run
    from dse.reproduction.table import HEADINGS, words

    where = settled(data_dir=data_dir, device=device, results_dir=results_dir, cache_dir=cache_dir)
    cache = where["cache_dir"] or cache_folder().parent / "networks"
    plan = read_plan(budget, name)
    record = Record(Path(where["results_dir"]) / "reproduction" / budget)
    place = Place(record, ScoreCache(cache), where["data_dir"], where["device"])
    found = run(plan, place, _silent if quiet else note)
    if json:
        say_json([line.to_dict() for line in found.lines])
    else:
        say_table([Column(heading, fold=heading in ("what", "setting")) for heading in HEADINGS], words(found.lines))
    if not quiet:
        note(f"Kept in {record.folder}")
    if found.interrupted:
        note("Interrupted: the same command goes on.")
        raise typer.Exit(EXIT_INTERRUPTED)
    if found.failed:
        note(f"{counted(len(found.failed), 'training')} failed: see {record.folder / 'manifest.json'}")
        raise typer.Exit(EXIT_FAILED)


def _silent(_text: str) -> None:
    """Progress that nobody watches."""
