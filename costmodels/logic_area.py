"""Gate equivalents and register bits of the RTL's modules: sums of terms, with coefficients from synthesis.

A term is a quantity of the machine, such as rows times lanes, by which a module grows. ``data/logic_area.csv`` holds
gate equivalents and register bits of each module for each unit of a term, and the block under which reports have the
module. `benchmarks/area.py` fits them to synthesised machines and compares the sums with machines that it did not fit.
"""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from costmodels.accelerator import AcceleratorBatch
from costmodels.features import Features
from costmodels.filters import Integers
from costmodels.gates import Tree, lane_cells, lane_tree, rotator_depth
from costmodels.machine import MACHINE
from costmodels.published import DATA
from costmodels.sram import Floats

TABLE = DATA / "logic_area.csv"
Quantity = Literal["ge", "registers"]


class Coefficient(NamedTuple):
    """Of one module and term: gate equivalents and register bits for each unit of the term."""

    block: str
    module: str
    term: str
    ge: float
    registers: float


@dataclass(frozen=True, eq=False)
class Sizes:
    """What terms are made of: the sizes of ``n`` machines, arrays of length ``n``, and what their network needs.

    Attributes:
        rows, lanes: V and L.
        bank_rows: rows of a window, and of banks: V + 2.
        turns: multiplexers that a row passes on its way to its place among them.
        tree: over the lanes of a row.
        levels: of that tree.
        port_planes: bits of the widest element that crosses the port.
        steps: time steps that a pooling window remembers.
        outer: a pass holds one of several steps, so that membranes wait in their buffer.
        features: of the network.
    """

    rows: Integers
    lanes: Integers
    bank_rows: Integers
    turns: Integers
    tree: Tree
    levels: Integers
    port_planes: Integers
    steps: Integers
    outer: NDArray[np.bool_]
    features: Features

    @classmethod
    def of(cls, batch: AcceleratorBatch, features: Features) -> "Sizes":
        """The machines of ``batch`` built with ``features``."""
        return cls(
            rows=batch.vector_width,
            lanes=batch.channel_lanes,
            bank_rows=batch.vector_width + MACHINE.window_halo,
            turns=rotator_depth(batch),
            tree=lane_tree(batch.channel_lanes),
            levels=np.frexp((batch.channel_lanes - 1).astype(np.float64))[1] * (batch.channel_lanes > 1),
            port_planes=features.port_planes_at(batch.fusion_depth),
            steps=np.where(batch.outer, 1, features.timesteps),
            outer=batch.outer & (features.timesteps > 1),
            features=features,
        )

    @property
    def maps(self) -> int:
        """Spike maps of one membrane."""
        return 2 if self.features.dual_threshold else 1

    @property
    def map_rows(self) -> Integers:
        """Elements of a column, both maps of a dual threshold."""
        return self.maps * self.rows

    @property
    def bank_lanes(self) -> Integers:
        """Spikes of one column of the window."""
        return self.bank_rows * self.lanes


def tree_registers(sizes: Sizes) -> Integers:
    """Registers in the trees of all rows; those of the lanes themselves belong to the lanes."""
    return sizes.rows * (sizes.tree.register_bits - sizes.lanes * lane_cells().subtractor_bits)


def span(sizes: Sizes) -> Integers:
    """Lanes of the words that a strip, side by side from any lane, can touch in a flat map."""
    run = sizes.map_rows
    return (run + 2 * sizes.lanes - 2) // sizes.lanes * sizes.lanes


def span_shifts(sizes: Sizes) -> Integers:
    """Multiplexers that move such a strip to its lane."""
    return span(sizes) * np.frexp((span(sizes) - 1).astype(np.float64))[1]


