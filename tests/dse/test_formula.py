"""Objectives of the user's own: formulas over columns, against plain Python on the same text."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costmodels.errors import InputError
from dse.formula import LONGEST, FormulaError, canonical, columns_of, evaluate
from dse.objectives import COLUMNS, parse_constraint, parse_objectives, with_formulas

COLUMN_NAMES = {"a": "a", "b": "b", "first": "a"}
VALUES = {"a": 3.0, "b": 0.25}


def formulas() -> st.SearchStrategy[str]:
    leaf = st.sampled_from(["a", "b", "first", "2", "0.5", "a ** 2", "b**0.5"])
    return st.recursive(
        leaf,
        lambda part: st.tuples(part, st.sampled_from("+*/"), part).map("({0[0]}{0[1]}{0[2]})".format),
        max_leaves=6,
    )


@given(formulas())
def test_a_formula_is_worth_what_python_says(text: str) -> None:
    if len(text) > LONGEST:
        return
    shown = canonical(text, COLUMN_NAMES)
    assert evaluate(shown, VALUES) == pytest.approx(eval(text, {"a": 3.0, "b": 0.25, "first": 3.0}))
    assert canonical(shown, COLUMN_NAMES) == shown
    assert columns_of(shown) <= {"a", "b"}
    arrays = {"a": np.array([3.0, 1.0]), "b": np.array([0.25, 2.0])}
    rows = [evaluate(shown, {"a": a, "b": b}) for a, b in zip(arrays["a"], arrays["b"], strict=True)]
    assert np.broadcast_to(evaluate(shown, arrays), 2) == pytest.approx(rows)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a - b", "formula must join columns and positive numbers .*, not 'a - b'"),
        ("-a", "not '-a'"),
        ("a * -2", "not '-2'"),
        ("a * 0", "not '0'"),
        ("a ^ 2", r"not 'a \^ 2'"),
        ("a ** b", r"not 'a \*\* b'"),
        ("(a * b) ** 2", r"be COLUMN \*\* NUMBER"),
        ("a ** 11", "exponent must be above 0, at most 10, not 11"),
        ("a ** True", "exponent must be"),
        ("a * c", "formula must use a, b, first, not 'c'"),
        ("a *", "formula must join columns"),
        ("a * 1e999", "not '1e309'"),
        ("a * 2j", "not '2j'"),
        ("a.__class__ * a", "not 'a.__class__'"),
        ("f(a) * a", r"not 'f\(a\)'"),
        ("a+" * LONGEST + "a", f"at most {LONGEST} signs"),
        ("(" * 199 + "a", "formula must join"),
        ("a * \0", "formula must join"),
    ],
)
def test_what_is_no_formula_is_refused_with_the_part_that_is_wrong(text: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message):
        canonical(text, COLUMN_NAMES)


@given(st.text(alphabet="ab+*/-^() 0123456789.,_\n'\"[]{}:=e\0", max_size=60))
def test_any_text_is_a_formula_or_an_error_that_says_so(text: str) -> None:
    try:
        value = evaluate(canonical(text, COLUMN_NAMES), VALUES)
    except FormulaError:
        return
    assert value > 0 or math.isinf(value)


def test_an_objective_may_be_a_formula_of_names_or_columns() -> None:
    (accuracy, own) = parse_objectives("acc, energy*area ** 2")
    assert (accuracy.name, own.name, own.column) == ("acc", "energy_uj * area_mm2 ** 2", "energy_uj * area_mm2 ** 2")
    assert not own.maximise
    assert own.needs_machine
    assert own.needs_training
    assert parse_objectives(own.name) == (own,)
    assert not parse_objectives("area+storage")[0].needs_training


def test_a_constraint_may_bound_a_formula() -> None:
    constraint = parse_constraint("energy * area <= 0.5")
    assert constraint.column == "energy_uj * area_mm2"
    assert parse_constraint(str(constraint)) == constraint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("acc*energy", "formula must use energy, .*, not 'acc'"),
        ("storage*ops", "formula must use a column of the machine"),
        ("energy*area,area_mm2 *energy_uj,energy*area", "once each, not repeated: energy_uj . area_mm2"),
    ],
)
def test_what_no_search_can_minimise_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_objectives(text)


def test_formulas_become_columns() -> None:
    metrics = {column: np.array([2.0, 3.0]) for column in COLUMNS}
    found = with_formulas(metrics, parse_objectives("acc,energy*area"))
    assert list(found) == [*COLUMNS, "energy_uj * area_mm2"]
    assert found["energy_uj * area_mm2"].tolist() == [4.0, 9.0]
