"""Do the random cores of tests/rtl see a broken core? Every module is broken on purpose, one line at a time.

    python benchmarks/rtl_mutants.py [--only MODULE]

Each mutant replaces one expression of one file. It is killed by the first core whose stored elements, scores, cycles or
events differ, or that never ends; one that every core leaves alive is printed as ALIVE and makes the exit status 1,
unless `EQUIVALENT` says why nothing can see it. The cores are those that the tests simulate, the smallest first.
benchmarks/rtl_mutants.csv keeps who killed whom, mutant by mutant: a run that was broken off goes on with those that
nothing has killed yet. Needs Icarus.
"""

import argparse
import csv
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from costmodels.accelerator import AcceleratorBatch
from costmodels.schedule import count
from dse.export.core_image import CoreImage, lay_out
from dse.export.rtl_export import write_core
from dse.export.rtl_simulate import SimulationError

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "rtl"))
import pytest
import test_compute_core
import test_event_input
import test_memory_system
import test_outer_order
from core_events import expected, simulate
from small_cores import random_core, random_images
from tight_machines import bytes_per_cycle, shrink_kib

TABLE = Path(__file__).with_suffix(".csv")
COLUMNS = ("module", "expression", "instead", "killed_by")
Mutant = tuple[str, str, str]
IMAGES = 2
MOST_SECONDS = 20  # of processor time: a simulation that takes longer never ends

