"""What a search can ask for: objectives with direction, unit and column, and constraints on those columns."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from costmodels.errors import InputError
from dse.formula import FormulaError, canonical, columns_of, evaluate, is_formula

Direction = Literal["maximise", "minimise"]


class ObjectiveError(InputError):
    """An objective or a constraint that does not exist or cannot hold."""


@dataclass(frozen=True)
class Objective:
    """One thing to make large or small.

    Attributes:
        name: what the user types.
        column: the metric column of every table and file; of an objective of the user's own, its formula.
        label: what a reader sees, without the unit.
        unit: of the column; empty for a plain number.
        direction: ``"maximise"`` or ``"minimise"``.
        needs_machine: differs between machines of one network.
        needs_training: cannot be known before the network is trained.
    """

    name: str
    column: str
    label: str
    unit: str
    direction: Direction
    needs_machine: bool
    needs_training: bool

    @property
    def maximise(self) -> bool:
        """True where larger is better."""
        return self.direction == "maximise"

    @property
    def title(self) -> str:
        """Label with unit, as on an axis."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


OBJECTIVES: dict[str, Objective] = {
    objective.name: objective
    for objective in (
        Objective("acc", "accuracy", "Deployed accuracy", "fraction", "maximise", False, True),
        Objective("energy", "energy_uj", "Energy per inference", "µJ", "minimise", True, True),
        Objective("latency", "latency_ms", "Latency", "ms", "minimise", True, True),
        Objective("area", "area_mm2", "Area", "mm²", "minimise", True, False),
        Objective("edp", "edp_uj_ms", "Energy-delay product", "µJ·ms", "minimise", True, True),
        Objective("dram", "dram_kib", "DRAM traffic", "KiB", "minimise", True, True),
        Objective("storage", "storage_kib", "Weight storage", "KiB", "minimise", False, False),
        Objective("ops", "operations", "Synaptic operations", "", "minimise", False, False),
    )
}
"""Objectives by the name the user types."""

SMALLEST_SCALE = 1e-12
"""A bound nearer to 0 than this cannot be what its violation is measured in."""

DEFAULT_OBJECTIVES = ("acc", "energy")
COLUMNS: tuple[str, ...] = tuple(objective.column for objective in OBJECTIVES.values())
MACHINE_COLUMNS: tuple[str, ...] = tuple(o.column for o in OBJECTIVES.values() if o.needs_machine)
NETWORK_COLUMNS: tuple[str, ...] = tuple(o.column for o in OBJECTIVES.values() if not o.needs_machine)
BY_COLUMN: dict[str, Objective] = {objective.column: objective for objective in OBJECTIVES.values()}

Compare = Callable[[Any, float], Any]
_COMPARE: dict[str, Compare] = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}
_CONSTRAINT = re.compile(r"\s*([^<>=]*[^<>=\s])\s*(<=|>=|==|=|<|>)\s*([^\s<>=]+)\s*")


def parse_objectives(names: str | Sequence[str]) -> tuple[Objective, ...]:
    """The objectives named in ``"acc,energy"`` or ``["acc", "energy"]``, in that order.

    Raises:
        ObjectiveError: an unknown or repeated name, or none at all.
    """
    listed = names.split(",") if isinstance(names, str) else list(names)
    wanted = [name.strip() for name in listed if name.strip()]
    if not wanted:
        raise ObjectiveError(f"objectives must be at least one of {', '.join(OBJECTIVES)}, not empty")
    chosen = tuple(_objective(name) for name in wanted)
    repeated = sorted({o.name for o in chosen if chosen.count(o) > 1})
    if repeated:
        raise ObjectiveError(f"objectives must be given once each, not repeated: {', '.join(repeated)}")
    return chosen


def _objective(name: str) -> Objective:
    """The objective of that name, column or formula."""
    found = known_objective(name)
    if found is None:
        rule = f"one of {', '.join(OBJECTIVES)} or a formula of their columns"
        raise ObjectiveError(f"objective must be {rule}, not {name!r}{_nearest(name)}")
    return found


def known_objective(name: str) -> Objective | None:
    """The objective of that name, column or formula; None where it is none of them.

    Raises:
        FormulaError: a formula that cannot be used.
    """
    found = OBJECTIVES.get(name.lower()) or BY_COLUMN.get(name.lower())
    return _own_objective(name) if found is None and is_formula(name) else found


