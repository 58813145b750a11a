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
    """Count the gates of an exported RTL folder by block: as synthesised, and calibrated to the reference chip."""
    from costmodels.technology import Technology as Constants
    from costmodels.technology_file import load
    from dse.export.rtl_design import read_design
    from dse.export.rtl_synthesis import synthesise

    read_design(folder)
    name = settled(technology=technology)["technology"]
    constants = load(name) if name else Constants.default()
    note(f"synthesising {folder} by yosys")
    found = synthesise(folder)
    factor = constants.area.logic_factor
    if json:
        say_json({**found.to_dict(), "area_factor": factor, "calibrated_ge": found.total_ge * factor})
    else:
        _say(found, constants)


def _say(found: "Synthesis", constants: "Constants") -> None:
    titles = ("instances", "GE as synthesised", "GE calibrated", "share %")
    factor, total = constants.area.logic_factor, found.total_ge
    rows = [(block.name, f"{block.instances:,}", block.cell_ge) for block in found.blocks]
    say_table(
        [Column("block"), *(Column(title, "right") for title in titles)],
        [
            (name, instances, f"{ge:,.0f}", f"{ge * factor:,.0f}", f"{100 * ge / total:.1f}")
            for name, instances, ge in (*rows, ("in all", "", total))
        ],
    )
    say(f"\n{found.memories} memories count nothing; area factor {factor:.4g} ({constants.name})")
    say(f"{found.tool}; cell areas {found.cells_digest}; least area, no clock target")
