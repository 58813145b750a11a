"""Switching activity of exported machines by block, counted in simulation, against the events of the cost model.

    python benchmarks/activity.py simulate [NAME ...]    add machines to benchmarks/activity.csv (all that are missing)
    python benchmarks/activity.py compare                toggles fitted to events, and foretold where they were not
    python benchmarks/activity.py energy                 shares of energy by toggles, beside those of the energy model

Blocks under one term of the energy model count together. Its toggles in a layer are a sum of `QUANTITIES` (see
`activity_terms.py`), fitted by non-negative least squares to the layers of machines that are not held out.
"""

import argparse
import csv
import subprocess
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import area
import numpy as np
from activity_machines import BYTES_PER_CYCLE, MACHINES, digit, image, layer_runs
from activity_terms import QUANTITIES
from activity_toggles import toggles, wires
from numpy.typing import NDArray
from scipy.optimize import nnls

from costmodels.accelerator import AcceleratorBatch
from costmodels.energy import PricedMachine, energy_pj, event_prices
from costmodels.events import EventCounts
from costmodels.features import Features
from costmodels.logic_area import synthesised, term_values
from costmodels.technology import Technology
from dse.export.core_image import CoreImage
from dse.export.outside_tool import run_tool
from dse.export.rtl_export import write_core
from dse.export.rtl_simulate import BENCH, SimulationError, parse

Reals = NDArray[np.float64]
TABLE = Path(__file__).with_suffix(".csv")
COLUMNS = ("machine", "block", "layer", "toggles", "wires", "tool", "commit")
TIMEOUT_S = 3600.0
MEMORY, BARE = "sram", {"pe_row": "pe_array"}  # a module that only wires others counts with them
BLOCKS = {  # of the area model, under each term of the energy model
    "pe_array": ("pe_array", "alignment"),
    "adders": ("adder_trees", "accumulators"),
    "if_unit": ("if_units",),
    "pooling": ("pooling",),
    "clock_control": ("control", "spike_addresses", "spike_writer", "memory_port", "scores"),
}
WATCH = """module watch;
  initial begin
    $dumpfile("activity.vcd");
    $dumpvars(0, core_testbench.machine);
  end
endmodule
"""
CLEARED = ("endmodule", "  initial if (!PRELOAD) for (int i = 0; i < DEPTH; i = i + 1) words[i] = '0;\nendmodule")


