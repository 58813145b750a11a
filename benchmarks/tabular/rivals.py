"""Contestants: this search itself, its trainings answered from the table, and others over network and machine."""

import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol
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
AX_TRAININGS = 100
"""At seconds a proposal, 300 trainings of one seed take half an hour."""
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


class Asker(Protocol):
    """An optimiser of network and machine together, told the objectives as they are."""

    def ask(self) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """What `tell` wants back, and the genes of a network and of a machine."""

    def tell(self, handle: Any, values: Sequence[float]) -> None:
        """What came of it."""


class PlainOptuna:
    """Optuna as its user writes it down, with its own defaults."""

    def __init__(self, question: Question, sampler: BaseSampler) -> None:
        self._genes = question.space.network.genes, question.space.accelerator.genes
        self._wanted = {**distributions(self._genes[0], NETWORK), **distributions(self._genes[1], MACHINE)}
        directions = ["maximize" if o.maximise else "minimize" for o in question.problem.objectives]
        self._study = optuna.create_study(directions=directions, sampler=sampler)

    def ask(self) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        trial = self._study.ask(self._wanted)
        network, machine = self._genes
        return trial, decoded(network, trial.params, NETWORK), decoded(machine, trial.params, MACHINE)

    def tell(self, handle: Any, values: Sequence[float]) -> None:
        self._study.tell(handle, list(values))


def by_ax(question: Question, seed: int) -> Asker:
    """SpikeExplorer's optimiser, where it is installed."""
    from spikeexplorer import Ax

    return Ax(question, seed)


JOINT: dict[str, Callable[[Question, int], Asker]] = {
    "random": lambda question, seed: PlainOptuna(question, RandomSampler(seed=seed)),
    "tpe": lambda question, seed: PlainOptuna(question, TPESampler(seed=seed)),
    "nsga2": lambda question, seed: PlainOptuna(question, NSGAIISampler(seed=seed)),
    "nsga3": lambda question, seed: PlainOptuna(question, NSGAIIISampler(seed=seed)),
    "ax": by_ax,
}


def joint(question: Question, sampler: str, seed: int, trainings: int = JOINT_TRAININGS) -> list[Step]:
    """Network and machine proposed together, each trial one training; machines that cannot run the network cost none.

    What it tells for those is the reference point.
    """
    asker, accelerator = JOINT[sampler](question, seed), question.space.accelerator
    places = {_key(machine): place for place, machine in enumerate(question.problem.pricer.machines)}
    steps, begun = list[Step](), time.process_time()
    for _ in range(MOST_ASKED * trainings):
        handle, network, config = asker.ask()
        number = question.by_digest[question.space.network.genome(network).digest()].number
        machine = places[_key(accelerator.config(config))]
        priced = question.priced(number, question.told)
        if not priced.runs[machine]:
            asker.tell(handle, [question.reference.values[o.column] for o in question.problem.objectives])
            continue
        steps.append(Step(number, machine, time.process_time() - begun))
        asker.tell(handle, question.told_values(priced, machine))
        if len(steps) == trainings:
            break
    return steps


def _key(machine: Any) -> tuple[Any, ...]:
    return tuple(vars(machine).values())
