"""Area of a machine by block: logic in gate equivalents as a closed form of its parameters, SRAM from the table.

A block's gate equivalents follow from synthesis of the RTL (`costmodels.logic_area`). The technology's ``logic_factor``
multiplies all of them: the distance from our machine to the reference chip. The area depends on the machine and on the
`Features` its network needs.
"""

from dataclasses import dataclass

import numpy as np

from costmodels.accelerator import AcceleratorBatch
from costmodels.features import Features
from costmodels.logic_area import synthesised, term_values
from costmodels.memories import memory_prices
from costmodels.sram import Floats, SramPrice
from costmodels.technology import Technology

_UM2_PER_MM2 = 1e6


@dataclass(frozen=True, eq=False)
class AreaTable:
    """Area of ``n`` machines by block.

    Attributes:
        synthesised_ge: block -> gate equivalents as synthesised, ``n``.
        registers: bits in all blocks, ``n``.
        logic_factor: calibration, the same for every block.
        um2_per_ge: of the node.
        sram_mm2: memory -> area, ``n``.
    """

    synthesised_ge: dict[str, Floats]
    registers: Floats
    logic_factor: float
    um2_per_ge: float
    sram_mm2: dict[str, Floats]

    @property
    def synthesised_kge(self) -> Floats:
        """All logic as synthesised, per machine."""
        return np.asarray(sum(self.synthesised_ge.values())) / 1000.0

    @property
    def calibrated_kge(self) -> Floats:
        """All logic times the calibration factor, per machine."""
        return self.synthesised_kge * self.logic_factor

    @property
    def logic_mm2(self) -> dict[str, Floats]:
        """Block -> calibrated area."""
        scale = self.logic_factor * self.um2_per_ge / _UM2_PER_MM2
        return {block: ge * scale for block, ge in self.synthesised_ge.items()}

    @property
    def block_mm2(self) -> dict[str, Floats]:
        """Every block and memory -> area; they add up to `total_mm2`."""
        return self.logic_mm2 | {f"{name}_sram": area for name, area in self.sram_mm2.items()}

    @property
    def total_mm2(self) -> Floats:
        """Logic and SRAM, per machine."""
        return np.asarray(sum(self.block_mm2.values()))


def area(
    batch: AcceleratorBatch,
    features: Features,
    technology: Technology,
    memories: dict[str, SramPrice] | None = None,
) -> AreaTable:
    """Area of every machine of ``batch``; ``memories`` saves pricing them again."""
    memories = memory_prices(batch, features, technology) if memories is None else memories
    values = term_values(batch, features)
    return AreaTable(
        synthesised_ge=synthesised(values, "ge"),
        registers=np.asarray(sum(synthesised(values, "registers").values())),
        logic_factor=technology.area.logic_factor,
        um2_per_ge=technology.um2_per_ge,
        sram_mm2={name: price.area_mm2 for name, price in memories.items()},
    )
