"""Train the networks of a space to convergence, and briefly in several ways: ground truth of search benchmarks.

    python benchmarks/tabular/make_table.py --out digits.jsonl [--workers 2]
    python benchmarks/tabular/make_table.py --space benchmarks/tabular/mnist.toml --limit 200 --out mnist.jsonl

One line per training: genome parameters, recipe, seed, right answers on validation samples and, where the table wants
them, on test samples, firing rates, masks, seconds. What is in the file already is not trained again, so it may be
stopped at any time and started again.
"""

import argparse
import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")  # a worker for each core

from table import FULL

from dse.results.scores import score_to_dict
from dse.score import Failed
from searchspaces.network import NetworkSpace
from searchspaces.recipe import Recipe
from searchspaces.space import SearchSpace, load_space

SPACE = Path(__file__).parent / "digits.toml"
SHORT_SEED = 7
"""Short runs have a seed of their own: that of a full run would share its order of samples and first weights."""


class Length(NamedTuple):
    """Epochs of a run, and the training samples it sees in each; None is all."""

    epochs: int
    samples: int | None = None


@dataclass(frozen=True)
class Runs:
    """What a table holds of each network: full runs from these seeds, as the space refines, and short ones by name.

    Attributes:
        short_tested: whether short runs are scored on test samples, as full ones are.
    """

    full_seeds: tuple[int, ...]
    short: Mapping[str, Length]
    short_tested: bool


DIGITS = Runs(
    (0, 1, 2),
    {
        "e2": Length(2),
        "e3": Length(3),
        "e6": Length(6),
        "e12": Length(12),
        "e12-half": Length(12, 538),
        "e24-quarter": Length(24, 269),
    },
    short_tested=True,
)
MNIST = Runs(
    (0,),
    {
        "5k-e1": Length(1, 5_000),
        "5k-e2": Length(2, 5_000),
        "5k-e4": Length(4, 5_000),
    },
    short_tested=False,
)
RUNS = {"tabular-digits": DIGITS, "tabular-mnist": MNIST}
"""By name of the space."""


@dataclass(frozen=True)
class Job:
    """One training: which network, how, and from which seed."""

    number: int
    params: tuple[tuple[str, Any], ...]
    run: str
    epochs: int
    samples: int | None
    seed: int

    @property
    def key(self) -> tuple[int, str, int]:
        """What tells two jobs of a table apart."""
        return self.number, self.run, self.seed


def genomes(space: NetworkSpace) -> list[dict[str, Any]]:
    """Parameters of every network, in the order of the space's genes; equal networks once."""
    free = [gene for gene in space.genes if len(gene.choices) > 1]
    fixed = {gene.name: gene.choices[0] for gene in space.genes if len(gene.choices) == 1}
    found = {}
    for values in product(*(gene.choices for gene in free)):
        params = {**fixed, **dict(zip((gene.name for gene in free), values, strict=True))}
        found.setdefault(space.genome(params).digest(), params)
    return list(found.values())


def jobs(space: SearchSpace, limit: int | None) -> Iterator[Job]:
    """Network by network in a fixed random order, the full runs first, so that a table cut short is a fair sample."""
    numbered = list(enumerate(genomes(space.network)))
    random.Random(0).shuffle(numbered)
    runs = RUNS[space.name]
    for number, params in numbered[:limit]:
        stated = tuple(sorted(params.items()))
        for seed in runs.full_seeds:
            yield Job(number, stated, FULL, space.refine.epochs, None, seed)
        for run, length in runs.short.items():
            yield Job(number, stated, run, length.epochs, length.samples, SHORT_SEED)


@cache
def opened(space_file: Path) -> tuple[SearchSpace, Any, Any]:
    """Space, data and test samples of a worker process."""
    from dse.data import load, load_test

    space = load_space(space_file)
    folder = Path(os.environ["DSE_DATA_DIR"]) if "DSE_DATA_DIR" in os.environ else None
    return space, load(space.dataset, folder), load_test(space.dataset, folder)


def run_job(space_file: Path, job: Job) -> dict[str, Any]:
    """Train, score on validation and test samples, and describe."""
    from dse.cache import ScoreCache
    from dse.training.run import test, train

    space, data, unseen = opened(space_file)
    genome = space.network.genome(dict(job.params))
    recipe: Recipe = replace(space.refine, epochs=job.epochs, train_samples=job.samples)
    line: dict[str, Any] = {**asdict(job), "params": dict(job.params), "genome": genome.digest()}
    with tempfile.TemporaryDirectory() as folder:
        store, start = ScoreCache(Path(folder)), time.process_time()
        score = train(genome, data, recipe, job.seed, store, "cpu", 1)
        line["cpu_seconds"] = round(time.process_time() - start, 3)
        if isinstance(score, Failed):
            return {**line, "failed": score.reason}
        runs = RUNS[space.name]
        if job.run == FULL or runs.short_tested:
            tested = test(genome, score, store, unseen, "cpu")
            line["test"] = {"deployed_correct": tested.deployed_correct, "samples": tested.samples}
    line["score"] = score_to_dict(score, masks=job.run == FULL and job.seed == runs.full_seeds[0])
    return line


def known(path: Path) -> set[tuple[int, str, int]]:
    """Keys of the trainings in the file; a last line cut short by a kill is dropped from it."""
    if not path.exists():
        return set()
    text = path.read_text()
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole)
    return {(line["number"], line["run"], line["seed"]) for line in map(json.loads, whole.splitlines())}


def main() -> int:
    """Runs what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--space", type=Path, default=SPACE)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--limit", type=int, help="only the first networks of the random order")
    options = parser.parse_args()
    done = known(options.out)
    wanted = [job for job in jobs(load_space(options.space), options.limit) if job.key not in done]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.workers, mp_context=context) as pool, options.out.open("a") as file:
        waiting = [pool.submit(run_job, options.space, job) for job in wanted]
        for count, finished in enumerate(as_completed(waiting), 1):
            print(json.dumps(finished.result()), file=file, flush=True)
            print(f"{count}/{len(wanted)}", end="\r", file=sys.stderr, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
