"""Energy: the price of every counted event on every machine, term by term.

A term is a name under which reports add up: PE array, adders, IF units, pooling, the three SRAMs, DRAM, clock and
control, leakage. Each term is one function that prices the events it holds; `energy_pj` multiplies prices with counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from costmodels.accelerator import AcceleratorBatch
from costmodels.area import AreaTable, area
from costmodels.errors import ConfigurationError
from costmodels.events import EventCounts
from costmodels.features import Features
from costmodels.gates import (
    lane_cells,
    lane_tree,
    pipeline_bits,
    processing_elements,
    rotator_depth,
    row_inputs,
    window_bits,
)
from costmodels.machine import MACHINE
from costmodels.memories import memory_prices
from costmodels.sram import Floats, SramPrice
from costmodels.technology import Technology

CYCLES = ("compute_cycles", "stall_cycles", "fill_cycles")
TERMS = (
    "pe_array",
    "adders",
    "if_unit",
    "pooling",
    "spike_sram",
    "weight_sram",
    "membrane_sram",
    "dram",
    "clock_control",
    "leakage",
)


class MissingPriceError(ConfigurationError):
    """An event is counted that nothing prices."""


class EventPrice(NamedTuple):
    """``pj``: energy of one ``event`` (a field of `EventCounts`) on each machine, ``n``, booked under ``term``."""

    term: str
    event: str
    pj: Floats


@dataclass(frozen=True)
class LogicPrices:
    """Calibrated energy at the node of an adder's and a comparator's bit, a two-input gate, a clocked register bit."""

    adder_bit_pj: float
    comparator_bit_pj: float
    gate_pj: float
    register_bit_pj: float


def logic_prices(technology: Technology) -> LogicPrices:
    """The 40 nm energies times node and calibration factor."""
    energy = technology.energy
    scale = energy.logic_factor * technology.scaling.energy_factor
    return LogicPrices(
        adder_bit_pj=energy.adder_pj / energy.operand_bits * scale,
        comparator_bit_pj=energy.comparator_pj / energy.operand_bits * scale,
        gate_pj=energy.bitwise_pj / energy.operand_bits * scale,
        register_bit_pj=energy.register_pj * scale,
    )


@dataclass(frozen=True, eq=False)
class PricedMachine:
    """What the terms need to know of ``n`` machines: parameters, features, technology, memories and area."""

    batch: AcceleratorBatch
    features: Features
    technology: Technology
    memories: dict[str, SramPrice]
    area: AreaTable

    @classmethod
    def of(cls, batch: AcceleratorBatch, features: Features, technology: Technology) -> "PricedMachine":
        """The machines of ``batch`` built with ``features``."""
        memories = memory_prices(batch, features, technology)
        return cls(batch, features, technology, memories, area(batch, features, technology, memories))

    def every(self, pj: float) -> Floats:
        """The same price on each machine."""
        return np.full(len(self.batch), pj)

    @property
    def logic(self) -> LogicPrices:
        """Prices of the logic's parts."""
        return logic_prices(self.technology)


def pe_array_prices(machine: PricedMachine) -> Iterable[EventPrice]:
    """An active input toggles its AND gate, its share of the lane's adders and, a bit for three rows, the rotator.

    A clocked PE under a silent input still sees its weight line toggle.
    """
    energy, lane = machine.technology.energy, lane_cells()
    idle = energy.idle_gate_share * machine.logic.gate_pj
    adders = energy.weight_ones_share * lane.spike_weight_adders + lane.spike_adders + lane.half_adders
    active = machine.logic.gate_pj + (adders + lane.subtractor_bits) / MACHINE.taps * machine.logic.adder_bit_pj
    rows = machine.batch.vector_width
    window_share = (rows + MACHINE.window_halo) / (rows * MACHINE.window_edge)
    yield EventPrice(
        "pe_array", "pe_adds", active + window_share * rotator_depth(machine.batch) * machine.logic.gate_pj
    )
    yield EventPrice("pe_array", "pe_cycles", processing_elements(machine.batch) * idle)


def adder_prices(machine: PricedMachine) -> Iterable[EventPrice]:
    """An active input toggles its share of the row's tree; an accumulator adds the row's sum and stores."""
    tree_bits = lane_tree(machine.batch.channel_lanes).adder_bits
    yield EventPrice("adders", "pe_adds", tree_bits / row_inputs(machine.batch) * machine.logic.adder_bit_pj)
    bits = MACHINE.membrane_bits
    yield EventPrice(
        "adders",
        "accumulator_updates",
        machine.every(bits * (machine.logic.adder_bit_pj + machine.logic.register_bit_pj)),
    )


def if_unit_prices(machine: PricedMachine) -> Iterable[EventPrice]:
    """A neuron step adds to the membrane and subtracts at reset (two adders) and stores it; thresholds are compared."""
    bits = MACHINE.membrane_bits
    step = bits * (2 * machine.logic.adder_bit_pj + machine.logic.register_bit_pj)
    yield EventPrice("if_unit", "if_updates", machine.every(step))
    yield EventPrice("if_unit", "threshold_compares", machine.every(bits * machine.logic.comparator_bit_pj))


