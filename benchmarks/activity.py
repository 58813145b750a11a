"""Switching activity of exported machines by block, counted in simulation, against the events of the cost model.

    python benchmarks/activity.py simulate [NAME ...]    add machines to benchmarks/activity.csv (all that are missing)
    python benchmarks/activity.py compare                toggles fitted to events, and foretold where they were not

A machine runs one of scikit-learn's digits through an untrained network whose batch norms have seen digits, so that its
neurons fire. Icarus writes all changes of all nets; a net counts once, in the module that declares it first. Glitches
within a cycle are not counted, and neither are memories. The blocks under one term of the energy model count together;
its toggles are a sum of `QUANTITIES`, events of the cost model times sizes of the machine, non-negative least squares.
"""

import argparse
import csv
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from importlib import resources
from pathlib import Path

import area
import numpy as np
import torch
from area_machines import Machine, genome
from numpy.typing import NDArray
from scipy.optimize import nnls

from costmodels.accelerator import AcceleratorBatch, AcceleratorConfig
from costmodels.events import EventCounts
from costmodels.features import Features
from costmodels.logic_area import Sizes
from costmodels.machine import MACHINE
from costmodels.schedule import count
from costmodels.slots import strip_rows
from costmodels.workload import LayerWorkload, Workload
from dse.data.digits import read_digits
from dse.export.core_image import CoreImage, lay_out
from dse.export.integer_network import IntegerNetwork, run_integer
from dse.export.outside_tool import run_tool
from dse.export.rtl_export import FILES, TOP, write_core
from dse.export.rtl_simulate import BENCH, SimulationError, parse
from dse.training.fold import fold
from dse.training.model import build_network
from searchspaces.recipe import Recipe

TABLE = Path(__file__).with_suffix(".csv")
Reals = NDArray[np.float64]
COLUMNS = ("machine", "kind", "name", "value", "tool", "commit")
BYTES_PER_CYCLE = 12.8
SEEN, PASSES = 256, 12  # digits that batch norms see, and how often
DIGIT, DIGIT_BITS = 1700, 5  # that the machine runs, and bits of its pixels
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
INSTANCE = re.compile(rf"^ +({'|'.join(FILES)}) (?:#\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\) )?(\w+) \(", re.MULTILINE)


MACHINES = {
    "v4-l4": Machine(4, 4),
    "v2-l8": Machine(2, 8),
    "v8-l4": Machine(8, 4),
    "v4-l8-c16": Machine(4, 8, channels=16),
    "v4-l4-dual": Machine(4, 4, dual=True),
    "v4-l8-average-t8": Machine(4, 8, pooling="average", timesteps=8),
    "v8-l8-c16-t2": Machine(8, 8, channels=16, timesteps=2),
    "v3-l4": Machine(3, 4),
    "v2-l16": Machine(2, 16),
    "v5-l8-average": Machine(5, 8, pooling="average"),
    "v8-l4-dual": Machine(8, 4, held_out=True, dual=True),
    "v4-l16-c16": Machine(4, 16, held_out=True, channels=16),
    "v6-l5": Machine(6, 5, held_out=True),
    "v4-l4-average": Machine(4, 4, held_out=True, pooling="average"),
}


