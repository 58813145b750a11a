"""Does the default precision cost accuracy? One network, float32 against the default, over seeds.

    python benchmarks/precision.py [--space digits] [--data-dir DIR] [--seeds 10]

The network is of middle size in its space: 4 steps, 16 and 32 channels, 32 hidden neurons, binary weights. Deployed
validation accuracy of short runs, mean and standard deviation over the seeds.
"""

import argparse
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

from dse.cache import ScoreCache
from dse.data import load
from dse.score import Failed
from dse.training.run import train
from searchspaces.genome import NetworkGenome
from searchspaces.space import SearchSpace, load_space

MIDDLE = {"timesteps": 4, "head": "fc", "conv1.channels": 16, "conv2.channels": 32, "fc1.channels": 32}


def middle_network(space: SearchSpace) -> NetworkGenome:
    """The first choice of every gene but for the sizes."""
    return space.network.genome({gene.name: gene.choices[0] for gene in space.network.genes} | MIDDLE)


def main() -> None:
    """Train, and print one row per precision."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", default="digits")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    given = parser.parse_args()
    space, data = load_space(given.space), load(load_space(given.space).dataset, given.data_dir)
    genome = middle_network(space)
    print("| precision | mean % | deviation | seeds |\n|---|---|---|---|")
    for precision in ("float32", "auto"):
        recipe = replace(space.short, precision=precision)
        with tempfile.TemporaryDirectory() as folder:
            scores = [train(genome, data, recipe, seed, ScoreCache(Path(folder))) for seed in range(given.seeds)]
        percent = [100 * score.deployed_accuracy for score in scores if not isinstance(score, Failed)]
        print(f"| {precision} | {statistics.mean(percent):.2f} | {statistics.stdev(percent):.2f} | {len(percent)} |")


if __name__ == "__main__":
    main()
