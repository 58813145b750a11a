"""Gate counts: adders against the structure they are known to have, and the table behind a report."""

import shutil
import subprocess
from importlib import resources
from pathlib import Path

import pytest

from dse.export.rtl_synthesis import SynthesisError, cell_areas, counted, plain_name

needs_yosys = pytest.mark.skipif(shutil.which("yosys") is None, reason="yosys is not installed (apt-get install yosys)")

CELLS = resources.files("dse.export").joinpath("synthesis", "cells.lib").read_text()
AREAS = cell_areas(CELLS)
FULL_ADDER, HALF_ADDER = AREAS["FA"], AREAS["XOR2"] + AREAS["AND2"]
SUM_ONLY = 2 * AREAS["XOR2"]

REPORT = """
1. Printing statistics.

=== $paramod$0a\\lane ===

   Number of cells:                  5
     FA                              2
     sram                            3

   Chip area for module '$paramod$0a\\lane': 1.0

=== $paramod\\lane\\L=s32'00 ===

   Number of cells:                  1
     INV                             1

=== accelerator ===

   Number of cells:                  4
     $paramod$0a\\lane                4
     $paramod\\lane\\L=s32'00          1
     DFF                            10

=== design hierarchy ===

   accelerator                      1
     FA                           1000
"""


def ge(folder: Path, text: str) -> float:
    """Gate equivalents of the module ``accelerator`` in ``text``, without hierarchy."""
    (folder / "synth").mkdir()
    for entry in resources.files("dse.export").joinpath("synthesis").iterdir():
        (folder / "synth" / entry.name).write_text(entry.read_text())
    (folder / "top.sv").write_text(text)
    script = "read_verilog -sv top.sv; hierarchy -top accelerator; script synth/flow.ys; tee -q -o report stat"
    subprocess.run(["yosys", "-q", "-p", script], cwd=folder, check=True, timeout=120)
    return counted((folder / "report").read_text(), AREAS, "yosys", "").total_ge


def module(ports: str, body: str) -> str:
    return f"module accelerator ({ports});\n{body}\nendmodule\n"


@needs_yosys
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Full adders for all but the lowest bit (a half adder); nobody reads the highest carry.
        (
            module("input [7:0] a, b, output [7:0] s", "assign s = a + b;"),
            HALF_ADDER + 6 * FULL_ADDER + SUM_ONLY,
        ),
        (module("input [7:0] a, b, output [8:0] s", "assign s = a + b;"), HALF_ADDER + 7 * FULL_ADDER),
        # Adding to the upper bits only costs the upper bits.
        (
            module("input [7:0] a, input [3:0] b, output [7:0] s", "assign s = a + {b, 4'd0};"),
            HALF_ADDER + 2 * FULL_ADDER + SUM_ONLY,
        ),
        # N - b full and b - ones(N) half adders count the bits among N = 9 (b = 4) and 8 inputs.
        (module("input [8:0] x, output [3:0] n", "assign n = $countones(x);"), 5 * FULL_ADDER + 2 * HALF_ADDER),
        # 5 a = a + 4 a: the lowest bits are those of a, then two half adders around five full ones, and a last XOR2.
        (
            module("input [7:0] a, output [9:0] s", "assign s = a * 5;"),
            2 * HALF_ADDER + 5 * FULL_ADDER + AREAS["XOR2"],
        ),
        (module("input c, input [7:0] d, output reg [7:0] q", "always @(posedge c) q <= d;"), 8 * AREAS["DFF"]),
        (
            module("input c, e, input [7:0] d, output reg [7:0] q", "always @(posedge c) if (e) q <= d;"),
            8 * (AREAS["DFF"] + AREAS["MUX2"]),
        ),
    ],
    ids=[
        "adder",
        "adder with carry",
        "adder of upper bits",
        "popcount",
        "product by a constant",
        "register",
        "register with enable",
    ],
)
def test_known_structures_cost_what_they_are(text: str, expected: float, tmp_path: Path) -> None:
    assert ge(tmp_path, text) == pytest.approx(expected, abs=0.7)  # an inverter more or less


def test_a_report_is_counted_by_source_module_with_its_instances() -> None:
    found = counted(REPORT, AREAS, "Yosys", "digest")
    assert [(block.name, block.instances) for block in found.blocks] == [("accelerator", 1), ("lane", 5)]
    assert [block.registers for block in found.blocks] == [10, 0]
    assert found.total_ge == pytest.approx(10 * AREAS["DFF"] + 8 * FULL_ADDER + AREAS["INV"])
    assert found.memories == 12


def test_a_cell_without_an_area_is_an_error_and_not_free() -> None:
    with pytest.raises(SynthesisError, match=r"^every cell must be one of cells.lib, not \$mul$"):
        counted(REPORT.replace("INV ", "$mul"), AREAS, "Yosys", "")


def test_a_report_without_the_core_is_an_error() -> None:
    with pytest.raises(
        SynthesisError, match=r"^yosys must report the module accelerator, not \['lane', 'lane', 'other'\]"
    ):
        counted(REPORT.replace("=== accelerator", "=== other"), AREAS, "Yosys", "")


def test_cells_are_ratios_to_a_nand_gate() -> None:
    assert AREAS["NAND2"] == 1.0
    assert all(area > 0 for name, area in AREAS.items() if not name.startswith("LOGIC"))
    assert plain_name("$paramod$12\\pe_row") == plain_name("$paramod\\pe_row\\L=s32'01") == plain_name("pe_row")
