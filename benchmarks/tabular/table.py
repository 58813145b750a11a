"""The table of trained networks: packing and reading it, its halves, and a space whose every network is in one half.

python benchmarks/tabular/table.py LINES digits.jsonl.xz       # pack what make_table.py wrote, whole networks only
"""

import argparse
import json
import lzma
import random
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from dse.results.scores import unpack_mask
from dse.score import NetworkScore
from searchspaces.genome import NetworkGenome
from searchspaces.network import NetworkSpace
from searchspaces.space import SearchSpace

TABLE = Path(__file__).parent / "digits.jsonl.xz"
FULL = "full"
SPLIT_SEED = 1
KEPT_DIGITS = 5
"""Decimals of a packed firing rate: far below what a sample more or less changes."""


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        seed: of the training.
        deployed: validation samples that the integer network classifies rightly.
        test: of the test samples, None where a short run was not asked them.
        rates: firing rates by layer, one for each time step.
        seconds: of processor time.
    """

    seed: int
    deployed: int
    test: int | None
    rates: Mapping[str, Sequence[float]]
    seconds: float


@dataclass(frozen=True, eq=False)
class Entry:
    """One network of the table.

    Attributes:
        number: its place in the space.
        params: its genes, those with a single choice left out.
        samples: of validation and of test.
        density: share of set bits in the input.
        masks: kept kernels after the first full run, packed.
        runs: name to the trainings of that kind; ``full`` has several, by seed.
    """

    number: int
    params: Mapping[str, Any]
    samples: tuple[int, int]
    density: Sequence[float]
    masks: Mapping[str, Any]
    runs: Mapping[str, Sequence[Run]]

    @property
    def truth(self) -> float:
        """Deployed accuracy on all samples that no training saw, mean over the seeds of the full runs."""
        return float(np.mean([self.held_out(run) for run in self.runs[FULL]]))

    def held_out(self, run: Run) -> float:
        """Deployed accuracy on validation and test samples together."""
        assert run.test is not None
        return (run.deployed + run.test) / sum(self.samples)

    def validated(self, run: Run) -> float:
        """Deployed accuracy on validation samples: all that a search may look at."""
        return run.deployed / self.samples[0]

    def score(self, kind: str, genome: NetworkGenome) -> NetworkScore:
        """What a search is told after the first training of that kind; kernels are those of the first full run."""
        run = self.runs[kind][0]
        return NetworkScore(
            genome_digest=genome.digest(),
            recipe_digest=kind,
            data_digest="table",
            seed=run.seed,
            code_version="table",
            correct=run.deployed,
            samples=self.samples[0],
            deployed_correct=run.deployed,
            input_density=tuple(self.density),
            firing_rates={layer: tuple(rates) for layer, rates in run.rates.items()},
            masks={layer: unpack_mask(mask) for layer, mask in self.masks.items()},
            epochs=0,
            seconds=run.seconds,
            weights="",
        )


def packed(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """One object for each network whose every training is in the lines of `make_table`, by number."""
    networks = defaultdict(list)
    for line in map(json.loads, lines):
        networks[line["number"]].append(line)
    most = max(map(len, networks.values()))
    varied = _varied([network[0]["params"] for network in networks.values()])
    for number in sorted(networks):
        if len(networks[number]) == most and not any("failed" in line for line in networks[number]):
            yield _packed_network(networks[number], varied)


def _varied(params: Sequence[Mapping[str, Any]]) -> list[str]:
    """Genes that differ between networks."""
    return [name for name in params[0] if len({json.dumps(each[name]) for each in params}) > 1]


def _packed_network(lines: Sequence[dict[str, Any]], genes: Sequence[str]) -> dict[str, Any]:
    ordered = sorted(lines, key=lambda line: (line["run"] != FULL, line["run"], line["seed"]))
    first = ordered[0]
    runs = defaultdict(list)
    for line in ordered:
        runs[line["run"]].append(_packed_run(line))
    return {
        "number": first["number"],
        "params": {name: first["params"][name] for name in genes},
        "samples": [first["score"]["samples"], first["test"]["samples"]],
        "density": first["score"]["input_density"],
        "masks": first["score"]["masks"],
        "runs": runs,
    }


def _packed_run(line: Mapping[str, Any]) -> dict[str, Any]:
    rates = {
        layer: [round(rate, KEPT_DIGITS) for rate in rates] for layer, rates in line["score"]["firing_rates"].items()
    }
    tested = line["test"]["deployed_correct"] if "test" in line else None
    counts = {"deployed": line["score"]["deployed_correct"], "test": tested}
    return {"seed": line["seed"], **counts, "rates": rates, "seconds": line["cpu_seconds"]}


def read_table(path: Path = TABLE) -> list[Entry]:
    """The networks of a packed table, or of a file that `make_table` is still writing."""
    if not path.exists():
        raise SystemExit(f"{path} must exist; make it with make_table.py (hours) and pack its lines with table.py")
    if path.suffix != ".xz":
        return [_entry(network) for network in packed(path.read_text().splitlines())]
    with lzma.open(path, "rt") as file:
        return [_entry(json.loads(line)) for line in file]


def _entry(network: Mapping[str, Any]) -> Entry:
    runs = {kind: tuple(Run(**run) for run in runs) for kind, runs in network["runs"].items()}
    return Entry(**{**network, "samples": tuple(network["samples"]), "runs": runs})


def half(entries: Sequence[Entry], name: str) -> list[Entry]:
    """``dev``, used for design, or ``holdout``, evaluated for the final table only.

    Each network is drawn by its own number, so that it keeps its half while the table grows.
    """
    return [
        entry for entry in entries if (random.Random(f"{SPLIT_SEED}/{entry.number}").random() < 0.5) == (name == "dev")
    ]


class Nearest:
    """Maps any choice of genes to the nearest network of a half: distances by rank of an ordered choice.

    A split by networks leaves holes in the grid of genes. Filled with their nearest neighbour, every contestant sees
    the same function over the whole grid, and a neighbour trained before is a network trained before.
    """

    def __init__(self, space: NetworkSpace, entries: Sequence[Entry]) -> None:
        self.genes = [gene for gene in space.genes if gene.free]
        self.entries = list(entries)
        self.places = np.array([self._place(entry.params) for entry in self.entries])
        self._known: dict[tuple[Any, ...], Entry] = {}

    def __call__(self, params: Mapping[str, Any]) -> Entry:
        """The entry at the least distance, the first of equals; an inactive gene stands at its first choice."""
        full = {gene.name: params.get(gene.name, gene.choices[0]) for gene in self.genes}
        key = tuple(full.values())
        if key not in self._known:
            apart = np.abs(self.places - np.array(self._place(full))).sum(axis=1)
            self._known[key] = self.entries[int(apart.argmin())]
        return self._known[key]

    def _place(self, params: Mapping[str, Any]) -> list[float]:
        """Ranks of the choices, each gene from 0 to 1."""
        return [gene.choices.index(params[gene.name]) / (len(gene.choices) - 1) for gene in self.genes]


@dataclass(frozen=True)
class TableNetworks(NetworkSpace):
    """The networks of a half in place of all that the genes describe."""

    nearest: Nearest

    def genome(self, params: Mapping[str, Any]) -> NetworkGenome:
        """That of the nearest network in the half."""
        fixed = {gene.name: gene.choices[0] for gene in self.genes if not gene.free}
        return NetworkSpace.genome(self, {**fixed, **self.nearest(params).params})


def table_space(space: SearchSpace, entries: Sequence[Entry]) -> SearchSpace:
    """The search space over the networks of ``entries``."""
    network = {field.name: getattr(space.network, field.name) for field in fields(space.network)}
    whole = {field.name: getattr(space, field.name) for field in fields(space)}
    return SearchSpace(**{**whole, "network": TableNetworks(**network, nearest=Nearest(space.network, entries))})


def main() -> int:
    """Pack."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lines", type=Path)
    parser.add_argument("table", type=Path)
    given = parser.parse_args()
    with given.lines.open() as file, lzma.open(given.table, "wt", preset=9) as out:
        for network in packed(file):
            out.write(json.dumps(network, separators=(",", ":")) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
