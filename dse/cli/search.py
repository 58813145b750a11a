"""`dse search`: propose, train and price networks, refine the best, and print the front."""

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dse.cli import options as o
from dse.cli.exits import EXIT_INFEASIBLE, EXIT_INTERRUPTED
from dse.config import Resolved, resolve
from dse.console import counted, duration, note, say_json

if TYPE_CHECKING:
    from dse.study.progress import OnProgress
    from dse.study.search import StudyResult

Name = Annotated[str | None, typer.Option("--name", metavar="TEXT", help="of the study's folder (default: made up)")]
Resume = Annotated[str | None, typer.Option("--resume", metavar="STUDY", help="go on with a study")]
BUDGET = ("trials", "timeout", "until_converged", "workers", "device", "data_dir")
PLACE = ("dask", "refine", "results_dir")
"""What may change when a study goes on: how long, and where."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("search")(search)


def search(
    space: o.Space = None,
    objective: o.Objective = None,
    constraint: o.Constraint = None,
    trials: o.Trials = None,
    timeout: o.Timeout = None,
    until_converged: o.UntilConverged = None,
    workers: o.Workers = None,
    dask: o.Dask = None,
    refine: o.Refine = None,
    mode: o.Mode = None,
    sampler: o.Sampler = None,
    seed: o.Seed = None,
    dataset: o.Dataset = None,
    data_dir: o.DataDir = None,
    device: o.Device = None,
    technology: o.Technology = None,
    dram: o.Dram = None,
    name: Name = None,
    results_dir: o.ResultsDir = None,
    cache_dir: o.CacheDir = None,
    resume: Resume = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Search a space for networks and machines, and print the front.

    Exit codes: 0 done, 1 failed, 2 wrong input, 3 nothing feasible, 130 interrupted (the study goes on with --resume).
    """
    given = {key: value for key, value in locals().items() if key not in ("name", "resume", "json", "quiet")}
    # The sampler's many small products gain nothing from threads and lose twice their time to them; trainings have
    # processes, and threads, of their own.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    settings = resolve(given)
    try:
        with _trainers(settings["dask"].value) as place:
            result = _searched(settings, name, resume, quiet, place)
            ended = result.stop_reason != "interrupted" and _refined(result, settings, quiet, place)
        code = _finish(result, ended, json, quiet)
    except KeyboardInterrupt:
        note("\nInterrupted before a clean end; what was kept goes on with: dse search --resume STUDY")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    raise typer.Exit(code)


def _searched(
    settings: dict[str, Resolved], name: str | None, resumed: str | None, quiet: bool, place: dict[str, Any]
) -> "StudyResult":
    from dse.progress import search_progress

    with search_progress(quiet) as progress:
        if resumed:
            return _resume(resumed, name, settings, progress, place)
        return _start(settings, name, progress, place)


def _start(
    settings: dict[str, Resolved], name: str | None, progress: "OnProgress", place: dict[str, Any]
) -> "StudyResult":
    from dse.study.search import run_search
    from dse.study.settings import SearchSettings

    value = {key: resolved.value for key, resolved in settings.items()}
    same = (
        "space",
        "dataset",
        "data_dir",
        "mode",
        "sampler",
        "trials",
        "until_converged",
        "workers",
        "seed",
        "device",
        "results_dir",
        "cache_dir",
    )
    asked = SearchSettings(
        **{key: value[key] for key in (*same, "technology")},
        objectives=tuple(part.strip() for part in value["objective"].split(",") if part.strip()),
        constraints=value["constraint"],
        timeout_s=value["timeout"],
        dram_pj_per_bit=value["dram"],
        name=name,
    )
    return run_search(asked, progress, **place)