def _own_objective(text: str) -> Objective:
    """The cost that a formula of the columns gives, to be made small."""
    costs = {name: o for o in OBJECTIVES.values() if not o.maximise for name in (o.name, o.column)}
    column = canonical(text.lower(), {name: objective.column for name, objective in costs.items()})
    used = [costs[name] for name in columns_of(column)]
    if not any(objective.needs_machine for objective in used):
        rule = f"use a column of the machine ({', '.join(MACHINE_COLUMNS)})"
        raise FormulaError(f"formula must {rule}, not only of the network ({text!r})")
    trained = any(objective.needs_training for objective in used)
    return Objective(column, column, column, "", "minimise", True, trained)


def with_formulas(metrics: Mapping[str, Any], objectives: Sequence[Objective]) -> dict[str, Any]:
    """``metrics`` with a further column for each objective that is a formula."""
    own = {o.column: evaluate(o.column, metrics) for o in objectives if o.column not in BY_COLUMN}
    return {**metrics, **own}


def _nearest(name: str) -> str:
    """A did-you-mean for ``name``, or nothing."""
    near = get_close_matches(name.lower(), [*OBJECTIVES, *COLUMNS], n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


@dataclass(frozen=True)
class Constraint:
    """A bound on one metric column, in the unit of that column.

    Attributes:
        objective: whose column is bounded (it need not be an objective of the search).
        operator: ``<=``, ``>=``, ``<`` or ``>``.
        bound: in the unit of the column.
    """

    objective: Objective
    operator: Literal["<=", ">=", "<", ">"]
    bound: float

    @property
    def column(self) -> str:
        """The bounded column."""
        return self.objective.column

    def satisfied(self, values: NDArray[np.float64] | float) -> NDArray[np.bool_]:
        """Booleans shaped as ``values``; NaN satisfies nothing."""
        return np.asarray(_COMPARE[self.operator](np.asarray(values, dtype=np.float64), self.bound), dtype=np.bool_)

    def violation(self, values: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """How far outside the bound, in shares of it: at most 0 exactly where `satisfied`, shaped as ``values``."""
        sign = 1.0 if self.operator in ("<=", "<") else -1.0
        scale = abs(self.bound) if abs(self.bound) > SMALLEST_SCALE else 1.0
        over = sign * (np.asarray(values, dtype=np.float64) - self.bound) / scale
        tiny = np.finfo(np.float64).tiny
        return np.where(self.satisfied(values), np.minimum(over, 0.0), np.maximum(over, tiny))

    def __str__(self) -> str:
        return f"{self.column}{self.operator}{self.bound:g}"


def parse_constraint(text: str) -> Constraint:
    """The constraint written as ``"area_mm2<=0.8"``; the objective's name works in place of its column.

    Raises:
        ObjectiveError: not of that form, an unknown column, or a bound that is no finite number.
    """
    example = 'such as "area_mm2<=0.8"'
    match = _CONSTRAINT.fullmatch(text)
    if match is None:
        raise ObjectiveError(f"constraint must be COLUMN, one of <= >= < >, NUMBER, not {text!r}; write one {example}")
    name, sign, number = match.groups()
    if sign not in _COMPARE:
        raise ObjectiveError(
            f"constraint must compare with <=, >=, < or >, not {sign!r} ({text!r}); write one {example}"
        )
    objective = known_objective(name)
    if objective is None:
        known = ", ".join(COLUMNS)
        raise ObjectiveError(f"constraint must bound one of {known}, not {name!r} ({text!r}){_nearest(name)}")
    return Constraint(objective, sign, _bound(number, objective, text))  # type: ignore[arg-type]


def _bound(number: str, objective: Objective, text: str) -> float:
    """The bound as a number that the column can reach."""
    try:
        value = float(number)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        unit = f" in {objective.unit}" if objective.unit else ""
        raise ObjectiveError(f"bound must be a finite number{unit}, not {number!r} ({text!r})")
    if objective.name == "acc" and not 0.0 <= value <= 1.0:
        raise ObjectiveError(f"bound on accuracy must be a fraction in [0, 1], not {number} ({text!r}); 95 % is 0.95")
    return value


def matrix(metrics: Mapping[str, NDArray[np.float64]], objectives: Sequence[Objective]) -> NDArray[np.float64]:
    """The objectives' columns side by side, ``points x objectives``, in their own units and directions."""
    columns = [np.asarray(metrics[objective.column], dtype=np.float64) for objective in objectives]
    return np.stack(np.broadcast_arrays(*columns), axis=-1)