def network(machine: Machine) -> IntegerNetwork:
    """An untrained network that has seen digits, folded."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        built = build_network(genome(replace(machine, input_bits=DIGIT_BITS), 8, 16), Recipe(epochs=1)).train()
        for _ in range(PASSES):
            built(torch.from_numpy(read_digits().images[:SEEN]))
    return fold(built.eval())


def image(machine: Machine) -> CoreImage:
    """The machine with ample buffers."""
    return lay_out(network(machine), AcceleratorConfig(machine.rows, machine.lanes, 4, 64, 64))


def set_share(maps: NDArray[np.uint8], bits: int) -> tuple[float, ...]:
    """Share of set bits of each step of ``maps`` [T, ...]."""
    return tuple(float(np.unpackbits(step).sum() / (step.size * bits)) for step in maps)


def measured(laid_out: CoreImage, digit: NDArray[np.uint8]) -> Workload:
    """The workload with the densities of this image."""
    stored = run_integer(laid_out.network, digit, keep=True).stored
    inputs = [digit[None], *(stored[layer.name] for layer in laid_out.network.layers)]
    layers = (
        replace(layer, input_density=set_share(maps, layer.input_bits))
        for layer, maps in zip(laid_out.work.layers, inputs, strict=True)
    )
    return replace(laid_out.work, layers=tuple(layers))


def events_of(laid_out: CoreImage, digit: NDArray[np.uint8]) -> dict[str, float]:
    """The cost model's events, over all layers."""
    batch = AcceleratorBatch.of([laid_out.config])
    found = count(measured(laid_out, digit), batch, BYTES_PER_CYCLE).events
    return {item.name: float(getattr(found, item.name)[0].sum()) for item in fields(EventCounts)}


def modules_by_instance() -> dict[str, str]:
    """Instance name to module; a name stands for one module only."""
    source = resources.files("dse.export").joinpath("rtl")
    found = [each for name in FILES for each in INSTANCE.findall(source.joinpath(f"{name}.sv").read_text())]
    names = {instance: module for module, instance in found}
    assert all(names[instance] == module for module, instance in found), found
    return names | {"machine": TOP}


def toggles(lines: Iterable[str]) -> Counter[str]:
    """Module to bits that changed, from a VCD; changes from or to an unknown value are none."""
    modules, scopes, owner = modules_by_instance(), list[str](), dict[str, str]()
    changed, values = Counter[str](), dict[str, int]()
    for line in lines:
        words = line.split()
        if words[:1] == ["$scope"]:
            scopes.append(words[2])
        elif words[:1] == ["$upscope"]:
            scopes.pop()
        elif words[:1] == ["$var"]:
            owner.setdefault(words[3], next(modules[scope] for scope in reversed(scopes) if scope in modules))
        elif line[0] in "01xzb":
            bits, name = words if line[0] == "b" else (line[0], words[0][1:])
            _change(int(bits.lstrip("b"), 2) if set(bits) <= {"b", "0", "1"} else None, name, owner, values, changed)
    return changed


def _change(now: int | None, name: str, owner: dict[str, str], values: dict[str, int], changed: Counter[str]) -> None:
    if now is None:
        values.pop(name, None)
        return
    changed[owner[name]] += (now ^ values.get(name, now)).bit_count()
    values[name] = now


