"""`dse train`: one network at length, from a file that an export wrote or a person."""

from dataclasses import replace
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
Seed = Annotated[
    int | None, typer.Option("--seed", metavar="INTEGER", min=0, help="instead of the file's", show_default=False)
]
Test = Annotated[bool, typer.Option("--test", help="at the end, count right answers on the test samples too")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train")(train)


def train(
    config: Config,
    output: Output = None,
    seed: Seed = None,
    test: Test = False,
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
    if seed is not None:
        asked = replace(asked, seed=seed)
    folder = output or config.with_name(f"{config.stem}-training")
    settings = settled(device=device, data_dir=data_dir)
    result, tested = _trained(asked, folder, settings, test, quiet)
    if json:
        say_json({"folder": str(folder), **vars(result)} | ({"test": vars(tested)} if tested else {}))
    else:
        _say_result(folder, result, tested)


def _trained(
    asked: Any, folder: Path, settings: dict[str, Any], test: bool, quiet: bool
) -> tuple["Counts", "Counts | None"]:
    """What came of the training on the validation samples, and on the test samples where that is asked.

    Raises:
        Exit: it failed, or somebody stopped it.
    """
    from dse.data import load, load_test
    from dse.export.new_folder import reject_occupied
    from dse.results.lock import LOCK, locked
    from dse.score import Failed
    from dse.study.interrupt import watched
    from dse.training.long_run import StoppedError, count_test_answers, run_training

    if not (folder / LOCK).exists():
        reject_occupied(folder)
    dataset = load(asked.dataset, settings["data_dir"])
    samples = load_test(asked.dataset, settings["data_dir"]) if test else None
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with locked(folder, "training", "name another with -o"), watched() as interrupt:
            tell = (lambda epoch: None) if quiet else _tell
            result = run_training(asked, dataset, folder, settings["device"], tell, lambda: interrupt.asked)
            if isinstance(result, Failed):
                note(f"dse: training failed: {result.reason}: {result.message}")
                raise typer.Exit(EXIT_FAILED)
            return result, count_test_answers(asked, samples, folder, settings["device"]) if samples else None
    except (StoppedError, KeyboardInterrupt):
        note("Interrupted; the epochs that were over are kept. The same command goes on.")
        raise typer.Exit(EXIT_INTERRUPTED) from None


def _tell(epoch: "Epoch") -> None:
    share = 100 * epoch.correct / epoch.samples
    left = epoch.epochs - epoch.number
    ahead = f", about {duration(left * epoch.seconds)} left" if left else ""
    note(f"epoch {epoch.number} of {epoch.epochs}: loss {epoch.loss:.4f}, validation {share:.2f} %{ahead}")


def _say_result(folder: Path, validation: "Counts", test: "Counts | None") -> None:
    rows = [*_rows(validation, "validation"), *(_rows(test, "test") if test else []), ("folder", str(folder))]
    say_table([Column("training"), Column("")], rows)


def _rows(counts: "Counts", split: str) -> list[tuple[str, str]]:
    from dse.words import share_words

    return [
        ("float accuracy", share_words(counts.correct, counts.samples)),
        ("deployed accuracy", share_words(counts.deployed_correct, counts.samples)),
        ("samples", f"{counts.samples:,} of the {split} split"),
    ]
