"""What lowers a training loss that has stalled: flips of binary weights (BWO), straight-through steps, or neither.

    OMP_NUM_THREADS=1 python benchmarks/stalled_loss.py [--data-dir DIR] [--seeds 3] [--epochs 12]

An all-binary 16C3-MP-32C3-MP-64FC-10FC, T = 1, is trained on 6,000 images of Fashion-MNIST (without a data folder: on
the digits) until its learning rate has run out. It then goes on for a quarter of its epochs in several ways: its
weights stay and batch norms alone learn; weights learn straight-through at several learning rates; weights flip at
several thresholds. The last line is a plain training that had all of these epochs from its beginning. Mean over the
seeds of the loss on the samples it was trained on and of the validation accuracy, float network, and the flips.
"""

import argparse
import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from dse.data import load
from dse.data.dataset import Dataset, Split
from dse.training.bwo import PHASE_LEARNING_RATE, BinaryPhase
from dse.training.measure import mean_loss, right_answers
from dse.training.model import SpikingNetwork, build_network
from dse.training.optimise import clip_weights, half_cosine, optimiser, step_loss
from dse.training.run import trained
from dse.training.sampling import balanced_subset, batches
from searchspaces.genome import LayerGenome, NetworkGenome
from searchspaces.recipe import Recipe

LAYERS = (
    LayerGenome("conv1", "conv", 16, pool=2),
    LayerGenome("conv2", "conv", 32, pool=2),
    LayerGenome("fc1", "fc", 64, kernel=1),
    LayerGenome("classifier", "fc", 10, kernel=1, spiking=False),
)
STRAIGHT_THROUGH = (0.1, 0.25, 0.5)  # of the peak learning rate
GAMMAS = (3.0, 3.5, 4.0, 4.5, 5.0)
PROCESSOR = torch.device("cpu")


def go_on(network: SpikingNetwork, seen: Split, recipe: Recipe, seed: int, rate: float, gamma: float | None) -> int:
    """Train in place for the recipe's epochs from that share of its learning rate down to nothing; the flips.

    Args:
        gamma: of the flips; binary weights stay where it is infinite, and learn straight-through where it is None.
    """
    phase = None if gamma is None else replace(BinaryPhase.of(network.all_synapses()), gamma=gamma)
    optimise, flips = optimiser(network, recipe), 0
    order = list(batches(len(seen), recipe.batch_size, recipe.epochs, np.random.default_rng(seed)))
    network.train()
    for step, index in enumerate(order):
        for group in optimise.param_groups:
            group["lr"] = recipe.learning_rate * rate * half_cosine((step + 1) / len(order))
        optimise.zero_grad()
        images, labels = torch.from_numpy(seen.images[index]), torch.from_numpy(seen.labels[index])
        step_loss(network, images, labels, recipe.label_smoothing).backward()
        if phase is not None:
            flips += phase.step(step)
        optimise.step()
        clip_weights(network)
    return flips


def outcomes(dataset: Dataset, samples: int | None, epochs: int, seed: int) -> dict[str, tuple[float, float, int]]:
    """Training loss, validation accuracy in percent and flips of each way."""
    shape, bits = dataset.input_shape, dataset.input_bits
    genome = NetworkGenome(shape, bits, dataset.classes, 1, 1, "or", "fc", "hard", LAYERS)
    recipe = Recipe(epochs=epochs, train_samples=samples, surrogate="arctan", surrogate_width=2)
    more = replace(recipe, epochs=max(1, epochs // 4))
    # A run draws its samples first, from a generator of its seed.
    seen = dataset.train.take(balanced_subset(dataset.train.labels, samples, np.random.default_rng(seed)))
    found = {}

    def keep(name: str, network: SpikingNetwork, flips: int = 0) -> None:
        right = right_answers(network, dataset.validation, PROCESSOR)
        found[name] = mean_loss(network, seen, PROCESSOR), 100 * right / len(dataset.validation), flips

    def run(own: Recipe) -> SpikingNetwork:
        return trained(genome, dataset, own, seed, PROCESSOR, time.perf_counter())

    stalled = run(recipe)
    keep(f"{epochs} epochs, stalled", stalled)
    state = stalled.state_dict()

    def way(name: str, rate: float, gamma: float | None) -> None:
        network = build_network(genome, recipe)
        network.load_state_dict(state)
        keep(f"+ {more.epochs}: {name}", network, go_on(network, seen, more, seed, rate, gamma))

    way("weights stay", PHASE_LEARNING_RATE, math.inf)
    for rate in STRAIGHT_THROUGH:
        way(f"straight-through from {rate:g} of the rate", rate, None)
    for gamma in GAMMAS:
        way(f"flips, gamma {gamma:g}", PHASE_LEARNING_RATE, gamma)
    keep(f"{epochs + more.epochs} epochs from the beginning", run(replace(recipe, epochs=epochs + more.epochs)))
    return found


def line(name: str, values: Sequence[tuple[float, float, int]]) -> str:
    """One row of the table."""
    losses, accuracies, flips = zip(*values, strict=True)
    each = ", ".join(f"{loss:.4f}" for loss in losses)
    cells = f"{statistics.mean(losses):.4f} | {each} | {statistics.mean(accuracies):.2f}"
    return f"| {name} | {cells} | {statistics.mean(flips):,.0f} |"


def main() -> None:
    """Train, and print one row for each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=12)
    given = parser.parse_args()
    dataset = load("fashion-mnist", given.data_dir) if given.data_dir else load("digits")
    samples = 6000 if given.data_dir else None
    found = [outcomes(dataset, samples, given.epochs, seed) for seed in range(given.seeds)]
    print("| way | training loss | by seed | validation % | flips |\n|---|---|---|---|---|")
    for name in found[0]:
        print(line(name, [each[name] for each in found]))


if __name__ == "__main__":
    main()
