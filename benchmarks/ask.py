"""Processor time of one proposal by a sampler, after so many trials of made-up values on a preset's space.

    OMP_NUM_THREADS=1 python benchmarks/ask.py --sampler auto --trials 100 1000 10000
    OMP_NUM_THREADS=1 python benchmarks/ask.py --mode joint --sampler tpe --trials 1000 10000
    OMP_NUM_THREADS=1 python benchmarks/ask.py --sampler random --trials 100 --storage sqlite
    python benchmarks/ask.py --sampler gp --trials 30          # as many threads as cores

``ask`` is the mean of the proposals after the first, which imports what the sampler needs and reads the trials;
``tell`` that of their answers. The storages are Optuna's, in a fresh folder; ``sqlite`` with the pragmas of a search.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.storages import BaseStorage, InMemoryStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState, create_trial

from dse.study import storage
from dse.study.encoding import distributions
from dse.study.front_sampler import FrontSampler
from dse.study.joint import MACHINE, NETWORK
from dse.study.samplers import STARTUP, make_sampler
from searchspaces.network import NetworkSpace
from searchspaces.space import SearchSpace, load_space

ASKED = 5


def genes_of(space: SearchSpace, mode: str) -> dict[str, BaseDistribution]:
    """What a proposal has to say: a network, in a joint search on a machine."""
    network, machine = distributions(space.network.genes, NETWORK), distributions(space.accelerator.genes, MACHINE)
    return {**network, **machine} if mode == "joint" else distributions(space.network.genes)


def values(params: Mapping[str, Any], draw: np.random.Generator) -> list[float]:
    """Two objectives in conflict."""
    numbers = np.array([float(value) if isinstance(value, int) else len(str(value)) for value in params.values()])
    shares = numbers / (1 + abs(numbers))
    return [float(shares.sum() + 0.1 * draw.random()), float(9 - (shares**2).sum() + 0.1 * draw.random())]


def opened(kind: str, folder: Path) -> BaseStorage:
    """A fresh storage."""
    if kind == "sqlite":
        return storage._storage(folder / "study.db")
    return InMemoryStorage() if kind == "memory" else JournalStorage(JournalFileBackend(str(folder / "journal.log")))


def sampler_of(kind: str, space: NetworkSpace, trials: int) -> BaseSampler:
    """The one of `dse search --sampler`."""
    if kind == "auto":
        return FrontSampler(space, lambda told: told, seed=0, startup=STARTUP)
    return make_sampler(kind, 0, trials, trials)


def drawn(genes: Mapping[str, BaseDistribution], draw: np.random.Generator) -> dict[str, Any]:
    """Parameters at random."""
    choices = {name: getattr(gene, "choices", None) or range(gene.high + 1) for name, gene in genes.items()}  # type: ignore[attr-defined]
    return {name: each[int(draw.integers(len(each)))] for name, each in choices.items()}


def measure(sampler: str, space: SearchSpace, mode: str, trials: int, kind: str) -> dict[str, float]:
    """Seconds of the first proposal, milliseconds of the others and of their answers."""
    genes, draw = genes_of(space, mode), np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        study = optuna.create_study(directions=["maximize"] * 2, storage=opened(kind, Path(folder)))
        study.sampler = RandomSampler(seed=0)
        for _ in range(trials):
            params = drawn(genes, draw)
            told = values(params, draw)
            study.add_trial(create_trial(state=TrialState.COMPLETE, values=told, params=params, distributions=genes))
        study.sampler = sampler_of(sampler, space.network, trials)
        spent: dict[str, list[float]] = {"ask": [], "tell": []}
        for _ in range(ASKED + 1):
            begun = time.process_time()
            trial = study.ask(genes)
            asked = time.process_time()
            study.tell(trial, values(trial.params, draw))
            spent["ask"].append(asked - begun)
            spent["tell"].append(time.process_time() - asked)
    means = {f"{name}_ms": round(1000 * float(np.mean(each[1:])), 1) for name, each in spent.items()}
    return {"first_ask_s": round(spent["ask"][0], 2), **means}


def main() -> None:
    """One JSON line for each number of trials."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", default="mnist")
    parser.add_argument("--sampler", default="auto", help="auto is that of a nested search")
    parser.add_argument("--mode", choices=("nested", "joint"), default="nested")
    parser.add_argument("--storage", choices=("memory", "sqlite", "journal"), default="memory")
    parser.add_argument("--trials", type=int, nargs="+", default=[100, 1000])
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space = load_space(given.space)
    threads = os.environ.get("OMP_NUM_THREADS", "as many as cores")
    for trials in given.trials:
        found = measure(given.sampler, space, given.mode, trials, given.storage)
        print(json.dumps({**vars(given), "trials": trials, "threads": threads, **found}), flush=True)


if __name__ == "__main__":
    main()
