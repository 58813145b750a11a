"""Gate equivalents and registers of exported machines by module, as `dse synth` counts them, against the area model.

    python benchmarks/area.py synthesise [NAME ...]    add machines to benchmarks/area.csv (all that are missing)
    python benchmarks/area.py fit                      coefficients of costmodels/data/logic_area.csv
    python benchmarks/area.py compare                  the model beside synthesis; held-out machines were not fitted

`synthesise` maps modules of the same parameters once, for all machines; what it has mapped lies in build/area.
"""

import argparse
import csv
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from area_machines import MACHINES, shape
from area_synthesis import synthesis
from scipy.optimize import nnls

from costmodels import logic_area
from costmodels.logic_area import TERMS, Quantity, Sizes, synthesised, term_values
from dse.export.rtl_synthesis import Synthesis

TABLE = Path(__file__).with_suffix(".csv")
COLUMNS = ("machine", "block", "instances", "ge", "registers", "tool", "cells", "commit")
MODULES = {  # block of the area model, and the terms that a module may have
    "pe_array": ("pe_array", ("row_lanes",)),
    "pe_lane": ("pe_array", ("row_lanes",)),
    "popcount_nine": ("pe_array", ("row_lanes",)),
    "adder_tree": ("adder_trees", ("tree_bits", "tree_adders", "tree_registers")),
    "window_turner": ("alignment", ("bank_rows", "lanes", "bank_lanes")),
    "rotator": ("alignment", ("turned_lanes", "turned_rows", "turned_valid")),
    "accumulators": ("accumulators", ("one", "rows", "tree_level_rows", "outer_rows")),
    "if_units": (
        "if_units",
        (
            "one",
            "rows",
            "outer_rows",
            "dual_rows",
            "strengths",
            "strength_rows",
            "strength_bits",
            "dual_strength_rows",
        ),
    ),
    "pooling": ("pooling", ("map_rows", "stored_bits", "kept_bits", "pooled_bits", "added_bits", "strength_bits")),
    "window_rows": ("pooling", ("choice_bits", "winner_choice_bits")),
    "ranks": ("winners", ("rank_bits", "outer_rank_bits")),
    "winners": (
        "winners",
        ("winner_bits", "winner_kept_bits", "winner_compared_bits", "winner_passed_bits"),
    ),
    "score_unit": ("scores", ("one", "rows")),
    "spike_reader": ("spike_addresses", ("one", "bank_rows", "lanes", "pruned_lanes")),
    "spike_buffer": (
        "spike_addresses",
        ("one", "single_bank_rows", "single_bank_lanes", "pruned_bank_rows", "pruned_bank_lanes"),
    ),
    "spike_writer": ("spike_writer", ("one", "stored_bits", "dual_rows")),
    "bank_writer": (
        "spike_writer",
        (
            "one",
            "lanes",
            "bank_rows",
            "bank_lanes",
            "dual_bank_rows",
            "dual_bank_lanes",
            "planes",
            "plane_bank_rows",
            "plane_lanes",
            "span",
            "span_planes",
            "span_shifts",
            "span_shift_planes",
        ),
    ),
    "flat_step": ("spike_writer", ("one",)),
    "lane_lists": ("lane_addresses", ("pruned_lanes", "list_bits")),
    "membrane_buffer": ("membrane_addresses", ("outer", "outer_rows")),
    "membrane_place": ("membrane_addresses", ("outer",)),
    "sequencer": ("control", ("one", "outer")),
    "pass_control": ("control", ("one", "outer")),
    "compute_core": (
        "control",
        (
            "one",
            "lanes",
            "rows",
            "tree_stages",
            "tree_stage_rows",
            "stride_rows",
            "pruned_lanes",
            "strengths",
            "grids",
            "winner_stored_bits",
            "outer",
            "outer_rows",
            "outer_stage_rows",
        ),
    ),
    "map_port": (
        "memory_port",
        (
            "one",
            "lanes",
            "bank_rows",
            "bank_lanes",
            "port_planes",
            "port_lanes",
            "port_bank_rows",
            "port_bank_lanes",
        ),
    ),
    "map_walk": ("memory_port", ("one",)),
    "plane_banks": ("memory_port", ("one", "port_planes")),
    "weight_loader": ("memory_port", ("one",)),
    "weight_buffer": ("memory_port", ("one", "lanes")),
    "accelerator": ("memory_port", ("one", "lanes", "port_lanes")),
}


def rows_of(name: str, found: Synthesis) -> Iterator[tuple[str, ...]]:
    """The lines of one machine."""
    commit = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True)
    for block in found.blocks:
        counts = (str(block.instances), f"{block.cell_ge:.1f}", str(block.registers))
        yield (name, block.name, *counts, found.tool, found.cells_digest, commit.stdout.strip())


