"""Objectives and constraints as users write them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.objectives import COLUMNS, OBJECTIVES, ObjectiveError, matrix, parse_constraint, parse_objectives


def test_every_objective_has_its_own_column_and_a_direction() -> None:
    assert list(OBJECTIVES) == ["acc", "energy", "latency", "area", "edp", "dram", "storage", "ops"]
    assert len(set(COLUMNS)) == 8
    assert [name for name, o in OBJECTIVES.items() if o.maximise] == ["acc"]
    assert OBJECTIVES["energy"].title == "Energy per inference (µJ)"
    assert OBJECTIVES["ops"].title == "Synaptic operations"


@pytest.mark.parametrize(
    "text", ["acc,energy", " acc , energy ", ["acc", "energy"], "accuracy,energy_uj", "ACC,Energy,"]
)
def test_objectives_are_read_in_their_order(text: str) -> None:
    assert [o.name for o in parse_objectives(text)] == ["acc", "energy"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("enregy", "objective must be one of acc, energy, .*, not 'enregy'; did you mean 'energy'?"),
        ("", "at least one of acc, .* not empty"),
        ("acc,energy,acc", "once each, not repeated: acc"),
        ("acc,accuracy", "once each, not repeated: acc"),
    ],
)
def test_bad_objectives_say_what_to_write(text: str, message: str) -> None:
    with pytest.raises(ObjectiveError, match=message):
        parse_objectives(text)


@pytest.mark.parametrize("text", ["area_mm2<=0.8", "area <= 0.8", "AREA<=8e-1"])
def test_a_constraint_takes_a_column_or_an_objective(text: str) -> None:
    constraint = parse_constraint(text)
    assert (constraint.column, constraint.operator, constraint.bound) == ("area_mm2", "<=", 0.8)
    assert str(constraint) == "area_mm2<=0.8"
    assert parse_constraint(str(constraint)) == constraint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "area",
            "constraint must be COLUMN, one of <= >= < >, NUMBER, not 'area'; write one such as \"area_mm2<=0.8\"",
        ),
        ("area<<1", "constraint must be COLUMN"),
        ("area==1", "constraint must compare with <=, >=, < or >, not '=='"),
        ("aera<=1", "constraint must bound one of .*, not 'aera' .*; did you mean 'area'?"),
        ("area<=big", r"bound must be a finite number in mm², not 'big' \('area<=big'\)"),
        ("area<=nan", "bound must be a finite number in mm², not 'nan'"),
        ("ops<=inf", "bound must be a finite number, not 'inf'"),
        ("acc>=95", r"bound on accuracy must be a fraction in \[0, 1\], not 95 .*; 95 % is 0.95"),
    ],
)
def test_bad_constraints_say_what_to_write(text: str, message: str) -> None:
    with pytest.raises(ObjectiveError, match=message):
        parse_constraint(text)


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("<=", [True, True, False]),
        ("<", [True, False, False]),
        (">=", [False, True, True]),
        (">", [False, False, True]),
    ],
)
def test_each_operator_at_below_and_above_the_bound(operator: str, expected: list[bool]) -> None:
    constraint = parse_constraint(f"area{operator}2")
    values = np.array([1.0, 2.0, 3.0])
    assert constraint.satisfied(values).tolist() == expected
    assert (constraint.violation(values) <= 0).tolist() == expected


def test_a_missing_value_satisfies_nothing() -> None:
    assert not parse_constraint("area<=2").satisfied(np.array([np.nan]))[0]


@given(st.sampled_from(["<=", "<", ">=", ">"]), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_a_violation_is_positive_exactly_outside(operator: str, bound: float, value: float) -> None:
    constraint = parse_constraint(f"energy{operator}{bound!r}")
    assert bool(constraint.violation(value) <= 0) == bool(constraint.satisfied(value))


def test_a_violation_is_measured_in_shares_of_the_bound() -> None:
    assert parse_constraint("area<=2").violation(np.array([3.0, 1.0])).tolist() == [0.5, -0.5]
    assert parse_constraint("acc>=0.8").violation(0.6) == pytest.approx(0.25)


def test_the_matrix_keeps_order_units_and_sign() -> None:
    columns = {"accuracy": np.array([0.5, 0.9]), "energy_uj": np.array([3.0, 4.0])}
    assert matrix(columns, parse_objectives("energy,acc")).tolist() == [[3.0, 0.5], [4.0, 0.9]]
