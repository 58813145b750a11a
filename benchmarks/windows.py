"""Which window of the spike's gradient trains better: rectangular of width 1, or arctan of width 2.

    python benchmarks/windows.py --data-dir DIR [--seeds 3] [--samples 5000] [--epochs 4]

Networks of `dse reproduce --budget small`, trained on a part of MNIST and Fashion-MNIST. Validation accuracy of the
integer network by seed, and how much the second window gains.
"""

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Literal

from dse.cache import ScoreCache
from dse.data import load
from dse.reproduction.plan import read_plan
from dse.score import Failed
from dse.training.run import train
from searchspaces.genome import NetworkGenome
from searchspaces.recipe import Recipe

CASES = (("vsa", "mnist"), ("vsa", "fashion-mnist"), ("one-step", "fashion-mnist"))
WIDTHS: dict[Literal["rectangular", "arctan"], float] = {"rectangular": 1.0, "arctan": 2.0}


def network(name: str) -> NetworkGenome:
    """Of that name, whatever it is trained on."""
    return next(each.genome for each in read_plan("small").trainings.values() if each.network == name)


def main() -> None:
    """Train, and print one row for each network and data set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--epochs", type=int, default=4)
    given = parser.parse_args()
    print("| network | data set | rectangular % | arctan % | gained |\n|---|---|---|---|---|")
    for name, dataset in CASES:
        genome, data, found = network(name), load(dataset, given.data_dir), {}
        for window, width in WIDTHS.items():
            recipe = Recipe(given.epochs, given.samples, surrogate=window, surrogate_width=width)
            with tempfile.TemporaryDirectory() as folder:
                scores = [train(genome, data, recipe, seed, ScoreCache(Path(folder))) for seed in range(given.seeds)]
            found[window] = [100 * score.deployed_accuracy for score in scores if not isinstance(score, Failed)]
        rows = (", ".join(f"{percent:.2f}" for percent in row) for row in found.values())
        gained = statistics.mean(found["arctan"]) - statistics.mean(found["rectangular"])
        print(f"| {name} | {dataset} | {' | '.join(rows)} | {gained:+.2f} |", flush=True)


if __name__ == "__main__":
    main()
