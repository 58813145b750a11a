"""Energy: every event's price by hand arithmetic, sums by a scalar loop, and what must raise."""

from dataclasses import fields, replace

import numpy as np
import pytest
from priced_machines import grid, one

import costmodels.energy as energy_module
from costmodels.accelerator import AcceleratorBatch
from costmodels.energy import (
    TERMS,
    MissingPriceError,
    PricedMachine,
    energy_pj,
    event_prices,
    leakage_mw,
    reject_absent_memories,
    total_energy_pj,
)
from costmodels.events import EventCounts
from costmodels.features import Features
from costmodels.sram import bank_price
from costmodels.technology import Technology

TECHNOLOGY = Technology.default()
EVERYTHING = Features(True, 300, 2, 3, (8, 3, 2), 3, 2, 24, 4, True)
EVENTS = [item.name for item in fields(EventCounts)]


def counts(machines: int, layers: int, seed: int = 0) -> EventCounts:
    rng = np.random.default_rng(seed)
    return EventCounts(**{name: rng.integers(0, 10**6, (machines, layers)).astype(float) for name in EVENTS})


def priced(
    batch: AcceleratorBatch, technology: Technology = TECHNOLOGY, features: Features | None = None
) -> PricedMachine:
    return PricedMachine.of(batch, features or Features(), technology)


def price_table(machine: PricedMachine) -> dict[tuple[str, str], float]:
    """(term, event) -> price on the first machine."""
    return {(term, event): float(pj[0]) for term, event, pj in event_prices(machine)}


def test_prices_of_the_reference_machine_by_hand() -> None:
    """V = 8, L = 32, every number written out; 40 nm logic times the fitted factor."""
    factor = TECHNOLOGY.energy.logic_factor
    adder, gate, comparator, register = 0.0858 / 32, 0.018 / 32, 0.0290 / 32, 0.009
    pipeline = 8 * (32 * 5 + 8 * 7 + 2 * 9 + 10)
    tree = 16 * 6 + 8 * 7 + 4 * 8 + 2 * 9 + 10
    logic = {
        ("pe_array", "pe_adds"): gate + (0.5 * 5 + 5 + 4 + 5) / 9 * adder + 10 / 24 * 4 * gate,
        ("pe_array", "pe_cycles"): 2304 * 0.5 * gate,
        ("adders", "pe_adds"): tree / 288 * adder,
        ("adders", "accumulator_updates"): 24 * (adder + register),
        ("if_unit", "if_updates"): 24 * (2 * adder + register),
        ("if_unit", "threshold_compares"): 24 * comparator,
        ("pooling", "pool_updates"): 3 * (adder + register),
        ("clock_control", "list_steps"): 32 * 9 * (register + 3 * gate),
        ("pooling", "pool_rank_bits"): adder + comparator + 2 * register,
        ("clock_control", "row_cycles"): 0.9 * pipeline / 8 * register,
        ("clock_control", "pe_cycles"): 0.9 * 36 * 32 * register,
    }
    features = Features(planes=3)
    machine = priced(one(), features=features)
    listed = priced(one(), features=replace(features, pruned_channels=64))
    idle = 0.1 * float(machine.area.registers[0]) * register
    logic |= {("clock_control", f"{cause}_cycles"): idle for cause in ("compute", "stall", "fill")}
    found = price_table(machine)
    assert found["clock_control", "list_steps"] == 0.0
    found["clock_control", "list_steps"] = price_table(listed)["clock_control", "list_steps"]
    for name, expected in logic.items():
        assert found.pop(name) == pytest.approx(expected * factor), name
    spike = bank_price(np.array([65536 / 60]), np.array([32.0]), TECHNOLOGY)
    weight = bank_price(np.array([65536 / 6]), np.array([96.0]), TECHNOLOGY)
    assert found.pop(("spike_sram", "spike_reads")) == pytest.approx(float(spike.read_pj[0]))
    assert found.pop(("spike_sram", "spike_writes")) == pytest.approx(float(spike.write_pj[0]))
    assert found.pop(("weight_sram", "weight_reads")) == pytest.approx(3 * float(weight.read_pj[0]))
    assert found.pop(("weight_sram", "weight_writes")) == pytest.approx(3 * float(weight.write_pj[0]))
    assert found.pop(("membrane_sram", "membrane_reads")) == 0.0
    assert found.pop(("membrane_sram", "membrane_writes")) == 0.0
    for event in ("dram_weight_bits", "dram_input_bits", "dram_output_bits"):
        assert found.pop(("dram", event)) == 12.45
    leak_mw = float(machine.area.calibrated_kge[0]) * 0.07 / 5.667
    leak_mw += float(spike.leakage_mw[0]) * 60 + float(weight.leakage_mw[0]) * 6
    for event in ("compute_cycles", "stall_cycles", "fill_cycles"):
        assert found.pop(("leakage", event)) == pytest.approx(leak_mw * 2.0)  # 2 ns at 500 MHz, mW x ns = pJ
    assert not found


