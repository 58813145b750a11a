"""Time of a training step under each method over that of the plain step, on the same network, interleaved.

    OMP_NUM_THREADS=1 python benchmarks/methods.py --rounds 9

A round times each method once, so a slow minute of the machine falls on all; printed is the median over rounds of the
ratio within a round, and the plain step in milliseconds. A method may cost 1.3 times the plain step. ALE decides a few
times in a run, so its time is divided by the steps of a short run of the preset for MNIST.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F  # noqa: N812

from dse.data.dataset import Split
from dse.training.ale import PART, Binarisation
from dse.training.bwo import SETTLING_STEPS, BinaryPhase
from dse.training.model import build_network
from dse.training.run import stage_network
from dse.training.stages import stages
from searchspaces.genome import LayerGenome, NetworkGenome
from searchspaces.recipe import Recipe

BAR = 1.3
BATCH = 32
PLAIN = NetworkGenome(
    input_shape=(1, 28, 28),
    input_bits=8,
    classes=10,
    timesteps=4,
    levels=1,
    pooling="or",
    head="fc",
    reset="soft",
    layers=(
        LayerGenome("conv1", "conv", 64, pool=2),
        LayerGenome("conv2", "conv", 64, pool=2),
        LayerGenome("fc1", "fc", 128),
        LayerGenome("out", "fc", 10, spiking=False),
    ),
)
PRUNED = (PLAIN.layers[0], replace(PLAIN.layers[1], prune_ratio=0.5), *PLAIN.layers[2:])
METHODS = {
    "plain": PLAIN,
    "levels 3": replace(PLAIN, levels=3),
    "levels 7": replace(PLAIN, levels=7),
    "average pooling": replace(PLAIN, pooling="average"),
    "membrane pooling": replace(PLAIN, pooling="membrane"),
    "count pooling": replace(PLAIN, pooling="count"),
    "pruning": replace(PLAIN, layers=PRUNED),
    "BWO": replace(PLAIN, bwo=True),
    "dynamic pruning": replace(PLAIN, layers=PRUNED, dynamic_pruning=True),
    "conversion": replace(PLAIN, route="conversion"),
    "rounded conversion": replace(PLAIN, route="rounded-conversion"),
}
ALE = replace(PLAIN, layers=tuple(replace(layer, weight_bits=4) for layer in PLAIN.layers), ale_loss=100.0)
SHORT_RUN_STEPS = 3 * (10_000 // 64)  # of searchspaces/presets/mnist.toml


def random_batch(genome: NetworkGenome) -> tuple[torch.Tensor, torch.Tensor]:
    """Images and labels."""
    images = torch.randint(0, 256, (BATCH, *genome.input_shape), dtype=torch.uint8)
    return images, torch.randint(0, genome.classes, (BATCH,))


def training_step(genome: NetworkGenome) -> Callable[[], None]:
    """One step on random images, of the last stage of a training."""
    torch.manual_seed(0)
    network = stage_network(stages(genome, Recipe(epochs=2))[-1], torch.device("cpu"))
    network.precision = torch.float32
    images, labels = random_batch(genome)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, fused=True)
    flips = BinaryPhase.of(network.all_synapses() if genome.bwo else [])

    def step() -> None:
        optimiser.zero_grad()
        F.cross_entropy(network(images), labels).backward()
        flips.step(SETTLING_STEPS)
        optimiser.step()

    return step


def seconds(step: Callable[[], None], batches: int) -> float:
    """Of one step."""
    start = time.perf_counter()
    for _ in range(batches):
        step()
    return (time.perf_counter() - start) / batches


def ale_seconds() -> float:
    """Of all decisions of a run, as a share of each step."""
    network = build_network(ALE, Recipe(epochs=1))
    images, labels = random_batch(ALE)
    ale = Binarisation.of(network, Split(images.numpy(), labels.numpy()), BATCH)
    assert ale is not None
    start = time.perf_counter()
    ale.advance(PART)
    return (time.perf_counter() - start) / SHORT_RUN_STEPS


def main() -> None:
    """Time all methods and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--batches", type=int, default=2)
    arguments = parser.parse_args()
    steps = {name: training_step(genome) for name, genome in METHODS.items()}
    for step in steps.values():
        step()
    rounds = []
    for _ in range(arguments.rounds):
        row = {name: seconds(step, arguments.batches) for name, step in steps.items()}
        rounds.append({**row, "ALE": row["plain"] + ale_seconds()})
    print(f"plain step: {1000 * statistics.median(row['plain'] for row in rounds):.1f} ms")
    for name in rounds[0]:
        ratio = statistics.median(row[name] / row["plain"] for row in rounds)
        print(f"{name:20} {ratio:5.2f}{'' if ratio <= BAR else f'  over {BAR}'}")


if __name__ == "__main__":
    main()
