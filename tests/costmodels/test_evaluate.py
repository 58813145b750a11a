"""Schedule and price together: tables, totals, reports and what changes them."""

import json
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest
from cost_workloads import conv, fc, mnist, network, pruned
from priced_machines import grid, one

from costmodels.energy import TERMS
from costmodels.evaluate import evaluate, evaluate_totals
from costmodels.technology import Technology
from costmodels.workload import Workload

TECHNOLOGY = Technology.default()


def everything() -> Workload:
    """A small network that uses dual thresholds, pruning, pooling, a static input and both kinds of layer."""
    return network(
        [
            conv("conv1", 1, 16, 16, 32, 4, input_bits=8, static_input=True, pool=2),
            pruned(conv("conv2", 32, 8, 8, 32, 4, pool=2), 0.5),
            conv("conv3", 32, 4, 4, 32, 4, dual_threshold=True),
            fc("fc", 512, 10, 4, spiking=False),
        ],
        4,
    )


def test_reports_add_up_to_the_totals() -> None:
    table = evaluate(everything(), grid(), TECHNOLOGY)
    assert table.feasible.any()
    assert not table.feasible.all()
    for index in np.flatnonzero(table.feasible)[::5]:
        report = table.row(index)
        assert tuple(report.energy_pj) == TERMS
        assert report.layers == ("conv1", "conv2", "conv3", "fc")
        assert (
            sum(map(sum, report.energy_pj.values())) / 1e6 == pytest.approx(report.energy_uj) == table.energy_uj[index]
        )
        assert report.total_cycles / 500e3 == pytest.approx(report.latency_ms) == table.latency_ms[index]
        assert report.total_area_mm2 == pytest.approx(table.area_mm2[index])
        assert sum(report.dram_bits) / 8192 == pytest.approx(report.dram_kib) == table.dram_kib[index]
        assert report.edp_uj_ms == pytest.approx(report.energy_uj * report.latency_ms) == table.edp_uj_ms[index]
        assert report.config == table.batch[index]
        assert report.reasons == ()


def test_an_infeasible_machine_has_no_numbers_but_its_area_and_reasons() -> None:
    table = evaluate(everything(), grid(), TECHNOLOGY)
    index = int(np.flatnonzero(~table.feasible)[0])
    report = table.row(index)
    assert not report.feasible
    assert report.reasons
    assert np.isnan([report.energy_uj, report.latency_ms, report.edp_uj_ms, report.dram_kib]).all()
    assert report.total_area_mm2 > 0
    assert json.loads(json.dumps(report.to_dict(), allow_nan=False))["energy_uj"] is None
    assert np.isnan(table.energy_uj[~table.feasible]).all()
    assert np.isfinite(table.energy_uj[table.feasible]).all()


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_totals_in_chunks_equal_the_table(chunk: int) -> None:
    batch = grid().take(slice(0, None, 3))
    whole = evaluate(everything(), batch, TECHNOLOGY).totals
    parts = evaluate_totals(everything(), batch, TECHNOLOGY, chunk)
    for item in fields(whole):
        np.testing.assert_allclose(getattr(parts, item.name), getattr(whole, item.name), rtol=1e-12)
    np.testing.assert_allclose(parts.edp_uj_ms, whole.edp_uj_ms, rtol=1e-12)


def test_an_empty_batch_has_empty_totals() -> None:
    assert evaluate_totals(everything(), grid().take(slice(0, 0)), TECHNOLOGY).energy_uj.shape == (0,)


def test_a_report_is_plain_data() -> None:
    report = evaluate(mnist(), one(), TECHNOLOGY).row(0)
    plain = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert plain["technology"]["digest"] == TECHNOLOGY.digest()
    assert plain["config"]["vector_width"] == 8
    assert plain["occupancy"]
    assert plain["total_area_mm2"] == pytest.approx(report.total_area_mm2)


def answers(technology: Technology) -> tuple[Any, ...]:
    """Everything that a technology can change."""
    batch = one(time_order="outer", membrane_buffer_kib=64, weight_buffer_kib=16)
    table = evaluate(everything(), batch, technology)
    assert table.feasible.all()
    slow = tuple(bool(flag[0]) for flag in table.slow_memories.values())
    return (float(table.energy_uj[0]), float(table.area_mm2[0]), float(table.latency_ms[0]), slow)