# File, text in it, what stands there instead.
MUTANTS: tuple[Mutant, ...] = (
    ("accumulators", "subtract ? previous - term", "subtract ? previous + term"),
    ("accumulators", "wide << shift", "wide"),
    ("accumulators", "first ? '0 : totals", "totals"),
    ("accumulators", "(working[r] || first)", "working[r]"),
    ("accumulators", "if (restored) totals", "if (1'b0) totals"),
    ("adder_tree", "{lower[BITS-2], lower}", "{1'b0, lower}"),
    ("adder_tree", "if (enables[(level+1)/2])", "if (enables[0])"),
    ("bank_writer", "flat_tap > TAP[7:0]", "1'b0"),
    ("bank_writer", "(t + 9 * CHUNKS - c) % 9", "(t + 9 * CHUNKS) % 9"),
    ("bank_writer", "2 * (b % 4)", "2 * b + 1"),
    ("bank_writer", "(k + ROWS - HALF) % ROWS", "k"),
    ("bank_writer", "dual ? lower_lane << 1 : '0", "'0"),
    ("bank_writer", "row_bank > k[7:0]", "row_bank >= k[7:0]"),
    ("compute_core", "r % t == 0 && stride", "stride"),
    ("compute_core", "tokens[(t+2)*TOKEN_BITS", "tokens[(t+1)*TOKEN_BITS"),
    ("compute_core", "OUTER ? first_time_step : neuron_step == 8'd0", "neuron_step == 8'd0"),
    ("compute_core", "{VECTOR_WIDTH{tokens[(t+3)*TOKEN_BITS-1]}}", "{VECTOR_WIDTH{1'b1}}"),
    ("compute_core", "tokens[(TOKEN_STAGES-2)*TOKEN_BITS-2]", "tokens[(TOKEN_STAGES-1)*TOKEN_BITS-2]"),
    ("compute_core", "{3{spiking}} &", "3'b111 &"),
    ("compute_core", "strength_bit + 8'd1 == strength_bits", "1'b1"),
    ("compute_core", "active_set <= active_set + 2'd1", "active_set <= active_set + 2'd2"),
    ("compute_core", "elements = ranked ? won : pooled", "elements = pooled"),
    ("compute_core", "filter_ends ? '0 : position + 16'd1", "position + 16'd1"),
    ("flat_step", "tap >= 9'd9 ? tap[7:0] - 8'd9", "tap >= 9'd9 ? tap[7:0] - 8'd8"),
    ("flat_step", "lane >= L ? lane[7:0] - L[7:0]", "lane > L ? lane[7:0] - L[7:0]"),
    ("if_units", "previous + scaled - constant", "previous + scaled + constant"),
    ("if_units", "signed_potential >= lower_multiple", "signed_potential > lower_multiple"),
    ("if_units", "hard_reset && last_bit && |strength", "hard_reset && fires"),
    ("if_units", "first_step ? '0 : left", "left"),
    ("if_units", "OUTER ? stored[r*MEMBRANE_BITS+:MEMBRANE_BITS] : membrane", "membrane"),
    ("if_units", "first_bit ? potential : upper_membrane", "potential"),
    ("if_units", "upper_fires ? upper_potential - ", "upper_fires ? upper_potential + "),
    ("if_units", "widened << fraction_bits", "widened << 2"),
    ("if_units", "{{STRENGTH_BITS{1'b0}}, lower} << place", "{{STRENGTH_BITS{1'b0}}, lower}"),
    ("lane_lists", "todo & (todo - 1'b1)", "todo & (todo - 2'd2)"),
    ("lane_lists", "|lane_more", "lane_more[0]"),
    ("lane_lists", "restart ? kept : left", "left"),
    ("pe_array", "window[r*3*CHANNEL_LANES", "window[(r+1)*3*CHANNEL_LANES"),
    ("pe_array", "& tap_mask", ""),
    ("pe_lane", "{agreeing, 1'b0}", "{1'b0, agreeing}"),
    ("pe_lane", "if (enable) sum", "sum"),
    ("pe_row", "weights[t*CHANNEL_LANES+l]", "weights[l*9+t]"),
    ("pooling", "if (added) pooled = pooled + strength", "if (added) pooled = strength"),
    ("pooling", "strength > pooled", "strength < pooled"),
    ("pooling", "first_column ? '0 :", "1'b0 ? '0 :"),
    ("popcount_nine", "$countones(bits)", "$countones(bits[7:0])"),
    ("membrane_buffer", "keeps && !continues", "keeps"),
    ("membrane_buffer", "has_ranks ? comes[2] : comes[1]", "comes[1]"),
    ("membrane_buffer", "continues && comes[0]", "comes[0]"),
    ("membrane_buffer", "step_over && keeps", "step_over"),
    ("membrane_buffer", "late_address <= write_place + ranks_from", "late_address <= write_place"),
    ("membrane_buffer", "{WIDTH{write_row == 8'(r)}}", "{WIDTH{r == 0}}"),
    ("membrane_buffer", "arriving_row == 8'(r)", "1'b0"),
    ("membrane_place", "moves ? row_ends || load_layer : load_layer && row != 8'd0", "moves && row_ends"),
    ("membrane_place", "row + 8'd1 == VECTOR_WIDTH[7:0]", "1'b1"),
    ("membrane_place", "if (begin_pass) address", "if (1'b0) address"),
    ("ranks", "if (arrive) held", "held"),
    ("ranks", "of_sums ? widened : counted", "counted"),
    ("ranks", "first_step ? '0 :", "1'b0 ? '0 :"),
    ("rotator", "(k+(1<<(s-1)))%WORDS", "(k+s)%WORDS"),
    ("score_unit", "widened << FRACTION_BITS", "widened"),
    ("score_unit", "row <= row + stride", "row <= row + 8'd1"),
    ("sequencer", "slot_cycle + 8'd1 >= slot_cycles", "1'b1"),
    ("sequencer", "weight_plane_ends && weight_planes != 8'd1", "1'b0"),
    ("sequencer", "sum_ends ? kernel_base", "1'b0 ? kernel_base"),
    ("sequencer", "tile_bank >= N ? row_pitch : '0", "'0"),
    ("sequencer", "pruned ? !lists_more : last_word", "last_word"),
    ("sequencer", "column_ends ? first_column_offset : position_offset", "position_offset"),
    ("spike_buffer", "place + read_word", "place"),
    ("spike_reader", "logical_row < row_bank", "logical_row <= row_bank"),
    ("spike_reader", "place >= 0 && place < $signed(in_rows)", "place >= 0"),
    ("spike_reader", "plane < 8'd3 ? 8'd0", "plane < 8'd9 ? 8'd0"),
    ("spike_reader", "kernel_row + 8'(i) < kernel", "1'b1"),
    ("spike_reader", "last_lanes > 8'(l);\n        else\n", "1'b1;\n        else\n"),
    ("spike_writer", "rows_left < {8'd0, strip_rows} ? rows_left", "1'b0 ? rows_left"),
    ("spike_writer", "next_lane >= L ? next_lane - L", "next_lane > L ? next_lane - L"),
    ("spike_writer", "dual ? 9'd2 : 9'd1", "9'd1"),
    ("sram", "(words[write_index] & ~write_mask) |", ""),
    ("sram", "if (read_enable) read_data", "read_data"),
    ("window_rows", "(j * p + i) * s", "(j * p + i)"),
    ("window_rows", "i < p && ROW", "ROW"),
    ("window_turner", "row_inside[i] && column_inside[j]", "row_inside[i]"),
    ("window_turner", "flat_twice[4*CHANNEL_LANES+:FLAT]", "flat_twice[2*CHANNEL_LANES+:FLAT]"),
    ("winners", "mine > its", "mine >= its"),
    ("winners", "mine == its && behind", "mine < its && behind"),
    ("winners", "signed_ranks && rank[RANK_BITS-1]", "1'b0"),
    ("winners", "&& pool >= i[7:0]", ""),
    ("map_walk", "step_element + step_elements : element", "element : element"),
    ("map_walk", "row_wraps ? '0 : row_bank + 8'd1", "row_bank + 8'd1"),
    ("map_walk", "if (tap_wraps) flat_word", "if (1'b0) flat_word"),
    ("map_walk", "word_ends ? last_lanes", "1'b0 ? last_lanes"),
    ("map_port", "write_half <= !half", "write_half <= half"),
    ("map_port", "before_planes > 8'(i)", "1'b1"),
    ("map_port", "&& planes > 8'(i)", ""),
    ("spike_reader", "k < 3 ? reads : reads_map", "reads"),
    ("plane_banks", "b / 3 * HALF", "0"),
    ("plane_banks", "2 * (b % 4) + b / 4", "2 * (b % 4)"),
    ("weight_loader", "!(filter == 16'd0 && last_pass)", "1'b1"),
    ("weight_loader", "else if (hurry)", "else if (1'b0)"),
    ("weight_loader", "filter == 16'd0) address <= group_address", "1'b0) address <= group_address"),
    ("pass_control", "begin_pass && !next_last &&", "begin_pass &&"),
    ("pass_control", "load = fill && !loaded_ahead", "load = fill"),
    ("pass_control", "load_ahead = filled && next_ahead", "load_ahead = 1'b0"),
    ("pass_control", "first_pass <= next_first", "first_pass <= 1'b1"),
    ("pass_control", "pass_finished && weights_done && maps_done", "pass_finished && maps_done"),
    ("pass_control", "first_step <= step == 16'd0", "first_step <= 1'b1"),
    ("pass_control", "last_step <= step_ends", "last_step <= 1'b0"),
    ("pass_control", "next_in_element + in_step", "next_in_element"),
    ("pass_control", "next_out_element + out_step", "next_out_element"),
    ("pass_control", "tile_in + in_tile", "tile_in"),
    ("pass_control", "tile_out + out_tile", "tile_out"),
    ("accelerator", "out_active && !serve_filter", "out_active && !weight_active"),
    ("sequencer", "resident ? following_address : '0", "following_address"),
    ("sequencer", "sum_ends = restored ||", "sum_ends ="),
    ("sequencer", "restored ? kernel_words", "1'b0 ? kernel_words"),
    ("sequencer", "slot_valid && !restored", "slot_valid"),
    ("sequencer", "(filter_over && filter_ready)", "filter_over"),
    ("score_unit", "first_pass ? initial_score : stored_score", "initial_score"),
    ("bank_writer", "bank_valid[SOURCE] && planes > b[7:0]", "bank_valid[SOURCE]"),
)

