"""Toggles counted in simulation against the cost model's events (benchmarks/activity.csv), and how both are counted."""

from dataclasses import replace
from itertools import product

import activity as benchmark
import numpy as np
import pytest
from activity_machines import MACHINES, image, layer_inputs, layer_runs
from activity_terms import (
    QUANTITIES,
    LayerRun,
    bit_pairs,
    rows_seen,
    tap_pairs,
    turned_bits,
    turnover,
)
from activity_toggles import known_bits, modules_by_instance, toggles, wires

from costmodels.energy import TERMS

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


def reads(bits: np.ndarray, lanes: int) -> list[list[tuple[int, ...]]]:
    """Words of each row of a map (or of an fc's input) in the order in which the machine reads them."""
    if bits.ndim == 3:
        steps, inputs, planes = bits.shape
        starts = range(0, inputs, 9 * lanes)
        order = product(range(steps), starts, range(planes))
        return [[tuple(int(b) for b in filled(bits[t, start:, p], 9 * lanes)) for t, start, p in order]]
    steps, rows, columns, channels, planes = bits.shape
    order = [*product(range(columns), range(steps), range(0, channels, lanes), range(planes))]
    return [
        [tuple(int(b) for b in filled(bits[t, y, x, start:, p], lanes)) for x, t, start, p in order]
        for y in range(rows)
    ]


def filled(bits: np.ndarray, width: int) -> list[int]:
    return [int(bits[i]) if i < len(bits) else 0 for i in range(width)]


@pytest.mark.parametrize(
    ("shape", "lanes"), [((2, 3, 4, 5, 1), 2), ((1, 2, 3, 1, 5), 4), ((3, 50, 1), 2), ((2, 7, 3), 1)]
)
def test_turnover_is_that_of_words_read_one_by_one(shape: tuple[int, ...], lanes: int) -> None:
    bits = np.random.default_rng(len(shape)).integers(0, 2, shape).astype(np.uint8)
    changed = [
        a != b
        for words in reads(bits, lanes)
        for before, after in zip([words[-1], *words[:-1]], words, strict=True)
        for a, b in zip(before, after, strict=True)
    ]
    assert turnover(bits, lanes) == pytest.approx(np.mean(changed))


@pytest.mark.parametrize("terms", [1, 2, 4])
def test_turned_bits_are_those_of_all_sums_one_by_one(terms: int) -> None:
    pairs = np.random.default_rng(terms).random((3, 3))
    pairs /= pairs.sum()
    expected = 0.0
    for drawn in product(product((-1, 0, 1), repeat=2), repeat=terms):
        now, then = (sum(values) for values in zip(*drawn, strict=True))
        chance = np.prod([pairs[a + 1, b + 1] for a, b in drawn])
        expected += chance * bin((now ^ then) & 0b11111).count("1")
    assert turned_bits(pairs, terms, 5) == pytest.approx(expected)


RUN = layer_runs(image(MACHINES["v5-l5"]))[1]  # 8 channels in lanes of 5, strips of 4 and 4 of 8 rows, of 5


def test_pairs_of_taps_keep_density_and_turnover() -> None:
    for run in (RUN, replace(RUN, lanes=8, turnover=0.2), replace(RUN, lanes=16, turnover=0.1)):
        pairs, live = tap_pairs(run), run.lanes / run.live_lanes
        assert pairs.sum() == pytest.approx(1)
        assert pairs[0].sum() + pairs[2].sum() == pytest.approx(run.density * live)
        assert 4 * pairs[0, 1] == pytest.approx(run.turnover * live)
        assert (pairs == pairs.T).all()
        assert (pairs[0, 2] > 0) == (run.groups > 1)  # weights that stay never turn a spike's sign


def test_pairs_of_bits_keep_chance_and_change() -> None:
    pairs = bit_pairs(0.3, 0.2)
    assert (pairs.sum(), pairs[2].sum(), pairs[1, 2] + pairs[2, 1]) == pytest.approx((1, 0.3, 0.2))


def seen_one_by_one(run: LayerRun) -> tuple[float, float]:
    """Rows of the window, and of the array, counted tap by tap."""
    layer, windows, taps, positions = run.layer, 0, 0, 0
    for top in range(0, layer.pool * layer.stored_height, run.strip_rows):
        for x in range(layer.pool * layer.stored_width):
            positions += 1
            inside = {
                (k, j)
                for k in range(run.rows + 2)
                for j in range(3)
                if 0 <= top * layer.stride + k - layer.padding < layer.in_height
                and 0 <= x * layer.stride + j - layer.padding < layer.in_width
            }
            windows += len(inside)
            taps += sum((r + i, j) in inside for r in range(run.rows) for i in range(3) for j in range(3))
    return windows / 3 / positions, taps / 9 / positions


@pytest.mark.parametrize(("rows", "strip_rows"), [(4, 4), (5, 4), (6, 6), (3, 2)])
def test_rows_seen_are_those_of_taps_one_by_one(rows: int, strip_rows: int) -> None:
    run = replace(RUN, rows=rows, strip_rows=strip_rows)
    assert rows_seen(run) == pytest.approx(seen_one_by_one(run))


def test_inputs_in_machine_order_have_the_densities_of_the_network() -> None:
    laid_out = image(MACHINES["v4-l4-dual"])
    for bits, part in zip(layer_inputs(laid_out), laid_out.parts, strict=True):
        assert bits.shape[-2] == part.part.input_shape[0]
        assert 0 < bits.mean() < 1


WITHIN_PERCENT = {"pe_array": 12, "adders": 10, "if_unit": 10, "pooling": 30, "clock_control": 11}  # docs/benchmarks.md
LEAST = 7


@pytest.fixture(scope="module")
def errors() -> dict[str, dict[str, float]]:
    return benchmark.foretold()


@pytest.mark.parametrize("term", QUANTITIES)
def test_toggles_of_machines_that_were_not_fitted_are_foretold(term: str, errors: dict[str, dict[str, float]]) -> None:
    held_out = {name: found[term] for name, found in errors.items() if MACHINES[name].held_out}
    assert len(held_out) >= LEAST
    assert max(map(abs, held_out.values())) <= WITHIN_PERCENT[term], held_out


def test_each_coefficient_has_three_layers_at_least() -> None:
    layers = {(name, layer) for name, found in benchmark.read().items() for _, layer in found}
    fitted = [name for name, _ in layers if not MACHINES[name].held_out]
    assert all(3 * len(quantities) <= len(fitted) for quantities in QUANTITIES.values())
