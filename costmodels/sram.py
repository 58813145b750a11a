"""Price of SRAM: CACTI's points between, below and above which a memory of any size and width is priced.

Inside the table a price is log-log linear in bytes and in width. Three rules surround it, each kept in one function:

- a larger or wider bank never costs less (a wider one may be faster), and two banks never have less area or leakage
  than one of both their sizes (CACTI's discrete search for an organisation jumps here and there): `_smooth`;
- below the smallest bank leakage follows the bytes, energy and area powers of the bytes (`SramRules`), for a small bank
  is mostly periphery, and access time stays; a word narrower than the narrowest is priced as the narrowest;
- above the largest, area and leakage follow the bytes, energy and access time stay: several of the largest banks, of
  which one is accessed at a time.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from costmodels.errors import ConfigurationError
from costmodels.nearest import nearest
from costmodels.technology import Technology

TABLE = Path(__file__).parent / "data" / "cacti_sram.csv"
Floats = NDArray[np.floating[Any]]
QUANTITIES = ("read_pj", "write_pj", "leakage_mw", "area_mm2", "access_ns")
_COLUMNS = ("read_pJ", "write_pJ", "leak_mW", "area_mm2", "access_ns")
_FALLS_WITH_WIDTH = ("access_ns",)
_SHARED_BY_SIZE = ("leakage_mw", "area_mm2")


@dataclass(frozen=True, eq=False)
class SramPrice:
    """Prices of memories, arrays of one shape: a whole word read or written, and the memory's leakage, area, delay."""

    read_pj: Floats
    write_pj: Floats
    leakage_mw: Floats
    area_mm2: Floats
    access_ns: Floats


@dataclass(frozen=True, eq=False)
class SramTable:
    """The points of one node and cell: ascending ``sizes`` in bytes, ``widths`` in bits, quantity -> sizes x widths."""

    sizes: Floats
    widths: Floats
    points: dict[str, Floats]


@cache
def _rows() -> tuple[dict[str, str], ...]:
    with TABLE.open(newline="", encoding="utf-8") as lines:
        return tuple(csv.DictReader(lines))


@cache
def sram_table(node_nm: int, cell: str) -> SramTable:
    """CACTI's points of ``node_nm`` and ``cell``, smoothed.

    Raises:
        ConfigurationError: the table has no such node or cell.
    """
    nodes = sorted({int(row["node_nm"]) for row in _rows()})
    cells = sorted({row["cell"] for row in _rows()})
    if node_nm not in nodes:
        raise ConfigurationError(
            f"node_nm must be one of {', '.join(map(str, nodes))} (the SRAM table), not {node_nm}; "
            f"the nearest is {min(nodes, key=lambda nm: abs(nm - node_nm))}"
        )
    if cell not in cells:
        raise ConfigurationError(
            f"sram_cell must be one of {', '.join(cells)}, not {cell!r}{nearest(cell, cells)} ({TABLE.name})"
        )
    rows = [row for row in _rows() if row["node_nm"] == str(node_nm) and row["cell"] == cell]
    sizes = sorted({int(row["size_B"]) for row in rows})
    widths = sorted({int(row["width_bits"]) for row in rows})
    points = {name: np.full((len(sizes), len(widths)), np.nan) for name in QUANTITIES}
    for row in rows:
        at = sizes.index(int(row["size_B"])), widths.index(int(row["width_bits"]))
        for name, column in zip(QUANTITIES, _COLUMNS, strict=True):
            points[name][at] = float(row[column])
    return SramTable(np.array(sizes, float), np.array(widths, float), {k: _smooth(k, v) for k, v in points.items()})


def _smooth(quantity: str, points: Floats) -> Floats:
    """The geometric mean of the least orderly array not below ``points`` and the largest not above them.

    Orderly: nothing falls with size, nothing but the access time with width, and area and leakage of a byte do not rise
    with size, so that two banks never have less than one of both their sizes. In logarithms these are linear rules,
    which a mean keeps. Sizes double from row to row.
    """
    if np.isnan(points).any():
        raise ConfigurationError(f"the SRAM table must hold a {quantity} for every size and width ({TABLE.name})")
    turned = points[::-1, ::-1]
    above = _accumulated(np.maximum, quantity, points)
    below = _accumulated(np.minimum, quantity, turned)[::-1, ::-1].copy()
    if quantity in _SHARED_BY_SIZE:
        for small in range(1, len(points)):
            below[small] = np.minimum(below[small], 2 * below[small - 1])
        for large in reversed(range(1, len(points))):
            above[large - 1] = np.maximum(above[large - 1], above[large] / 2)
    return np.asarray(np.sqrt(above * below))


def _accumulated(extreme: np.ufunc, quantity: str, points: Floats) -> Floats:
    along_size: Floats = extreme.accumulate(points, axis=0)
    if quantity in _FALLS_WITH_WIDTH:
        return along_size
    along_both: Floats = extreme.accumulate(along_size, axis=1)
    return along_both


def bank_price(size_bytes: Floats, width_bits: Floats, technology: Technology) -> SramPrice:
    """Price of single banks at the technology's node and cell.

    Args:
        size_bytes, width_bits: arrays of one shape, positive; a width beyond the table's must be sliced before.
        technology: names node and cell.

    Raises:
        ConfigurationError: a width is beyond the table, or the node or cell is unknown.
    """
    table = sram_table(technology.node_nm, technology.sram_cell)
    if (widest := float(np.max(width_bits, initial=0))) > table.widths[-1]:
        raise ConfigurationError(f"an SRAM slice must be at most {table.widths[-1]:.0f} bits wide, not {widest:.0f}")
    smallest, largest = table.sizes[0], table.sizes[-1]
    inside = np.clip(size_bytes, smallest, largest)
    below, above = np.minimum(size_bytes / smallest, 1.0), np.maximum(size_bytes / largest, 1.0)
    small_energy = below**technology.sram.small_energy_exponent
    small_area = below**technology.sram.small_area_exponent
    return SramPrice(
        read_pj=_interpolate(table, "read_pj", inside, width_bits) * small_energy,
        write_pj=_interpolate(table, "write_pj", inside, width_bits) * small_energy,
        leakage_mw=_interpolate(table, "leakage_mw", inside, width_bits) * below * above,
        area_mm2=_interpolate(table, "area_mm2", inside, width_bits) * small_area * above,
        access_ns=_interpolate(table, "access_ns", inside, width_bits),
    )


def _interpolate(table: SramTable, quantity: str, size_bytes: Floats, width_bits: Floats) -> Floats:
    """Log-log linear in bytes, which lie inside the table, and in bits, where the narrowest bounds below."""
    logs = np.log(table.points[quantity])
    row, across = _position(np.log(table.sizes), np.log(size_bytes))
    column, along = _position(np.log(table.widths), np.log(np.maximum(width_bits, table.widths[0])))
    near = logs[row, column] * (1.0 - along) + logs[row, column + 1] * along
    far = logs[row + 1, column] * (1.0 - along) + logs[row + 1, column + 1] * along
    return np.asarray(np.exp(near * (1.0 - across) + far * across))


def _position(knots: Floats, values: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Index of the interval of each value and the share of it that lies below the value."""
    index = np.clip(np.searchsorted(knots, values, side="right") - 1, 0, len(knots) - 2)
    return index, (values - knots[index]) / (knots[index + 1] - knots[index])
