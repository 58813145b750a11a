"""The whole way on real images: worker processes, training, prices, front, refinement, test set."""

from pathlib import Path

import pytest
from stand_in import TINY_SPACE, settings_in

from dse.results import open_study
from dse.study.refine import refine
from dse.study.search import resume, run_search

SHORT = TINY_SPACE.replace(
    "epochs = 1", "epochs = 2\ntrain_samples = 300\nbatch_size = 64\nlearning_rate = 1e-2"
).replace("[training.refine]\nepochs = 2", "[training.refine]\nepochs = 4\nbatch_size = 64\nlearning_rate = 1e-2")


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine, and the package of this checkout."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    monkeypatch.setattr("dse.study.settings.cores", lambda: 1)


def test_two_searches_share_trainings_and_agree_and_a_refinement_ends_on_the_test_set(tmp_path: Path) -> None:
    first = run_search(settings_in(tmp_path, SHORT, trials=3, seed=1))
    assert (first.trained, first.failed, first.cached) == (3, 0, 0)
    again = run_search(settings_in(tmp_path, SHORT, trials=3, seed=1, name="again"))
    assert again.cached == 3
    assert again.front == first.front
    folder = open_study(first.folder.path)
    assert all(0.05 < record.metrics["accuracy"] <= 1 for record in folder.networks())
    assert folder.manifest.data["classes"] == 10
    assert {record.score.data_digest for record in folder.networks()} == {folder.manifest.digests["data"]}
    assert {record.score.code_version for record in folder.networks()} == {folder.manifest.digests["code"]}
    refined = refine(first.folder.path, 1)
    (row,) = refined.rows
    assert row.test_deployed is not None
    assert row.test_deployed.samples != row.refined_deployed.samples or row.test_deployed != row.refined_deployed
    assert resume(first.folder.path, trials=4).trained == 4
