"""A made-up table of a small space: accuracies follow from the genes, with a little noise drawn by the number."""

import json
import lzma
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from question import SHORT

SPACE = """
[space]
name = "made-up"
dataset = "digits"

[network]
timesteps = [1, 2, 4]
levels = 1
pooling = "or"
head = "fc"
reset = "hard"

[[network.layers]]
name = "conv1"
kind = "conv"
channels = [4, 8, 16]
weights = ["binary", 4]

[[network.layers]]
name = "conv2"
kind = "conv"
channels = [4, 8, 16]
pool = 2
weights = ["binary", 4]

[network.classifier]
weights = 4

[accelerator]
vector_width = [2, 4]
channel_lanes = [4, 8]
fusion_depth = 1
spike_buffer_kib = 4
weight_buffer_kib = [2, 4]

[training.short]
epochs = 1

[training.refine]
epochs = 2
"""

GENES: dict[str, tuple[Any, ...]] = {
    "timesteps": (1, 2, 4),
    "conv1.channels": (4, 8, 16),
    "conv1.weights": ("binary", 4),
    "conv2.channels": (4, 8, 16),
    "conv2.weights": ("binary", 4),
}
SAMPLES = 1000


def error(params: dict[str, Any]) -> float:
    """Of full training: each gene's larger choice makes fewer."""
    ranks = [GENES[name].index(value) / (len(GENES[name]) - 1) for name, value in params.items()]
    return float(0.3 * np.exp(-sum(ranks) * 0.6))


def lines(seeds: int = 3) -> Iterator[dict[str, Any]]:
    """What make_table.py would write."""
    for number, values in enumerate(product(*GENES.values())):
        params = dict(zip(GENES, values, strict=True))
        draw = np.random.default_rng(number)
        for run, count, factor in (("full", seeds, 1.0), (SHORT, 1, 1.6)):
            for seed in range(count):
                wrong = error(params) * factor * (1 + 0.05 * draw.normal())
                right = round(SAMPLES * (1 - min(0.9, wrong)))
                rates = {layer: [0.2] * params["timesteps"] for layer in ("conv1", "conv2")}
                score = {"deployed_correct": right, "samples": SAMPLES, "firing_rates": rates}
                score |= {"input_density": [0.2], "masks": {}}
                tested = {"deployed_correct": right - 10, "samples": SAMPLES}
                line = {"number": number, "run": run, "seed": seed, "params": {**params, "head": "fc"}, "score": score}
                yield {**line, "test": tested, "cpu_seconds": 5.0 if run == "full" else 0.5}


def write(folder: Path) -> tuple[Path, Path]:
    """A table and its space."""
    from table import packed

    table, space = folder / "made-up.jsonl.xz", folder / "made-up.toml"
    space.write_text(SPACE)
    with lzma.open(table, "wt") as file:
        file.writelines(json.dumps(network) + "\n" for network in packed(map(json.dumps, lines())))
    return table, space
