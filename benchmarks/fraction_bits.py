"""How many fractional bits does the integer network need? Refined networks of a study, folded on several grids.

    python benchmarks/fraction_bits.py results/mnist-reference [--data-dir DIR] [--networks 17 38] [--samples 6000]

For each network and grid, from 2^-4 to 2^-12: right answers on validation samples of the float network (float32) and of
the folded one, and how many samples the two classify differently. Weights come from the cache of trained networks.
Layers whose membranes would not fit the machine's word take fewer bits, whatever the grid.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from dse.cache import ScoreCache, score_key
from dse.data import load
from dse.data.dataset import Split
from dse.results.folder import open_study
from dse.results.records import NetworkRecord
from dse.study.problem import cache_folder
from dse.study.settings import SearchSettings
from dse.training.deployed import run_deployed
from dse.training.fold import fold
from dse.training.run import restored
from searchspaces.space import SearchSpace

GRIDS = range(4, 13)
BATCH = 250


def float_classes(network: torch.nn.Module, images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The classes that the float network gives ``images`` [n, C, H, W]."""
    parts = torch.from_numpy(images).split(BATCH)
    with torch.no_grad():
        return torch.cat([network(part).argmax(1) for part in parts]).numpy()


def compare(record: NetworkRecord, cache: ScoreCache, split: Split) -> None:
    """Print the row of one network: float accuracy, then for each grid points gained and samples that differ."""
    score = cache.get(score_key(record.score))
    assert score is not None, f"the weights of network {record.number} must be in {cache.folder}"
    network = restored(record.genome, score, cache)
    floating = float_classes(network, split.images)
    right = (floating == split.labels).sum()
    cells = []
    for bits in GRIDS:
        folded = fold(network, bits)
        parts = torch.from_numpy(split.images).split(BATCH)
        classes = torch.cat([run_deployed(folded, part).scores.argmax(1) for part in parts]).numpy()
        points = 100 * int((classes == split.labels).sum() - right) / len(split)
        cells.append(f"{points:+.2f} ({int((classes != floating).sum())})")
    steps = record.genome.timesteps
    print(f"| {record.number} | {steps} | {100 * right / len(split):.2f} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Compare, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--cache-dir", type=Path)
    parser.add_argument("--networks", type=int, nargs="*")
    parser.add_argument("--samples", type=int)
    given = parser.parse_args()
    study = open_study(given.study)
    settings = SearchSettings.from_dict(study.manifest.settings, study.path).with_budget(data_dir=given.data_dir)
    space = SearchSpace.from_dict(study.manifest.space, str(study.path))
    split = load(settings.dataset or space.dataset, settings.data_dir).validation
    split = Split(split.images[: given.samples], split.labels[: given.samples])
    cache = ScoreCache(given.cache_dir or cache_folder(settings))
    print("| network | steps | float % | " + " | ".join(map(str, GRIDS)) + " |\n|" + "---|" * (len(GRIDS) + 3))
    for record in study.refined():
        if not given.networks or record.number in given.networks:
            compare(record, cache, split)


if __name__ == "__main__":
    main()
