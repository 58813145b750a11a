"""How many trainings at once a GPU is worth: trainings a minute over 1, 2, 4 and 8 worker processes that share it.

    python benchmarks/gpu.py --space mnist --data-dir DIR --workers 1 2 4 8

One JSON line for each number of workers: trainings a minute of wall time after every worker's first, and the memory
that the GPU then has taken. Without a CUDA device it ends with exit code 2; ``--device cpu`` tries it out. Candidates
of equal shape trained together in one batched model are not measured: such a training is not written.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from dse.score import Failed
from dse.tasks import Flight, Task
from dse.worker import WorkerSettings
from dse.workers import WorkerPool
from searchspaces.genes import drawn
from searchspaces.genome import NetworkGenome
from searchspaces.network import NetworkSpace
from searchspaces.space import load_space


def different(space: NetworkSpace, count: int) -> list[NetworkGenome]:
    """Different networks at random, the same in every run."""
    draw, found = np.random.default_rng(0), dict[str, NetworkGenome]()
    while len(found) < count:
        genome = space.genome(drawn(space.genes, draw))
        found[genome.digest()] = genome
    return list(found.values())


def finished(flight: Flight, count: int) -> int:
    """Wait for that many trainings; those of them that failed."""
    outcomes = []
    while len(outcomes) < count:
        outcomes += flight.outcomes(600.0)
    return sum(isinstance(outcome.result, Failed) for outcome in outcomes)


def measure(space: str, data_dir: str | None, device: str, workers: int, trainings: int) -> dict[str, float]:
    """Train ``trainings`` networks for each of so many workers, after one that starts each up."""
    whole = load_space(space)
    genomes = different(whole.network, workers * (1 + trainings))
    with tempfile.TemporaryDirectory() as folder:
        settings = WorkerSettings(whole.dataset, data_dir, str(Path(folder) / "cache"), device, 1)
        with WorkerPool(settings, workers, Path(folder) / "logs") as pool:
            pool.start()
            flight = Flight(pool)
            tasks = [Task(number, genome, whole.short, 0) for number, genome in enumerate(genomes)]
            for task in tasks[:workers]:
                flight.submit(task)
            failed = finished(flight, workers)
            begin = time.perf_counter()
            for task in tasks[workers:]:
                flight.submit(task)
            failed += finished(flight, workers * trainings)
            seconds = time.perf_counter() - begin
            taken = taken_mib() if device == "cuda" else 0
    rate = round(60 * workers * trainings / seconds, 2)
    return {"workers": workers, "per_minute": rate, "gpu_mib": taken, "failed": failed}


def taken_mib() -> int:
    """GPU memory that all processes together hold."""
    import torch

    free, total = torch.cuda.mem_get_info()
    return (total - free) >> 20


def main() -> None:
    """One JSON line for each number of workers."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", default="mnist")
    parser.add_argument("--data-dir")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--trainings", type=int, default=6, help="of each worker")
    given = parser.parse_args()
    if given.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda needs a GPU that torch can use, and there is none here")
    for workers in given.workers:
        found = measure(given.space, given.data_dir, given.device, workers, given.trainings)
        print(json.dumps({"space": given.space, "device": given.device, **found}), flush=True)


if __name__ == "__main__":
    main()
