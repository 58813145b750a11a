"""Tasks for whoever trains, the futures of their answers, and what came of them."""

import queue
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, Self

from dse.results.scores import score_from_dict, score_to_dict
from dse.score import Failed, NetworkScore
from searchspaces.genome import NetworkGenome
from searchspaces.recipe import Recipe

Line = dict[str, Any]
"""What goes between a coordinator and a worker: plain data, one line of JSON."""


@dataclass(frozen=True)
class Task:
    """One thing to do for a network: train it, or score a trained one on the test set.

    Attributes:
        id: the caller's, unique among the tasks that are out.
        genome, recipe, seed: of the training.
        kind: ``"train"`` or ``"test"``.
        score: of the trained network, for ``"test"``.
    """

    id: int
    genome: NetworkGenome
    recipe: Recipe
    seed: int
    kind: Literal["train", "test"] = "train"
    score: NetworkScore | None = None

    def to_line(self) -> Line:
        """What a worker reads."""
        score = score_to_dict(self.score, masks=True) if self.score else None
        return {
            "id": self.id,
            "kind": self.kind,
            "genome": self.genome.to_dict(),
            "recipe": asdict(self.recipe),
            "seed": self.seed,
            "score": score,
        }

    @classmethod
    def from_line(cls, line: Line) -> Self:
        """The task that `to_line` describes."""
        score = score_from_dict(line["score"]) if line["score"] else None
        genome, recipe = NetworkGenome.from_dict(line["genome"]), Recipe(**line["recipe"])
        return cls(line["id"], genome, recipe, line["seed"], line["kind"], score)


@dataclass(frozen=True)
class Outcome:
    """What came of a task: a score, test counts, or why there is neither."""

    task: Task
    result: NetworkScore | Failed | dict[str, int]
    cached: bool = False

    @classmethod
    def of(cls, task: Task, answer: Mapping[str, Any]) -> Self:
        """What a worker's answer says: ``failed``, ``test``, or ``score`` with ``cached``."""
        if "failed" in answer:
            return cls(task, Failed(**answer["failed"]))
        if "test" in answer:
            return cls(task, answer["test"])
        return cls(task, score_from_dict(answer["score"]), answer["cached"])


class Trainers(Protocol):
    """Whoever trains for a search: an executor as of `concurrent.futures`, for tasks in place of function calls."""

    logs: Path
    """Folder of their logs; it moves with the study."""

    @property
    def slots(self) -> int:
        """Tasks that run at once, at present."""

    def start(self) -> Line:
        """Get ready; what `dse.worker.Trainer.about` says. Raises InputError where the data cannot be used."""

    def submit(self, task: Task) -> "Future[Line]":
        """Take one task; the future holds the worker's answer, or why none can ever come (InputError, RunError)."""

    def shutdown(self) -> None:
        """Stop, dropping what is in flight."""


class Flight:
    """Tasks that are with the trainers, and their outcomes in the order they come."""

    def __init__(self, trainers: Trainers) -> None:
        self._trainers = trainers
        self._landed: queue.SimpleQueue[tuple[Task, Future[Line]]] = queue.SimpleQueue()

    def submit(self, task: Task) -> None:
        """Hand out one task."""
        self._trainers.submit(task).add_done_callback(lambda future: self._landed.put((task, future)))

    def outcomes(self, timeout_s: float) -> list[Outcome]:
        """All outcomes there are, after waiting for the first at most that long.

        Raises:
            InputError, RunError: the trainers cannot go on.
        """
        try:
            landed = [self._landed.get(timeout=timeout_s)]
        except queue.Empty:
            return []
        while not self._landed.empty():
            landed.append(self._landed.get())
        return [Outcome.of(task, future.result()) for task, future in landed]
