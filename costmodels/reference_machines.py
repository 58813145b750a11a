"""The published machines that calibration rebuilds, computed by this model from reference_machines.toml.

Energies are on chip: DRAM is left out, as in the published powers. The SRAM is in, which the publications do not say.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from costmodels.accelerator import AcceleratorBatch, AcceleratorConfig
from costmodels.cost_table import CostTable
from costmodels.energy import PricedMachine, logic_prices
from costmodels.evaluate import evaluate
from costmodels.features import Features
from costmodels.gates import processing_elements
from costmodels.memories import Memory, memory_price
from costmodels.published import DATA
from costmodels.technology import Technology
from costmodels.workload import LayerWorkload, Workload

OPERATIONS_PER_PE = 2
_SRAM_TERMS = ("spike_sram", "weight_sram", "membrane_sram")


@dataclass(frozen=True)
class Vsa:
    """VSA as this model builds it: the machine, what it is built with, and the dense layer that keeps it busy."""

    config: AcceleratorConfig
    workload: Workload
    features: Features

    @property
    def batch(self) -> AcceleratorBatch:
        """The machine alone in a batch."""
        return AcceleratorBatch.of([self.config])

    @property
    def processing_elements(self) -> int:
        """V x L x 9."""
        return int(processing_elements(self.batch)[0])

    def costs(self, technology: Technology) -> CostTable:
        """The layer on the machine."""
        return evaluate(self.workload, self.batch, technology, self.features)

    def cycle_pj(self, technology: Technology, with_sram: bool = True) -> float:
        """Mean energy of a cycle on chip."""
        costs = self.costs(technology)
        left_out = {"dram"} if with_sram else {"dram", *_SRAM_TERMS}
        energy = sum(float(pj.sum()) for term, pj in costs.energy_pj.items() if term not in left_out)
        return energy / float(costs.schedule.events.cycles.sum())

    def utilisation(self, technology: Technology) -> float:
        """Share of rows and cycles in which a row's sum is accumulated."""
        events = self.costs(technology).schedule.events
        return float(events.accumulator_updates.sum() / events.cycles.sum()) / self.config.vector_width

    def peak_gops(self, technology: Technology) -> float:
        """Two operations per PE and clock."""
        return OPERATIONS_PER_PE * self.processing_elements * technology.clock_mhz / 1000

    def power_mw(self, technology: Technology) -> float:
        """pJ x MHz = uW."""
        return self.cycle_pj(technology) * technology.clock_mhz / 1000

    def tops_per_w(self, technology: Technology) -> float:
        """Peak operations over energy: operations per pJ."""
        return OPERATIONS_PER_PE * self.processing_elements / self.cycle_pj(technology)

    def synthesised_kge(self, technology: Technology) -> float:
        """Logic before calibration."""
        return float(PricedMachine.of(self.batch, self.features, technology).area.synthesised_kge[0])

    def calibrated_kge(self, technology: Technology) -> float:
        """Logic after calibration."""
        return self.synthesised_kge(technology) * technology.area.logic_factor


@cache
def _data() -> dict[str, Any]:
    """reference_machines.toml with bare values."""
    document = tomllib.loads((DATA / "reference_machines.toml").read_text(encoding="utf-8"))
    return {
        design: {name: _bare(table) for name, table in tables.items() if isinstance(table, dict)}
        for design, tables in document.items()
    }


def _bare(table: dict[str, Any]) -> dict[str, Any]:
    return {key: entry["value"] for key, entry in table.items()}


def vsa(exclude_recalled: bool = False, spike_density: float | None = None) -> Vsa:
    """VSA; ``exclude_recalled`` gives it the SRAM of its sibling chip, ``spike_density`` another activity."""
    data = _data()["vsa"]
    machine = data["machine"] | (data["machine_without_recalled"] if exclude_recalled else {})
    layer = data["workload"]
    density = layer["spike_density"] if spike_density is None else spike_density
    return Vsa(
        config=AcceleratorConfig(**machine),
        workload=_dense_convolution(layer["channels"], (layer["height"], layer["width"]), layer["timesteps"], density),
        features=Features(**data["features"] | {"port_planes": (data["features"]["port_planes"],)}),
    )


def _dense_convolution(channels: int, size: tuple[int, int], timesteps: int, density: float) -> Workload:
    """One binary 3 x 3 layer, as many maps in as out."""
    densities = (density,) * timesteps
    height, width = size
    layer = LayerWorkload(
        name="conv",
        kind="conv",
        in_channels=channels,
        in_height=height,
        in_width=width,
        out_channels=channels,
        out_height=height,
        out_width=width,
        kernel=3,
        stride=1,
        padding=1,
        weight_bits=1,
        input_bits=1,
        static_input=False,
        dual_threshold=False,
        spiking=True,
        levels=1,
        pool=1,
        pooling="or",
        output_bits=1,
        input_density=densities,
        output_density=densities,
    )
    return Workload("VSA reference layer", timesteps, (layer,))


@dataclass(frozen=True)
class MacArray:
    """VWA: n x n array multipliers (n squared AND gates, n (n - 2) full and n half adders) with accumulators."""

    macs: int
    operand_bits: int
    and2_ge: float
    half_adder_ge: float
    full_adder_ge: float
    accumulator_bits: int
    sram_kib: int
    sram_banks: int
    sram_word_bits: int
    sram_words_per_cycle: int

    @property
    def full_adders(self) -> int:
        """Of one multiplier."""
        return self.operand_bits * (self.operand_bits - 2)

    def counted_kge(self, technology: Technology) -> float:
        """Multipliers, operand registers and accumulators."""
        register, bits = technology.cells.register_ge, self.operand_bits
        multiplier = bits**2 * self.and2_ge + self.full_adders * self.full_adder_ge + bits * self.half_adder_ge
        accumulator = self.accumulator_bits * (self.full_adder_ge + register)
        mac = multiplier + 2 * bits * register + accumulator
        return self.macs * mac / 1000

    def power_mw(self, technology: Technology) -> float:
        """Every MAC busy with random operands, half of whose bits are set; SRAM words; leakage."""
        logic, bits = logic_prices(technology), self.operand_bits
        adders = self.full_adders + bits + self.accumulator_bits
        registers = 2 * bits + self.accumulator_bits
        mac = bits**2 * logic.gate_pj + adders * logic.adder_bit_pj + registers * logic.register_bit_pj
        sram = memory_price(self._memory(), technology)
        cycle = self.macs * mac + self.sram_words_per_cycle * float(sram.read_pj[0])
        leakage = float(sram.leakage_mw[0]) + self.counted_kge(technology) * technology.leakage_mw_per_kge
        return cycle * technology.clock_mhz / 1000 + leakage

    def _memory(self) -> Memory:
        one = np.ones(1, dtype=np.int64)
        kib = 8 * 1024
        return Memory("vwa", one * self.sram_kib * kib, one * self.sram_word_bits, one * self.sram_banks, np.ones(1))


def vwa() -> MacArray:
    """VWA with the assumptions of the data file."""
    return MacArray(**_data()["vwa"]["machine"])