def pooling_prices(machine: PricedMachine) -> Iterable[EventPrice]:
    """An input of a pooling window is added to the window's count; a rank's bit is added, compared and kept twice."""
    step = machine.features.planes * (machine.logic.adder_bit_pj + machine.logic.register_bit_pj)
    yield EventPrice("pooling", "pool_updates", machine.every(step))
    rank = machine.logic.adder_bit_pj + machine.logic.comparator_bit_pj + 2 * machine.logic.register_bit_pj
    yield EventPrice("pooling", "pool_rank_bits", machine.every(rank))


def sram_prices(machine: PricedMachine) -> Iterable[EventPrice]:
    """A word read or written in each of the three memories."""
    for name, price in machine.memories.items():
        yield EventPrice(f"{name}_sram", f"{name}_reads", price.read_pj)
        yield EventPrice(f"{name}_sram", f"{name}_writes", price.write_pj)


def dram_prices(machine: PricedMachine) -> Iterable[EventPrice]:
    """A bit to or from DRAM."""
    for event in ("dram_weight_bits", "dram_input_bits", "dram_output_bits"):
        yield EventPrice("dram", event, machine.every(machine.technology.dram_pj_per_bit))


def clock_prices(machine: PricedMachine) -> Iterable[EventPrice]:
    """A row's registers load while it works, those of weights and masks in array cycles; a rest of every clock runs on.

    The registers of neurons and pooling are priced with what they do.
    """
    register = machine.logic.register_bit_pj
    gated = (1 - machine.technology.energy.stalled_clock_share) * register
    yield EventPrice("clock_control", "row_cycles", pipeline_bits(machine.batch) / machine.batch.vector_width * gated)
    yield EventPrice("clock_control", "pe_cycles", window_bits(machine.batch) * gated)
    # A step of the lists: each bit is isolated, cleared and stored, in every lane.
    list_bit = register + 3 * machine.logic.gate_pj
    list_bits = machine.batch.channel_lanes * machine.features.list_bits(machine.batch.channel_lanes)
    yield EventPrice("clock_control", "list_steps", list_bits * list_bit)
    for event in CYCLES:
        yield EventPrice("clock_control", event, machine.area.registers * (register - gated))


def leakage_prices(machine: PricedMachine) -> Iterable[EventPrice]:
    """Leakage of logic and SRAM over one cycle: mW x ns = pJ."""
    per_cycle = leakage_mw(machine) * machine.technology.cycle_ns
    for event in CYCLES:
        yield EventPrice("leakage", event, per_cycle)


def leakage_mw(machine: PricedMachine) -> Floats:
    """Leakage power of each machine: logic as calibrated, and SRAM."""
    logic = machine.area.calibrated_kge * machine.technology.leakage_mw_per_kge
    return np.asarray(logic + sum(price.leakage_mw for price in machine.memories.values()))


_TERM_PRICES = (
    pe_array_prices,
    adder_prices,
    if_unit_prices,
    pooling_prices,
    sram_prices,
    dram_prices,
    clock_prices,
    leakage_prices,
)


def event_prices(machine: PricedMachine) -> tuple[EventPrice, ...]:
    """Every price.

    Raises:
        MissingPriceError: a field of `EventCounts` has no price.
    """
    prices = tuple(price for term in _TERM_PRICES for price in term(machine))
    priced = {price.event for price in prices}
    if missing := [item.name for item in fields(EventCounts) if item.name not in priced]:
        raise MissingPriceError(f"every event must have a price, not lack {', '.join(missing)} (costmodels.energy)")
    return prices


def reject_absent_memories(events: EventCounts, machine: PricedMachine) -> None:
    """An access to a memory that a machine does not have would be free, so it must not be counted.

    Raises:
        MissingPriceError: an access is counted on a machine without that memory.
    """
    for name, price in machine.memories.items():
        absent = price.area_mm2 == 0
        for event in (f"{name}_reads", f"{name}_writes"):
            if absent.any() and getattr(events, event)[absent].any():
                raise MissingPriceError(f"{event} must be 0 on a machine without {name} buffer (costmodels.energy)")


def energy_pj(events: EventCounts, prices: Iterable[EventPrice]) -> dict[str, Floats]:
    """Term -> energy, ``n machines x layers``."""
    terms: dict[str, Floats] = {}
    for term, event, pj in prices:
        counts = getattr(events, event)
        terms[term] = terms.get(term, 0.0) + counts * pj[:, None]
    return {term: terms[term] for term in TERMS}


def total_energy_pj(events: EventCounts, prices: Iterable[EventPrice]) -> Floats:
    """Energy of all layers and terms, ``n``: each event is summed over layers once and multiplied by all its prices."""
    per_event: dict[str, Floats] = {}
    for _, event, pj in prices:
        per_event[event] = per_event.get(event, 0.0) + pj
    return np.asarray(sum(getattr(events, event).sum(axis=1) * pj for event, pj in per_event.items()))
