"""What one inference costs on each machine of a batch: cycles, energy, area, by layer and cause, and the totals."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from costmodels.accelerator import AcceleratorBatch
from costmodels.area import AreaTable
from costmodels.energy import CYCLES, EventPrice, PricedMachine, energy_pj, total_energy_pj
from costmodels.feasibility import Infeasible
from costmodels.report import CostReport
from costmodels.schedule import Schedule
from costmodels.sram import Floats
from costmodels.technology import Technology

_BITS_PER_KIB = 8 * 1024
_PJ_PER_UJ = 1e6
_CYCLES_PER_MS_AND_MHZ = 1e3


@dataclass(frozen=True, eq=False)
class CostTotals:
    """Totals of ``n`` machines, arrays of length ``n``; NaN where a machine is infeasible, but for its area.

    ``dram_kib`` is the traffic of one inference, ``edp_uj_ms`` the product of energy and latency.
    """

    feasible: NDArray[np.bool_]
    latency_ms: Floats
    energy_uj: Floats
    area_mm2: Floats
    dram_kib: Floats

    @property
    def edp_uj_ms(self) -> Floats:
        """Energy-delay product."""
        return self.energy_uj * self.latency_ms

    @classmethod
    def join(cls, parts: "list[CostTotals]") -> "CostTotals":
        """The totals of several batches, one behind the other."""
        return cls(
            **{name: np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__}
        )


@dataclass(frozen=True, eq=False)
class CostTable:
    """Costs of ``n`` machines running one workload of ``layers``.

    Attributes:
        layers: names, in order.
        machine: the machines, their technology, memories and area.
        schedule: counted events, feasibility and occupancy.
        prices: of every event.
    """

    layers: tuple[str, ...]
    machine: PricedMachine
    schedule: Schedule
    prices: tuple[EventPrice, ...]

    def __len__(self) -> int:
        return len(self.batch)

    @property
    def batch(self) -> AcceleratorBatch:
        """The machines."""
        return self.machine.batch

    @property
    def technology(self) -> Technology:
        """What priced them."""
        return self.machine.technology

    @property
    def area(self) -> AreaTable:
        """Area by block."""
        return self.machine.area

    @property
    def feasible(self) -> NDArray[np.bool_]:
        """Whether each machine can run the workload, ``n``."""
        return self.schedule.feasible

    def reasons(self, index: int) -> tuple[Infeasible, ...]:
        """Why machine ``index`` is infeasible; empty where it is not."""
        return self.schedule.reasons(index)

    @property
    def cycles(self) -> dict[str, Floats]:
        """Cause (``compute``, ``stall``, ``fill``) -> cycles, ``n x layers``; 0 where infeasible."""
        return {name.removesuffix("_cycles"): getattr(self.schedule.events, name) for name in CYCLES}

    @cached_property
    def energy_pj(self) -> dict[str, Floats]:
        """Term -> energy, ``n x layers``; 0 where infeasible."""
        return energy_pj(self.schedule.events, self.prices)

    @cached_property
    def totals(self) -> CostTotals:
        """Latency, energy, traffic and area of each machine, without the tables by term."""
        events = self.schedule.events
        cycles = events.cycles.sum(axis=1)
        known = np.where(self.feasible, 1.0, np.nan)
        return CostTotals(
            feasible=self.feasible,
            latency_ms=cycles / (self.technology.clock_mhz * _CYCLES_PER_MS_AND_MHZ) * known,
            energy_uj=total_energy_pj(events, self.prices) / _PJ_PER_UJ * known,
            area_mm2=self.area.total_mm2,
            dram_kib=events.dram_bits.sum(axis=1) / _BITS_PER_KIB * known,
        )

    @property
    def latency_ms(self) -> Floats:
        """Time of one inference, ``n``."""
        return self.totals.latency_ms

    @property
    def energy_uj(self) -> Floats:
        """Energy of one inference, ``n``."""
        return self.totals.energy_uj

    @property
    def edp_uj_ms(self) -> Floats:
        """Energy-delay product, ``n``."""
        return self.totals.edp_uj_ms

    @property
    def area_mm2(self) -> Floats:
        """Logic and SRAM, ``n``."""
        return self.totals.area_mm2

    @property
    def dram_kib(self) -> Floats:
        """DRAM traffic of one inference, ``n``."""
        return self.totals.dram_kib

    @property
    def slow_memories(self) -> dict[str, NDArray[np.bool_]]:
        """Memory -> whether its access takes longer than a clock, ``n``: a machine that needs a slower clock."""
        limit = self.technology.cycle_ns
        return {name: price.access_ns > limit for name, price in self.machine.memories.items()}

    def row(self, index: int) -> CostReport:
        """Machine ``index`` alone, layer by layer."""
        totals = self.totals
        return CostReport(
            config=self.batch[index],
            technology=self.technology,
            layers=self.layers,
            feasible=bool(self.feasible[index]),
            reasons=self.reasons(index),
            occupancy=self.schedule.occupancy(index),
            cycles={cause: values[index].tolist() for cause, values in self.cycles.items()},
            energy_pj={term: values[index].tolist() for term, values in self.energy_pj.items()},
            dram_bits=self.schedule.events.dram_bits[index].tolist(),
            area_mm2={block: float(values[index]) for block, values in self.area.block_mm2.items()},
            synthesised_kge=float(self.area.synthesised_kge[index]),
            calibrated_kge=float(self.area.calibrated_kge[index]),
            latency_ms=float(totals.latency_ms[index]),
            energy_uj=float(totals.energy_uj[index]),
            edp_uj_ms=float(totals.edp_uj_ms[index]),
            dram_kib=float(totals.dram_kib[index]),
            access_ns={name: float(price.access_ns[index]) for name, price in self.machine.memories.items()},
        )
