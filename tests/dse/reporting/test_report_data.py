"""Report data: what is drawn is decided here, and tested without a browser."""

import csv
import io
import itertools
from dataclasses import replace

import pytest
from made_up import ACCURACY, ENERGY, OTHERS, point, share, study

from dse.reporting.report_data import (
    MOST_PARTS,
    Accuracies,
    ReportData,
    bars_shown,
    csv_rows,
    fidelities,
    parts_by_size,
    parts_shown,
    percent,
    scatter_axes,
    staircase,
)


def test_the_scatter_has_a_cost_across_and_accuracy_up_in_any_order() -> None:
    data = study(3)
    assert scatter_axes(data) == (ENERGY, ACCURACY)
    assert scatter_axes(replace(data, objectives=(ENERGY, ACCURACY))) == (ENERGY, ACCURACY)
    assert scatter_axes(replace(data, objectives=(ENERGY, OTHERS[0]))) == (ENERGY, OTHERS[0])
    assert scatter_axes(replace(data, objectives=(ACCURACY,))) == (ENERGY, ACCURACY)
    assert scatter_axes(replace(data, objectives=(OTHERS[0],)))[1] == OTHERS[0]


@pytest.mark.parametrize("up_is_better", [True, False])
def test_the_staircase_bounds_exactly_what_the_points_dominate(up_is_better: bool) -> None:
    sign = 1 if up_is_better else -1
    points = [(3.0, 0.9 * sign), (1.0, 0.5 * sign), (2.0, 0.7 * sign)]
    corners = staircase(points, up_is_better)
    assert set(points) <= set(corners)
    for (x, y), (next_x, next_y) in itertools.pairwise(corners):
        assert x == next_x or y == next_y
        assert next_x >= x
    for across in (1.2, 1.9, 2.5, 2.99):
        best = max(up * sign for x, up in points if x <= across)
        level = [y for x, y in corners if x <= across][-1]
        assert level * sign == best


def test_a_staircase_of_one_point_or_none_is_that() -> None:
    assert staircase([(1.0, 0.5)], True) == [(1.0, 0.5)]
    assert staircase([], True) == []


def test_bars_are_thinned_evenly_with_both_ends() -> None:
    points = study(100).front
    shown = bars_shown(points, most=10)
    places = [points.index(each) for each in shown]
    assert len(shown) == 10
    assert (places[0], places[-1]) == (0, 99)
    assert {b - a for a, b in itertools.pairwise(places)} == {11}
    assert bars_shown(points[:10], most=10) == points[:10]


def test_parts_are_ordered_by_size_and_small_ones_are_added_up() -> None:
    points = study(4).front
    names = parts_by_size(points, "energy_uj")
    assert (names[0], names[-1]) == ("dram", "membrane_sram")
    shown = parts_shown(points, "energy_uj")
    assert len(shown) == MOST_PARTS + 1
    for index, each in enumerate(points):
        assert sum(values[index] for values in shown.values()) == pytest.approx(sum(each.energy_uj.values()))


def test_a_part_that_is_zero_everywhere_is_not_shown() -> None:
    one = replace(point(0, 0.9, 1.0), energy_uj={"dram": 1.0, "pooling": 0.0})
    assert parts_shown([one], "energy_uj") == {"dram": [1.0]}


def test_fidelities_rise_and_only_measured_ones_are_named() -> None:
    assert fidelities(study(5).front) == ("short", "refined", "test")
    assert fidelities([point(0, 0.9, 1.0)]) == ("short",)
    assert fidelities([]) == ()


def test_a_share_is_shown_with_half_its_interval() -> None:
    assert percent(share(0.5, 100)) == "50.0 % ±9.8"
    assert percent(None) == "–"


def cells(data: ReportData) -> list[dict[str, str]]:
    text = io.StringIO()
    csv.writer(text).writerows(csv_rows(data))
    return list(csv.DictReader(io.StringIO(text.getvalue())))


def test_the_csv_holds_unrounded_numbers_and_blanks_for_what_was_not_measured() -> None:
    data = study(6)
    rows = cells(data)
    for row, each in zip(rows, data.front, strict=True):
        assert float(row["energy_uj"]) == each.metrics["energy_uj"]
        assert float(row["short_deployed_accuracy"]) == each.accuracies["short"].deployed.value
        assert row["network"] == each.network
        assert (row["test_deployed_accuracy"] == "") == ("test" not in each.accuracies)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_the_csv_never_starts_a_cell_with_what_a_spreadsheet_runs(start: str) -> None:
    data = study(1)
    hostile = replace(data.front[0], network=start + "HYPERLINK(1)", id=start + "1")
    row = cells(replace(data, front=(hostile,)))[0]
    assert (row["network"][0], row["id"][0]) == ("'", "'")


def test_float_and_deployed_accuracy_are_not_swapped() -> None:
    measured = Accuracies(float_network=share(0.9), deployed=share(0.8))
    data = study(1)
    row = cells(replace(data, front=(replace(data.front[0], accuracies={"short": measured}),)))[0]
    assert (float(row["short_float_accuracy"]), float(row["short_deployed_accuracy"])) == (0.9, 0.8)
