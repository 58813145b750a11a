"""`dse train`: one network at length, from a file that an export wrote or a person."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dse.cli.exits import EXIT_FAILED, EXIT_INTERRUPTED
from dse.cli.options import DataDir, Device, Json, Quiet, settled
from dse.console import Column, duration, note, say_json, say_table

if TYPE_CHECKING:
    from dse.export.training_folder import Counts
    from dse.training.long_run import Epoch

Config = Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="network, data set, recipe and seed")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="DIR", help="instead of CONFIG-training", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train")(train)


def train(
    config: Config,
    output: Output = None,
    device: Device = None,
    data_dir: DataDir = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train one network with checkpoints; the same command again goes on where it was stopped or killed.

    TensorBoard reads the folder's log. Exit codes: 0 done, 1 failed, 2 wrong input, 130 interrupted.
    """
    from searchspaces.training_config import load_training

    asked = load_training(config)
    folder = output or config.with_name(f"{config.stem}-training")
    settings = settled(device=device, data_dir=data_dir)
    result = _trained(asked, folder, settings, quiet)
    if json:
        say_json({"folder": str(folder), **vars(result)})
    else:
        _say_result(folder, result)


def _trained(asked: Any, folder: Path, settings: dict[str, Any], quiet: bool) -> "Counts":
    """What came of the training.

    Raises:
        Exit: it failed, or somebody stopped it.
    """
    from dse.data import load
    from dse.export.new_folder import reject_occupied
    from dse.results.lock import LOCK, locked
    from dse.score import Failed
    from dse.study.interrupt import watched
    from dse.training.long_run import StoppedError, run_training

    if not (folder / LOCK).exists():
        reject_occupied(folder)
    dataset = load(asked.dataset, settings["data_dir"])
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with locked(folder, "training", "name another with -o"), watched() as interrupt:
            tell = (lambda epoch: None) if quiet else _tell
            result = run_training(asked, dataset, folder, settings["device"], tell, lambda: interrupt.asked)
    except (StoppedError, KeyboardInterrupt):
        note("Interrupted; the epochs that were over are kept. The same command goes on.")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    if isinstance(result, Failed):
        note(f"dse: training failed: {result.reason}: {result.message}")
        raise typer.Exit(EXIT_FAILED)
    return result


def _tell(epoch: "Epoch") -> None:
    share = 100 * epoch.correct / epoch.samples
    left = epoch.epochs - epoch.number
    ahead = f", about {duration(left * epoch.seconds)} left" if left else ""
    note(f"epoch {epoch.number} of {epoch.epochs}: loss {epoch.loss:.4f}, validation {share:.2f} %{ahead}")


def _say_result(folder: Path, counts: "Counts") -> None:
    from dse.words import share_words

    rows = [
        ("float accuracy", share_words(counts.correct, counts.samples)),
        ("deployed accuracy", share_words(counts.deployed_correct, counts.samples)),
        ("samples", f"{counts.samples:,} of the validation split"),
        ("folder", str(folder)),
    ]
    say_table([Column("training"), Column("")], rows)
