"""Contestants: this search itself, its trainings answered from the table, and plain Optuna over network and machine."""

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import optuna
from optuna.samplers import BaseSampler, NSGAIIISampler, NSGAIISampler, RandomSampler, TPESampler
from question import Question, Step, remembered_totals

from dse.study.encoding import decoded, distributions
from dse.study.search import run_search
from dse.tasks import Line, Task
from dse.worker import answer_line

NETWORK, MACHINE = "network.", "machine."
NESTED_TRAININGS = 100
JOINT_TRAININGS = 300
MOST_ASKED = 3
"""A joint contestant may propose so many times its trainings, machines that cannot run the network costing none."""


class TableTrainers:
    """Answers trainings from the table, one at a time; keeps when each was asked for."""

    slots = 1
    logs = Path()

    def __init__(self, question: Question) -> None:
        self.question = question
        self.steps: list[Step] = []
        self._begun = time.process_time()

    def __call__(self, *_: object) -> "TableTrainers":
        return self

    def start(self) -> Line:
        return {"data_digest": "table", "code_version": "table", "name": "digits", "title": "table", "classes": 10}

    def submit(self, task: Task) -> "Future[Line]":
        entry = self.question.by_digest[task.genome.digest()]
        self.steps.append(Step(entry.number, None, time.process_time() - self._begun))
        future: Future[Line] = Future()
        future.set_result(answer_line(entry.score(self.question.told, task.genome)))
        return future

    def shutdown(self) -> None:
        pass


def nested(question: Question, sampler: str, seed: int, trainings: int = NESTED_TRAININGS) -> list[Step]:
    """`run_search` over the half."""
    trainers = TableTrainers(question)
    with tempfile.TemporaryDirectory() as folder, patch("dse.study.problem.load_space", lambda _: question.space):
        settings = replace(
            question.settings, sampler=sampler, seed=seed, trials=trainings, results_dir=Path(folder), name="s"
        )
        run_search(settings, make_trainers=trainers, evaluate=remembered_totals)
    return trainers.steps


JOINT: dict[str, Callable[[int], BaseSampler]] = {
    "random": lambda seed: RandomSampler(seed=seed),
    "tpe": lambda seed: TPESampler(seed=seed),
    "nsga2": lambda seed: NSGAIISampler(seed=seed),
    "nsga3": lambda seed: NSGAIIISampler(seed=seed),
}
"""As a user of Optuna makes them, with Optuna's own defaults."""


def joint(question: Question, sampler: str, seed: int, trainings: int = JOINT_TRAININGS) -> list[Step]:
    """Plain Optuna over network and machine, each trial one training; machines that cannot run the network cost none.

    What it tells for those is the reference point.
    """
    space, accelerator = question.space.network, question.space.accelerator
    wanted = {**distributions(space.genes, NETWORK), **distributions(accelerator.genes, MACHINE)}
    directions = ["maximize" if o.maximise else "minimize" for o in question.problem.objectives]
    study = optuna.create_study(directions=directions, sampler=JOINT[sampler](seed))
    places = {_key(machine): place for place, machine in enumerate(question.problem.pricer.machines)}
    steps, begun = list[Step](), time.process_time()
    for _ in range(MOST_ASKED * trainings):
        trial = study.ask(wanted)
        number = question.space.network.nearest(decoded(space.genes, trial.params, NETWORK)).number  # type: ignore[attr-defined]
        machine = places[_key(accelerator.config(decoded(accelerator.genes, trial.params, MACHINE)))]
        priced = question.priced(number, question.told)
        if not priced.runs[machine]:
            study.tell(trial, [question.reference.values[o.column] for o in question.problem.objectives])
            continue
        steps.append(Step(number, machine, time.process_time() - begun))
        study.tell(trial, question.told_values(priced, machine))
        if len(steps) == trainings:
            break
    return steps


def _key(machine: Any) -> tuple[Any, ...]:
    return tuple(vars(machine).values())
