"""The texts of an exported RTL folder: README, FuseSoC core description, timing constraints."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from dse import __version__
from dse.costing import Breakdown
from dse.export.rtl_design import Design
from dse.export.rtl_export import MEMORY_MODEL, TESTBENCH, TOP
from dse.export.rtl_synthesis import FOLDER, REPORT, SCRIPT
from dse.export.trained import TrainedNetwork
from dse.words import amount, part_words, share_words

MEMORY = ".mem"


def readme(design: Design, priced: Breakdown, trained: TrainedNetwork) -> str:
    """README.md."""
    sections = (
        (design.title, _introduction(design, trained)),
        ("Layers", _layers(design)),
        ("Predicted", _predicted(priced)),
        ("Files", _files(design)),
        ("Simulate", _simulate(design)),
        ("Lint", _lint()),
        ("Synthesise", _synthesise()),
    )
    heads = ("# ", *["## "] * (len(sections) - 1))
    return "\n\n".join(f"{head}{title}\n\n{text}" for head, (title, text) in zip(heads, sections, strict=True)) + "\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, numbers and all as text."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _introduction(design: Design, trained: TrainedNetwork) -> str:
    score = trained.score
    rows = [
        ("network", design.network),
        ("machine", design.machine),
        ("clock", f"{design.clock_mhz:g} MHz"),
        ("deployed accuracy", f"{share_words(score.deployed_correct, score.samples)} of the validation samples"),
        ("trained", f"{trained.record.fidelity} run, seed {score.seed}, of study {trained.study.name}"),
        ("written by", f"dse {__version__}"),
    ]
    return (
        "A spiking network on the vectorwise accelerator, with its trained weights, in plain SystemVerilog: one\n"
        "clock, one synchronous reset, every memory behind the module `sram`, no vendor primitives.\n\n"
        + table(("", ""), rows)
    )


def _layers(design: Design) -> str:
    rows = [(layer.name, f"{layer.cycles:,}", f"{layer.spikes:,}") for layer in design.layers]
    total = ("in all", f"{design.cycles:,}", f"{sum(layer.spikes for layer in design.layers):,}")
    return (
        f"Of one image. The testbench runs {design.images} real images and compares every stored spike\n"
        "and every score with the integer network; the cycles that it counts must be these,\n"
        "exactly, for each layer and image.\n\n" + table(("layer", "cycles", "spikes stored"), [*rows, total])
    )


def _predicted(priced: Breakdown) -> str:
    report = priced.report
    energy = [(part_words(term), amount(uj), "µJ") for term, uj in priced.energy_uj.items()]
    area = [(part_words(block), amount(mm2), "mm²") for block, mm2 in report.area_mm2.items()]
    totals = [
        ("latency with DRAM transfers", f"{report.total_cycles:,.0f}", "cycles"),
        ("latency with DRAM transfers", amount(report.latency_ms), "ms"),
        ("energy of one inference", amount(report.energy_uj), "µJ"),
        ("area", amount(report.total_area_mm2), "mm²"),
        ("logic as synthesised", amount(report.synthesised_kge), "kGE"),
        ("logic as calibrated", amount(report.calibrated_kge), "kGE"),
    ]
    return (
        f"By the cost model, {report.technology.name} at {report.technology.node_nm} nm, with the firing rates\n"
        "measured in the training run. GE is the area of a two-input NAND gate.\n\n"
        + table(("quantity", "value", "unit"), totals)
        + "\n\n"
        + table(("energy by term", "", ""), energy)
        + "\n\n"
        + table(("area by block", "", ""), area)
    )


def _files(design: Design) -> str:
    rows = [
        ("`core.f`", "all sources but the testbench, in order"),
        ("`core_parameters.sv`", "the parameters of this network on this machine"),
        ("`program.mem`, `passes.mem`, `lengths.mem`", "fields of each layer and run of tiles, words of each filter"),
        ("`weights.mem`", "the filters as DRAM holds them"),
        (f"`{MEMORY_MODEL}.sv`", "the memory behind the port, with the DRAM's bandwidth"),
        (f"`{TESTBENCH}.sv`", "runs the images and compares with the golden vectors"),
        ("`images.mem`, `stores.mem`, `scores.mem`", "the images, and what the machine must store and answer"),
        ("`sram.sv`", "the one memory wrapper: replace it by macros of the same shape"),
        (f"`{design.name}.core`, `{design.name}.sdc`", "FuseSoC description, timing constraints"),
        (f"`{SCRIPT}`, `{FOLDER}/`", "synthesis by Yosys: script, areas of cells, maps of adders"),
        ("`design.json`", "what `dse verify` expects of a simulation"),
    ]
    return table(("file", "what it holds"), rows)


def _simulate(design: Design) -> str:
    return f"""From this folder, since memory images are read from the working folder. By Verilator (5.006 or newer;
Debian package `verilator`):

