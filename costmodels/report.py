"""One machine and one workload, layer by layer: what `dse cost` prints."""

from dataclasses import asdict, dataclass
from math import isnan
from typing import Any

from costmodels.accelerator import AcceleratorConfig
from costmodels.feasibility import Infeasible
from costmodels.occupancy import Occupancy
from costmodels.technology import Technology


@dataclass(frozen=True)
class CostReport:
    """Costs of one machine.

    Attributes:
        config, technology: what was priced.
        layers: names, in order.
        feasible, reasons: whether the machine can run the workload, and why not.
        occupancy: tiles and buffers of each group of layers.
        cycles: cause -> cycles of each layer.
        energy_pj: term -> energy of each layer.
        dram_bits: traffic of each layer.
        area_mm2: block or memory -> area.
        synthesised_kge, calibrated_kge: logic as synthesised, and times the calibration factor.
        latency_ms, energy_uj, edp_uj_ms, dram_kib: totals; NaN where infeasible.
        access_ns: memory -> access time, 0 where there is none.
    """

    config: AcceleratorConfig
    technology: Technology
    layers: tuple[str, ...]
    feasible: bool
    reasons: tuple[Infeasible, ...]
    occupancy: tuple[Occupancy, ...]
    cycles: dict[str, list[float]]
    energy_pj: dict[str, list[float]]
    dram_bits: list[float]
    area_mm2: dict[str, float]
    synthesised_kge: float
    calibrated_kge: float
    latency_ms: float
    energy_uj: float
    edp_uj_ms: float
    dram_kib: float
    access_ns: dict[str, float]

    @property
    def total_area_mm2(self) -> float:
        """Logic and SRAM."""
        return sum(self.area_mm2.values())

    @property
    def total_cycles(self) -> float:
        """Cycles of all layers and causes."""
        return sum(sum(values) for values in self.cycles.values())

    @property
    def slow_memories(self) -> tuple[str, ...]:
        """Memories whose access takes longer than a clock."""
        return tuple(name for name, time in self.access_ns.items() if time > self.technology.cycle_ns)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, the technology by name and settings; totals of an infeasible machine are None."""
        plain = {
            name: None if isinstance(value, float) and isnan(value) else value for name, value in asdict(self).items()
        }
        technology = self.technology
        plain["technology"] = {
            "name": technology.name,
            "node_nm": technology.node_nm,
            "clock_mhz": technology.clock_mhz,
            "dram_bytes_per_cycle": technology.dram_bytes_per_cycle,
            "dram_pj_per_bit": technology.dram_pj_per_bit,
            "sram_cell": technology.sram_cell,
            "digest": technology.digest(),
        }
        return plain | {"total_area_mm2": self.total_area_mm2, "total_cycles": self.total_cycles}
