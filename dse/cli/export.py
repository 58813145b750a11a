"""`dse export`: a network of a study handed on: as RTL of one machine, and whatever else `TARGETS` lists."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from dse.cli.options import CacheDir, DataDir, ResultsDir, Study, settled
from dse.cli.study import PointId, Refined, find_study
from dse.console import note, say

if TYPE_CHECKING:
    from dse.export.trained import TrainedNetwork


class To(StrEnum):
    """What a network can be exported to."""

    RTL = "rtl"
    TRAINING = "training"
    NIR = "nir"


class Target(NamedTuple):
    """One way of handing on.

    Attributes:
        write: fills an empty folder.
        machine: the id must name a machine too.
        verify: checks the finished folder, prints what it found and gives the exit code; None where nothing does.
    """

    write: Callable[["TrainedNetwork", Path], None]
    machine: bool = False
    verify: Callable[[Path], int] | None = None


def _write_rtl(trained: "TrainedNetwork", folder: Path) -> None:
    from dse.export.rtl_folder import write_rtl

    write_rtl(trained, folder)


def _verify_rtl(folder: Path) -> int:
    from dse.cli.verify import verified

    return verified(folder, json=False)


def _write_training(trained: "TrainedNetwork", folder: Path) -> None:
    from dse.export.training_export import write_training

    write_training(trained, folder)


def _verify_training(folder: Path) -> int:
    """Let the model of the folder count its right answers, in a process that has the folder alone."""
    import subprocess
    import sys

    return subprocess.run([sys.executable, "-I", str(folder / "model.py")], check=False).returncode


def _write_nir(trained: "TrainedNetwork", folder: Path) -> None:
    from dse.export.nir_graph import FILE, write_nir

    write_nir(trained.integer_network, folder / FILE)


TARGETS: dict[To, Target] = {
    To.RTL: Target(_write_rtl, machine=True, verify=_verify_rtl),
    To.TRAINING: Target(_write_training, verify=_verify_training),
    To.NIR: Target(_write_nir),
}

TargetName = Annotated[To, typer.Option("--to", help="What to write.", show_default=False)]
Output = Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="new or empty folder", show_default=False)]
Verify = Annotated[bool, typer.Option("--verify", help="Check what was written: simulate RTL, count right answers.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(export)


def export(
    study: Study,
    point: PointId,
    to: TargetName,
    output: Output,
    refined: Refined = False,
    verify: Verify = False,
    data_dir: DataDir = None,
    cache_dir: CacheDir = None,
    results_dir: ResultsDir = None,
) -> None:
    """Write a network of a study, with its trained weights, to a folder of its own.

    Exit code 1 if --verify finds a difference.
    """
    from dse.export.new_folder import new_folder, reject_occupied
    from dse.export.trained import find_trained

    target = TARGETS[to]
    _reject_unfit(to, target, point, verify)
    reject_occupied(output)
    places = settled(data_dir=data_dir, cache_dir=cache_dir)
    trained = find_trained(
        find_study(study, results_dir), point, refined, note, places["data_dir"], places["cache_dir"]
    )
    with new_folder(output) as folder:
        target.write(trained, folder)
    say(str(output))
    if verify and target.verify:
        raise typer.Exit(target.verify(output))


def _reject_unfit(to: To, target: Target, point: str, verify: bool) -> None:
    """Refuse an id without the machine that the target needs, and a check that nothing makes."""
    from dse.errors import StudyError

    if target.machine and "-" not in point:
        raise StudyError(f"id must be NETWORK-MACHINE, as in the front, for --to {to}, not {point!r}")
    if verify and target.verify is None:
        checked = ", ".join(f"--to {name}" for name, each in TARGETS.items() if each.verify)
        raise StudyError(f"--verify must go with {checked}, not with --to {to}")