EQUIVALENT: dict[Mutant, str] = {
    ("sram", "if (read_enable) read_data", "read_data"): (
        "what a memory shows is taken in the cycle behind a read alone: the enable saves energy"
    ),
}


@dataclass(frozen=True)
class Core:
    """A folder that simulates without fault, its cycles by layer, and what it does."""

    folder: Path
    cycles: list[int]
    events: dict[str, int]


def drawn() -> Iterator[tuple[str, CoreImage, int, float]]:
    """The cores of the tests: name, image, the seed of their inputs, bytes per cycle."""
    for seed, image in test_compute_core.CORES:
        yield f"compute {seed}", image, seed, test_compute_core.BANDWIDTH
    for seed in test_compute_core.DUAL_STRENGTHS:
        network, config = random_core(seed)
        excited = lay_out(test_compute_core.excited(network), config)
        yield f"excited {seed}", excited, seed, test_compute_core.BANDWIDTH
    seed = test_compute_core.NEGATIVE_WINNERS
    network, config = random_core(seed)
    yield f"eager {seed}", lay_out(test_compute_core.eager(network), config), seed, test_compute_core.BANDWIDTH
    for seed, image in test_memory_system.MACHINES:
        yield f"memory {seed}", image, seed, bytes_per_cycle(seed)
    for name, image in test_outer_order.MACHINES:
        seed = int(name.split()[1])
        yield f"outer {name}", image, seed, bytes_per_cycle(seed)
    for seed, image in test_event_input.MACHINES:
        yield f"frames {seed} {image.config.time_order}", image, seed, bytes_per_cycle(seed)