def simulated(laid_out: CoreImage) -> tuple[Counter[tuple[str, int]], Counter[str]]:
    """Module and layer to toggles while the machine runs one image, its memories 0 before it, and module to wires."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_core(laid_out, digit(), folder, BYTES_PER_CYCLE)
        (folder / "watch.sv").write_text(WATCH)
        memory = folder / f"{MEMORY}.sv"
        memory.write_text(memory.read_text(encoding="utf-8").replace(*CLEARED), encoding="utf-8")
        sources = (folder / "core.f").read_text(encoding="ascii").split()
        tops = ["-s", "core_testbench", "-s", "watch"]
        compiled = ["iverilog", "-g2012", *tops, "-o", "a.vvp", *sources, *BENCH, "watch.sv"]
        run_tool(compiled, folder, TIMEOUT_S, SimulationError)
        result = parse(run_tool(["vvp", "-n", "a.vvp"], folder, TIMEOUT_S, SimulationError))
        assert result.errors == 0
        with (folder / "activity.vcd").open(encoding="ascii") as changes, (folder / "activity.vcd").open() as head:
            return toggles(changes), wires(head)


def block_of(module: str) -> str:
    """The block of the area model that a module belongs to."""
    return area.MODULES[BARE.get(module, module)][0]


def rows_of(name: str) -> Iterator[tuple[str, ...]]:
    """The lines of one machine; memories count nothing."""
    laid_out = image(MACHINES[name])
    tool = run_tool(["iverilog", "-V"], Path(), TIMEOUT_S, SimulationError).split(" (")[0]
    commit = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True)
    changed, present = simulated(laid_out)
    turned, width = Counter[tuple[str, int]](), Counter[str]()
    for (module, number), bits in changed.items():
        if module != MEMORY:
            turned[block_of(module), number] += bits
    for module, bits in present.items():
        if module != MEMORY:
            width[block_of(module)] += bits
    for (block, number), bits in sorted(turned.items()):
        layer = laid_out.work.layers[number].name
        yield name, block, layer, str(bits), str(width[block]), tool, commit.stdout.strip()


def simulate_missing(names: list[str]) -> None:
    """Simulate machines that the table lacks, and add them."""
    known = read()
    for name in [name for name in names or MACHINES if name not in known]:
        lines = list(rows_of(name))
        new = not TABLE.exists()
        with TABLE.open("a", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([COLUMNS] * new + lines)
        print(name, flush=True)


def read(column: str = "toggles") -> dict[str, dict[tuple[str, str], float]]:
    """Machine to toggles, or wires, by block and layer."""
    found: dict[str, dict[tuple[str, str], float]] = {}
    if TABLE.exists():
        with TABLE.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found.setdefault(row["machine"], {})[row["block"], row["layer"]] = float(row[column])
    return found


@cache
def laid_out_machine(name: str) -> CoreImage:
    """A machine of the table."""
    return image(MACHINES[name])


def counted(term: str) -> dict[str, Reals]:
    """Machine to toggles of a term, layer by layer."""
    return {
        name: np.array(
            [
                sum(found.get((block, layer.name), 0.0) for block in BLOCKS[term])
                for layer in laid_out_machine(name).work.layers
            ]
        )
        for name, found in read().items()
    }


def foretold() -> dict[str, dict[str, float]]:
    """Machine to the error in percent of each term, its coefficients fitted to the machines that are not held out."""
    runs = {name: layer_runs(laid_out_machine(name)) for name in read()}
    errors: dict[str, dict[str, float]] = defaultdict(dict)
    for term, quantities in QUANTITIES.items():
        turned = counted(term)
        matrices = {name: np.array([[each(run) for each in quantities] for run in runs[name]]) for name in runs}
        fitted = [name for name in runs if not MACHINES[name].held_out]
        rows = np.vstack([matrices[name] / turned[name].sum() for name in fitted])
        found, _ = nnls(rows, np.concatenate([turned[name] / turned[name].sum() for name in fitted]))
        for name in runs:
            errors[name][term] = float(100 * ((matrices[name] @ found).sum() / turned[name].sum() - 1))
    return dict(errors)


def compare() -> None:
    """Print toggles and errors by machine and term."""
    print("| machine | fitted | " + " | ".join(f"{term}, million toggles | error %" for term in BLOCKS) + " |")
    print("|---|---|" + "---|---|" * len(BLOCKS))
    turned = {term: counted(term) for term in BLOCKS}
    for name, errors in foretold().items():
        cells = (f"{turned[term][name].sum() / 1e6:.3f} | {error:+.1f}" for term, error in errors.items())
        print(f"| {name} | {'no' if MACHINES[name].held_out else 'yes'} | " + " | ".join(cells) + " |")


def switched(name: str) -> dict[str, float]:
    """Term to toggles of a mean wire of each block, times the block's gates: what its capacitances switch."""
    batch, features = area_shape(name)
    gates = synthesised(term_values(batch, features), "ge")
    turned, wide = read()[name], read("wires")[name]
    return {
        term: sum(
            bits / wide[block, layer] * float(gates[block][0])
            for (block, layer), bits in turned.items()
            if block in blocks
        )
        for term, blocks in BLOCKS.items()
    }


def area_shape(name: str) -> tuple[AcceleratorBatch, Features]:
    """What the prices are told of a machine."""
    laid_out = laid_out_machine(name)
    return AcceleratorBatch.of([laid_out.config]), Features.of(laid_out.work)


def priced(name: str) -> dict[str, float]:
    """Term to its energy by the energy model, for the same image."""
    events = [run.events for run in layer_runs(laid_out_machine(name))]
    counts = EventCounts(**{event: np.array([[layer[event] for layer in events]]) for event in events[0]})
    terms = energy_pj(counts, event_prices(PricedMachine.of(*area_shape(name), Technology.default())))
    return {term: float(terms[term].sum()) for term in BLOCKS}


def energy() -> None:
    """Print the terms' shares by toggles and by the energy model, means over machines."""
    print("| term | share by toggles and gates % | share by the energy model % | ratio |\n|---|---|---|---|")
    found = [(shares(switched(name)), shares(priced(name))) for name in read()]
    for term in BLOCKS:
        by_toggles, by_model = (float(np.mean([pair[which][term] for pair in found])) for which in (0, 1))
        print(f"| {term} | {by_toggles:.1f} | {by_model:.1f} | {by_model / by_toggles:.2f} |")


def shares(terms: dict[str, float]) -> dict[str, float]:
    """Percent of all terms."""
    return {term: 100 * value / sum(terms.values()) for term, value in terms.items()}


def main() -> None:
    """Do what the first argument says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("simulate", "compare", "energy"))
    parser.add_argument("names", nargs="*", metavar="NAME", help="machines to simulate")
    given = parser.parse_args()
    if given.what == "simulate":
        simulate_missing(given.names)
    else:
        {"compare": compare, "energy": energy}[given.what]()


if __name__ == "__main__":
    main()