def _resume(
    study: str, name: str | None, settings: dict[str, Resolved], progress: "OnProgress", place: dict[str, Any]
) -> "StudyResult":
    from dse.cli.study import find_study
    from dse.study.search import resume

    _refuse_changes(settings, name)
    folder = find_study(study, str(settings["results_dir"].value))
    budget = {key: settings[key].value for key in BUDGET if settings[key].source.startswith("flag")}
    if "timeout" in budget:
        budget["timeout_s"] = budget.pop("timeout")
    return resume(folder.path, progress, **budget, **place)


@contextmanager
def _trainers(dask: str | None) -> Iterator[dict[str, Any]]:
    """Who trains, where it is not this machine: the same for the search and the refinement."""
    if dask is None:
        yield {}
        return
    from dse.cluster.connect import trainers

    with trainers(dask) as make:
        yield {"make_trainers": make}


def _refuse_changes(settings: dict[str, Resolved], name: str | None) -> None:
    """A study that goes on keeps what it was asked; another question is another study."""
    from dse.errors import StudyError

    free = (*BUDGET, *PLACE)
    changed = [f"--{key.replace('_', '-')}" for key in settings if key not in free and _is_flag(settings[key])]
    changed += ["--name"] * (name is not None)
    if changed:
        allowed = ", ".join(f"--{key.replace('_', '-')}" for key in (*BUDGET, "dask", "refine"))
        raise StudyError(
            f"a resumed study must keep its settings, so leave out {', '.join(changed)}; only {allowed} may change"
        )


def _is_flag(resolved: Resolved) -> bool:
    return resolved.source.startswith("flag")


def _refined(result: "StudyResult", settings: dict[str, Resolved], quiet: bool, place: dict[str, Any]) -> bool:
    """Train networks of the front longer and score them on the test set; False if it was interrupted."""
    count = settings["refine"].value
    if not count or not result.front:
        return True
    from dse.progress import search_progress
    from dse.study.refine import refine

    with search_progress(quiet) as progress:
        refined = refine(result.folder.path, count, progress, **place)
    for number, failed in refined.failed.items():
        note(f"refining network {number} failed: {failed.reason}: {failed.message}")
    return refined.stop_reason != "interrupted"


def _finish(result: "StudyResult", ended: bool, json: bool, quiet: bool) -> int:
    """Write the report, print what was found, and give the exit code."""
    from dse.cli.fronts import front_json, say_front
    from dse.cli.study import write_report

    if not json:
        say_front(result.folder)  # before the page is drawn: it must not stand in the way of the result
    report = write_report(result.folder)
    if json:
        say_json({**front_json(result.folder), **_counts(result), "report": str(report)})
    if not quiet:
        _say_next(result, report)
    if not ended:
        note(f"Interrupted. Go on with: dse search --resume {shlex.quote(str(result.folder.path))}")
        return EXIT_INTERRUPTED
    if not result.front:
        note("Nothing is feasible: no trained network runs on any machine within the constraints; the report says why.")
        return EXIT_INFEASIBLE
    return 0


def _counts(result: "StudyResult") -> dict[str, Any]:
    names = ("trained", "cached", "failed", "forbidden", "stop_reason", "seconds")
    return {name: getattr(result, name) for name in names}


def _say_next(result: "StudyResult", report: Path) -> None:
    path = shlex.quote(str(result.folder.path))
    failed = f", {result.failed} failed" if result.failed else ""
    cached = f" ({result.cached} from the cache)" if result.cached else ""
    sizes = f"{counted(len(result.front), 'point')} on the front from {counted(result.trained, 'network')}"
    note(f"\n{sizes}{cached}{failed} in {duration(result.seconds)} of search")
    note(f"report: {report}")
    if result.front:
        note(f"next:   dse show {path} {result.front[0].id}    one point, layer by layer")
        note(f"        dse recost {path} --dram 4.6    the same networks under another DRAM, without training")
        note(f"        dse dashboard {path} --open    look, compare, move a slider")
        note(f"        dse export {path} {result.front[0].id} --to rtl -o rtl --verify    its hardware, simulated")