def cores(folder: Path) -> Iterator[Core]:
    """All of them, each in a folder of its name."""
    for name, image, seed, rate in drawn():
        write_core(image, random_images(image.network, IMAGES, seed), folder / name, rate)
        schedule = count(image.work, AcceleratorBatch.of([image.config]), rate)
        cycles = [IMAGES * int(cycles) for cycles in schedule.events.cycles[0]]
        yield Core(folder / name, cycles, expected(image, IMAGES))


def agrees(core: Core) -> bool:
    """The core simulates as it should; a mutant that does not compile is none."""
    try:
        result, events = simulate(core.folder)
    except SimulationError:
        return False
    except subprocess.CalledProcessError as error:
        if error.cmd[0] == "iverilog":
            raise
        return False
    cycles = [layer.cycles for layer in result.layers]
    return result.errors == 0 and cycles == core.cycles and events == core.events


def limit_processor_time() -> None:
    """Of this process and of each one it starts."""
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))


def killer(mutant: Mutant, every: Sequence[Core]) -> Core | None:
    """The first core that sees the mutant."""
    name, text, instead = mutant
    for core in every:
        path = core.folder / f"{name}.sv"
        whole = path.read_text(encoding="utf-8")
        assert text in whole, f"{text!r} must stand in {name}.sv"
        path.write_text(whole.replace(text, instead), encoding="utf-8")
        alive = agrees(core)
        path.write_text(whole, encoding="utf-8")
        if not alive:
            assert agrees(core), f"{core.folder.name} must agree where nothing is broken"
            return core
    return None


def read() -> dict[Mutant, str]:
    """Mutant to the core that killed it, empty where all left it alive; those that were tried."""
    if not TABLE.exists():
        return {}
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = {(row["module"], row["expression"], row["instead"]): row["killed_by"] for row in csv.DictReader(file)}
    return {mutant: rows[mutant] for mutant in MUTANTS if mutant in rows and mutant not in EQUIVALENT}


def write(killers: Mapping[Mutant, str]) -> None:
    """Keep the mutants that were tried."""
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        lines = [(*mutant, killers[mutant]) for mutant in MUTANTS if mutant in killers]
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *lines])


def run(mutants: Sequence[Mutant], folder: Path) -> None:
    """Break, simulate, write and print a line for each mutant."""
    with pytest.MonkeyPatch.context() as small:
        shrink_kib(small)
        every = sorted(cores(folder), key=lambda core: sum(core.cycles))
    for mutant in mutants:
        with ProcessPoolExecutor(1, initializer=limit_processor_time) as worker:
            seen = worker.submit(killer, mutant, every).result()
        if seen:  # what kills one mutant often kills the next one
            every = [seen, *(core for core in every if core != seen)]
        write(read() | {mutant: seen.folder.name if seen else ""})
        print(f"{'killed by ' + seen.folder.name if seen else 'ALIVE'} | {' | '.join(mutant)}", flush=True)


def say_modules(killers: Mapping[Mutant, str]) -> None:
    """Print mutants, killed and equivalent ones by module."""
    tried, killed = Counter(name for name, _, _ in killers), Counter(m[0] for m, core in killers.items() if core)
    equal = Counter(name for name, _, _ in EQUIVALENT)
    print("| module | mutants | killed | equivalent |\n|---|---|---|---|")
    for name in sorted(tried | equal):
        print(f"| {name} | {tried[name] + equal[name]} | {killed[name]} | {equal[name] or ''} |")
    print(f"| in all | {tried.total() + equal.total()} | {killed.total()} | {equal.total()} |")


def main() -> int:
    """Try the mutants that nothing has killed yet, and print what became of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="MODULE")
    given = parser.parse_args()
    known = read()
    chosen = [
        mutant
        for mutant in MUTANTS
        if given.only in (None, mutant[0]) and not known.get(mutant) and mutant not in EQUIVALENT
    ]
    if chosen:
        with tempfile.TemporaryDirectory() as folder:
            run(chosen, Path(folder))
    killers = read()
    say_modules(killers)
    return int(not all(killers.values()))


if __name__ == "__main__":
    raise SystemExit(main())