def test_sums_equal_a_scalar_loop() -> None:
    batch = grid().take(slice(0, None, 9))
    events = counts(len(batch), 3)
    prices = event_prices(priced(batch, features=EVERYTHING))
    by_term = energy_pj(events, prices)
    totals = total_energy_pj(events, prices)
    assert tuple(by_term) == TERMS
    for i in range(len(batch)):
        total = 0.0
        for j in range(3):
            expected = dict.fromkeys(TERMS, 0.0)
            for term, event, pj in prices:
                expected[term] += float(getattr(events, event)[i, j]) * float(pj[i])
            for term in TERMS:
                assert by_term[term][i, j] == pytest.approx(expected[term])
            total += sum(expected.values())
        assert totals[i] == pytest.approx(total)


@pytest.mark.parametrize("event", EVENTS)
def test_more_of_an_event_costs_more(event: str) -> None:
    batch = one(time_order="outer", membrane_buffer_kib=16)
    prices = event_prices(priced(batch, features=EVERYTHING))
    zero = EventCounts(**{name: np.zeros((1, 2)) for name in EVENTS})
    some = EventCounts(**{name: np.full((1, 2), float(name == event)) for name in EVENTS})
    assert total_energy_pj(zero, prices)[0] == 0.0
    assert total_energy_pj(some, prices)[0] > 0.0


@pytest.mark.parametrize("term", ["dram_prices", "sram_prices", "pooling_prices", "leakage_prices"])
def test_a_missing_price_raises(term: str, monkeypatch: pytest.MonkeyPatch) -> None:
    without = tuple(item for item in energy_module._TERM_PRICES if item.__name__ != term)
    monkeypatch.setattr(energy_module, "_TERM_PRICES", without)
    machine = priced(one())
    if term == "leakage_prices":  # its events keep another price, so the term itself must be missed
        with pytest.raises(KeyError, match="leakage"):
            energy_pj(counts(1, 1), event_prices(machine))
    else:
        with pytest.raises(MissingPriceError, match=r"^every event must have a price, not lack "):
            event_prices(machine)


def test_an_access_to_a_memory_that_is_not_there_raises() -> None:
    batch = AcceleratorBatch.of([*(one()[0] for _ in range(2)), one(time_order="outer", membrane_buffer_kib=16)[0]])
    zero = {name: np.zeros((3, 2)) for name in EVENTS}
    there, absent = (np.array([[0, 0], [0, 0], [0, 1.0]]), np.array([[0, 0], [1.0, 0], [0, 0]]))
    reject_absent_memories(EventCounts(**zero | {"membrane_reads": there}), priced(batch))
    with pytest.raises(MissingPriceError, match=r"^membrane_writes must be 0 on a machine without membrane buffer"):
        reject_absent_memories(EventCounts(**zero | {"membrane_writes": absent}), priced(batch))


def test_every_term_is_priced_by_something() -> None:
    assert {price.term for price in event_prices(priced(one()))} == set(TERMS)


def test_the_clock_changes_leakage_alone() -> None:
    fast, slow = (price_table(priced(one(), TECHNOLOGY.override({"clock_mhz": mhz}))) for mhz in (500, 250))
    for name in fast:
        assert slow[name] == pytest.approx(fast[name] * (2 if name[0] == "leakage" else 1)), name


def test_nodes_scale_logic_and_sram() -> None:
    tables = [price_table(priced(one(), TECHNOLOGY.override({"node_nm": node}))) for node in (28, 40, 65)]
    for name in (("if_unit", "if_updates"), ("pe_array", "pe_adds"), ("clock_control", "row_cycles")):
        assert tables[0][name] == pytest.approx(0.61 * tables[1][name])
        assert tables[1][name] == pytest.approx(0.455 * tables[2][name], rel=1e-4)
    assert tables[0]["spike_sram", "spike_reads"] < tables[1]["spike_sram", "spike_reads"]
    assert tables[0]["dram", "dram_input_bits"] == tables[2]["dram", "dram_input_bits"]


def test_leakage_rises_with_every_part_of_the_machine() -> None:
    base = leakage_mw(priced(one()))[0]
    for bigger in (
        one(vector_width=16),
        one(channel_lanes=64),
        one(spike_buffer_kib=128),
        one(weight_buffer_kib=128),
        one(time_order="outer", membrane_buffer_kib=8),
    ):
        assert leakage_mw(priced(bigger))[0] > base
    assert leakage_mw(priced(one(), features=Features(dual_threshold=True)))[0] > base
