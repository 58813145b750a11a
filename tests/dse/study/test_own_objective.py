"""A search for a formula of the user's own, from the sampler to the report and the dashboard."""

import csv

import numpy as np
import pytest
from stand_in import InlineTrainers, settings_in

from dse.cli.fronts import front_json
from dse.reporting.candidates import candidates
from dse.reporting.from_study import report_data
from dse.reporting.page import render
from dse.results.records import points_of
from dse.study.recost import recost
from dse.study.refine import refine
from dse.study.search import StudyResult, resume, run_search

FORMULA = "energy_uj * area_mm2"


@pytest.fixture(scope="module", params=["nested", "joint"])
def study(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    settings = settings_in(
        tmp_path_factory.mktemp("own"),
        trials=8,
        mode=request.param,
        objectives=("acc", "energy*area"),
        constraints=("energy*area<=50",),
    )
    found = run_search(settings, make_trainers=InlineTrainers())
    refine(found.folder.path, 1, make_trainers=InlineTrainers())
    return found


def test_the_front_is_that_of_the_formula(study: StudyResult) -> None:
    """Slow twin: the product of the two columns, and every pair of points compared."""
    points = [point for record in study.folder.networks() for point in points_of(record)]
    assert points
    for point in points:
        assert point.metrics[FORMULA] == pytest.approx(point.metrics["energy_uj"] * point.metrics["area_mm2"])
        assert point.metrics[FORMULA] <= 50
    keys = {point.id: (-point.metrics["accuracy"], point.metrics[FORMULA]) for point in points}
    best = {id for id, key in keys.items() if not any(_dominates(other, key) for other in keys.values())}
    assert {point.id for point in study.front} <= best
    assert {keys[point.id] for point in study.front} == {keys[id] for id in best}


def _dominates(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return a != b and a[0] <= b[0] and a[1] <= b[1]


def test_the_reference_and_the_trace_know_the_formula(study: StudyResult) -> None:
    assert study.folder.reference.values[FORMULA] > 0
    volumes = [record.hypervolume for record in study.folder.networks()]
    assert volumes == sorted(volumes)
    assert 0 < volumes[-1] < np.inf


def test_files_report_and_dashboard_have_its_column(study: StudyResult) -> None:
    rows = list(csv.DictReader((study.folder.path / "front.csv").read_text(encoding="utf-8").splitlines()))
    assert [float(row[FORMULA]) for row in rows] == [point.metrics[FORMULA] for point in study.front]
    assert FORMULA in front_json(study.folder)["front"][0]["metrics"]
    assert FORMULA in render(report_data(study.folder))
    table = candidates(study.folder)
    shown = table.metrics[FORMULA][np.isfinite(table.metrics["energy_uj"])]
    assert len(shown)
    assert np.isfinite(shown).all()


def test_a_study_of_a_formula_goes_on_and_is_recosted(study: StudyResult) -> None:
    again = resume(study.folder.path, trials=10, make_trainers=InlineTrainers())
    assert len(again.folder.networks()) > 8 or again.failed or again.stop_reason
    assert recost(study.folder.path, objectives=("acc", "latency*area*2")).front
