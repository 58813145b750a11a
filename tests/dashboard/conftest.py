"""Studies that the tests of the dashboard share."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "dse"), str(HERE.parent / "dse" / "study")]

from dse.results import StudyFolder  # noqa: E402


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory) -> StudyFolder:
    """A study of 14 networks found by a search with a stand-in for training: two refined, one failed."""
    from stand_in import InlineTrainers, settings_in, stand_in_score

    from dse.score import Failed, NetworkScore
    from dse.study.refine import refine
    from dse.study.search import run_search
    from dse.workers import Task

    def answer(task: Task) -> NetworkScore | Failed:
        if task.id == 3:
            return Failed("diverged", "loss became NaN </script><b>", 0.5)
        return stand_in_score(task.genome, task.recipe, task.seed)

    result = run_search(
        settings_in(tmp_path_factory.mktemp("searched"), trials=15), make_trainers=InlineTrainers(answer=answer)
    )
    refine(result.folder.path, 2, make_trainers=InlineTrainers(slots=4))
    return StudyFolder(result.folder.path)


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> StudyFolder:
    """A study of 20 networks on 5 machines each, two trainings failed."""
    from large_study import write_study

    return write_study(tmp_path_factory.mktemp("made-up"), "made-up", 20, 5, failures=2)
