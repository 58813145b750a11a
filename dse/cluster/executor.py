"""Trainers behind a Dask scheduler: admit workers that fit, hand out tasks, outlive lost workers and schedulers."""

import json
import logging
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from costmodels.errors import InputError
from dse.cache import ScoreCache, score_key
from dse.cluster import node
from dse.cluster.admission import Admission
from dse.errors import RunError
from dse.score import Failed
from dse.tasks import Line, Task
from dse.worker import WorkerSettings, answer_line

if TYPE_CHECKING:
    from distributed import Client

LOOK_EVERY_S = 0.5
"""How often the watch looks for workers that have come or gone, and for a lost scheduler."""

PATIENCE_S = 600.0
"""A scheduler or the last worker may be gone this long; then the search ends."""

Connect = Callable[[], "Client"]


class ClusterError(RunError):
    """The scheduler or all workers are gone."""


class LastWorkerError(RunError):
    """The last worker broke; the message says of what."""


@dataclass(eq=False)
class _Job:
    """A task that is out, and the future of its answer."""

    task: Task
    answer: "Future[Line]"


class DaskTrainers:
    """Trainings on the workers of a Dask scheduler.

    The scheduler hands tasks to workers that were admitted; one whose worker dies or breaks (its disk is full, its data
    are gone) goes to another. A watching thread admits and dismisses workers, and after a lost connection hands out
    again what was out.

    Attributes:
        logs: folder of ``dask.log``.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        _slots: int,
        logs: Path,
        *,
        connect: Connect,
        wait_s: float,
    ) -> None:
        self.logs = logs
        self._connect = connect
        self._wait_s = wait_s
        self._cache = ScoreCache(Path(settings.cache))
        self._admission = Admission(settings, f".beacon-{uuid.uuid4().hex}")
        self._lock = threading.Lock()
        self._out: dict[int, _Job] = {}
        self._lost: list[_Job] = []
        self._broken: dict[str, str] = {}
        self._about: Future[Line] = Future()
        self._slots = 0
        self._ended: Exception | None = None
        self._closed = threading.Event()
        self._log_file: logging.Handler = logging.NullHandler()
        self._thread = threading.Thread(target=self._watch, name="dask-watch", daemon=True)

    @property
    def slots(self) -> int:
        """Trainings at once on the workers that are admitted.

        Raises:
            ClusterError: there have been none for too long.
        """
        if self._ended is not None:
            raise self._ended
        return self._slots

    def start(self) -> Line:
        """Connect and wait for the first worker.

        Raises:
            InputError: no scheduler, no worker in time, or none that fits.
        """
        self.logs.mkdir(parents=True, exist_ok=True)
        self._log_to_file()
        self._cache.folder.mkdir(parents=True, exist_ok=True)
        self._beacon.touch()
        self._client = self._connect()
        self._thread.start()
        while True:
            try:
                return self._about.result(timeout=self._wait_s)
            except TimeoutError:
                if not self._admission.present:  # else one is getting ready
                    raise InputError(self._no_worker()) from None

    def _no_worker(self) -> str:
        address = self._client.scheduler.address
        late = f"none came within {self._wait_s:.0f} s"
        return f"{address} must have a worker, but {late}; start one with: dse worker {address}"

    def submit(self, task: Task) -> "Future[Line]":
        """Hand out one task; the scheduler keeps it until an admitted worker is free."""
        job = _Job(task, Future())
        with self._lock:
            self._out[task.id] = job
        self._send(job)
        return job.answer

    def shutdown(self) -> None:
        """Give up what is out and disconnect; the workers stay for the next search."""
        self._closed.set()
        if self._thread.ident is not None:
            self._thread.join()
            with suppress(Exception):
                self._client.close(timeout=5)
        for job in self._out.values():
            job.answer.cancel()
        self._beacon.unlink(missing_ok=True)
        logging.getLogger("distributed").removeHandler(self._log_file)  # which a late message would open again
        self._log_file.close()

    @property
    def _beacon(self) -> Path:
        """A file whose presence tells a worker that it shares the cache."""
        return self._cache.folder / self._admission.beacon

    def _send(self, job: _Job) -> None:
        task, settings, send_files = job.task, self._admission.settings, not self._admission.shares_cache
        files = self._cache.files(score_key(task.score)) if task.score and send_files else {}
        place = {"dataset": settings.dataset, "device": settings.device, "send_files": send_files}
        call = {**place, "task": task.to_line()}
        wanted = {self._admission.resource: 1, **({node.GPU: 1} if settings.device == "cuda" else {})}
        executor = self._client.get_executor(pure=False, resources=wanted)
        remote = executor.submit(node.answer, json.dumps(call), files)
        remote.add_done_callback(lambda done: self._returned(job, done))

    def _returned(self, job: _Job, remote: "Future[tuple[str, node.Files]]") -> None:
        """What became of a task; runs in the thread of Dask's event loop."""
        if self._closed.is_set():
            return
        try:
            if remote.cancelled():
                self._lose(job)
            elif (error := remote.exception()) is not None:
                self._failed(job, error)
            else:
                text, files = remote.result()
                self._answered(job, json.loads(text), files)
        except (OSError, ValueError) as error:
            self._settle(job, RunError(f"the answer of a worker must be kept, but cannot be: {error}"))

    def _answered(self, job: _Job, line: Line, files: node.Files) -> None:
        if "broken" in line:
            self._lose(job, {line["worker"]: line["broken"]})
            return
        if files and "score" in line:
            self._cache.put_files(Path(line["score"]["weights"]).parts[0], files)
        self._settle(job, line)

    def _failed(self, job: _Job, error: BaseException) -> None:
        """A task that killed its workers has failed; one that Dask lost is handed out again."""
        from distributed.client import FutureCancelledError
        from distributed.scheduler import KilledWorker

        if isinstance(error, KilledWorker):
            self._settle(job, answer_line(Failed("crashed", f"every worker that tried it died: {error}"[:300], 0.0)))
        elif isinstance(error, FutureCancelledError | OSError):
            self._lose(job)
        else:
            self._settle(job, RunError(f"a worker must answer, not fail with {type(error).__name__}: {error}"))

    def _lose(self, job: _Job, broken: dict[str, str] | None = None) -> None:
        """Have a task handed out again, once the workers that broke over it, each with why, are dismissed."""
        with self._lock:
            self._lost.append(job)
            self._broken |= broken or {}

    def _settle(self, job: _Job, answer: Line | Exception) -> None:
        with self._lock:
            known = self._out.pop(job.task.id, None) is job
        if not known:
            return
        if isinstance(answer, Exception):
            job.answer.set_exception(answer)
        else:
            job.answer.set_result(answer)

    def _watch(self) -> None:
        """Until closed: keep the connection, admit workers, hand out again what was lost; give up after a while."""
        well = time.monotonic()
        while not self._closed.wait(LOOK_EVERY_S if self._about.done() else 0.05):
            try:
                self._look()
                if self._slots or not self._about.done():
                    well = time.monotonic()
            except (InputError, LastWorkerError) as error:
                self._end(error)
            except Exception as error:
                self._log(f"{type(error).__name__}: {error}")
            if time.monotonic() - well > PATIENCE_S:
                self._end(
                    ClusterError(
                        f"the cluster must have workers, but had none for {PATIENCE_S:.0f} s; what is finished "
                        "is kept: start scheduler and workers and go on with --resume"
                    )
                )

    def _end(self, error: Exception) -> None:
        """Give up, with an answer to whoever waits."""
        self._ended = error
        if not self._about.done():
            self._about.set_exception(error)
        for job in list(self._out.values()):
            self._settle(job, error)

    def _look(self) -> None:
        if not self._connected():
            self._slots = 0
            return
        with self._lock:
            broken, self._broken = self._broken, {}
        # A worker that broke over two tasks is dismissed once.
        broken = {address: why for address, why in broken.items() if address not in self._admission.refused}
        events = [self._admission.dismiss(self._client, address, why) for address, why in broken.items()]
        for event in (*events, *self._admission.look(self._client)):
            self._log(event)
        self._slots = self._admission.slots
        if broken and not self._slots:
            raise LastWorkerError("\n".join(events))
        if self._admission.about is not None and not self._about.done():
            self._about.set_result(self._admission.about)
        with self._lock:
            again, self._lost = self._lost, []
        for job in again:
            self._send(job)

    def _connected(self) -> bool:
        """Whether the scheduler is there; Dask looks for a lost one for a while, and then we do."""
        if self._client.status in ("closed", "closing"):
            try:
                self._client = self._connect()
            except InputError as error:
                self._log(str(error))
        return bool(self._client.status == "running")

    def _log(self, text: str) -> None:
        logging.getLogger("distributed.dse").info(text)

    def _log_to_file(self) -> None:
        """Dask's own messages go to the study's log, not between the lines of the progress."""
        import distributed  # noqa: F401  (which gives its loggers handlers of their own)

        for name in [name for name in logging.root.manager.loggerDict if name.startswith("distributed.")]:
            logging.getLogger(name).handlers, logging.getLogger(name).propagate = [], True
        logger = logging.getLogger("distributed")
        self._log_file = logging.FileHandler(self.logs / "dask.log")
        self._log_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logger.handlers, logger.propagate = [self._log_file], False
        logging.getLogger("distributed.dse").setLevel(logging.INFO)
