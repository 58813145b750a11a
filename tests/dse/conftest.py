"""What the tests of command line and report share: a small finished study, trained by a stand-in."""

import sys
from functools import partial
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "study"), str(HERE / "reporting"), str(HERE / "training")]


@pytest.fixture(scope="session")
def finished_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a study of 14 networks, two of them refined and tested, one training failed. Not to be changed."""
    from stand_in import InlineTrainers, settings_in

    from dse.score import Failed, NetworkScore
    from dse.study.refine import refine
    from dse.study.search import run_search
    from dse.workers import Task

    def answer(task: Task) -> NetworkScore | Failed:
        from stand_in import stand_in_score

        if task.id == 3:
            return Failed("diverged", "loss became NaN in epoch 1 </script><b>", 0.5)
        return stand_in_score(task.genome, task.recipe, task.seed)

    folder = tmp_path_factory.mktemp("studies")
    trainers = InlineTrainers(answer=answer)
    result = run_search(settings_in(folder, trials=15), make_trainers=trainers)
    refine(result.folder.path, 2, make_trainers=InlineTrainers(slots=4))
    return result.folder.path


@pytest.fixture
def stand_in_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """`dse search` trains by a stand-in, in this process."""
    from stand_in import InlineTrainers

    from dse.study import refine as refine_module
    from dse.study import search as search_module

    for module, name in ((search_module, "run_search"), (search_module, "resume"), (refine_module, "refine")):
        whole = getattr(module, name)
        monkeypatch.setattr(module, name, partial(whole, make_trainers=InlineTrainers(slots=4)))
