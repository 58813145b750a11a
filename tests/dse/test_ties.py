"""Points of a front whose place rests on a difference in accuracy that the samples do not show."""

from types import SimpleNamespace
from typing import Any

import pytest

from dse.objectives import parse_objectives
from dse.results.ties import ties

SAMPLES = 1000
# Wilson's 95 % interval of 950 of 1,000 is 93.5 to 96.2 %, of 930 it is 91.2 to 94.4 %, of 900 it is 88.0 to 91.7 %
# (computed by hand from the formula of the paper): the first two overlap, so do the last two, the ends do not.


def front(*points: tuple[str, int, float, float]) -> tuple[list[Any], dict[int, Any]]:
    """Points of (id, right answers, energy, area); the network's number is the id's first part."""
    found, records = [], {}
    for name, right, energy, area in points:
        network = int(name.split("-")[0])
        metrics = {"accuracy": right / SAMPLES, "energy_uj": energy, "area_mm2": area}
        found.append(SimpleNamespace(id=name, network=network, metrics=metrics))
        records[network] = SimpleNamespace(score=SimpleNamespace(deployed_correct=right, samples=SAMPLES))
    return found, records


def tied(objectives: str, *points: tuple[str, int, float, float]) -> dict[str, str]:
    found, records = front(*points)
    return ties(found, records, parse_objectives(objectives))


THREE = (("0-7", 950, 3.0, 1.0), ("1-7", 930, 2.0, 1.0), ("2-7", 900, 1.0, 1.0))


def test_a_point_is_tied_with_a_cheaper_one_whose_interval_overlaps_and_with_no_other() -> None:
    assert tied("acc,energy", *THREE) == {"0-7": "1-7", "1-7": "2-7"}


def test_order_does_not_matter() -> None:
    assert tied("acc,energy", *THREE[::-1]) == tied("acc,energy", *THREE)


def test_of_several_the_cheapest_is_named() -> None:
    assert tied("acc,energy", *THREE, ("3-7", 925, 1.5, 1.0))["0-7"] == "3-7"


def test_a_point_that_is_worse_in_another_objective_ties_with_nobody() -> None:
    more_area = (THREE[0], ("1-7", 930, 2.0, 1.5), ("2-7", 900, 1.0, 2.0))
    assert tied("acc,energy,area", *more_area) == {}


def test_machines_of_one_network_are_alternatives_not_ties() -> None:
    assert tied("acc,energy,area", ("0-7", 950, 3.0, 1.0), ("0-8", 950, 2.0, 2.0)) == {}


def test_the_same_samples_right_at_the_same_cost_of_two_networks_tie() -> None:
    assert tied("acc,energy", ("0-7", 950, 3.0, 1.0), ("1-7", 949, 3.0, 1.0)) == {"0-7": "1-7", "1-7": "0-7"}


@pytest.mark.parametrize("objectives", ["acc", "energy,area", "energy"])
def test_without_accuracy_and_a_cost_nothing_is_tied(objectives: str) -> None:
    assert tied(objectives, *THREE) == {}


def test_no_point_is_no_tie() -> None:
    assert tied("acc,energy") == {}
