"""What prices a count: energies, cell areas, widths and settings of one technology, as data with a source."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any, Self, cast

from costmodels.errors import ConfigurationError
from costmodels.nearest import nearest


@dataclass(frozen=True)
class LogicEnergy:
    """Energy of one logic event at 40 nm, before ``logic_factor``.

    Attributes:
        adder_pj, comparator_pj, bitwise_pj: one operation on operands of ``operand_bits``.
        register_pj: one register bit, one clock.
        weight_ones_share: share of set bits in a weight plane.
        idle_gate_share: energy of a PE under a silent input, as a share of an AND gate's.
        stalled_clock_share: share of the registers' clock energy that is left while the array is clock-gated.
        logic_factor: fitted; multiplies every logic event.
    """

    adder_pj: float
    comparator_pj: float
    bitwise_pj: float
    operand_bits: float
    register_pj: float
    weight_ones_share: float
    idle_gate_share: float
    stalled_clock_share: float
    logic_factor: float


@dataclass(frozen=True)
class Leakage:
    """Leakage and area of one register bit, from which those of a gate equivalent follow."""

    register_leakage_uw: float
    register_area_um2: float


@dataclass(frozen=True)
class CellAreas:
    """Area of a register bit in NAND2 equivalents (GE), which ties the table of cells to square micrometres."""

    register_ge: float


@dataclass(frozen=True)
class LogicArea:
    """``logic_factor`` is fitted; it multiplies the gate equivalents of all logic."""

    logic_factor: float


@dataclass(frozen=True)
class SramRules:
    """How a memory is composed of SRAM slices.

    Attributes:
        slice_bits: widest slice.
        least_words: fewest words that a slice is priced for.
        small_energy_exponent, small_area_exponent: powers of the bytes below the smallest point of the table.
    """

    slice_bits: int
    least_words: int
    small_energy_exponent: float
    small_area_exponent: float


@dataclass(frozen=True)
class NodeScaling:
    """Energy and area of logic at ``node_nm``, relative to 40 nm."""

    node_nm: int
    energy_factor: float
    area_factor: float


@dataclass(frozen=True)
class Technology:
    """Everything that prices a count.

    Attributes:
        name: of the preset or file.
        node_nm: one of ``nodes``.
        clock_mhz: cycles per microsecond.
        dram_bytes_per_cycle: bytes the DRAM moves in one clock of the machine; change it with the clock.
        dram_pj_per_bit: energy of one bit to or from DRAM.
        sram_cell: CACTI's cell type, ``itrs-lop``, ``itrs-lstp`` or ``itrs-hp``.
        nodes: known nodes, with the factors that scale logic.
    """

    name: str
    node_nm: int
    clock_mhz: float
    dram_bytes_per_cycle: float
    dram_pj_per_bit: float
    sram_cell: str
    energy: LogicEnergy
    leakage: Leakage
    cells: CellAreas
    area: LogicArea
    sram: SramRules
    nodes: tuple[NodeScaling, ...] = field(repr=False)

    def __post_init__(self) -> None:
        _check_numbers(self, self.name)
        if self.node_nm not in (known := [node.node_nm for node in self.nodes]):
            raise ConfigurationError(
                f"node_nm must be one of {', '.join(map(str, sorted(known)))}, not {self.node_nm} (technology "
                f"{self.name}); the nearest is {min(known, key=lambda nm: abs(nm - self.node_nm))}"
            )

    @property
    def scaling(self) -> NodeScaling:
        """The factors of ``node_nm``."""
        return next(node for node in self.nodes if node.node_nm == self.node_nm)

    @property
    def um2_per_ge(self) -> float:
        """Area of one NAND2 equivalent at ``node_nm``, from the area of a register that was read."""
        return self.leakage.register_area_um2 / self.cells.register_ge * self.scaling.area_factor

    @property
    def leakage_mw_per_kge(self) -> float:
        """Leakage of 1000 gate equivalents; the same at every node, for want of a figure."""
        return self.leakage.register_leakage_uw / self.cells.register_ge

    @property
    def cycle_ns(self) -> float:
        """Length of one clock."""
        return 1000.0 / self.clock_mhz

    def override(self, settings: Mapping[str, Any]) -> Self:
        """This technology with some fields changed.

        Args:
            settings: field -> value; a field of a part is named ``energy.adder_pj`` or given as ``{"energy": {...}}``.

        Raises:
            ConfigurationError: a name is unknown or a value is out of range; all unknown names in one message.
        """
        return cast(Self, _replace(self, _nested(settings), self.name))

    def digest(self) -> str:
        """Hexadecimal digest of every number that can change a price, the tables' included; not of the name."""
        from costmodels import logic_area, sram

        plain = asdict(self)
        del plain["name"]
        text = json.dumps(plain, sort_keys=True).encode()
        tables = b"".join(hashlib.sha256(table.read_bytes()).digest() for table in (sram.TABLE, logic_area.TABLE))
        return hashlib.sha256(text + tables).hexdigest()

    @classmethod
    def default(cls) -> "Technology":
        """The packaged 40 nm low-power technology."""
        from costmodels.technology_file import load

        return load("lp40")


_MAY_BE_ZERO = {"idle_gate_share", "stalled_clock_share", "dram_pj_per_bit"}
_SHARES = {"weight_ones_share", "idle_gate_share", "stalled_clock_share"}


def _check_numbers(part: Any, where: str) -> None:
    """Every number of ``part`` and of its own parts is finite and in the range that its name allows."""
    for item in fields(part):
        value = getattr(part, item.name)
        if is_dataclass(value):
            _check_numbers(value, where)
        elif item.type in (int, float):
            _check_number(item.name, value, item.type, where)


def _check_number(name: str, value: Any, kind: Any, where: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int if kind is int else (int, float)):
        raise ConfigurationError(f"{name} must be {_article(kind)}, not {value!r} (technology {where})")
    least_open = name not in _MAY_BE_ZERO
    inside = value > 0 if least_open else value >= 0
    if name in _SHARES:
        inside = inside and value <= 1
    if not (inside and abs(value) < float("inf")):
        rule = "positive" if least_open else "at least 0"
        rule += " and at most 1" if name in _SHARES else ""
        raise ConfigurationError(f"{name} must be {rule}, not {value} (technology {where})")


def _article(kind: Any) -> str:
    return "an integer" if kind is int else "a number"


def _nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """``{"energy.adder_pj": 1}`` as ``{"energy": {"adder_pj": 1}}``."""
    result: dict[str, Any] = {}
    for name, value in settings.items():
        part, dot, rest = name.partition(".")
        if dot:
            result.setdefault(part, {})[rest] = value
        elif isinstance(value, Mapping):
            result.setdefault(part, {}).update(value)
        else:
            result[name] = value
    return result


def _replace(part: Any, settings: Mapping[str, Any], where: str, prefix: str = "") -> Any:
    known = {item.name for item in fields(part)}
    if unknown := [name for name in settings if name not in known]:
        raise ConfigurationError(
            "\n".join(
                f"{prefix}{name} must be a field of the technology{nearest(name, known, prefix)} (technology {where})"
                for name in unknown
            )
        )
    changed = {}
    for name, value in settings.items():
        old = getattr(part, name)
        if is_dataclass(old):
            if not isinstance(value, Mapping):
                raise ConfigurationError(f"{name} must be a table of its fields, not {value!r} (technology {where})")
            value = _replace(old, value, where, f"{name}.")
        changed[name] = value
    return replace(part, **changed)
