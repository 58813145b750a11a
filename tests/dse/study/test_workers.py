"""Worker processes: started, killed, hung, refused; each task answered once."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from stand_in import ABOUT, TINY_SPACE, WORKER, stand_in_score, write_space

import dse.workers
from costmodels.errors import InputError
from dse.errors import RunError
from dse.score import Failed, NetworkScore
from dse.tasks import Flight, Outcome, Task
from dse.worker import WorkerSettings, answer_line
from dse.workers import WorkerError, WorkerPool
from searchspaces.genome import NetworkGenome
from searchspaces.recipe import Recipe
from searchspaces.space import load_space

SETTINGS = WorkerSettings("digits", None, "unused", "cpu", 1)


@pytest.fixture
def genomes(tmp_path: Path) -> list[NetworkGenome]:
    """Different networks."""
    space = load_space(write_space(tmp_path, TINY_SPACE)).network
    params = [{"timesteps": t, "conv1.channels": c, "conv1.weights": "binary"} for t in (1, 2) for c in (4, 8)]
    return [space.genome(p) for p in params]


@pytest.fixture
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerPool]:
    """Two stand-in workers."""
    monkeypatch.setenv("DSE_STAND_IN_LOG", str(tmp_path / "trained.log"))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    with WorkerPool(SETTINGS, 2, tmp_path / "logs", command=WORKER) as workers:
        workers.start()
        yield workers


@pytest.fixture
def flight(pool: WorkerPool) -> Flight:
    """What these workers have to do."""
    return Flight(pool)


def gather(flight: Flight, count: int) -> list[Outcome]:
    outcomes: list[Outcome] = []
    end = time.monotonic() + 60
    while len(outcomes) < count and time.monotonic() < end:
        outcomes += flight.outcomes(0.5)
    return outcomes


def test_tasks_come_back_with_what_the_worker_said_though_libraries_print(
    flight: Flight, genomes: list[NetworkGenome], tmp_path: Path
) -> None:
    for number, genome in enumerate(genomes):
        flight.submit(Task(number, genome, Recipe(1), 5))
    outcomes = gather(flight, 4)
    assert sorted(outcome.task.id for outcome in outcomes) == [0, 1, 2, 3]
    for outcome in outcomes:
        assert isinstance(outcome.result, NetworkScore)
        expected = stand_in_score(genomes[outcome.task.id], Recipe(1), 5)
        assert {**vars(outcome.result), "masks": 0} == {**vars(expected), "masks": 0}
    assert "libraries print" in "".join(p.read_text() for p in (tmp_path / "logs").iterdir())


def test_a_test_task_returns_counts(flight: Flight, genomes: list[NetworkGenome]) -> None:
    score = stand_in_score(genomes[0], Recipe(1), 0)
    flight.submit(Task(1, genomes[0], Recipe(1), 0, "test", score))
    (outcome,) = gather(flight, 1)
    assert outcome.result == {"correct": score.correct, "deployed_correct": score.deployed_correct, "samples": 1000}


def test_an_error_in_a_training_is_a_failure_with_its_traceback_in_the_log(
    flight: Flight, genomes: list[NetworkGenome], tmp_path: Path
) -> None:
    (tmp_path / "raise").touch()
    flight.submit(Task(1, genomes[0], Recipe(1), 0))
    (outcome,) = gather(flight, 1)
    assert isinstance(outcome.result, Failed)
    assert (outcome.result.reason, outcome.result.message) == ("crashed", "ValueError: no such thing")
    assert "Traceback" in "".join(p.read_text() for p in (tmp_path / "logs").iterdir())


def test_an_idle_worker_that_is_killed_is_replaced(
    pool: WorkerPool, flight: Flight, genomes: list[NetworkGenome]
) -> None:
    before = pool.pids
    psutil.Process(before[0]).kill()
    while pool.pids == before:
        time.sleep(0.01)
    flight.submit(Task(0, genomes[0], Recipe(1), 0))
    flight.submit(Task(1, genomes[1], Recipe(1), 0))
    assert len(gather(flight, 2)) == 2


def test_a_worker_that_hangs_is_killed_and_its_task_has_failed(
    pool: WorkerPool, flight: Flight, genomes: list[NetworkGenome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dse.workers, "HANG_FLOOR_S", 0.0)
    (tmp_path / "hang").touch()
    before = set(pool.pids)
    flight.submit(Task(0, genomes[0], Recipe(1, time_budget_s=0.1), 0))
    (outcome,) = gather(flight, 1)
    assert isinstance(outcome.result, Failed)
    assert outcome.result.reason == "over-budget"
    assert set(pool.pids) != before
    (tmp_path / "hang").unlink()
    flight.submit(Task(1, genomes[1], Recipe(1), 0))
    assert isinstance(gather(flight, 1)[0].result, NetworkScore)


def test_closing_ends_every_process_also_in_the_middle_of_a_training(
    pool: WorkerPool, flight: Flight, genomes: list[NetworkGenome], tmp_path: Path
) -> None:
    (tmp_path / "hang").touch()
    flight.submit(Task(0, genomes[0], Recipe(1), 0))
    assert flight.outcomes(0.3) == []
    processes = [psutil.Process(pid) for pid in pool.pids]
    pool.shutdown()
    assert not any(process.is_running() for process in processes)


def test_a_restarted_worker_that_finds_other_data_ends_the_work(
    pool: WorkerPool, flight: Flight, genomes: list[NetworkGenome], tmp_path: Path
) -> None:
    (tmp_path / "hang").touch()
    flight.submit(Task(0, genomes[0], Recipe(1), 0))
    while "libraries print" not in "".join(p.read_text() for p in (tmp_path / "logs").iterdir()):
        time.sleep(0.01)
    (tmp_path / "digest").write_text("other")
    for pid in pool.pids:
        psutil.Process(pid).kill()
    message = "must find the data digest d+, not other: files have changed under the running search"
    with pytest.raises(InputError, match=message):
        gather(flight, 1)
    flight.submit(Task(1, genomes[1], Recipe(1), 0))
    with pytest.raises(InputError, match=message):
        gather(flight, 1)


def test_a_full_disk_stops_the_work_and_fails_no_network(
    flight: Flight, genomes: list[NetworkGenome], tmp_path: Path
) -> None:
    (tmp_path / "full").touch()
    flight.submit(Task(0, genomes[0], Recipe(1), 0))
    with pytest.raises(RunError, match=r"trained networks must be kept, but there is no room: .*No space left"):
        gather(flight, 1)


def test_a_line_torn_by_a_kill_is_not_taken_for_an_answer(genomes: list[NetworkGenome], tmp_path: Path) -> None:
    """A process that dies in the middle of its answer, and whose successor answers whole."""
    score = stand_in_score(genomes[0], Recipe(1), 0)
    answer = json.dumps({"id": 0, **answer_line(score)})
    program = f"""
