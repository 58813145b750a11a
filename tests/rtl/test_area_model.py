"""The area model against the synthesised machines of benchmarks/area.csv, above all those that were not fitted."""

import csv
import hashlib
from importlib import resources
from pathlib import Path

import area as benchmark
import numpy as np
import pytest
from area_machines import MACHINES, Machine, image, shape

from costmodels.features import Features
from costmodels.logic_area import TABLE, TERMS, Quantity, Sizes, synthesised, term_values
from costmodels.published import figure
from dse.export.rtl_parameters import parameters

MEAN_PERCENT, WORST_PERCENT = 1.0, 3.0
FITTED, HELD_OUT = 40, 18


def errors(held_out: bool, quantity: Quantity) -> dict[str, float]:
    """Machine to error of its whole logic in percent."""
    found = {}
    for name, modules in benchmark.read(quantity).items():
        if MACHINES[name].held_out == held_out:
            model = synthesised(term_values(*shape(MACHINES[name])), quantity)
            found[name] = 100 * (sum(float(each[0]) for each in model.values()) / sum(modules.values()) - 1)
    return found


@pytest.mark.parametrize("quantity", ["ge", "registers"])
@pytest.mark.parametrize(("held_out", "least"), [(False, FITTED), (True, HELD_OUT)], ids=["fitted", "held out"])
def test_the_model_is_within_its_bars(held_out: bool, least: int, quantity: Quantity) -> None:
    found = errors(held_out, quantity)
    assert len(found) >= least
    sizes = np.abs(list(found.values()))
    assert sizes.mean() <= MEAN_PERCENT, found
    assert sizes.max() <= WORST_PERCENT, found


def test_held_out_machines_have_odd_sizes_and_features() -> None:
    held_out = [MACHINES[name] for name in benchmark.read() if MACHINES[name].held_out]
    wanted = {
        "odd": lambda one: one.rows % 2 and one.lanes % 2,
        "dual": lambda one: one.dual,
        "pruned": lambda one: one.pruned,
        "levels": lambda one: one.levels > 1,
        "membrane": lambda one: one.pooling == "membrane",
        "count": lambda one: one.pooling == "count",
        "average": lambda one: one.pooling == "average",
        "fusion": lambda one: one.depth == 2,
        "streamed": lambda one: not all(group.resident for group in image(one).groups),
        "wide": lambda one: one.rows > 16,
        "more lanes than VSA": lambda one: one.rows * one.lanes > 8 * 32,
        "size of VSA": lambda one: (one.rows, one.lanes, one.timesteps) == (8, 32, 8),
    }
    assert [name for name, has in wanted.items() if not any(has(one) for one in held_out)] == []
    outer = [one for one in held_out if one.time_order == "outer"]
    of_outer = ("odd", "dual", "pruned", "levels", "membrane", "count", "average", "fusion")
    assert [name for name in of_outer if not any(wanted[name](one) for one in outer)] == []


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_features_are_the_parameters_of_the_exported_machine(machine: Machine) -> None:
    laid_out = image(machine)
    exported, features = parameters(laid_out, 1, 8.0), Features.of(laid_out.work)
    sizes = Sizes.of(*shape(machine))
    found = {
        "PLANES": features.planes,
        "PORT_PLANES": int(features.port_planes_at(np.array([machine.depth]))[0]),
        "LARGEST_POOL": features.largest_pool,
        "LARGEST_STRIDE": features.largest_stride,
        "DUAL": int(features.dual_threshold),
        "PRUNED": int(features.pruning),
        "STRENGTH_BITS": features.strength_bits,
        "RANK_BITS": features.rank_bits,
        "STEPS": int(sizes.steps[0]),
        "OUTER": int(sizes.outer[0]),
    }
    assert found == {name: exported[name] for name in found}
    assert features.grids == (exported["LEAST_FRACTION"] != exported["LARGEST_FRACTION"])


def test_the_packaged_coefficients_are_the_fit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    packaged = TABLE.read_text(encoding="utf-8")
    monkeypatch.setattr(benchmark.logic_area, "TABLE", tmp_path / "logic_area.csv")
    benchmark.fit()
    assert (tmp_path / "logic_area.csv").read_text(encoding="utf-8") == packaged


def test_every_module_and_every_term_is_used() -> None:
    assert {block for modules in benchmark.read().values() for block, ge in modules.items() if ge} == set(
        benchmark.MODULES
    )
    assert {term for _, terms in benchmark.MODULES.values() for term in terms} == set(TERMS)


def test_machines_were_counted_with_one_tool_and_the_present_cells() -> None:
    cells = resources.files("dse.export").joinpath("synthesis", "cells.lib").read_bytes()
    with benchmark.TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["tool"] for row in rows}) == 1
    assert {row["cells"] for row in rows} == {hashlib.sha256(cells).hexdigest()[:16]}


def test_the_figure_of_the_machine_at_vsas_size_is_that_of_the_table() -> None:
    total = sum(benchmark.read()["v8-l32"].values())
    assert figure("This machine at VSA's size", "logic_kge").value == pytest.approx(total / 1000, abs=0.05)