def settings(part: Any, prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for item in fields(part):
        value = getattr(part, item.name)
        found += settings(value, f"{prefix}{item.name}.") if is_dataclass(value) else [(prefix + item.name, value)]
    return [(name, value) for name, value in found if name not in ("name", "nodes")]


CHANGED = {"node_nm": 65, "sram_cell": "itrs-lstp", "sram.least_words": 1024, "sram.slice_bits": 32}


@pytest.mark.parametrize(("name", "value"), settings(TECHNOLOGY))
def test_every_number_of_a_technology_changes_an_answer(name: str, value: Any) -> None:
    new = CHANGED[name] if name in CHANGED else value + 1 if isinstance(value, int) else value * 0.7
    assert answers(TECHNOLOGY.override({name: new})) != answers(TECHNOLOGY)


def test_every_factor_of_a_node_changes_an_answer() -> None:
    for name in ("energy_factor", "area_factor"):
        nodes = tuple(replace(node, **{name: 2 * getattr(node, name)}) for node in TECHNOLOGY.nodes)
        assert answers(TECHNOLOGY.override({"nodes": nodes})) != answers(TECHNOLOGY)


def test_a_slower_clock_takes_longer_and_leaks_longer() -> None:
    fast, slow = (evaluate(mnist(), one(), TECHNOLOGY.override({"clock_mhz": mhz})) for mhz in (500, 250))
    assert slow.latency_ms == pytest.approx(2 * fast.latency_ms)
    assert slow.energy_pj["leakage"].sum() == pytest.approx(2 * fast.energy_pj["leakage"].sum())
    for term in set(TERMS) - {"leakage"}:
        np.testing.assert_array_equal(slow.energy_pj[term], fast.energy_pj[term])


def test_dram_settings_change_dram_energy_in_proportion() -> None:
    base = evaluate(mnist(), one(), TECHNOLOGY)
    for pj in (4.6, 20.3):
        other = evaluate(mnist(), one(), TECHNOLOGY.override({"dram_pj_per_bit": pj}))
        np.testing.assert_allclose(other.energy_pj["dram"], base.energy_pj["dram"] * pj / 12.45)
        np.testing.assert_allclose(other.energy_uj - base.energy_uj, base.dram_kib * 8192 * (pj - 12.45) / 1e6)


def test_busier_inputs_cost_more() -> None:
    def energy(density: float) -> float:
        layer = conv("conv", 32, 16, 16, 32, 2, input_density=(density,) * 2)
        return float(evaluate(network([layer], 2), one(), TECHNOLOGY).energy_uj[0])

    quiet, some, busy = energy(0.0), energy(0.1), energy(0.2)
    assert 0 < quiet < some < busy
    assert busy - some == pytest.approx(some - quiet)


def test_a_memory_slower_than_the_clock_is_flagged() -> None:
    batch = one(channel_lanes=4, weight_buffer_kib=512)
    slow = TECHNOLOGY.override({"clock_mhz": 100})
    fast = TECHNOLOGY.override({"clock_mhz": 1000})
    assert evaluate(mnist(), batch, slow).row(0).slow_memories == ()
    report = evaluate(mnist(), batch, fast).row(0)
    assert "weight" in report.slow_memories
    assert bool(evaluate(mnist(), batch, fast).slow_memories["weight"][0])


def test_dual_thresholds_and_pruning_add_hardware() -> None:
    plain = network([conv("conv", 32, 16, 16, 32)])
    dual = network([conv("conv", 32, 16, 16, 32, dual_threshold=True)])
    sparse = network([pruned(conv("conv", 32, 16, 16, 32), 0.5)])
    area = {
        name: float(evaluate(work, one(), TECHNOLOGY).area_mm2[0])
        for name, work in (("plain", plain), ("dual", dual), ("sparse", sparse))
    }
    assert area["dual"] > area["plain"]
    assert area["sparse"] > area["plain"]
