"""Area of a machine by block: logic in gate equivalents as a closed form of its parameters, SRAM from the table.

A block's gate equivalents are *counted* (cells of the structure in `costmodels.gates`) or *measured* (synthesis of the
prototype core). ``logic_factor`` of the technology multiplies all of them: the distance from our core to the reference
chip, which holds more than we count. The area depends on the machine and on the `Features` its network needs.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from costmodels.accelerator import AcceleratorBatch
from costmodels.features import Features
from costmodels.gates import lane_cells, lane_tree, pipeline_bits, rotator_muxes
from costmodels.machine import MACHINE
from costmodels.memories import memory_prices
from costmodels.sram import Floats, SramPrice
from costmodels.technology import Technology

_UM2_PER_MM2 = 1e6


@dataclass(frozen=True, eq=False)
class AreaTable:
    """Area of ``n`` machines by block.

    Attributes:
        counted_ge: block -> gate equivalents as counted, ``n``.
        logic_factor: calibration, the same for every block.
        um2_per_ge: of the node.
        sram_mm2: memory -> area, ``n``.
    """

    counted_ge: dict[str, Floats]
    logic_factor: float
    um2_per_ge: float
    sram_mm2: dict[str, Floats]

    @property
    def counted_kge(self) -> Floats:
        """All logic as counted, per machine."""
        return np.asarray(sum(self.counted_ge.values())) / 1000.0

    @property
    def calibrated_kge(self) -> Floats:
        """All logic times the calibration factor, per machine."""
        return self.counted_kge * self.logic_factor

    @property
    def logic_mm2(self) -> dict[str, Floats]:
        """Block -> calibrated area."""
        scale = self.logic_factor * self.um2_per_ge / _UM2_PER_MM2
        return {block: ge * scale for block, ge in self.counted_ge.items()}

    @property
    def block_mm2(self) -> dict[str, Floats]:
        """Every block and memory -> area; they add up to `total_mm2`."""
        return self.logic_mm2 | {f"{name}_sram": area for name, area in self.sram_mm2.items()}

    @property
    def total_mm2(self) -> Floats:
        """Logic and SRAM, per machine."""
        return np.asarray(sum(self.block_mm2.values()))


def pe_array_ge(batch: AcceleratorBatch, features: Features, technology: Technology) -> Floats:
    """Lanes of all rows: AND gates, two popcounts of nine taps, subtractor. Counted."""
    cells, lane = technology.cells, lane_cells()
    lane_ge = (
        lane.and_gates * cells.and2_ge
        + lane.full_adders * cells.full_adder_ge
        + lane.half_adders * cells.half_adder_ge
        + lane.inverters * cells.inverter_ge
    )
    return batch.vector_width * batch.channel_lanes * lane_ge


def adder_trees_ge(batch: AcceleratorBatch, features: Features, technology: Technology) -> Floats:
    """One tree over the lanes of each row. Counted."""
    return batch.vector_width * lane_tree(batch.channel_lanes).adder_bits * technology.cells.full_adder_ge


def pipeline_ge(batch: AcceleratorBatch, features: Features, technology: Technology) -> Floats:
    """Registers behind the lanes and in the trees. Counted."""
    return pipeline_bits(batch) * technology.cells.register_ge


def alignment_ge(batch: AcceleratorBatch, features: Features, technology: Technology) -> Floats:
    """Rotators behind the spike and weight banks. Counted."""
    return rotator_muxes(batch) * technology.cells.mux2_ge


def accumulators_ge(batch: AcceleratorBatch, features: Features, technology: Technology) -> Floats:
    """V (15 B - 2) with B membrane bits, measured, and the shift by one that a bit-serial plane needs, counted."""
    bits = MACHINE.membrane_bits
    return batch.vector_width * (accumulator_ge(bits, technology) + bits * technology.cells.mux2_ge)


def accumulator_ge(bits: int, technology: Technology) -> float:
    """One accumulator of ``bits``. Measured."""
    return technology.area.accumulator_ge_per_row_bit * bits + technology.area.accumulator_ge_per_row


def if_units_ge(batch: AcceleratorBatch, features: Features, technology: Technology) -> Floats:
    """26.3 V B + 7.6 V + 0.75 B with B membrane bits. Measured."""
    return if_unit_array_ge(batch, MACHINE.membrane_bits, technology)


def if_unit_array_ge(batch: AcceleratorBatch, bits: int, technology: Technology) -> Floats:
    """The IF units of V rows of ``bits``. Measured."""
    area = technology.area
    row = area.if_unit_ge_per_row_bit * bits + area.if_unit_ge_per_row
    return batch.vector_width * row + area.if_unit_ge_per_bit * bits


def second_threshold_ge(batch: AcceleratorBatch, features: Features, technology: Technology) -> Floats:
    """A comparator (the carry chain of a subtractor) and a spike register per row, for dual thresholds. Counted."""
    cells = technology.cells
    row = MACHINE.membrane_bits * (cells.full_adder_ge + cells.inverter_ge) + cells.register_ge
    return batch.vector_width * row * features.dual_threshold


def pooling_ge(batch: AcceleratorBatch, features: Features, technology: Technology) -> Floats:
    """Per row the sum or maximum of the window's spikes: adder and register, as wide as what is stored. Counted."""
    cells = technology.cells
    return batch.vector_width * features.pool_bits * (cells.full_adder_ge + cells.register_ge)


