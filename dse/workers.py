"""Own training processes on this machine: hand out tasks, answer their futures, survive a killed worker."""

import json
import queue
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Self

from costmodels.errors import InputError
from dse.errors import RunError
from dse.processes import Process, end_all, ending, kill, let_go, read_all, send, spawn
from dse.score import Failed
from dse.tasks import Line, Outcome, Task, Trainers
from dse.worker import WorkerSettings, answer_line

__all__ = ["Outcome", "Task", "Trainers", "WorkerError", "WorkerPool"]

RETRIES = 2
"""A task whose worker was killed is tried again this often."""

HANG_FACTOR, HANG_FLOOR_S = 3.0, 120.0
"""A worker that has not answered after the factor times the recipe's time budget (and the floor) is killed."""

REAL_WORKER = (sys.executable, "-m", "dse.worker")

SPENT = ("out-of-memory", "crashed")
"""Failures after which a process may hold half-loaded libraries or lost memory, so that a fresh one takes its place."""

SAME = ("data_digest", "code_version")
"""What every worker must say of itself as the first one did."""


class WorkerError(RunError):
    """A worker cannot start; the message holds the end of its log."""


@dataclass(eq=False)
class _Job:
    """A task, the future of its answer, and how often a worker died of it."""

    task: Task
    answer: "Future[Line]"
    deaths: int = 0

    @property
    def patience_s(self) -> float:
        """How long a worker may take."""
        budget = self.task.recipe.time_budget_s
        return float("inf") if budget is None else max(HANG_FLOOR_S, HANG_FACTOR * budget)


@dataclass(eq=False)
class _Worker:
    """One process and the job it has."""

    slot: int
    process: Process
    ready: bool = False
    job: _Job | None = None
    deadline: float = float("inf")
    starts: int = 1


