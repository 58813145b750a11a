"""Formulas over metric columns, such as ``energy_uj * area_mm2``: no differences, so that they stay positive."""

import ast
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from costmodels.errors import InputError

LONGEST = 200
LARGEST_EXPONENT = 10
EXAMPLE = "such as energy_uj * area_mm2 ** 2"

_OPERATIONS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
}


class FormulaError(InputError):
    """A text that is no formula over the known columns."""


def is_formula(text: str) -> bool:
    """Whether ``text`` has an operator in it, so that it cannot be the name of a column."""
    return any(sign in text for sign in "+-*/^()")


def canonical(text: str, columns: Mapping[str, str]) -> str:
    """The formula with columns in place of their other names, and spaced alike however it was typed.

    Args:
        text: columns and positive numbers joined by ``+``, ``*``, ``/`` and brackets, and ``COLUMN ** NUMBER``.
        columns: what a user may write (a column or another name of it) to the column.

    Raises:
        FormulaError: anything else.
    """
    tree = _parsed(text)
    _check(tree, text, columns)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = columns[node.id]
    return ast.unparse(tree)


def columns_of(formula: str) -> frozenset[str]:
    """The columns that a formula in `canonical` form uses."""
    return frozenset(node.id for node in ast.walk(_parsed(formula)) if isinstance(node, ast.Name))


def evaluate(formula: str, metrics: Mapping[str, Any]) -> Any:
    """The value of a formula in `canonical` form: a number, or an array shaped as the columns in ``metrics``."""
    return _value(_parsed(formula), metrics)


def _parsed(text: str) -> ast.expr:
    try:
        if len(text) <= LONGEST:
            return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        pass
    raise FormulaError(f"formula must join columns by + * / and at most {LONGEST} signs, not {text[:60]!r}; {EXAMPLE}")


def _check(node: ast.expr, text: str, columns: Mapping[str, str]) -> None:
    """Refuse what is neither a known column, a positive number nor an operation on such."""
    match node:
        case ast.Name(id=name):
            if name not in columns:
                raise FormulaError(f"formula must use {', '.join(columns)}, not {name!r} ({text!r})")
        case ast.Constant(value=float() | int() as number) if number is not True and 0 < number < float("inf"):
            pass
        case ast.BinOp(left=ast.Name() as base, op=ast.Pow(), right=ast.Constant(value=float() | int() as power)):
            if power is True or not 0 < power <= LARGEST_EXPONENT:
                raise FormulaError(f"exponent must be above 0, at most {LARGEST_EXPONENT}, not {power} ({text!r})")
            _check(base, text, columns)
        case ast.BinOp(left=left, op=ast.Add() | ast.Mult() | ast.Div(), right=right):
            _check(left, text, columns)
            _check(right, text, columns)
        case _:
            rule = "join columns and positive numbers by + * / and brackets, or be COLUMN ** NUMBER"
            raise FormulaError(f"formula must {rule}, not {ast.unparse(node)!r} ({text!r}); {EXAMPLE}")


def _value(node: ast.expr, metrics: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.BinOp):
        return _OPERATIONS[type(node.op)](_value(node.left, metrics), _value(node.right, metrics))
    return metrics[node.id] if isinstance(node, ast.Name) else float(node.value)  # type: ignore[attr-defined]
