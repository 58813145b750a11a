"""Constants of the micro-architecture, read from machine.toml, and the pipeline depth that follows from them."""

import tomllib
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class Machine:
    """What every configuration shares.

    Attributes:
        window_edge: rows and columns of the tap window.
        membrane_bits: one membrane, constant or threshold.
        fraction_bits: of the finest fixed-point grid.
        score_bits: one class score.
        stored_planes, flat_planes: most bits of an element that one cycle stores, flat for a fully connected layer.
        fixed_stages: pipeline stages without the adder tree over lanes.
        tree_levels_per_stage: tree levels between two registers.
    """

    window_edge: int
    membrane_bits: int
    fraction_bits: int
    score_bits: int
    stored_planes: int
    flat_planes: int
    fixed_stages: int
    tree_levels_per_stage: int

    @property
    def taps(self) -> int:
        """Weights of one window and channel."""
        return self.window_edge**2

    @property
    def window_halo(self) -> int:
        """Rows of a window beyond the rows it computes."""
        return self.window_edge - 1

    def pipeline_depth(self, channel_lanes: int) -> int:
        """Cycles from the address of a window to the stored spike."""
        levels = (channel_lanes - 1).bit_length()
        return self.fixed_stages + -(-levels // self.tree_levels_per_stage)


def _load() -> Machine:
    data = tomllib.loads(resources.files("costmodels").joinpath("machine.toml").read_text(encoding="utf-8"))
    planes = {f"{name}_planes": count for name, count in data["planes"].items()}
    return Machine(window_edge=data["window"]["edge"], **data["words"], **planes, **data["pipeline"])


MACHINE = _load()
