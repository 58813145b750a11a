"""Pricing a study again without training."""

import json
from pathlib import Path

import numpy as np
import pytest
from stand_in import SPACE, InlineTrainers, settings_in

from costmodels.errors import InputError
from dse.study.recost import recost
from dse.study.search import StudyResult, run_search


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    return run_search(settings_in(tmp_path_factory.mktemp("study"), trials=8), make_trainers=InlineTrainers())


def test_the_same_assumptions_give_the_same_front(study: StudyResult) -> None:
    result = recost(study.folder.path)
    assert result.front == study.front == result.before
    assert (result.networks, result.machines, result.left_out) == (8, 48, ())


def test_dearer_dram_costs_what_its_traffic_says(study: StudyResult) -> None:
    """Slow twin: energy grows by the bits moved times the difference of the price, machine by machine."""
    old = json.loads((study.folder.path / "manifest.json").read_text())["technology"]["dram_pj_per_bit"]
    result = recost(study.folder.path, dram_pj_per_bit=old + 10.0)
    before = {p.id: p for r in study.folder.networks() for p in _points(r)}
    same = [p for p in result.front if p.id in before]
    assert same
    for point in same:
        extra_uj = point.metrics["dram_kib"] * 8192 * 10.0 / 1e6
        assert point.metrics["energy_uj"] == pytest.approx(before[point.id].metrics["energy_uj"] + extra_uj)


def _points(record: object) -> tuple[object, ...]:
    from dse.results.records import points_of

    return points_of(record)  # type: ignore[arg-type]


def test_other_machines_are_enumerated(study: StudyResult, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(SPACE.replace("vector_width = [2, 4, 8]", "vector_width = [16]"))
    result = recost(study.folder.path, space=str(other))
    assert result.machines == 16
    assert {point.machine.vector_width for point in result.front} == {16}


def test_other_objectives_and_constraints_need_no_training_either(study: StudyResult) -> None:
    result = recost(study.folder.path, objectives=("acc", "area"))
    areas = [point.metrics["area_mm2"] for point in result.front]
    bound = float(np.median(areas))
    bounded = recost(study.folder.path, objectives=("acc", "area"), constraints=(f"area_mm2<{bound}",))
    assert all(point.metrics["area_mm2"] < bound for point in bounded.front)
    assert bounded.folder != result.folder


def test_a_network_nothing_runs_any_more_is_left_out(study: StudyResult) -> None:
    result = recost(study.folder.path, constraints=("energy<=1e-9",))
    assert (result.front, len(result.left_out)) == ((), 8)


def test_the_study_itself_stays_as_it_was(study: StudyResult) -> None:
    names = ("front.csv", "front.json", "manifest.json", "networks.jsonl", "study.db", "history.csv")
    before = {name: (study.folder.path / name).read_bytes() for name in names}
    folder = recost(study.folder.path, dram_pj_per_bit=1.0).folder
    assert {name: (study.folder.path / name).read_bytes() for name in names} == before
    assert sorted(p.name for p in folder.iterdir()) == ["front.csv", "front.json", "recost.json"]
    assert json.loads((folder / "recost.json").read_text())["technology"]["dram_pj_per_bit"] == 1.0
    assert folder == recost(study.folder.path, dram_pj_per_bit=1.0).folder


@pytest.mark.parametrize(
    "wrong", [{"technology": "lp41"}, {"dram_pj_per_bit": -1.0}, {"space": "nowhere"}, {"objectives": ("x",)}]
)
def test_bad_input_writes_nothing(study: StudyResult, wrong: dict[str, object]) -> None:
    before = sorted(p.name for p in study.folder.path.iterdir())
    with pytest.raises(InputError):
        recost(study.folder.path, **wrong)  # type: ignore[arg-type]
    assert sorted(p.name for p in study.folder.path.iterdir()) == before


def test_it_works_without_the_cache_of_trained_networks(study: StudyResult) -> None:
    pruned = [record for record in study.folder.networks(masks=True) if record.score.masks]
    assert pruned
    assert not (study.folder.path.parents[1] / "cache").exists()