def window_choices(sizes: Sizes, windows: Integers) -> Integers:
    """Rows of the array that can be a place of a pooling window, summed over places, for each edge and stride."""
    total = np.zeros_like(sizes.rows)
    for pool in range(1, sizes.features.largest_pool + 1):
        for stride in range(1, sizes.features.largest_stride + 1):
            for row in range(pool):
                inside = (((sizes.rows - 1) // stride) - row) // pool + 1
                total = total + np.clip(inside, 0, windows)
    return total


def winner_windows(sizes: Sizes) -> Integers:
    """Windows that pass a winner: of two rows each, the smallest there are; 0 where no window has a winner."""
    return (sizes.features.rank_bits > 0) * -(-sizes.rows // 2)


def neuron_bits(sizes: Sizes) -> int:
    """Rank and strengths of a neuron in a window with a winner."""
    return sizes.features.rank_bits + sizes.maps * sizes.features.strength_bits


TERMS: dict[str, Callable[[Sizes], Integers | Floats]] = {
    "one": lambda s: np.ones_like(s.rows),
    "rows": lambda s: s.rows,
    "lanes": lambda s: s.lanes,
    "row_lanes": lambda s: s.rows * s.lanes,
    "bank_rows": lambda s: s.bank_rows,
    "bank_lanes": lambda s: s.bank_lanes,
    # Array.
    "tree_bits": lambda s: s.rows * (s.tree.adder_bits - (s.lanes - 1)),  # of operands; a sum has one more
    "tree_adders": lambda s: s.rows * (s.lanes - 1),
    "tree_registers": tree_registers,
    "tree_level_rows": lambda s: s.rows * s.levels,
    "tree_stages": lambda s: (s.levels + 1) // 2,
    "tree_stage_rows": lambda s: s.rows * ((s.levels + 1) // 2),
    "turned_lanes": lambda s: s.bank_lanes * s.turns,
    "turned_rows": lambda s: s.bank_rows * s.turns * s.features.planes * s.maps,
    "turned_valid": lambda s: s.bank_rows * s.turns,
    "stride_rows": lambda s: s.rows * (s.features.largest_stride - 1),
    # Neurons.
    "dual_rows": lambda s: (s.maps - 1) * s.rows,
    "grids": lambda s: np.full_like(s.rows, s.features.grids),
    "strength_rows": lambda s: (s.features.strength_bits > 1) * s.rows,
    "strength_bits": lambda s: (s.features.strength_bits - 1) * s.map_rows,
    "strengths": lambda s: np.full_like(s.rows, s.features.strength_bits > 1),
    "dual_strength_rows": lambda s: (s.maps - 1) * (s.features.strength_bits > 1) * s.rows,
    # Pooling.
    "map_rows": lambda s: s.map_rows,
    "stored_bits": lambda s: s.map_rows * s.features.planes,
    "kept_bits": lambda s: s.map_rows * s.features.planes * s.steps,
    "pooled_bits": lambda s: s.map_rows * s.features.planes * s.features.largest_pool,
    "added_bits": lambda s: s.map_rows * (s.features.planes - 1) * s.features.largest_pool,
    "choice_bits": lambda s: window_choices(s, s.rows) * s.maps * s.features.strength_bits,
    "winner_choice_bits": lambda s: window_choices(s, winner_windows(s)) * neuron_bits(s),
    "rank_bits": lambda s: s.features.rank_bits * s.rows,
    "winner_bits": lambda s: winner_windows(s) * (neuron_bits(s) + 1),
    "winner_kept_bits": lambda s: winner_windows(s) * (neuron_bits(s) + 1) * s.steps,
    "winner_compared_bits": lambda s: winner_windows(s) * s.features.rank_bits * s.features.largest_pool,
    "winner_passed_bits": lambda s: winner_windows(s) * neuron_bits(s) * s.features.largest_pool,
    "winner_stored_bits": lambda s: (s.features.rank_bits > 0) * s.map_rows * s.features.planes,
    # Between time steps.
    "outer": lambda s: s.outer.astype(np.int64),
    "outer_rows": lambda s: s.outer * s.rows,
    "outer_stage_rows": lambda s: s.outer * s.rows * ((s.levels + 1) // 2),
    "outer_rank_bits": lambda s: s.outer * s.features.rank_bits * s.rows,
    # Addresses and writes.
    "single_bank_rows": lambda s: (not s.features.pruning) * s.bank_rows,
    "single_bank_lanes": lambda s: (not s.features.pruning) * s.bank_lanes,
    "pruned_bank_rows": lambda s: s.features.pruning * s.bank_rows,
    "pruned_bank_lanes": lambda s: s.features.pruning * s.bank_lanes,
    "pruned_lanes": lambda s: s.features.pruning * s.lanes,
    "list_bits": lambda s: s.lanes * s.features.list_bits(s.lanes),
    "dual_bank_lanes": lambda s: (s.maps - 1) * s.bank_lanes,
    "dual_bank_rows": lambda s: (s.maps - 1) * s.bank_rows * s.features.planes,
    "span": span,
    "span_planes": lambda s: span(s) * s.features.planes,
    "span_shifts": span_shifts,
    "span_shift_planes": lambda s: span_shifts(s) * s.features.planes,
    "planes": lambda s: np.full_like(s.rows, s.features.planes - 1),
    "plane_bank_rows": lambda s: (s.features.planes - 1) * s.bank_rows,
    "plane_lanes": lambda s: (s.features.planes - 1) * s.lanes,
    # Port.
    "port_planes": lambda s: s.port_planes - 1,
    "port_lanes": lambda s: s.port_planes * s.lanes,
    "port_bank_rows": lambda s: (s.port_planes - 1) * s.bank_rows,
    "port_bank_lanes": lambda s: (s.port_planes - 1) * s.bank_lanes,
}


@cache
def coefficients() -> tuple[Coefficient, ...]:
    """The lines of the table."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return tuple(
            Coefficient(row["block"], row["module"], row["term"], float(row["ge"]), float(row["registers"]))
            for row in rows
        )


@cache
def _weights(quantity: Quantity, by: Literal["block", "module"]) -> dict[str, dict[str, float]]:
    """Block or module to the coefficients of its terms, those of one term added."""
    found: dict[str, dict[str, float]] = {}
    for one in coefficients():
        of_term = found.setdefault(getattr(one, by), {})
        of_term[one.term] = of_term.get(one.term, 0.0) + getattr(one, quantity)
    return found


def term_values(batch: AcceleratorBatch, features: Features) -> dict[str, Integers | Floats]:
    """Term to its value on every machine of ``batch``; those with a coefficient."""
    sizes = Sizes.of(batch, features)
    return {term: TERMS[term](sizes) for term in dict.fromkeys(one.term for one in coefficients())}


def synthesised(
    values: Mapping[str, Integers | Floats], quantity: Quantity, by: Literal["block", "module"] = "block"
) -> dict[str, Floats]:
    """Block (or module, without those inside it) to what synthesis gives the machines of `term_values`."""
    return {
        name: np.asarray(sum(each * values[term] for term, each in of_term.items()), dtype=np.float64)
        for name, of_term in _weights(quantity, by).items()
    }
