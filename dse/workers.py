"""The coordinator's side of the training processes: hand out tasks, collect outcomes, survive a killed worker."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any, Literal, Protocol

from costmodels.errors import InputError
from dse.results.scores import score_from_dict, score_to_dict
from dse.score import Failed, NetworkScore
from dse.worker import WorkerSettings
from searchspaces.genome import NetworkGenome
from searchspaces.recipe import Recipe

RETRIES = 2
"""A task whose worker was killed is tried again this often."""

HANG_FACTOR, HANG_FLOOR_S = 3.0, 120.0
"""A worker that has not answered after the factor times the recipe's time budget (and the floor) is killed."""

REAL_WORKER = (sys.executable, "-m", "dse.worker")


class WorkerError(RuntimeError):
    """A worker cannot start; the message holds the end of its log."""


@dataclass(frozen=True)
class Task:
    """One thing to do for a network: train it, or score a trained one on the test set.

    Attributes:
        id: the caller's, unique among the tasks that are out.
        genome, recipe, seed: of the training.
        kind: ``"train"`` or ``"test"``.
        score: of the trained network, for ``"test"``.
        attempts: how often a worker died of it.
    """

    id: int
    genome: NetworkGenome
    recipe: Recipe
    seed: int
    kind: Literal["train", "test"] = "train"
    score: NetworkScore | None = None
    attempts: int = 0

    def to_line(self) -> dict[str, Any]:
        """What the worker reads."""
        score = score_to_dict(self.score, masks=True) if self.score else None
        return {
            "id": self.id,
            "kind": self.kind,
            "genome": self.genome.to_dict(),
            "recipe": asdict(self.recipe),
            "seed": self.seed,
            "score": score,
        }


@dataclass(frozen=True)
class Outcome:
    """What came of a task: a score, test counts, or why there is neither."""

    task: Task
    result: NetworkScore | Failed | dict[str, int]
    cached: bool = False


class Trainers(Protocol):
    """Whoever trains for a search: the worker processes, or a stand-in in tests."""

    slots: int
    """Tasks that run at once."""

    def start(self) -> dict[str, Any]:
        """Get ready; what `dse.worker.Trainer.about` says. Raises InputError where the data cannot be used."""

    def submit(self, task: Task) -> None:
        """Take one task."""

    def wait(self, timeout_s: float) -> list[Outcome]:
        """Outcomes there are, after waiting for the first at most that long."""

    def close(self) -> None:
        """Stop, dropping what is in flight."""


@dataclass(eq=False)
class _Worker:
    """One process and the task it has."""

    slot: int
    process: "subprocess.Popen[str]"
    ready: bool = False
    task: Task | None = None
    deadline: float = float("inf")
    starts: int = 1


