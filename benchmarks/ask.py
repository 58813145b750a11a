"""Processor seconds of one proposal by a sampler, after so many trials of made-up values on a preset's networks.

    OMP_NUM_THREADS=1 python benchmarks/ask.py --sampler gp --trials 30
    python benchmarks/ask.py --sampler gp --trials 30          # as many threads as cores

The first proposal of a process also imports what the sampler needs; the second is shown.
"""

import argparse
import json
import os
import time

import numpy as np
import optuna

from dse.study.encoding import distributions
from dse.study.samplers import make_sampler
from searchspaces.space import load_space


def values(params: dict[str, object], draw: np.random.Generator) -> list[float]:
    """Two objectives in conflict."""
    numbers = np.array([float(value) if isinstance(value, int) else len(str(value)) for value in params.values()])
    shares = numbers / (1 + abs(numbers))
    return [float(shares.sum() + 0.1 * draw.random()), float(-(shares**2).sum() + 0.1 * draw.random())]


def main() -> None:
    """One JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", default="mnist")
    parser.add_argument("--sampler", default="gp")
    parser.add_argument("--trials", type=int, default=30)
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    genes = distributions(load_space(given.space).network.genes)
    study = optuna.create_study(directions=["maximize"] * 2, sampler=optuna.samplers.RandomSampler(seed=0))
    draw = np.random.default_rng(0)
    for _ in range(given.trials):
        trial = study.ask(genes)
        study.tell(trial, values(trial.params, draw))
    study.sampler = make_sampler(given.sampler, 0, given.trials, given.trials)
    for _ in range(2):
        begin = time.process_time()
        study.ask(genes)
        seconds = time.process_time() - begin
    threads = os.environ.get("OMP_NUM_THREADS", "as many as cores")
    print(json.dumps({**vars(given), "parameters": len(genes), "threads": threads, "ask_s": round(seconds, 2)}))


if __name__ == "__main__":
    main()
