"""The machine of the slow twin, in bits and rationals."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from costmodels.accelerator import AcceleratorConfig

KIB_BITS = 8 * 1024
TAPS = 9
WINDOW_EDGE = 3
MEMBRANE_BITS = 24
SCORE_BITS = 32
FIXED_STAGES = 6


@dataclass(frozen=True)
class Machine:
    """One accelerator: V rows, L lanes, groups of F layers; buffers in bits (a half of the two ping-pong ones)."""

    rows: int
    lanes: int
    depth: int
    spike_half: int
    weight_half: int
    membrane: int
    outer: bool
    bits_per_cycle: Fraction

    @classmethod
    def of(cls, config: AcceleratorConfig, dram_bytes_per_cycle: float) -> "Machine":
        """The machine of ``config``; the DRAM rate is the decimal number that was written."""
        return cls(
            rows=config.vector_width,
            lanes=config.channel_lanes,
            depth=config.fusion_depth,
            spike_half=config.spike_buffer_kib * KIB_BITS // 2,
            weight_half=config.weight_buffer_kib * KIB_BITS // 2,
            membrane=config.membrane_buffer_kib * KIB_BITS,
            outer=config.time_order == "outer",
            bits_per_cycle=8 * Fraction(str(dram_bytes_per_cycle)),
        )

    def transfer_cycles(self, words: Iterable[int]) -> int:
        """Cycles a transfer keeps the port busy: a word crosses in a cycle of its own, once its bits are there."""
        clock, rate = 0, self.bits_per_cycle
        wanted = 0
        for bits in words:
            wanted += bits * rate.denominator
            clock = max(clock + 1, -(-wanted // rate.numerator))
        return clock

    def words_of(self, elements: int, planes: int) -> list[int]:
        """Bits of the words in which one place of a map crosses the port."""
        return [planes * min(self.lanes, elements - first) for first in range(0, elements, self.lanes)]

    def pipeline_stages(self) -> int:
        """Stages from a slot's last array cycle to its stored spike; the adder tree folds four lanes in a stage."""
        tree_levels = 0
        while 2**tree_levels < self.lanes:
            tree_levels += 1
        return FIXED_STAGES + len(range(0, tree_levels, 2))