def strengths_ge(batch: AcceleratorBatch, features: Features, technology: Technology) -> Floats:
    """Per row the shifter that makes multiples of theta by powers of two, and a register of the strength. Counted."""
    cells, bits = technology.cells, features.strength_bits
    row = MACHINE.membrane_bits * (bits - 1).bit_length() * cells.mux2_ge + bits * cells.register_ge
    return batch.vector_width * row * (bits > 1)


def winners_ge(batch: AcceleratorBatch, features: Features, technology: Technology) -> Floats:
    """Where a pooling window passes a winner. Counted.

    Per row the rank: adder, register, comparator, multiplexer. Per two rows, the smallest window, what the columns
    before left at each step: rank and spikes; one step is enough where steps are the outer loop.
    """
    cells, bits = technology.cells, features.rank_bits
    adder_and_comparator = 2 * cells.full_adder_ge + cells.inverter_ge
    row = bits * (adder_and_comparator + cells.register_ge + cells.mux2_ge)
    spikes = features.strength_bits * (1 + features.dual_threshold)
    window = (bits + spikes) * cells.register_ge * np.where(batch.outer, 1, features.timesteps)
    return (batch.vector_width * row + -(-batch.vector_width // 2) * window) * (bits > 0)


def scores_ge(batch: AcceleratorBatch, features: Features, technology: Technology) -> Floats:
    """Registers for a classifier's scores and one adder. Counted."""
    cells = technology.cells
    bit = features.score_words * cells.register_reset_ge + (features.score_words > 0) * cells.full_adder_ge
    return np.full(len(batch), MACHINE.score_bits * bit)


def lane_addresses_ge(batch: AcceleratorBatch, features: Features, technology: Technology) -> Floats:
    """Per lane a kernel mask, and a priority encoder: clear and select per bit. With pruning only. Counted."""
    cells = technology.cells
    bit = cells.register_ge + 2 * cells.and2_ge + cells.inverter_ge
    return batch.channel_lanes * features.list_bits(batch.channel_lanes) * bit


def control_ge(batch: AcceleratorBatch, features: Features, technology: Technology) -> Floats:
    """Loop controller, layer sequencer, DRAM port: the same for every machine. Assumed."""
    return np.full(len(batch), technology.area.control_ge)


BLOCKS: dict[str, Callable[[AcceleratorBatch, Features, Technology], Floats]] = {
    "pe_array": pe_array_ge,
    "adder_trees": adder_trees_ge,
    "pipeline": pipeline_ge,
    "alignment": alignment_ge,
    "accumulators": accumulators_ge,
    "if_units": if_units_ge,
    "second_threshold": second_threshold_ge,
    "strengths": strengths_ge,
    "pooling": pooling_ge,
    "winners": winners_ge,
    "scores": scores_ge,
    "lane_addresses": lane_addresses_ge,
    "control": control_ge,
}


def area(
    batch: AcceleratorBatch,
    features: Features,
    technology: Technology,
    memories: dict[str, SramPrice] | None = None,
) -> AreaTable:
    """Area of every machine of ``batch``; ``memories`` saves pricing them again."""
    memories = memory_prices(batch, features, technology) if memories is None else memories
    return AreaTable(
        counted_ge={name: block(batch, features, technology) for name, block in BLOCKS.items()},
        logic_factor=technology.area.logic_factor,
        um2_per_ge=technology.um2_per_ge,
        sram_mm2={name: price.area_mm2 for name, price in memories.items()},
    )
