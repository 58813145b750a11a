"""What the coordinator of a search costs per trial, with simulated workers that answer without any training.

    python benchmarks/coordinator.py --space digits --sampler random --slots 256 --trials 2000
    python benchmarks/coordinator.py --space digits --sampler random --slots 64 --trials 10000 --resume --report

Processor time, so that a busy machine does not matter much; by part: asking the sampler, pricing every machine, keeping
records, telling the database. ``--resume`` opens the finished study again, ``--report`` draws its page.
"""

import argparse
import json
import os
import random
import resource
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from dse.results.folder import StudyFolder
from dse.score import NetworkScore
from dse.study.ledger import Ledger
from dse.study.pricing import Pricer
from dse.study.proposals import Proposer
from dse.study.search import resume, run_search
from dse.study.settings import SearchSettings
from dse.tasks import Line, Task
from dse.worker import answer_line
from searchspaces.candidate import assumed_masks

PARTS: tuple[tuple[str, type, str], ...] = (
    ("ask", Proposer, "_ask"),
    ("price", Pricer, "price"),
    ("keep", StudyFolder, "add_network"),
    ("tell", Proposer, "_tell"),
    ("tables", Ledger, "write_tables"),
)
ABOUT = {"data_digest": "0" * 16, "code_version": "simulated", "name": "simulated", "title": "Simulated", "classes": 10}


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


@contextmanager
def clocked(spent: dict[str, float]) -> Iterator[None]:
    """Add up the processor seconds of every part while the block runs."""
    before = [(owner, name, getattr(owner, name)) for _, owner, name in PARTS]
    for part, owner, name in PARTS:
        setattr(owner, name, _timed(getattr(owner, name), part, spent))
    try:
        yield
    finally:
        for owner, name, whole in before:
            setattr(owner, name, whole)


def _timed(whole: Callable[..., Any], part: str, spent: dict[str, float]) -> Callable[..., Any]:
    def timed(*args: Any, **kwargs: Any) -> Any:
        begin = time.process_time()
        try:
            return whole(*args, **kwargs)
        finally:
            spent[part] += time.process_time() - begin

    return timed


def measure(settings: SearchSettings, again: bool, report: bool) -> dict[str, Any]:
    """Milliseconds a trial by part, and what memory, folder, resumption and report take."""
    workers, spent = SimulatedWorkers(settings.slots), defaultdict[str, float](float)
    workers.expect(settings.trials)
    begin = time.process_time()
    with clocked(spent):
        path = run_search(settings, make_trainers=workers).folder.path
    total = time.process_time() - begin
    trials = workers.answered
    found: dict[str, Any] = {"sampler": settings.sampler, "space": settings.space, "slots": settings.slots}
    found |= {"trials": trials, "ms_per_trial": round(1000 * total / trials, 2)}
    found |= {part: round(1000 * seconds / trials, 2) for part, seconds in spent.items()}
    found["peak_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    found["folder_mib"] = round(sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 2**20, 1)
    if again:
        found["resume_s"] = round(_seconds(lambda: resume(path, make_trainers=SimulatedWorkers(settings.slots))), 2)
    if report:
        found["report_s"] = round(_seconds(lambda: _report(path)), 2)
    return found


def _report(path: Path) -> None:
    from dse.cli.study import write_report

    write_report(StudyFolder(path))


def _seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def main() -> None:
    """One JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", default="digits")
    parser.add_argument("--sampler", default="random")
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--report", action="store_true")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="coordinator-"))
    settings = SearchSettings(
        space=given.space, sampler=given.sampler, workers=given.slots, trials=given.trials, results_dir=folder
    )
    try:
        print(json.dumps(measure(settings, given.resume, given.report)))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
