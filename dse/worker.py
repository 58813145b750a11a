"""A training process: reads tasks as JSON lines from stdin, answers each with one line on stdout, ends with its parent.

Run as ``python -m dse.worker``. The first line configures it; it loads the data once and keeps them.
"""

import errno
import json
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Literal, Protocol

from costmodels.errors import InputError
from dse.results.scores import score_to_dict
from dse.score import Failed, NetworkScore
from dse.tasks import Line, Task
from searchspaces.genome import NetworkGenome
from searchspaces.recipe import Recipe

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""Errors of the system after which no training can be kept."""


class Trainer(Protocol):
    """What a worker does; `dse.worker` itself knows no torch."""

    def about(self) -> Line:
        """Data set and code, as plain data: ``data_digest``, ``title``, ``classes``, ``samples``, ``code_version``."""

    def train(self, genome: NetworkGenome, recipe: Recipe, seed: int) -> tuple[NetworkScore | Failed, bool]:
        """The score, and whether it was known already."""

    def test(self, genome: NetworkGenome, score: NetworkScore) -> dict[str, int]:
        """``correct``, ``deployed_correct`` and ``samples`` on the test set."""


@dataclass(frozen=True)
class WorkerSettings:
    """First line a worker reads.

    Attributes:
        dataset, data_dir: what to load and where from (None is the default place).
        cache: folder of trained networks.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: of this process.
    """

    dataset: str
    data_dir: str | None
    cache: str
    device: str
    threads: int


def serve(open_trainer: Callable[[WorkerSettings], Trainer]) -> int:
    """Answer tasks until stdin ends; the exit status of the process."""
    answers = _claim_stdout()
    lines = _read_until_parent_ends(sys.stdin)
    try:
        trainer = open_trainer(WorkerSettings(**lines.get()))
        _say(answers, {"ready": trainer.about()})
    except InputError as error:
        _say(answers, {"refused": str(error)})
        return 2
    while True:
        task = Task.from_line(lines.get())
        _say(answers, {"id": task.id, **_answer(trainer, task)})


def _claim_stdout() -> IO[str]:
    """The real stdout for answers alone; whatever a library prints goes to stderr, which is the log."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _read_until_parent_ends(stdin: IO[str]) -> "queue.SimpleQueue[Line]":
    """Lines as they come; the process ends at once, also in the middle of a training, when stdin does."""
    lines: queue.SimpleQueue[Line] = queue.SimpleQueue()

    def read() -> None:
        for line in stdin:
            lines.put(json.loads(line))
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    return lines


def _say(answers: IO[str], data: Mapping[str, object]) -> None:
    answers.write(json.dumps(data) + "\n")
    answers.flush()


def _answer(trainer: Trainer, task: Task) -> Line:
    """The answer to one task; an error nobody foresaw is a failed training, with its traceback in the log."""
    begin = time.monotonic()
    try:
        if task.score is not None:
            return {"test": trainer.test(task.genome, task.score)}
        return answer_line(*trainer.train(task.genome, task.recipe, task.seed))
    except Exception as error:
        traceback.print_exc()
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            return {"stopped": f"trained networks must be kept, but there is no room: {error}; free space and go on"}
        reason: Literal["out-of-memory", "crashed"] = "out-of-memory" if isinstance(error, MemoryError) else "crashed"
        return answer_line(Failed(reason, _one_line(error), time.monotonic() - begin))


def answer_line(result: NetworkScore | Failed, cached: bool = False) -> Line:
    """What `dse.tasks.Outcome.of` reads."""
    if isinstance(result, Failed):
        return {"failed": vars(result)}
    return {"score": score_to_dict(result, masks=True), "cached": cached}


def _one_line(error: Exception) -> str:
    """Class and first line of the message."""
    return f"{type(error).__name__}: {error}".splitlines()[0][:300]


class DatasetTrainer:
    """Trains on one data set with `dse.training`."""

    def __init__(self, settings: WorkerSettings) -> None:
        os.environ.setdefault("OMP_NUM_THREADS", str(settings.threads))
        from pathlib import Path

        from dse.cache import ScoreCache
        from dse.data import load

        self._settings = settings
        self._data_dir = Path(settings.data_dir) if settings.data_dir else None
        self._dataset = load(settings.dataset, self._data_dir)
        self._cache = ScoreCache(Path(settings.cache))
        self._cache.sweep()

    def about(self) -> Line:
        """Data set and code, as plain data."""
        from dse.cache import code_version

        data = self._dataset
        return {
            "code_version": code_version(),
            "data_digest": data.digest,
            "name": data.name,
            "title": data.title,
            "classes": data.classes,
            "train_samples": len(data.train.labels),
            "validation_samples": len(data.validation.labels),
        }

    def train(self, genome: NetworkGenome, recipe: Recipe, seed: int) -> tuple[NetworkScore | Failed, bool]:
        """From the cache where it is known, else by training."""
        key = self._cache.key(genome, recipe, self._dataset.digest, seed)
        known = self._cache.get(key)
        if known is not None:
            return known, True
        from dse.training.run import train

        settings = self._settings
        return train(
            genome, self._dataset, recipe, seed, self._cache, device=settings.device, threads=settings.threads
        ), False

    def test(self, genome: NetworkGenome, score: NetworkScore) -> dict[str, int]:
        """Load the test split, and ask once."""
        from dse.cache import score_key
        from dse.data import load_test
        from dse.errors import DataError
        from dse.training.run import test

        if self._cache.get(score_key(score)) is None:
            raise DataError(
                f"trained network {score.genome_digest} must be whole in {self._cache.folder}, but is missing or "
                "damaged; delete its line from refined.jsonl and refine again"
            )
        split = load_test(self._settings.dataset, self._data_dir)
        asked = test(genome, score, self._cache, split, device=self._settings.device)
        return {"correct": asked.correct, "deployed_correct": asked.deployed_correct, "samples": asked.samples}


if __name__ == "__main__":
    sys.exit(serve(DatasetTrainer))