import os, pathlib, sys
first = not pathlib.Path("tried").exists()
pathlib.Path("tried").touch()
sys.stdin.readline()
print({json.dumps({"ready": ABOUT})!r}, flush=True)
sys.stdin.readline()
answer = {answer!r}
sys.stdout.write(answer[:50] if first else answer + chr(10))
sys.stdout.flush()
os._exit(0) if first else sys.stdin.read()
"""
    command = (sys.executable, "-c", f"import os; os.chdir({str(tmp_path)!r})\n{program}")
    with WorkerPool(SETTINGS, 1, tmp_path / "logs", command=command) as pool:
        pool.start()
        flight = Flight(pool)
        flight.submit(Task(0, genomes[0], Recipe(1), 0))
        (outcome,) = gather(flight, 1)
        assert isinstance(outcome.result, NetworkScore)


def test_a_worker_that_cannot_start_ends_with_its_last_words(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "raise SystemExit('no torch here')")
    pool = WorkerPool(SETTINGS, 1, tmp_path / "logs", command=command)
    with pool, pytest.raises(WorkerError, match=r"must start, not end with 1\n.*no torch here"):
        pool.start()


def test_the_real_worker_refuses_missing_data_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    settings = WorkerSettings("mnist", str(tmp_path / "nowhere"), str(tmp_path), "cpu", 1)
    with WorkerPool(settings, 1, tmp_path / "logs") as workers, pytest.raises(InputError, match="nowhere"):
        workers.start()
