"""Synthesis of many machines: a module of the same parameters is mapped once, for all of them.

What abc makes of a module hangs on names of the run too: mapped in another run, the same module came out up to 5 %
apart (`map_port`), a whole machine 0.4 %.
"""

import hashlib
import json
import tempfile
from pathlib import Path

import numpy as np
from area_machines import EDGE, Machine, image

from dse.export.outside_tool import run_tool
from dse.export.rtl_export import TOP, write_core
from dse.export.rtl_parameters import parameters
from dse.export.rtl_synthesis import (
    FOLDER,
    REPORT,
    SCRIPT,
    TIMEOUT_S,
    Synthesis,
    SynthesisError,
    cell_areas,
    modules_of,
    summed,
    write_synthesis,
)

MAPPED = Path("build/area/modules.json")
BYTES_PER_CYCLE = 8.0  # of the testbench alone
Cells = dict[str, dict[str, int]]


def synthesis(machine: Machine) -> Synthesis:
    """Export and count."""
    laid_out = image(machine)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_core(laid_out, np.zeros((1, 1, EDGE, EDGE), np.uint8), folder, BYTES_PER_CYCLE)
        write_synthesis(folder, parameters(laid_out, 1, BYTES_PER_CYCLE))
        modules = mapped(folder)
        cells = (folder / FOLDER / "cells.lib").read_bytes()
        tool = run_tool(["yosys", "-V"], folder, TIMEOUT_S, SynthesisError).strip()
        return summed(modules, cell_areas(cells.decode()), tool, hashlib.sha256(cells).hexdigest()[:16])


def mapped(folder: Path) -> Cells:
    """Modules of the folder's machine with their cells; those that are known by name and parameters are black boxes."""
    script = (folder / SCRIPT).read_text(encoding="ascii").splitlines()
    stop = 1 + next(index for index, line in enumerate(script) if line.startswith("hierarchy "))
    names = _run(folder, [*script[:stop], "tee -q -o names.txt ls"], "names.txt").split()
    known = {name: cells for name, cells in read_mapped().items() if name in names}
    found = modules_of(_run(folder, [*script[:stop], *(f"blackbox {name}" for name in known), *script[stop:]], REPORT))
    MAPPED.parent.mkdir(parents=True, exist_ok=True)
    fresh = {name: cells for name, cells in found.items() if name != TOP and name not in known}
    MAPPED.write_text(json.dumps(read_mapped() | fresh), encoding="utf-8")
    return found | known


def _run(folder: Path, script: list[str], result: str) -> str:
    """What the script leaves in a file."""
    (folder / SCRIPT).write_text("\n".join(script) + "\n", encoding="ascii")
    run_tool(["yosys", "-q", "-s", SCRIPT], folder, TIMEOUT_S, SynthesisError)
    return (folder / result).read_text(encoding="utf-8")


def read_mapped() -> Cells:
    """Modules that were mapped before, by Yosys's name for name and parameters."""
    found: Cells = json.loads(MAPPED.read_text(encoding="utf-8")) if MAPPED.exists() else {}
    return found