class WorkerPool:
    """``slots`` own processes; a process that dies is started again and its task handed out again.

    Everything happens in one thread, which takes events from a queue, so that no state needs a lock.
    """

    def __init__(self, settings: WorkerSettings, slots: int, logs: Path, command: Sequence[str] = REAL_WORKER) -> None:
        self.slots = slots
        self.logs = logs
        self._settings = settings
        self._command = list(command)
        self._events: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._workers: list[_Worker] = []
        self._waiting: deque[_Job] = deque()
        self._about: Future[Line] = Future()
        self._broken: Exception | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="workers", daemon=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()

    def start(self) -> Line:
        """Start every process and wait for the first that is ready."""
        self.logs.mkdir(parents=True, exist_ok=True)
        self._workers = [self._spawn(slot) for slot in range(self.slots)]
        self._thread.start()
        return self._about.result()

    @property
    def pids(self) -> list[int]:
        """Of the processes as they are now."""
        return [worker.process.pid for worker in self._workers]

    def submit(self, task: Task) -> "Future[Line]":
        """Queue one task; it starts when a process is free."""
        job = _Job(task, Future())
        self._events.put(partial(self._accept, job))
        return job.answer

    def shutdown(self) -> None:
        """Close every stdin, at which a worker ends, and kill what has not ended soon after."""
        self._events.put(self._close)
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        """Handle events and deadlines until it is closed; an error ends every job."""
        while not self._closed:
            try:
                self._expire()
                self._next_event()()
            except Exception as error:
                self._break(error)

    def _next_event(self) -> Callable[[], None]:
        """The next event, or nothing to do once a deadline has come."""
        deadline = min((worker.deadline for worker in self._workers), default=float("inf"))
        left = None if deadline == float("inf") else max(0.0, deadline - time.monotonic())
        try:
            return self._events.get(timeout=left)
        except queue.Empty:
            return _nothing

    def _break(self, error: Exception) -> None:
        """Answer all jobs, present and future, with the error."""
        self._broken = error
        if not self._about.done():
            self._about.set_exception(error)
        for job in [*self._waiting, *(worker.job for worker in self._workers if worker.job)]:
            job.answer.set_exception(error)
        self._waiting.clear()
        for worker in self._workers:
            worker.job, worker.deadline = None, float("inf")

    def _accept(self, job: _Job) -> None:
        if self._broken is not None:
            job.answer.set_exception(self._broken)
        else:
            self._waiting.append(job)
            self._assign()

    def _close(self) -> None:
        self._closed = True
        end_all([worker.process for worker in self._workers], patience_s=2.0)
        for job in [*self._waiting, *(worker.job for worker in self._workers if worker.job)]:
            job.answer.cancel()
        self._workers = []

    def _spawn(self, slot: int) -> _Worker:
        """Start one process and configure it."""
        worker = _Worker(slot, spawn(self._command, self._settings.threads, self._log(slot)))
        threading.Thread(target=self._read, args=(worker,), daemon=True).start()
        send(worker.process, asdict(self._settings))
        return worker

    def _read(self, worker: _Worker) -> None:
        """Turn what a process says, and its end, into events."""
        read_all(worker.process, lambda line: self._events.put(partial(self._hear, worker, line)))
        self._events.put(partial(self._died, worker))

    def _hear(self, worker: _Worker, line: str) -> None:
        """What a process says: refused, stopped, ready, or an answer."""
        if worker not in self._workers:
            return
        message = json.loads(line)
        if "refused" in message:
            raise InputError(message["refused"])
        if "stopped" in message:
            raise RunError(message["stopped"])
        if "ready" in message:
            self._admit(worker, message["ready"])
        elif worker.job and worker.job.task.id == message["id"]:
            self._settle(worker, message)

    def _admit(self, worker: _Worker, about: Line) -> None:
        """Let a process work, if it has the data and the code of the first."""
        if not self._about.done():
            self._about.set_result(about)
        first = self._about.result()
        changed = [name for name in SAME if about[name] != first[name]]
        if changed:
            what = " and ".join(f"{name.replace('_', ' ')} {first[name]}, not {about[name]}" for name in changed)
            raise InputError(
                f"a restarted worker must find the {what}: files have changed under the running search; restore them"
            )
        worker.ready = True
        self._assign()

    def _settle(self, worker: _Worker, answer: Line) -> None:
        """Answer the job of a worker, and give it the next; a process with an error behind it is not trusted again."""
        job, worker.job, worker.deadline = worker.job, None, float("inf")
        if answer.get("failed", {}).get("reason") in SPENT:
            kill(worker.process)
            self._replace(worker)
        self._assign()
        if job is not None:
            job.answer.set_result(answer)

    def _died(self, worker: _Worker) -> None:
        """Replace the process; its task waits first in line again, or has failed too often."""
        if worker not in self._workers or self._broken is not None:
            return
        code = worker.process.wait()
        if not worker.ready and worker.starts > RETRIES:
            raise WorkerError(f"worker {worker.slot} must start, not end with {code}\n{self._log_end(worker.slot)}")
        job, worker.job = worker.job, None
        self._replace(worker)
        if job is None:
            return
        job.deaths += 1
        if job.deaths <= RETRIES:
            self._waiting.appendleft(job)
            self._assign()
            return
        why = f"the worker ended with {ending(code)} {job.deaths} times; see {self._log(worker.slot)}"
        killed = code == -signal.SIGKILL
        job.answer.set_result(answer_line(Failed("out-of-memory" if killed else "crashed", why, 0.0)))

    def _replace(self, worker: _Worker) -> None:
        """A fresh process in the place of one that has ended."""
        fresh = self._spawn(worker.slot)
        fresh.starts = 1 if worker.ready else worker.starts + 1
        self._workers[self._workers.index(worker)] = fresh
        let_go(worker.process)

    def _expire(self) -> None:
        """Kill the workers that answer no more; their tasks have failed."""
        for worker in [w for w in self._workers if time.monotonic() >= w.deadline]:
            job, worker.job = worker.job, None
            kill(worker.process)
            self._replace(worker)
            if job is not None:
                why = f"no answer within {job.patience_s:.0f} s"
                job.answer.set_result(answer_line(Failed("over-budget", why, job.patience_s)))

    def _assign(self) -> None:
        """Give waiting jobs to free processes."""
        for worker in self._workers:
            if self._waiting and worker.ready and worker.job is None:
                worker.job = self._waiting.popleft()
                worker.deadline = time.monotonic() + worker.job.patience_s
                send(worker.process, worker.job.task.to_line())

    def _log(self, slot: int) -> Path:
        return self.logs / f"worker-{slot}.log"

    def _log_end(self, slot: int) -> str:
        """The last lines a worker wrote."""
        return "\n".join(self._log(slot).read_text(errors="replace").splitlines()[-20:])


def _nothing() -> None:
    """No event."""