class WorkerPool:
    """``slots`` own processes; a process that dies is started again and its task handed out again."""

    def __init__(self, settings: WorkerSettings, slots: int, logs: Path, command: Sequence[str] = REAL_WORKER) -> None:
        self.slots = slots
        self.logs = logs
        self._settings = settings
        self._command = list(command)
        self._events: queue.SimpleQueue[tuple[_Worker, str | None]] = queue.SimpleQueue()
        self._workers: list[_Worker] = []
        self._waiting: deque[Task] = deque()
        self._about: dict[str, Any] | None = None

    def start(self) -> dict[str, Any]:
        """Start every process and wait for the first that is ready."""
        self.logs.mkdir(parents=True, exist_ok=True)
        self._workers = [self._spawn(slot) for slot in range(self.slots)]
        while self._about is None:
            self._handle(*self._events.get())
        return self._about

    @property
    def pids(self) -> list[int]:
        """Of the processes as they are now."""
        return [worker.process.pid for worker in self._workers]

    def submit(self, task: Task) -> None:
        """Queue one task; it starts when a process is free."""
        self._waiting.append(task)
        self._assign()

    def wait(self, timeout_s: float) -> list[Outcome]:
        """Outcomes there are, after waiting for the first at most that long."""
        end = time.monotonic() + timeout_s
        outcomes: list[Outcome] = []
        while not outcomes:
            outcomes += self._expired()
            left = end - time.monotonic()
            next_deadline = min((w.deadline for w in self._workers), default=float("inf")) - time.monotonic()
            try:
                event = self._events.get(timeout=max(0.0, min(left, next_deadline)))
            except queue.Empty:
                if left <= 0:
                    break
                continue
            outcomes += self._handle(*event)
        return outcomes

    def close(self) -> None:
        """Close every stdin, at which a worker ends, and kill what has not ended soon after."""
        for worker in self._workers:
            _close(worker.process.stdin)
        for worker in self._workers:
            try:
                worker.process.wait(timeout=2.0)
            except subprocess.TimeoutExpired:
                _kill(worker.process)
            _close(worker.process.stdout)
        self._workers = []

    def _spawn(self, slot: int) -> _Worker:
        """Start one process, away from the terminal's Ctrl-C, and configure it."""
        threads = {name: str(self._settings.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
        with (self.logs / f"worker-{slot}.log").open("a") as log:
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
                start_new_session=True,
                env={**os.environ, **threads},
            )
        worker = _Worker(slot, process)
        threading.Thread(target=self._read, args=(worker,), daemon=True).start()
        _send(process, asdict(self._settings))
        return worker

    def _read(self, worker: _Worker) -> None:
        """Pass on what a process says, and None when it has ended."""
        assert worker.process.stdout is not None
        with suppress(ValueError, OSError):
            for line in worker.process.stdout:
                self._events.put((worker, line))
        self._events.put((worker, None))

    def _handle(self, worker: _Worker, line: str | None) -> list[Outcome]:
        if worker not in self._workers:
            return []
        if line is None:
            return self._died(worker)
        message = json.loads(line)
        if "refused" in message:
            raise InputError(message["refused"])
        if "ready" in message:
            worker.ready, self._about = True, message["ready"]
            self._assign()
            return []
        return self._finished(worker, message)

    def _finished(self, worker: _Worker, message: dict[str, Any]) -> list[Outcome]:
        task, worker.task, worker.deadline = worker.task, None, float("inf")
        self._assign()
        if task is None or task.id != message["id"]:
            return []
        return [Outcome(task, _result(message), message.get("cached", False))]

    def _died(self, worker: _Worker) -> list[Outcome]:
        """Replace the process; its task waits first in line again, or has failed too often."""
        code = worker.process.wait()
        if not worker.ready and worker.starts > RETRIES:
            raise WorkerError(f"worker {worker.slot} must start, not end with {code}\n{self._log_end(worker.slot)}")
        fresh = self._spawn(worker.slot)
        fresh.starts = 1 if worker.ready else worker.starts + 1
        self._workers[self._workers.index(worker)] = fresh
        _close(worker.process.stdin)
        _close(worker.process.stdout)
        if worker.task is None:
            return []
        if worker.task.attempts < RETRIES:
            self._waiting.appendleft(replace(worker.task, attempts=worker.task.attempts + 1))
            return []
        log = self.logs / f"worker-{worker.slot}.log"
        why = f"the worker ended with {_ending(code)} {RETRIES + 1} times; see {log}"
        reason: Literal["out-of-memory", "crashed"] = "out-of-memory" if code == -signal.SIGKILL else "crashed"
        return [Outcome(worker.task, Failed(reason, why, 0.0))]

    def _expired(self) -> list[Outcome]:
        """Kill the workers that answer no more; their tasks have failed."""
        outcomes = []
        for worker in [w for w in self._workers if w.task and time.monotonic() >= w.deadline]:
            assert worker.task is not None
            limit = _patience_s(worker.task)
            outcomes.append(Outcome(worker.task, Failed("over-budget", f"no answer within {limit:.0f} s", limit)))
            worker.task = None
            _kill(worker.process)
            self._handle(worker, None)
        return outcomes

    def _assign(self) -> None:
        """Give waiting tasks to free processes."""
        for worker in self._workers:
            if self._waiting and worker.ready and worker.task is None:
                worker.task = self._waiting.popleft()
                worker.deadline = time.monotonic() + _patience_s(worker.task)
                _send(worker.process, worker.task.to_line())

    def _log_end(self, slot: int) -> str:
        """The last lines a worker wrote."""
        lines = (self.logs / f"worker-{slot}.log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-20:])


def _patience_s(task: Task) -> float:
    """How long a worker may take for one task."""
    budget = task.recipe.time_budget_s
    return float("inf") if budget is None else max(HANG_FLOOR_S, HANG_FACTOR * budget)


def _result(message: dict[str, Any]) -> NetworkScore | Failed | dict[str, int]:
    if "failed" in message:
        return Failed(**message["failed"])
    return message["test"] if "test" in message else score_from_dict(message["score"])


def _ending(code: int) -> str:
    """An exit status in words."""
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"status {code}"


def _send(process: "subprocess.Popen[str]", data: dict[str, Any]) -> None:
    """Write one line; a process that is gone is noticed by its reader."""
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        process.stdin.write(json.dumps(data) + "\n")
        process.stdin.flush()


def _close(pipe: IO[str] | None) -> None:
    with suppress(OSError):
        if pipe is not None:
            pipe.close()


def _kill(process: "subprocess.Popen[str]") -> None:
    """End a process and what it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
