"""Workers killed in the middle of trainings: the study is the one that nobody disturbed."""

import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest
from stand_in import WORKER, InlineTrainers, settings_in

from dse.study.search import run_search
from dse.worker import WorkerSettings
from dse.workers import RETRIES, WorkerPool

DELAY_S = 0.1


class Killer:
    """Kills the only worker in its trainings, each training at most as often as it is tried again."""

    def __init__(self, begun: Path, kills: int) -> None:
        self.kills = 0
        self._begun = begun
        self._wanted = kills
        self._draw = random.Random(kills)
        self._pool: WorkerPool | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __call__(self, settings: WorkerSettings, slots: int, logs: Path) -> WorkerPool:
        """Makes the pool, and starts."""
        self._pool = WorkerPool(settings, slots, logs, command=WORKER)
        self._thread.start()
        return self._pool

    def _run(self) -> None:
        assert self._pool is not None
        seen = 0
        while self.kills < self._wanted:
            trainings = self._begun.read_text().split() if self._begun.exists() else []
            if len(trainings) > seen and trainings.count(trainings[-1]) <= RETRIES:
                time.sleep(self._draw.random() * DELAY_S * 0.8)
                os.kill(self._pool.pids[0], signal.SIGKILL)
                self.kills += 1
            seen = max(seen, len(trainings))
            time.sleep(0.005)


@pytest.mark.parametrize("kills", [6, pytest.param(100, marks=pytest.mark.reliability)])
def test_a_study_whose_worker_is_killed_again_and_again_is_the_one_without_kills(
    kills: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("killed", "calm"):
        (tmp_path / name).mkdir()
    begun = tmp_path / "begun"
    monkeypatch.setenv("DSE_STAND_IN_LOG", str(tmp_path / "trained.log"))
    monkeypatch.setenv("DSE_STAND_IN_DELAY_S", str(DELAY_S))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    killer, trials = Killer(begun, kills), kills + 4
    killed = run_search(settings_in(tmp_path / "killed", trials=trials, sampler="random"), make_trainers=killer)
    calm = run_search(settings_in(tmp_path / "calm", trials=trials, sampler="random"), make_trainers=InlineTrainers())
    assert (killer.kills, killed.trained, killed.failed) == (kills, trials, 0)
    assert [r.digest for r in killed.folder.networks()] == [r.digest for r in calm.folder.networks()]
    assert killed.front == calm.front
    trained = (tmp_path / "trained.log").read_text().split()
    assert set(trained) == {record.digest for record in calm.folder.networks()}
    print(f"kills {kills}, trials {trials}, lost 0, twice 0, trainings done again {len(trained) - trials}")
