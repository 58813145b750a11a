"""Toggles counted in simulation against the cost model's events (benchmarks/activity.csv), and how they are counted."""

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import activity as benchmark  # noqa: E402

from costmodels.energy import TERMS  # noqa: E402

VCD = """$scope module core_testbench $end
$scope module machine $end
$var wire 1 ! clk $end
$var wire 4 " sums [3:0] $end
$scope module core $end
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
0!
bx "
b0 #
0$
$end
#5
1!
b11 "
b11 #
#10
0!
b1100 "
x$
#15
1$
b1 #
0$
"""


def test_a_net_counts_once_in_the_module_that_declares_it_first() -> None:
    """Clock 2 changes, sums 4 (the first value is known from nothing), count 2 and 1, fires 1 after it was unknown."""
    found = benchmark.toggles(VCD.splitlines(keepends=True))
    assert found == {"accelerator": 2 + 4, "compute_core": 2 + 1, "if_units": 1}


def test_every_instance_of_the_rtl_has_a_module_and_every_module_a_term() -> None:
    modules = set(benchmark.modules_by_instance().values()) - {benchmark.MEMORY}
    blocks = {block for block, _ in benchmark.area.MODULES.values()}
    assert {benchmark.BARE.get(module, module) for module in modules} <= set(benchmark.area.MODULES)
    summed = {block for found in benchmark.BLOCKS.values() for block in found}
    # No machine of the table skips kernels, has winners, or keeps membranes between passes.
    assert summed == blocks - {"lane_addresses", "winners", "membrane_addresses"}
    assert set(benchmark.BLOCKS) == set(benchmark.QUANTITIES) <= set(TERMS)


def test_densities_are_shares_of_set_bits() -> None:
    maps = np.array([[[3, 0]], [[1, 2]]], np.uint8)
    assert benchmark.set_share(maps, 2) == (0.5, 0.5)
    assert benchmark.set_share(maps[:1], 4) == (0.25,)


WITHIN_PERCENT = {"pe_array": 20, "adders": 15, "if_unit": 15, "pooling": 10, "clock_control": 10}


@pytest.fixture(scope="module")
def errors() -> dict[str, dict[str, float]]:
    return benchmark.foretold()


@pytest.mark.parametrize("term", WITHIN_PERCENT)
def test_toggles_of_machines_that_were_not_fitted_are_foretold(term: str, errors: dict[str, dict[str, float]]) -> None:
    held_out = {name: found[term] for name, found in errors.items() if benchmark.MACHINES[name].held_out}
    assert len(held_out) >= 3
    assert max(map(abs, held_out.values())) <= WITHIN_PERCENT[term], held_out
