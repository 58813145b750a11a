"""Killing a search at any moment loses at most what was in training, and Ctrl-C nothing at all."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from stand_in import InlineTrainers, settings_as_arguments, settings_in

from dse.errors import StudyError
from dse.results import StudyFolder, open_study
from dse.study.refine import refine
from dse.study.search import resume

SCRIPT = str(Path(__file__).with_name("searching.py"))
ROOT = str(Path(__file__).parents[3])


@pytest.fixture(scope="module")
def starter() -> Iterator["subprocess.Popen[str]"]:
    """A process that forks searches without importing anything anew."""
    environment = {**os.environ, "PYTHONPATH": ROOT, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield process


@pytest.fixture
def make_search(starter: "subprocess.Popen[str]", tmp_path: Path) -> Callable[..., "Search"]:
    """A search below the test's folder."""
    return lambda **changes: Search(starter, tmp_path, **changes)


class Search:
    """A search in a process of its own, with real workers that train a stand-in."""

    def __init__(self, starter: "subprocess.Popen[str]", folder: Path, delay_s: float = 0.01, **changes: Any) -> None:
        self.settings = settings_in(folder, **{"sampler": "random", **changes})
        self.path = folder / "results" / "study"
        self.log = folder / "trained.log"
        self.delay_s = delay_s
        self.pid = 0
        self._folder = folder
        self._starter = starter

    def run(self) -> None:
        """Start, or resume what there is."""
        for name in ("answer", "error"):
            (self._folder / name).unlink(missing_ok=True)
        environment = {"DSE_STAND_IN_LOG": str(self.log), "DSE_STAND_IN_DELAY_S": str(self.delay_s)}
        data = {
            **settings_as_arguments(self.settings),
            "answers": str(self._folder),
            "environment": environment,
        }
        assert self._starter.stdin is not None
        assert self._starter.stdout is not None
        self._starter.stdin.write(json.dumps(data) + "\n")
        self._starter.stdin.flush()
        self.pid = int(self._starter.stdout.readline())

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return psutil.pid_exists(self.pid)

    def kill(self) -> None:
        """End it at once, and wait until it is gone."""
        os.kill(self.pid, signal.SIGKILL)
        self._until_gone()

    def finish(self) -> dict[str, Any]:
        """Run to the end; what the search says."""
        if not self.running:
            self.run()
        return self.said()

    def said(self) -> dict[str, Any]:
        """What the search says once it has ended."""
        self._until_gone()
        assert not self.error(), self.error()
        return json.loads((self._folder / "answer").read_text())  # type: ignore[no-any-return]

    def error(self) -> str:
        """Its traceback, if any."""
        path = self._folder / "error"
        return path.read_text() if path.exists() else ""

    def until_networks(self, count: int) -> None:
        """Wait until the study holds that many networks, or the process has ended."""
        while self.running and lines(self.path / "networks.jsonl") < count:
            time.sleep(0.005)

    def until_workers(self, count: int) -> list[psutil.Process]:
        """Wait until it has that many workers."""
        while self.running and len(children := psutil.Process(self.pid).children(recursive=True)) < count:
            time.sleep(0.01)
        return children

    def trainings(self) -> Counter[str]:
        """How often each network was trained to the end."""
        return Counter(self.log.read_text().split()) if self.log.exists() else Counter()

    def _until_gone(self) -> None:
        while self.running:
            time.sleep(0.01)


MakeSearch = Callable[..., Search]


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def logs_with(path: Path, words: str) -> list[Path]:
    """Logs of the workers that hold these words."""
    return [log for log in (path / "logs").glob("*.log") if words in log.read_text()]


def check_whole(folder: StudyFolder) -> None:
    """No network twice, numbers without a gap, and nothing left running."""
    import optuna

    networks = folder.networks(masks=True)
    assert [record.number for record in networks] == list(range(len(networks)))
    assert len({record.digest for record in networks}) == len(networks)
    study = optuna.load_study(study_name="search", storage=f"sqlite:///{folder.database}")
    assert not [t for t in study.get_trials(deepcopy=False) if t.state.name == "RUNNING"]


