"""Trainings that are none: scores that follow from the genome, after as long as a training would take.

``python simulated.py`` is a worker process for `dse.workers.WorkerPool`; DSE_SIMULATED_S is how long a training takes.
"""

import os
import random
import sys
import threading
import time
from concurrent.futures import Future
from pathlib import Path

import numpy as np

from dse.score import Failed, NetworkScore
from dse.tasks import Line, Task
from dse.worker import WorkerSettings, answer_line, serve
from searchspaces.candidate import assumed_masks
from searchspaces.genome import NetworkGenome
from searchspaces.recipe import Recipe

ABOUT = {"data_digest": "0" * 16, "code_version": "simulated", "name": "simulated", "title": "Simulated", "classes": 10}


def simulated_score(task: Task) -> NetworkScore:
    """Larger networks classify better, up to noise that follows from the genome."""
    genome = task.genome
    draw = np.random.default_rng(int(genome.digest(), 16))
    size = sum(np.log2(layer.channels * (1 + layer.weight_bits)) for layer in genome.layers)
    error = 0.9 * float(np.exp(-0.1 * size)) + 0.02 * draw.random()
    right = round(1000 * (1 - error))
    rates = {x.name: tuple(draw.uniform(0.05, 0.4, genome.timesteps).tolist()) for x in genome.layers if x.spiking}
    digest, recipe = genome.digest(), task.recipe
    return NetworkScore(
        genome_digest=digest,
        recipe_digest=recipe.digest(),
        data_digest=ABOUT["data_digest"],
        seed=task.seed,
        code_version=ABOUT["code_version"],
        correct=right,
        samples=1000,
        deployed_correct=right,
        input_density=0.3,
        firing_rates=rates,
        masks=assumed_masks(genome),
        epochs=recipe.epochs,
        seconds=0.0,
        weights=f"{digest}/weights.safetensors",
    )


class SimulatedWorkers:
    """``slots`` workers, all but one always busy: a task is answered, at random, when all are."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.logs = Path()
        self.answered = 0
        self._draw = random.Random(0)
        self._busy: list[tuple[Task, Future[Line]]] = []
        self._left = 0

    def __call__(self, _settings: object, _slots: int, _logs: Path) -> "SimulatedWorkers":
        return self

    def start(self) -> Line:
        return ABOUT

    def submit(self, task: Task) -> "Future[Line]":
        future: Future[Line] = Future()
        self._busy.append((task, future))
        self._left -= 1
        while self._busy and (len(self._busy) == self.slots or self._left <= 0):
            done, answer = self._busy.pop(self._draw.randrange(len(self._busy)))
            answer.set_result(answer_line(simulated_score(done)))
            self.answered += 1
        return future

    def expect(self, tasks: int) -> None:
        """So many tasks will come; with the last, all are answered."""
        self._left = tasks

    def shutdown(self) -> None:
        pass


class SleepingPool:
    """In place of a `WorkerPool`: any number of trainings at once, each answered after ``seconds``."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def submit(self, task: Task) -> "Future[Line]":
        future: Future[Line] = Future()
        threading.Timer(self._seconds, lambda: future.set_result(answer_line(simulated_score(task)))).start()
        return future

    def shutdown(self) -> None:
        pass


class Sleeper:
    """What a simulated worker process does."""

    def __init__(self, _settings: WorkerSettings) -> None:
        self._seconds = float(os.environ["DSE_SIMULATED_S"])

    def about(self) -> Line:
        return ABOUT

    def train(self, genome: NetworkGenome, recipe: Recipe, seed: int) -> tuple[NetworkScore | Failed, bool]:
        time.sleep(self._seconds)
        return simulated_score(Task(0, genome, recipe, seed)), False

    def test(self, genome: NetworkGenome, score: NetworkScore) -> dict[str, int]:
        raise NotImplementedError("simulated networks are not tested")


if __name__ == "__main__":
    sys.exit(serve(Sleeper))
