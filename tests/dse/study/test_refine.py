"""Refining networks of the front: which ones, at which fidelity, and the test set once."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from stand_in import InlineTrainers, settings_in, stand_in_score

from dse.errors import StudyError
from dse.objectives import parse_objectives
from dse.results import FrontPoint, open_study
from dse.results.reference import Reference
from dse.score import Failed, NetworkScore
from dse.study.refine import refine
from dse.study.search import run_search
from dse.study.spread import spread_networks
from dse.tasks import Task

OBJECTIVES = parse_objectives("acc,energy")
REFERENCE = Reference({"accuracy": 0.1, "energy_uj": 1000.0})


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return run_search(settings_in(tmp_path, trials=10), make_trainers=InlineTrainers()).folder.path


def point(network: int, accuracy: float, energy: float) -> FrontPoint:
    metrics = {"accuracy": accuracy, "energy_uj": energy}
    return FrontPoint(f"{network}-0", network, 0, "", {}, None, metrics, accuracy, "short")  # type: ignore[arg-type]


def test_the_most_accurate_and_the_cheapest_are_always_among_them_and_the_rest_is_spread() -> None:
    front = [point(0, 0.9, 100), point(1, 0.89, 90), point(2, 0.88, 80), point(3, 0.5, 10), point(4, 0.2, 1)]
    assert spread_networks(front, OBJECTIVES, REFERENCE, 1) == (0,)
    assert spread_networks(front, OBJECTIVES, REFERENCE, 2) == (0, 4)
    assert spread_networks(front, OBJECTIVES, REFERENCE, 3) == (0, 4, 3)
    assert set(spread_networks(front, OBJECTIVES, REFERENCE, 9)) == {0, 1, 2, 3, 4}
    assert spread_networks([], OBJECTIVES, REFERENCE, 3) == ()
    assert spread_networks(front, OBJECTIVES, REFERENCE, 0) == ()


def test_a_network_with_several_points_counts_once() -> None:
    front = [point(0, 0.9, 100), point(0, 0.9, 50), point(0, 0.9, 1)]
    assert spread_networks(front, OBJECTIVES, REFERENCE, 3) == (0,)


def test_every_fidelity_stands_side_by_side(study: Path) -> None:
    result = refine(study, 2, make_trainers=InlineTrainers())
    assert (len(result.rows), result.stop_reason, result.failed) == (2, "done", {})
    networks = {record.number: record for record in open_study(study).networks()}
    for row in result.rows:
        assert row.genome_digest == networks[row.number].digest
        assert row.short_deployed.correct == networks[row.number].score.deployed_correct
        assert row.refined_deployed.correct > row.short_deployed.correct
        assert row.test_deployed is not None
        assert (row.test_deployed.correct, row.test_deployed.samples) == (890, 1000)
        low, high = row.test_deployed.interval
        assert low < 0.89 < high
    written = json.loads((study / "refined.json").read_text())
    assert [row["number"] for row in written["networks"]] == [row.number for row in result.rows]


def test_refined_points_are_tagged_and_the_short_front_stays(study: Path) -> None:
    before = (study / "front.json").read_bytes()
    result = refine(study, 2, make_trainers=InlineTrainers())
    assert {point.fidelity for point in result.front} == {"refined"}
    assert (study / "front.json").read_bytes() == before
    assert {p.fidelity for p in open_study(study).front()} == {"short"}
    assert open_study(study).refined_front() == result.front
    assert len((study / "refined-front.csv").read_text().splitlines()) == len(result.front) + 1


def test_refined_networks_are_priced_with_their_own_rates(study: Path) -> None:
    def busier(task: Task) -> NetworkScore:
        score = stand_in_score(task.genome, task.recipe, task.seed)
        rates = {name: tuple(min(1.0, 3 * rate) for rate in rates) for name, rates in score.firing_rates.items()}
        return replace(score, firing_rates=rates)

    refine(study, 1, make_trainers=InlineTrainers(answer=busier))
    folder = open_study(study)
    (refined,) = folder.refined()
    assert refined.best["energy_uj"] > folder.networks()[refined.number].best["energy_uj"]


def test_the_test_set_is_asked_once_and_only_after_all_training(study: Path) -> None:
    first, second = InlineTrainers(), InlineTrainers()
    refine(study, 2, make_trainers=first)
    refine(study, 3, make_trainers=second)
    assert len(first.tested) == 2
    assert len(second.trained) == len(second.tested)
    assert not set(first.tested) & set(second.tested)
    (entry, _) = open_study(study).manifest.refined
    assert sorted(entry["tested"]) == sorted(entry["networks"])
    assert entry["test_asked"] >= open_study(study).manifest.created


def test_a_failed_refinement_is_told_and_does_not_stop_the_others(study: Path) -> None:
    calls = iter([True, False, False])

    def answer(task: Task) -> object:
        failed = Failed("over-budget", "too slow", 1.0)
        return failed if next(calls) else stand_in_score(task.genome, task.recipe, task.seed)

    result = refine(study, 2, make_trainers=InlineTrainers(answer=answer))  # type: ignore[arg-type]
    assert len(result.rows) == 1
    assert [failure.reason for failure in result.failed.values()] == ["over-budget"]
    assert open_study(study).failures() == []


def test_progress_counts_trainings_and_tests(study: Path) -> None:
    seen = []
    refine(study, 2, seen.append, make_trainers=InlineTrainers())
    assert [(p.phase, p.done) for p in seen] == [
        ("refining", 0),
        ("refining", 1),
        ("refining", 2),
        ("testing", 0),
        ("testing", 1),
        ("testing", 2),
    ]


def test_an_empty_front_cannot_be_refined(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, trials=2, constraints=("acc>=0.9999",))
    path = run_search(settings, make_trainers=InlineTrainers()).folder.path
    with pytest.raises(StudyError, match="must hold a network to refine"):
        refine(path, 2, make_trainers=InlineTrainers())