@pytest.mark.parametrize("kills", [10, pytest.param(50, marks=pytest.mark.reliability)])
def test_kills_at_random_moments_lose_no_network_and_train_none_twice(make_search: MakeSearch, kills: int) -> None:
    trials = 16 + kills
    search = make_search(trials=trials)
    draw = random.Random(1)
    kept = 0
    for kill in range(kills):
        search.run()
        search.until_networks(kept + (kill % 2) * draw.choice([1, 1, 2]))
        time.sleep(draw.random() * 0.2)
        assert search.running, search.error()
        search.kill()
        now = lines(search.path / "networks.jsonl")
        assert now >= kept
        kept = now
    said = search.finish()
    assert (said["stop"], said["trained"]) == ("trials", trials)
    folder = open_study(search.path)
    check_whole(folder)
    # A kill between the end of a training and its record costs that training alone: at most one for each kill.
    again = sum(count - 1 for count in search.trainings().values())
    assert again <= kills
    assert set(search.trainings()) >= {record.digest for record in folder.networks()}
    assert [point.id for point in folder.front()] == said["front"]
    print(f"kills {kills}, trials {trials}, lost 0, twice 0, trainings done again {again}")


def test_workers_end_with_a_killed_search(make_search: MakeSearch) -> None:
    search = make_search(delay_s=30, workers=2)
    search.run()
    workers = search.until_workers(2)
    while search.running and len(logs_with(search.path, "libraries print")) < 2:
        time.sleep(0.02)
    search.kill()
    gone, alive = psutil.wait_procs(workers, timeout=20)
    assert (len(gone), alive) == (2, [])


def test_a_killed_worker_is_replaced_and_its_network_still_trained(make_search: MakeSearch, tmp_path: Path) -> None:
    search = make_search(trials=4)
    (tmp_path / "die").write_text("2")
    assert search.finish()["trained"] == 4
    assert open_study(search.path).failures() == []


def test_a_network_that_kills_its_worker_three_times_has_failed(make_search: MakeSearch, tmp_path: Path) -> None:
    search = make_search(trials=3)
    (tmp_path / "die").write_text("3")
    assert search.finish()["trained"] == 2
    (failure,) = open_study(search.path).failures()
    assert failure.reason == "out-of-memory"
    assert "signal SIGKILL 3 times" in failure.message


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_cleanly_and_resume_goes_on(make_search: MakeSearch, number: signal.Signals) -> None:
    search = make_search(trials=9, delay_s=0.1)
    search.run()
    search.until_networks(2)
    os.kill(search.pid, number)
    assert search.said()["stop"] == "interrupted"
    folder = open_study(search.path)
    assert folder.manifest.stop_reason == "interrupted"
    check_whole(folder)
    assert len(folder.front()) == len(json.loads((folder.path / "front.json").read_text())["points"])
    assert search.finish()["trained"] == 9
    assert max(search.trainings().values()) == 1
    assert [s.stop_reason for s in open_study(search.path).manifest.sessions] == ["interrupted", "trials"]


def test_ctrl_c_puts_a_long_training_back_and_resume_trains_it_first(make_search: MakeSearch) -> None:
    search = make_search(trials=2, delay_s=60)
    search.run()
    while search.running and running_params(search.path) is None:
        time.sleep(0.02)
    wanted = running_params(search.path)
    os.kill(search.pid, signal.SIGINT)
    assert search.said()["trained"] == 0
    check_whole(open_study(search.path))
    search.delay_s = 0
    assert search.finish()["trained"] == 2
    assert open_study(search.path).networks()[0].params == wanted


def running_params(path: Path) -> dict[str, Any] | None:
    """Genes of the network in training, as the database of the study says."""
    import optuna

    if not (path / "study.db").exists():
        return None
    study = optuna.load_study(study_name="search", storage=f"sqlite:///{path / 'study.db'}")
    running = [t for t in study.get_trials(deepcopy=False) if t.state.name == "RUNNING"]
    return running[0].user_attrs.get("network") if running else None


def test_a_second_ctrl_c_ends_at_once(make_search: MakeSearch) -> None:
    search = make_search(trials=2, delay_s=60)
    search.run()
    while search.running and running_params(search.path) is None:
        time.sleep(0.02)
    os.kill(search.pid, signal.SIGINT)
    time.sleep(0.5)
    os.kill(search.pid, signal.SIGINT)
    search._until_gone()
    assert "KeyboardInterrupt" in search.error()
    search.delay_s = 0
    assert search.finish()["trained"] == 2


def test_a_second_search_in_one_folder_is_refused_and_names_the_first(make_search: MakeSearch, tmp_path: Path) -> None:
    search = make_search(trials=50, delay_s=0.2)
    search.run()
    search.until_networks(1)
    with pytest.raises(StudyError, match=f"not in use by process {search.pid} on "):
        resume(search.path, make_trainers=InlineTrainers())
    with pytest.raises(StudyError, match=f"not in use by process {search.pid} on "):
        refine(search.path, 1, make_trainers=InlineTrainers())
    search.kill()
