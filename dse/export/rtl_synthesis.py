"""Gate equivalents of an exported folder by block: Yosys with hierarchy kept, cells counted by type, NAND2 = 1.

Additions become full adders one to one, whatever abc would make of them; all other logic is mapped for least area onto
the cells of `dse/export/synthesis/cells.lib`. Memories stay black boxes and count nothing.
"""

import hashlib
import re
import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from costmodels.errors import InputError
from dse.export.outside_tool import run_tool
from dse.export.rtl_export import TOP

FOLDER, SCRIPT, REPORT = "synth", "synth.ys", "synth.txt"
MEMORY, REGISTER = "sram", "DFF"
TIMEOUT_S = 3600.0

MODULE = re.compile(r"^=== (\S+) ===$", re.MULTILINE)
CELL = re.compile(r"^ {5}(\S+) +(\d+)$", re.MULTILINE)
AREA = re.compile(r"cell\((\w+)\) \{ area : ([\d.]+);")
PARAMETER = re.compile(r"^ +parameter (?:int|bit) (\w+)", re.MULTILINE)


class SynthesisError(InputError):
    """Yosys is missing, failed, or left something that has no area."""


@dataclass(frozen=True)
class Block:
    """One kind of module.

    Attributes:
        name: of the module.
        instances: in the design.
        cell_ge: gate equivalents of the cells in all of them, without the modules inside.
        registers: bits among these cells.
    """

    name: str
    instances: int
    cell_ge: float
    registers: int


@dataclass(frozen=True)
class Synthesis:
    """What `synthesise` counted.

    Attributes:
        tool: name and version of Yosys.
        cells_digest: of the table of cell areas, 16 hexadecimal digits.
        memories: instances of the memory wrapper, which count nothing.
        blocks: largest first.
    """

    tool: str
    cells_digest: str
    memories: int
    blocks: tuple[Block, ...]

    @property
    def total_ge(self) -> float:
        """All logic."""
        return sum(block.cell_ge for block in self.blocks)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**vars(self), "blocks": [vars(block) for block in self.blocks], "total_ge": self.total_ge}


def write_synthesis(folder: Path, parameters: Mapping[str, int]) -> None:
    """Add the script, the cells and the maps of adders to an exported folder."""
    source = resources.files("dse.export").joinpath("synthesis")
    (folder / FOLDER).mkdir()
    for entry in source.iterdir():
        (folder / FOLDER / entry.name).write_text(entry.read_text(encoding="utf-8"), encoding="utf-8")
    sources = (folder / "core.f").read_text(encoding="ascii").split()
    memory = f"{MEMORY}.sv"
    lines = [
        f"# Gate equivalents by module: yosys -q -s {SCRIPT}, then see {REPORT}. Areas of cells: {FOLDER}/cells.lib.",
        f"read_verilog -sv -lib {memory}",
        f"read_verilog -sv {' '.join(name for name in sources if name != memory)}",
        f"hierarchy -top {TOP}{_chosen(folder, parameters)}",
        f"script {FOLDER}/flow.ys",
        f"tee -q -o {REPORT} stat -liberty {FOLDER}/cells.lib",
    ]
    (folder / SCRIPT).write_text("\n".join(lines) + "\n", encoding="ascii")


def _chosen(folder: Path, parameters: Mapping[str, int]) -> str:
    """The parameters that the top module has, as options of ``hierarchy``."""
    names = PARAMETER.findall((folder / f"{TOP}.sv").read_text(encoding="utf-8").split(") (")[0])
    return "".join(f" -chparam {name} {parameters[name]}" for name in names)


def synthesise(folder: Path) -> Synthesis:
    """Run the folder's script on a copy.

    Raises:
        SynthesisError: no Yosys, no script, or it failed.
    """
    if shutil.which("yosys") is None:
        raise SynthesisError(
            "yosys must be installed, but is missing; Debian and Ubuntu have it: apt-get install yosys"
        )
    if not (folder / SCRIPT).is_file():
        raise SynthesisError(f"{folder} must have {SCRIPT}, but lacks it; export it again with dse export --to rtl")
    with tempfile.TemporaryDirectory(prefix="dse-synth-") as temporary:
        copy = Path(temporary) / "rtl"
        shutil.copytree(folder, copy)
        run_tool(["yosys", "-q", "-s", SCRIPT], copy, TIMEOUT_S, SynthesisError)
        report = (copy / REPORT).read_text(encoding="utf-8")
    cells = (folder / FOLDER / "cells.lib").read_bytes()
    digest = hashlib.sha256(cells).hexdigest()[:16]
    tool = run_tool(["yosys", "-V"], folder, TIMEOUT_S, SynthesisError).strip()
    return counted(report, cell_areas(cells.decode()), tool, digest)


def cell_areas(library: str) -> dict[str, float]:
    """Cell to gate equivalents, from the text of cells.lib."""
    return {name: float(area) for name, area in AREA.findall(library)}


def counted(report: str, areas: Mapping[str, float], tool: str, digest: str) -> Synthesis:
    """The table behind a report of ``stat``.

    Raises:
        SynthesisError: the report has no modules, or a cell without an area that is no memory.
    """
    return summed(modules_of(report), areas, tool, digest)


def summed(modules: Mapping[str, Mapping[str, int]], areas: Mapping[str, float], tool: str, digest: str) -> Synthesis:
    """The table of modules and their cells.

    Raises:
        SynthesisError: no module is the top, or a cell has no area and is no memory.
    """
    tops = [name for name in modules if plain_name(name) == TOP]
    if not tops:
        raise SynthesisError(f"yosys must report the module {TOP}, not {sorted(map(plain_name, modules))}")
    instances = _instances(modules, tops[0])
    strange = {cell for cells in modules.values() for cell in cells} - modules.keys() - areas.keys() - {MEMORY}
    if strange:
        raise SynthesisError(f"every cell must be one of cells.lib, not {', '.join(sorted(strange))}")
    number, registers = Counter[str](), Counter[str]()
    ge: defaultdict[str, float] = defaultdict(float)
    for module, times in instances.items():
        number[plain_name(module)] += times
        registers[plain_name(module)] += times * modules[module].get(REGISTER, 0)
        ge[plain_name(module)] += times * sum(areas.get(cell, 0.0) * n for cell, n in modules[module].items())
    memories = sum(instances[module] * cells.get(MEMORY, 0) for module, cells in modules.items() if module in instances)
    blocks = [Block(name, number[name], ge[name], registers[name]) for name in number]
    return Synthesis(tool, digest, memories, tuple(sorted(blocks, key=lambda block: -block.cell_ge)))


def modules_of(report: str) -> dict[str, dict[str, int]]:
    """Module to its cells by type; the summary of the hierarchy at the end is left out."""
    parts = MODULE.split(report.split("=== design hierarchy ===")[0])
    found = {}
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        cells = text.split("Number of cells:")[1]
        found[name] = {cell: int(n) for cell, n in CELL.findall(cells)}
    return found


def _instances(modules: Mapping[str, Mapping[str, int]], top: str) -> dict[str, int]:
    """How often each module stands in the design below ``top``."""
    instances: Counter[str] = Counter()

    def walk(module: str, times: int) -> None:
        instances[module] += times
        for cell, n in modules[module].items():
            if cell in modules:
                walk(cell, times * n)

    walk(top, 1)
    return dict(instances)


def plain_name(module: str) -> str:
    r"""The name as in the source: ``$paramod$4f..\\pe_row`` and ``$paramod\\pe_row\\LANES=..`` are ``pe_row``."""
    parts = module.split("\\")
    return parts[1] if len(parts) > 1 else module
