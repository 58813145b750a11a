"""What rounding the activations of a CNN before its conversion brings, by time steps and strengths.

    python benchmarks/rounding.py [--seeds 3] [--epochs 12]

The digits, 16C3-32C3-MP-32FC-10FC with weights of 4 bits. Validation accuracy of the integer network, mean and standard
deviation over the seeds, by route.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from dse.cache import ScoreCache
from dse.data import load
from dse.data.dataset import Dataset
from dse.score import Failed
from dse.training.run import train
from searchspaces.genome import LayerGenome, NetworkGenome, Route
from searchspaces.recipe import Recipe

LAYERS = (
    LayerGenome("conv1", "conv", 16, weight_bits=4),
    LayerGenome("conv2", "conv", 32, pool=2, weight_bits=4),
    LayerGenome("fc1", "fc", 32, kernel=1, weight_bits=4),
    LayerGenome("classifier", "fc", 10, kernel=1, weight_bits=4, spiking=False),
)
STEPS_AND_LEVELS = ((1, 1), (2, 1), (4, 1), (8, 1), (1, 7))
ROUTES: tuple[Route, ...] = ("conversion", "rounded-conversion")


def accuracies(route: Route, timesteps: int, levels: int, epochs: int, seeds: int, data: Dataset) -> list[float]:
    """In percent, one a seed."""
    genome = NetworkGenome((1, 8, 8), 5, 10, timesteps, levels, "or", "fc", "soft", LAYERS, route=route)
    recipe = Recipe(epochs=epochs, learning_rate=5e-3)
    with tempfile.TemporaryDirectory() as folder:
        scores = [train(genome, data, recipe, seed, ScoreCache(Path(folder))) for seed in range(seeds)]
    return [100 * score.deployed_accuracy for score in scores if not isinstance(score, Failed)]


def main() -> None:
    """Train, and print one row for each number of steps and strengths."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=12)
    given = parser.parse_args()
    data = load("digits")
    print(f"| T | levels | {' | '.join(f'{route} %' for route in ROUTES)} |\n|---|---|---|---|")
    for timesteps, levels in STEPS_AND_LEVELS:
        rows = [accuracies(route, timesteps, levels, given.epochs, given.seeds, data) for route in ROUTES]
        cells = (f"{statistics.mean(row):.2f} ± {statistics.stdev(row):.2f}" for row in rows)
        print(f"| {timesteps} | {levels} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