```sh
verilator --binary -O3 -Wno-fatal --top-module {TESTBENCH} -f core.f {MEMORY_MODEL}.sv {TESTBENCH}.sv
obj_dir/V{TESTBENCH}
```

or by Icarus (11 or newer; Debian package `iverilog`), slower to run and faster to build:

```sh
iverilog -g2012 -o core.vvp -f core.f {MEMORY_MODEL}.sv {TESTBENCH}.sv
vvp -n core.vvp
```

It ends with `PASS` where nothing differs. `dse verify .` runs the same and compares the cycles as well; FuseSoC runs it
with `fusesoc --cores-root . run --target=sim ::{design.name}` (`--tool=icarus` by Icarus)."""


def _lint() -> str:
    return f"""```sh
verilator --lint-only -Wall --timing --top-module {TESTBENCH} -f core.f {MEMORY_MODEL}.sv {TESTBENCH}.sv
```"""


def _synthesise() -> str:
    return f"""Gate equivalents (NAND2 = 1) by Yosys (0.23; Debian package `yosys`), hierarchy kept, memories left out:

```sh
yosys -q -s {SCRIPT}
```

Cells of each module are then in `{REPORT}`; `dse synth .` prints them as a table. Additions are full adders one to
one, the rest is mapped for least area, without a clock target. For a chip, give a synthesiser the files of `core.f`,
the `.sdc` file and macros in place of `sram`."""


def fusesoc_core(design: Design, folder: Path) -> str:
    """The FuseSoC description (CAPI 2) of the folder as it is."""
    sources = (folder / "core.f").read_text(encoding="ascii").split()
    images = sorted(path.name for path in folder.glob(f"*{MEMORY}"))
    copied = [f"{name}: {{file_type: user, copyto: {name}}}" for name in images]
    return f"""CAPI=2:
name: ::{design.name}:1.0.0
description: "{design.name}: a spiking network on the vectorwise accelerator"

filesets:
  rtl:
    files:
{_items(sources)}
    file_type: systemVerilogSource
  memory:
    files:
{_items(copied)}
  testbench:
    files:
      - {MEMORY_MODEL}.sv
      - {TESTBENCH}.sv
    file_type: systemVerilogSource
  timing:
    files:
      - {design.name}.sdc
    file_type: SDC

targets:
  default: &default
    filesets: [rtl, memory, timing]
    toplevel: {TOP}
  sim:
    <<: *default
    filesets: [rtl, memory, testbench]
    toplevel: {TESTBENCH}
    default_tool: verilator
    tools:
      verilator:
        mode: binary
        verilator_options: [-O3, -Wno-fatal]
      icarus:
        iverilog_options: [-g2012]
  lint:
    <<: *default
    filesets: [rtl, memory, testbench]
    toplevel: {TESTBENCH}
    default_tool: verilator
    tools:
      verilator:
        mode: lint-only
        verilator_options: [-Wall, --timing]
"""


def _items(names: Iterable[str]) -> str:
    return "\n".join(f"      - {name}" for name in names)


def constraints(design: Design) -> str:
    """The clock, and half of it left to what surrounds the core."""
    period_ns = 1000 / design.clock_mhz
    return f"""# {design.name}: {design.clock_mhz:g} MHz
create_clock -name clk -period {period_ns:.3f} [get_ports clk]
set_clock_uncertainty {0.05 * period_ns:.3f} [get_clocks clk]
set_input_delay {0.5 * period_ns:.3f} -clock clk [remove_from_collection [all_inputs] [get_ports clk]]
set_output_delay {0.5 * period_ns:.3f} -clock clk [all_outputs]
"""
