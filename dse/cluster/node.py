"""What runs on a Dask worker: a pool of training processes of that machine, which answers texts with texts.

Arguments and results are plain JSON and the files of trained networks; nothing of ours is pickled.
"""

import asyncio
import json
import os
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from costmodels.errors import InputError
from dse.cache import ScoreCache, score_key
from dse.cluster.identity import identity
from dse.errors import RunError
from dse.results.scores import score_from_dict
from dse.study.settings import cores
from dse.tasks import Line, Task
from dse.worker import WorkerSettings
from dse.workers import REAL_WORKER, WorkerPool

if TYPE_CHECKING:
    from distributed import Worker

GPU = "GPU"
"""Abstract resource of Dask: trainings that a worker's GPU takes at once."""

THREADS_VARIABLE, CACHE_VARIABLE = "DSE_WORKER_THREADS", "DSE_CACHE_DIR"
COMMAND = REAL_WORKER
"""How a training process is started."""

Files = dict[str, bytes]


@dataclass(frozen=True)
class Node:
    """The training processes of this machine for one data set and device.

    Attributes:
        pool: of processes.
        about: what they say of data and code.
        cache: where they keep trained networks.
    """

    pool: WorkerPool
    about: Line
    cache: ScoreCache


_nodes: dict[tuple[str, str], Node] = {}
_busy: dict[tuple[str, str], int] = {}
_lock = threading.Lock()


async def introduce(dataset: str, device: str, beacon: str, dask_worker: "Worker") -> str:
    """Open the pool of this worker, and say who it is: versions, slots, data, and whether it sees the file ``beacon``.

    Where the data cannot be used, ``refused`` says why.
    """
    return await asyncio.to_thread(_introduced, dataset, device, beacon, _slots(dask_worker, device))


def _slots(worker: "Worker", device: str) -> int:
    """Trainings at once on a worker: as many as it has threads or, on a GPU, as that takes."""
    gpu = worker.state.total_resources.get(GPU, 0)
    return max(1, int(gpu)) if device == "cuda" else int(worker.state.nthreads)


def _introduced(dataset: str, device: str, beacon: str, slots: int) -> str:
    answer: Line = {"identity": identity(), "slots": slots}
    try:
        node = _opened(dataset, device, slots)
    except (InputError, RunError) as error:
        return json.dumps({**answer, "refused": str(error)})
    return json.dumps({**answer, "about": node.about, "shares_cache": (node.cache.folder / beacon).exists()})


async def admit(resource: str, slots: int, dask_worker: "Worker") -> None:
    """Offer ``slots`` of ``resource`` from now on; only tasks of the search that admitted this worker ask for it."""
    await dask_worker.set_resources(**{resource: slots})


def receive(dataset: str, files: Files) -> None:
    """Put the files of a data set into this machine's data folder; they are verified when they are read."""
    from dse.data.parcel import unpack

    unpack(dataset, files)


def answer(call: str, files: Files) -> tuple[str, Files]:
    """Do one task; the worker's answer and, where the caller asked for them, the files of the trained network.

    Of a worker that cannot go on the answer says why (``broken``) and which it is.

    Args:
        call: JSON of ``dataset``, ``device``, ``task`` and ``send_files``.
        files: of the network to test, where this machine may not have them.
    """
    from distributed import get_worker

    worker = get_worker()
    asked = json.loads(call)
    task = Task.from_line(asked["task"])
    key = asked["dataset"], asked["device"]
    try:
        node = _opened(*key, _slots(worker, asked["device"]))
        _count(key, 1)
        try:
            if task.score is not None and files:
                node.cache.put_files(score_key(task.score), files)
            line = node.pool.submit(task).result()
        finally:
            _count(key, -1)
    except (InputError, RunError) as error:
        _close(key)
        return json.dumps({"broken": str(error), "worker": worker.address}), {}
    wanted = asked["send_files"] and "score" in line
    return json.dumps(line), node.cache.files(score_key(score_from_dict(line["score"]))) if wanted else {}


def close_all() -> None:
    """End every training process of this machine."""
    with _lock:
        for node in _nodes.values():
            node.pool.shutdown()
        _nodes.clear()


def _close(key: tuple[str, str]) -> None:
    """End the training processes of a node that cannot go on; the next task opens it anew."""
    with _lock:
        node = _nodes.pop(key, None)
    if node is not None:
        node.pool.shutdown()


def _count(key: tuple[str, str], change: int) -> None:
    with _lock:
        _busy[key] = _busy.get(key, 0) + change


def _opened(dataset: str, device: str, slots: int) -> Node:
    """The node for this data set and device; idle ones for others are closed, to make room."""
    with _lock:
        for other in [key for key in _nodes if key != (dataset, device) and not _busy.get(key)]:
            _nodes.pop(other).pool.shutdown()
        if (dataset, device) not in _nodes:
            _nodes[dataset, device] = _open(dataset, device, slots)
        return _nodes[dataset, device]


def _open(dataset: str, device: str, slots: int) -> Node:
    cache = Path(os.environ.get(CACHE_VARIABLE) or _usual_cache())
    threads = int(os.environ.get(THREADS_VARIABLE) or max(1, cores() // slots))
    settings = WorkerSettings(dataset, None, str(cache), device, threads)
    pool = WorkerPool(settings, slots, Path(tempfile.mkdtemp(prefix="dse-logs-")), COMMAND)
    try:
        return Node(pool, pool.start(), ScoreCache(cache))
    except BaseException:
        pool.shutdown()
        raise


def _usual_cache() -> Path:
    from dse.data.folder import cache_folder

    return cache_folder().parent / "networks"
