"""The machine of the slow twin, in bits and rationals."""

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

    def transfer_cycles(self, bits: int) -> int:
        """Cycles a transfer keeps the port busy: the last one may be partly used."""
        whole, rest = divmod(Fraction(bits), self.bits_per_cycle)
        return int(whole) + (1 if rest else 0)

    def pipeline_stages(self) -> int:
        """Stages from a slot's last array cycle to its stored spike; the adder tree folds four lanes in a stage."""
        tree_levels = 0
        while 2**tree_levels < self.lanes:
            tree_levels += 1
        return FIXED_STAGES + len(range(0, tree_levels, 2))