def read(quantity: Quantity = "ge") -> dict[str, dict[str, float]]:
    """Machine to gate equivalents or register bits by module."""
    found: dict[str, dict[str, float]] = {}
    if TABLE.exists():
        with TABLE.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found.setdefault(row["machine"], {})[row["block"]] = float(row[quantity])
    return found


def synthesise_missing(names: list[str]) -> None:
    """Synthesise machines that the table lacks, and add them."""
    for name in names or MACHINES:
        if name in read():  # another process may have added it by now
            continue
        lines = list(rows_of(name, synthesis(MACHINES[name])))
        new = not TABLE.exists()
        with TABLE.open("a", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([COLUMNS] * new + lines)
        print(name, flush=True)


def fitted(quantity: Quantity, sizes: dict[str, Sizes]) -> dict[tuple[str, str], float]:
    """Module and term to its coefficient: least squares, none below 0, errors as shares of the whole machine.

    Terms are fitted to machines of `inner` order, and what `outer` adds to what these leave of its machines.
    """
    known = {name: modules for name, modules in read(quantity).items() if not MACHINES[name].held_out}
    found: dict[tuple[str, str], float] = {}
    for outer in (False, True):
        machines = {name: modules for name, modules in known.items() if sizes[name].outer.all() == outer}
        weights = np.array([1 / sum(modules.values()) for modules in machines.values()])
        values = {term: np.array([float(of(sizes[name])[0]) for name in machines]) for term, of in TERMS.items()}
        for module, (_, terms) in MODULES.items():
            left = np.array([modules.get(module, 0.0) for modules in machines.values()])
            left = left - sum(found[module, term] * values[term] for term in terms if (module, term) in found)
            if fresh := [term for term in terms if term.startswith("outer") == outer]:
                matrix = np.array([values[term] for term in fresh]).T
                coefficients, _ = nnls(matrix * weights[:, None], left * weights)
                found.update({(module, term): each for term, each in zip(fresh, coefficients, strict=True)})
    return found


def fit() -> None:
    """Write the table of coefficients."""
    sizes = {name: Sizes.of(*shape(MACHINES[name])) for name in read()}
    ge, registers = fitted("ge", sizes), fitted("registers", sizes)
    lines = [
        (block, module, term, f"{ge[module, term]:.4g}", f"{registers[module, term]:.4g}")
        for module, (block, terms) in MODULES.items()
        for term in terms
        if ge[module, term] > 0 or registers[module, term] > 0
    ]
    with logic_area.TABLE.open("w", encoding="utf-8", newline="") as file:
        file.write("# Fitted by benchmarks/area.py to benchmarks/area.csv; for each unit of the term.\n")
        csv.writer(file, lineterminator="\n").writerows([("block", "module", "term", "ge", "registers"), *lines])


def compare(quantity: Quantity) -> None:
    """Print the model beside synthesis, by machine, and the errors of fitted and held-out machines."""
    print(f"| machine | fitted | {quantity} synthesised | model | error % | worst module, share of the whole % |")
    print("|---|---|---|---|---|---|")
    errors: dict[bool, list[float]] = {False: [], True: []}
    for name, modules in read(quantity).items():
        found = synthesised(term_values(*shape(MACHINES[name])), quantity, by="module")
        model = {module: float(each[0]) for module, each in found.items()}
        total, predicted = sum(modules.values()), sum(model.values())
        apart = {module: model.get(module, 0.0) - modules.get(module, 0.0) for module in model.keys() | modules.keys()}
        worst = max(sorted(apart), key=lambda module: abs(apart[module]))
        error, held_out = 100 * (predicted / total - 1), MACHINES[name].held_out
        errors[held_out].append(abs(error))
        far = f"{worst} {100 * apart[worst] / total:+.2f}"
        print(f"| {name} | {'no' if held_out else 'yes'} | {total:,.0f} | {predicted:,.0f} | {error:+.2f} | {far} |")
    for held_out, sizes in errors.items():
        which = "held out" if held_out else "fitted"
        print(f"\n{which}: {len(sizes)} machines, mean error {np.mean(sizes):.2f} %, worst {max(sizes):.2f} %")


def main() -> None:
    """Do what the first argument says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("synthesise", "fit", "compare"))
    parser.add_argument("names", nargs="*", metavar="NAME", help="machines to synthesise, or a quantity to compare")
    given = parser.parse_args()
    if given.what == "synthesise":
        synthesise_missing(given.names)
    elif given.what == "fit":
        fit()
    else:
        compare("ge")


if __name__ == "__main__":
    main()
