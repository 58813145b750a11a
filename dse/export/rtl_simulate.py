"""Simulates an exported core by Icarus or Verilator and reads what its testbench reports."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from costmodels.errors import InputError
from dse.export.outside_tool import run_tool

BENCH = ("memory_model.sv", "core_testbench.sv")
Simulator = Literal["verilator", "iverilog"]

LAYER = re.compile(r"^layer \d+ cycles (\d+) stalls (\d+) fills (\d+) compared (\d+) mismatches (\d+)$", re.MULTILINE)
VERDICT = re.compile(r"^images (\d+) errors (\d+)$", re.MULTILINE)


class SimulationError(InputError):
    """A simulation that did not run to its end, or no simulator at all."""


@dataclass(frozen=True)
class LayerResult:
    """One layer over all images: cycles of each cause, stored words or scores compared, and how many differ."""

    compute_cycles: int
    stall_cycles: int
    fill_cycles: int
    compared: int
    mismatches: int

    @property
    def cycles(self) -> int:
        """Of all causes."""
        return self.compute_cycles + self.stall_cycles + self.fill_cycles


@dataclass(frozen=True)
class SimulationResult:
    """What the testbench reported; ``errors`` counts mismatches and missing or surplus words."""

    images: int
    errors: int
    layers: tuple[LayerResult, ...]


def installed() -> Simulator:
    """The first simulator that is there, Verilator before Icarus.

    Raises:
        SimulationError: neither is installed.
    """
    for name in ("verilator", "iverilog"):
        if shutil.which(name):
            return name
    raise SimulationError(
        "a simulator must be installed, not neither of verilator and iverilog; Debian and Ubuntu have both: "
        "apt-get install verilator iverilog"
    )


def simulate(folder: Path, simulator: Simulator, timeout_s: float) -> SimulationResult:
    """Build and run the testbench of ``folder``.

    Raises:
        SimulationError: a tool failed; its last lines are in the message.
    """
    sources = (folder / "core.f").read_text(encoding="ascii").split()
    if simulator == "iverilog":
        run_tool(["iverilog", "-g2012", "-o", "core.vvp", *sources, *BENCH], folder, timeout_s, SimulationError)
        return parse(run_tool(["vvp", "-n", "core.vvp"], folder, timeout_s, SimulationError))
    build = ["verilator", "--binary", "-Wno-fatal", "-O3", "--top-module", "core_testbench", "-j", "1"]
    run_tool([*build, *sources, *BENCH], folder, timeout_s, SimulationError)
    return parse(run_tool(["obj_dir/Vcore_testbench"], folder, timeout_s, SimulationError))


def parse(report: str) -> SimulationResult:
    """The testbench's lines as numbers.

    Raises:
        SimulationError: the report has no verdict.
    """
    verdict = VERDICT.search(report)
    if verdict is None:
        raise SimulationError(f"a testbench must report images and errors, not {report[-200:]!r}")
    layers = tuple(LayerResult(*map(int, numbers)) for numbers in LAYER.findall(report))
    return SimulationResult(int(verdict[1]), int(verdict[2]), layers)
