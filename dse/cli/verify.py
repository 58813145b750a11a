"""`dse verify`: simulates an exported RTL folder and compares it with the integer network and the cost model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dse.cli.exits import EXIT_FAILED, EXIT_OK
from dse.cli.options import Json
from dse.console import Column, counted, note, say, say_json, say_table

if TYPE_CHECKING:
    from dse.export.rtl_verify import LayerVerdict, Verdict

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="a folder written by `dse export --to rtl`")]
ChosenSimulator = Annotated[
    Literal["verilator", "iverilog"] | None,
    typer.Option("--simulator", help="(default: Verilator where it is installed, else Icarus)", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("verify")(verify)


def verify(folder: Folder, simulator: ChosenSimulator = None, json: Json = False) -> None:
    """Simulate an exported RTL folder: every spike, every score and the cycles of every layer.

    Exit codes: 0 all as predicted, 1 something differs, 2 wrong input.
    """
    raise typer.Exit(verified(folder, simulator, json))


def verified(folder: Path, simulator: Literal["verilator", "iverilog"] | None = None, json: bool = False) -> int:
    """Verify, print, and give the exit code."""
    from dse.export.rtl_design import read_design
    from dse.export.rtl_simulate import installed
    from dse.export.rtl_verify import verify as simulated

    read_design(folder)  # a foreign folder is told before a missing simulator
    chosen = simulator or installed()
    note(f"simulating {folder} by {chosen}")
    verdict = simulated(folder, chosen)
    if json:
        say_json(verdict.to_dict())
    else:
        _say(verdict)
    return EXIT_OK if verdict.sound else EXIT_FAILED


def _say(verdict: "Verdict") -> None:
    from dse.export.rtl_verify import totals

    columns = [Column("layer"), *(Column(title, "right") for title in ("spikes compared", "words", "mismatches"))]
    columns += [Column(title, "right") for title in ("cycles measured", "predicted", "difference")]
    layers, images = counted(len(verdict.layers), "layer"), counted(verdict.images, "image")
    say(f"{verdict.title}: {layers}, sums over {images}, {verdict.simulator}")
    say_table(columns, [_cells(layer) for layer in (*verdict.layers, totals(verdict.layers))])
    say("PASS" if verdict.sound else "FAIL")


def _cells(layer: "LayerVerdict") -> tuple[str, ...]:
    numbers = (layer.spikes, layer.words, layer.mismatches, layer.measured, layer.predicted)
    return (layer.name, *(f"{number:,}" for number in numbers), f"{layer.difference:+,}" if layer.difference else "0")
