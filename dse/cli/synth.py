"""`dse synth`: gate equivalents of an exported RTL folder by block, by Yosys."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dse.cli.options import Json, Technology, settled
from dse.console import Column, note, say, say_json, say_table

if TYPE_CHECKING:
    from costmodels.technology import Technology as Constants
    from dse.export.rtl_synthesis import Synthesis

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="a folder written by `dse export --to rtl`")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("synth")(synth)


def synth(folder: Folder, technology: Technology = None, json: Json = False) -> None:
    """Count the gates of an exported RTL folder by block: as synthesised, by the cost model, and calibrated."""
    from costmodels.technology import Technology as Constants
    from costmodels.technology_file import load
    from dse.export.rtl_design import read_design
    from dse.export.rtl_synthesis import synthesise

    model = read_design(folder).module_ge
    name = settled(technology=technology)["technology"]
    constants = load(name) if name else Constants.default()
    note(f"synthesising {folder} by yosys")
    found = synthesise(folder)
    factor, predicted = constants.area.logic_factor, sum(model.values())
    if json:
        calibrated = {"area_factor": factor, "calibrated_ge": found.total_ge * factor}
        difference = {"model_ge": predicted, "difference_percent": 100 * (predicted / found.total_ge - 1)}
        say_json({**found.to_dict(), "module_ge": model, **difference, **calibrated})
    else:
        _say(found, model, constants)


def _say(found: "Synthesis", model: dict[str, float], constants: "Constants") -> None:
    titles = ("instances", "registers", "GE as synthesised", "GE by the model", "GE calibrated", "share %")
    factor, total, predicted = constants.area.logic_factor, found.total_ge, sum(model.values())
    registers = sum(block.registers for block in found.blocks)
    rows = [
        (one.name, f"{one.instances:,}", one.registers, one.cell_ge, model.get(one.name, 0.0)) for one in found.blocks
    ]
    say_table(
        [Column("block"), *(Column(title, "right") for title in titles)],
        [
            (
                name,
                instances,
                f"{bits:,}",
                f"{ge:,.0f}",
                f"{by_model:,.0f}",
                f"{ge * factor:,.0f}",
                f"{100 * ge / total:.1f}",
            )
            for name, instances, bits, ge, by_model in (*rows, ("in all", "", registers, total, predicted))
        ],
    )
    say(f"\nmodel against synthesis: {100 * (predicted / total - 1):+.2f} %")
    say(f"{found.memories} memories count nothing; area factor {factor:.4g} ({constants.name})")
    say(f"{found.tool}; cell areas {found.cells_digest}; least area, no clock target")
