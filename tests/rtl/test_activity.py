"""Toggles counted in simulation against the cost model's events (benchmarks/activity.csv), and how both are counted."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import activity as benchmark
import numpy as np
import pytest
from activity_array import Bits, array_turns, reads
from activity_machines import MACHINES, image, in_order, layer_maps, layer_runs
from activity_neurons import neuron_changes, read_address_changes, write_address_changes
from activity_terms import QUANTITIES
from activity_toggles import known_bits, modules_by_instance, toggles, wires

from costmodels.energy import TERMS
from costmodels.workload import LayerWorkload
from dse.export.machine_maps import MapPlace

CELLS = list(product(range(3), repeat=2))
VCD = """$scope module core_testbench $end
$scope module machine $end
$var wire 1 ! clk $end
$var wire 4 " sums [3:0] $end
$scope module core $end
$var wire 8 % layer_number [7:0] $end
$var wire 4 " totals [3:0] $end
$scope module g_row[0] $end
$var reg 2 # count [1:0] $end
$upscope $end
$scope module neurons $end
$var reg 1 $ fires $end
$upscope $end
$upscope $end
$upscope $end
$upscope $end
$enddefinitions $end
#0
$dumpvars
bx %
0!
bx "
b0 #
0$
$end
#5
b0 %
1!
b11 "
b11 #
#10
0!
b1100 "
x$
#15
b1 %
1$
b1 #
0$
b1x01 "
#20
b10 "
"""


def test_a_bit_counts_between_known_values_in_the_module_that_names_it_and_the_layer_that_runs() -> None:
    """Sums: 0011 to 1100 in layer 0, then 1x01 (the lowest bit) and 0010 (three bits); fires: 1 to 0."""
    found = toggles(VCD.splitlines(keepends=True))
    assert found == {
        ("accelerator", 0): 2 + 4,
        ("accelerator", 1): 1 + 3,
        ("compute_core", 0): 2 + 1,  # count, and the number of the layer
        ("compute_core", 1): 1,
        ("if_units", 1): 1,
    }


def test_wires_are_bits_of_signals() -> None:
    assert wires(VCD.splitlines(keepends=True)) == {"accelerator": 1 + 4, "compute_core": 8 + 2, "if_units": 1}


@pytest.mark.parametrize(
    ("text", "value", "known"), [("101", 5, -1), ("1x0", 4, 0b1101), ("x1", 1, 0b0001), ("z", 0, 0)]
)
def test_unwritten_leading_bits_repeat_an_unknown_first_one(text: str, value: int, known: int) -> None:
    assert known_bits(text, 4) == (value, known)


def test_every_instance_of_the_rtl_has_a_module_and_every_module_a_term() -> None:
    modules = set(modules_by_instance().values()) - {benchmark.MEMORY}
    blocks = {block for block, _ in benchmark.area.MODULES.values()}
    assert {benchmark.BARE.get(module, module) for module in modules} <= set(benchmark.area.MODULES)
    summed = {block for found in benchmark.BLOCKS.values() for block in found}
    # No machine of the table skips kernels, has winners, or keeps membranes between passes.
    assert summed == blocks - {"lane_addresses", "winners", "membrane_addresses"}
    assert set(benchmark.BLOCKS) == set(QUANTITIES) <= set(TERMS)


RUN_IMAGE = image(MACHINES["v5-l5"])  # 8 channels in lanes of 5, strips of 4 and 4 of 8 rows, of 5
RUN = layer_runs(RUN_IMAGE)[1]


def layer_of(shape: tuple[int, ...], pool: int = 1) -> LayerWorkload:
    """A 3 x 3 layer on inputs [T, H, W, C, planes]."""
    _, height, width, channels, planes = shape
    return replace(
        RUN.layer,
        in_channels=channels,
        in_height=height,
        in_width=width,
        out_height=height,
        out_width=width,
        input_bits=planes,
        input_density=(0.5,) * shape[0],
        pool=pool,
    )


def read_one_by_one(layer: LayerWorkload, bits: Bits, rows: int, lanes: int, strip_rows: int) -> list[tuple[Bits, ...]]:
    """Banks, window and used rows of each read, element by element."""
    steps, height, width, channels, planes = bits.shape
    allocated = -(-height // (rows + 2)) * (rows + 2)
    found = []
    groups, columns = range(0, channels, lanes), range(layer.pool * layer.stored_width)
    tops = range(0, layer.pool * layer.stored_height, strip_rows)
    for top, x, step, first, plane in product(tops, columns, range(steps), groups, range(planes)):
        banks, window = np.zeros((2, rows + 2, 3, lanes), np.uint8)
        for k, j, lane in product(range(rows + 2), range(3), range(lanes)):
            y, column, channel = top - 1 + k, x - 1 + j, first + lane
            if not 0 <= column < width or channel >= channels:
                continue
            if 0 <= y < height:
                window[k, j, lane] = bits[step, y, column, channel, plane]
            number, row = divmod((step * planes + plane) * allocated + y, allocated)
            if 0 <= number < steps * planes and row < height:
                banks[k, (column + plane) % 3, lane] = bits[number // planes, row, column, channel, number % planes]
        used = [r < strip_rows and top + r < layer.pool * layer.stored_height for r in range(rows)]
        found.append((banks, window, np.array(used)))
    return found


@pytest.mark.parametrize(
    ("shape", "rows", "lanes", "strip_rows", "pool"),
    [((2, 5, 4, 5, 1), 3, 2, 2, 2), ((1, 4, 3, 1, 5), 2, 4, 2, 1), ((3, 8, 2, 3, 2), 6, 3, 6, 1)],
)
def test_reads_are_those_of_elements_one_by_one(
    shape: tuple[int, ...], rows: int, lanes: int, strip_rows: int, pool: int
) -> None:
    """Rows beyond a map show the next plane's or step's, in the banks alone."""
    bits = np.random.default_rng(rows).integers(0, 2, shape).astype(np.uint8)
    layer = layer_of(shape, pool)
    seen = reads(layer, bits, rows, lanes, strip_rows)
    banks, window, used = (
        np.stack(each) for each in zip(*read_one_by_one(layer, bits, rows, lanes, strip_rows), strict=True)
    )
    assert (seen.banks == banks).all()
    assert (seen.window == window).all()
    assert (seen.used == used).all()
    assert (seen.words * (seen.window > 0) == seen.window).all()


def test_reads_of_a_fully_connected_layer_are_words_of_nine_taps() -> None:
    bits = np.random.default_rng(0).integers(0, 2, (2, 50, 3)).astype(np.uint8)
    seen = reads(replace(RUN.layer, kind="fc"), bits, 2, 4, 1)
    assert seen.window.shape == (2 * 2 * 3, 4, 3, 4)
    for number, (step, first, plane) in enumerate(product(range(2), (0, 36), range(3))):
        word = [int(bits[step, i, plane]) if i < 50 else 0 for i in range(first, first + 36)]
        assert seen.window[number, :3].ravel().tolist() == word
        turned = seen.banks[number, :3].reshape(9, 4)
        assert np.roll(turned, -2 * plane, axis=0).ravel().tolist() == word
    assert (seen.used == [True, False]).all()


def test_counts_of_the_runs_are_those_of_the_events() -> None:
    """So many reads and used rows as the cost model counts."""
    for run, bits in zip(layer_runs(RUN_IMAGE), map(in_order, RUN_IMAGE.parts, layer_maps(RUN_IMAGE)), strict=True):
        seen = reads(run.layer, bits, run.rows, run.lanes, run.strip_rows)
        assert len(seen.word) * run.layer.filters == run.events["pe_cycles"]
        assert seen.used.sum() * run.layer.filters == run.events["row_cycles"]


def bit_changes(values: Sequence[int], bits: int) -> int:
    """Around: the first follows the last."""
    return sum(f"{(a ^ b) % 2**bits:b}".count("1") for a, b in zip(values, [*values[1:], values[0]], strict=True))


def test_array_turns_are_those_of_sums_one_by_one() -> None:
    """One row, two words of two lanes, two planes, three filters."""
    rng = np.random.default_rng(1)
    layer = layer_of((2, 1, 3, 4, 2))
    bits = rng.integers(0, 2, (2, 1, 3, 4, 2)).astype(np.uint8)
    weights = rng.choice(np.array([-1, 1], np.int8), (3, 4, 3, 3))
    seen = reads(layer, bits, 1, 2, 1)
    found = array_turns(layer, seen, weights, 2)
    lanes: list[list[int]] = []
    totals, befores, terms = [], [], []
    for number, read in product(range(3), range(len(seen.word))):
        word, plane = int(seen.word[read]), int(seen.plane[read])
        sums = [
            sum(int(seen.window[read, i, j, lane]) * int(weights[number, 2 * word + lane, i, j]) for i, j in CELLS)
            for lane in range(2)
        ]
        lanes.append(sums)
        terms.append(sum(sums) << plane)
        befores.append(totals[-1] if read % 4 else 0)
        totals.append(befores[-1] + terms[-1])
    reads_made = len(totals)
    each = [bit_changes([sums[lane] for sums in lanes], 5) for lane in range(2)]
    root = bit_changes([sum(sums) for sums in lanes], 6)
    assert found.lane_sums == pytest.approx(sum(each) / reads_made)
    assert found.row_sums == pytest.approx(root / reads_made)
    assert found.tree == pytest.approx((sum(each) + root) / reads_made)
    assert found.terms == pytest.approx(bit_changes(terms, 24) / reads_made)
    assert found.totals == pytest.approx(bit_changes(totals, 24) / reads_made)
    assert found.previous == pytest.approx(bit_changes(befores, 24) / reads_made)
    assert found.handed == pytest.approx(bit_changes(totals[3::4], 24) / reads_made)


def test_changes_of_neurons_are_those_of_registers_one_by_one() -> None:
    values = np.random.default_rng(2).integers(-9, 9, (2, 3, 5, 4))
    expected = 0
    for row in range(2):
        order = product(range(3), range(row, 5, 2), range(4), range(2))
        shown = [int(values[step, m, y, x]) for m, y, x, step in order]
        expected += bit_changes(shown, 24) - bit_changes([shown[-1], shown[0]], 24) // 2
    assert neuron_changes(values, 2, 24) == expected


def test_addresses_follow_the_places_of_maps() -> None:
    place = MapPlace(False, 8, 8, 8, 1, 2, base=5, vector_width=4, channel_lanes=4)
    layer = replace(layer_of((2, 8, 8, 8, 1)), static_input=False)
    shown = [
        5 + 12 * step + 6 * ((top - 1) // 6) + 2 * ((x - 1) // 3)
        for top, x, step, _ in product((0, 4), range(8), range(2), range(2))
    ]
    assert place.step_pitch == 12
    assert read_address_changes(layer, place, 4) == pytest.approx(bit_changes(shown, 16) / len(shown))
    assert write_address_changes(place, 2) == bit_changes([5, 17], 16) / 2


def test_inputs_in_machine_order_have_the_densities_of_the_network() -> None:
    for part, maps in zip(RUN_IMAGE.parts, layer_maps(RUN_IMAGE), strict=True):
        bits = in_order(part, maps)
        assert bits.shape[-2] == part.part.input_shape[0]
        assert 0 < bits.mean() < 1


WITHIN_PERCENT = 10
LEAST = 11


@pytest.fixture(scope="module")
def errors() -> dict[str, dict[str, float]]:
    return benchmark.foretold()


@pytest.mark.parametrize("term", QUANTITIES)
def test_toggles_of_machines_that_were_not_fitted_are_foretold(term: str, errors: dict[str, dict[str, float]]) -> None:
    held_out = {name: found[term] for name, found in errors.items() if MACHINES[name].held_out}
    assert len(held_out) >= LEAST
    assert max(map(abs, held_out.values())) <= WITHIN_PERCENT, held_out


def test_each_coefficient_has_three_layers_at_least() -> None:
    layers = {(name, layer) for name, found in benchmark.read().items() for _, layer in found}
    fitted = [name for name, _ in layers if not MACHINES[name].held_out]
    assert all(3 * len(quantities) <= len(fitted) for quantities in QUANTITIES.values())