def simulated(laid_out: CoreImage, digit: NDArray[np.uint8]) -> Counter[str]:
    """Module to toggles while the machine runs one image."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_core(laid_out, digit, folder, BYTES_PER_CYCLE)
        (folder / "watch.sv").write_text(WATCH)
        sources = (folder / "core.f").read_text(encoding="ascii").split()
        tops = ["-s", "core_testbench", "-s", "watch"]
        compiled = ["iverilog", "-g2012", *tops, "-o", "a.vvp", *sources, *BENCH, "watch.sv"]
        run_tool(compiled, folder, TIMEOUT_S, SimulationError)
        result = parse(run_tool(["vvp", "-n", "a.vvp"], folder, TIMEOUT_S, SimulationError))
        assert result.errors == 0
        with (folder / "activity.vcd").open(encoding="ascii") as file:
            return toggles(file)


def blocks(changed: Counter[str]) -> Counter[str]:
    """Block of the area model to toggles; memories count nothing."""
    found = Counter[str]()
    for module, number in changed.items():
        if module != MEMORY:
            found[area.MODULES[BARE.get(module, module)][0]] += number
    return found


@dataclass(frozen=True, eq=False)
class Layers:
    """What one image asks of each layer of a machine: arrays over layers.

    Attributes:
        events: of the cost model.
        density: share of set bits in the input.
        turning: a sum takes several words of weights, so that weights change with every array cycle.
        sums: handed over to neurons or scores.
        neuron_steps: positions times filters times steps.
        strip_rows: rows of the array that a full strip uses.
        seen: rows of the array that see the map, over those that have an output.
        sizes: of the machine.
    """

    events: EventCounts
    density: Reals
    turning: NDArray[np.bool_]
    sums: Reals
    neuron_steps: Reals
    strip_rows: Reals
    seen: Reals
    sizes: Sizes

    @classmethod
    def of(cls, laid_out: CoreImage, digit: NDArray[np.uint8]) -> "Layers":
        """The machine running ``digit``."""
        work, batch = measured(laid_out, digit), AcceleratorBatch.of([laid_out.config])
        events = count(work, batch, BYTES_PER_CYCLE).events
        weight_words = np.array([words(layer, laid_out.config.channel_lanes) for layer in work.layers])
        sums = events.pe_cycles[0] / (weight_words * [layer.input_bits for layer in work.layers])
        repeated = np.array([layer.spiking * (work.timesteps if layer.static_input else 1) for layer in work.layers])
        density = np.array([np.mean(layer.input_density) for layer in work.layers])
        sizes = Sizes.of(batch, Features.of(work))
        width = np.array(laid_out.config.vector_width)
        strips = np.array([float(strip_rows(layer, width)) for layer in work.layers])
        seen = np.array(
            [rows_seen(layer, int(width), int(rows)) for layer, rows in zip(work.layers, strips, strict=True)]
        )
        return cls(events, density, weight_words > 1, sums, sums * repeated, strips, seen, sizes)

    def event(self, name: str) -> Reals:
        """Counts of one event."""
        found: Reals = getattr(self.events, name)[0]
        return found

    @property
    def cycles(self) -> Reals:
        """Of all causes."""
        return self.event("compute_cycles") + self.event("stall_cycles") + self.event("fill_cycles")


def rows_seen(layer: LayerWorkload, width: int, strip: int) -> float:
    """Rows that see the map, strip by strip, over rows with an output; an fc has one."""
    if layer.kind == "fc":
        return 1.0
    computed = layer.pool * layer.stored_height
    return sum(min(width, computed - top) for top in range(0, computed, strip)) / computed


def words(layer: LayerWorkload, lanes: int) -> int:
    """Words of weights of one sum."""
    return -(-layer.in_channels // (lanes * (MACHINE.taps if layer.kind == "fc" else 1))) * layer.weight_bits


def turned_products(one: Layers) -> Reals:
    """Products of spike and weight that change where both do: two independent draws of probability d / 2 differ."""
    return one.seen * one.event("pe_adds") * (1 - one.density / 2) * one.turning


def held_products(one: Layers) -> Reals:
    """Products that change where the weight stays: two independent spikes differ."""
    return one.seen * one.event("pe_adds") * (1 - one.density) * ~one.turning


Quantity = Callable[[Layers], Reals]
QUANTITIES: dict[str, tuple[Quantity, ...]] = {
    "pe_array": (
        turned_products,
        held_products,
        lambda one: one.event("row_cycles") * one.turning * one.sizes.lanes,
        lambda one: one.sums * one.sizes.bank_lanes,
    ),
    "adders": (
        lambda one: turned_products(one) * one.sizes.tree.adder_bits / one.sizes.lanes,
        lambda one: held_products(one) * one.sizes.tree.adder_bits / one.sizes.lanes,
        lambda one: one.event("row_cycles") * one.turning * one.sizes.tree.adder_bits,
        lambda one: one.event("row_cycles"),
        lambda one: one.sums * one.sizes.rows,
    ),
    "if_unit": (
        lambda one: one.event("if_updates"),
        lambda one: (
            one.neuron_steps * one.strip_rows * (one.event("if_updates") > 0) - one.event("if_updates")
        ),  # rows left idle by the last strip
        lambda one: one.event("row_cycles"),
        lambda one: one.event("threshold_compares"),
    ),
    "pooling": (
        lambda one: one.event("if_updates") * one.sizes.maps,
        lambda one: one.neuron_steps,
        lambda one: one.event("if_updates") * one.sizes.maps * one.sizes.features.planes,
    ),
    "clock_control": (
        lambda one: one.cycles,
        lambda one: one.event("pe_cycles") * one.sizes.bank_rows,
        lambda one: one.event("pe_cycles") * one.turning * one.sizes.lanes,
        lambda one: one.sums * one.sizes.lanes,
        lambda one: one.neuron_steps * one.sizes.bank_rows * one.sizes.features.planes,
        lambda one: held_products(one) + turned_products(one),
    ),
}


def rows_of(name: str) -> Iterator[tuple[str, ...]]:
    """The lines of one machine: events, then toggles."""
    laid_out, digit = image(MACHINES[name]), read_digits().images[DIGIT : DIGIT + 1]
    tool = run_tool(["iverilog", "-V"], Path(), TIMEOUT_S, SimulationError).split(" (")[0]
    commit = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True)
    for event, number in events_of(laid_out, digit).items():
        yield name, "event", event, f"{number:.10g}", tool, commit.stdout.strip()
    for block, changes in sorted(blocks(simulated(laid_out, digit)).items()):
        yield name, "toggles", block, str(changes), tool, commit.stdout.strip()


def read(kind: str) -> dict[str, dict[str, float]]:
    """Machine to events or toggles by name."""
    found: dict[str, dict[str, float]] = {}
    if TABLE.exists():
        with TABLE.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["kind"] == kind:
                    found.setdefault(row["machine"], {})[row["name"]] = float(row["value"])
    return found


def simulate_missing(names: list[str]) -> None:
    """Simulate machines that the table lacks, and add them."""
    for name in names or MACHINES:
        if name in read("event"):
            continue
        lines = list(rows_of(name))
        new = not TABLE.exists()
        with TABLE.open("a", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([COLUMNS] * new + lines)
        print(name, flush=True)


def toggles_of(name: str) -> dict[str, float]:
    """Term to toggles of a machine."""
    found = read("toggles")[name]
    return {term: sum(found.get(block, 0.0) for block in blocks) for term, blocks in BLOCKS.items()}


def foretold() -> dict[str, dict[str, float]]:
    """Machine to the error in percent of each term, its coefficients fitted to the machines that are not held out."""
    digit = read_digits().images[DIGIT : DIGIT + 1]
    layers = {name: Layers.of(image(MACHINES[name]), digit) for name in read("toggles")}
    errors: dict[str, dict[str, float]] = {name: {} for name in layers}
    for term, quantities in QUANTITIES.items():
        counted = np.array([toggles_of(name)[term] for name in layers])
        matrix = np.array([[float(np.sum(each(one))) for each in quantities] for one in layers.values()])
        fit = np.array([not MACHINES[name].held_out for name in layers])
        found, _ = nnls(matrix[fit] / counted[fit, None], np.ones(fit.sum()))
        for name, error in zip(layers, 100 * (matrix @ found / counted - 1), strict=True):
            errors[name][term] = error
    return errors


def compare() -> None:
    """Print toggles and errors by machine and term."""
    print("| machine | fitted | " + " | ".join(f"{term}, million toggles | error % |"[:-2] for term in BLOCKS) + " |")
    print("|---|---|" + "---|---|" * len(BLOCKS))
    for name, errors in foretold().items():
        counted = toggles_of(name)
        cells = (f"{counted[term] / 1e6:.3f} | {error:+.1f}" for term, error in errors.items())
        print(f"| {name} | {'no' if MACHINES[name].held_out else 'yes'} | " + " | ".join(cells) + " |")


def main() -> None:
    """Do what the first argument says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("simulate", "compare"))
    parser.add_argument("names", nargs="*", metavar="NAME")
    given = parser.parse_args()
    if given.what == "simulate":
        simulate_missing(given.names)
    else:
        compare()


if __name__ == "__main__":
    main()
