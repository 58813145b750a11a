"""Gate equivalents of exported machines by block, as `dse synth` counts them.

    python benchmarks/area.py [NAME ...]    add machines to benchmarks/area.csv (all that are missing)

A machine is exported for an untrained network of the shape that `MACHINES` gives: areas do not depend on weights.
"""

import argparse
import csv
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from costmodels.accelerator import AcceleratorConfig
from dse.export.integer_network import IntegerNetwork
from dse.export.rtl_export import CoreImage, lay_out, parameters, write_core
from dse.export.rtl_synthesis import Synthesis, synthesise, write_synthesis
from dse.training.fold import fold
from dse.training.model import build_network
from searchspaces.genome import LayerGenome, NetworkGenome, Pooling
from searchspaces.recipe import Recipe

TABLE = Path(__file__).with_suffix(".csv")
BYTES_PER_CYCLE = 8.0  # of the testbench alone
COLUMNS = ("machine", "block", "instances", "ge", "tool", "cells", "commit")


@dataclass(frozen=True)
class Machine:
    """One machine and the shape of its network: convolution, convolution, fully connected, classifier.

    Attributes:
        rows, lanes: V and L.
        held_out: for checks of a model, never to be fitted.
        timesteps, channels, pooling, levels, dual, pruned: of the network.
    """

    rows: int
    lanes: int
    held_out: bool = False
    timesteps: int = 4
    channels: int = 8
    pooling: Pooling = "or"
    levels: int = 1
    dual: bool = False
    pruned: float = 0.0


MACHINES = {
    "v4-l8": Machine(4, 8),
    "v8-l4": Machine(8, 4),
    "v2-l4": Machine(2, 4),
    "v4-l16": Machine(4, 16),
    "v8-l8": Machine(8, 8),
    "v4-l4-t8-dual": Machine(4, 4, timesteps=8, dual=True),
    "v8-l4-dual": Machine(8, 4, dual=True),
    "v4-l8-average": Machine(4, 8, pooling="average"),
    "v4-l4-pruned": Machine(4, 4, pruned=0.5),
    "v4-l8-pruned-c128": Machine(4, 8, pruned=0.5, channels=128),
    "v8-l2-pruned": Machine(8, 2, pruned=0.5),
    "v4-l4-levels3": Machine(4, 4, levels=3),
    "v8-l4-levels7": Machine(8, 4, levels=7),
    "v4-l4-membrane": Machine(4, 4, pooling="membrane"),
    "v8-l4-count-t8": Machine(8, 4, pooling="count", timesteps=8),
    "v8-l32": Machine(8, 32, held_out=True, timesteps=8),
    "v6-l5": Machine(6, 5, held_out=True),
    "v3-l12": Machine(3, 12, held_out=True),
    "v12-l6-dual": Machine(12, 6, held_out=True, dual=True),
    "v6-l8-average": Machine(6, 8, held_out=True, pooling="average", timesteps=2),
    "v5-l6-pruned": Machine(5, 6, held_out=True, pruned=0.5, channels=32),
    "v6-l4-levels3-membrane": Machine(6, 4, held_out=True, levels=3, pooling="membrane", timesteps=2),
}


def network(machine: Machine) -> IntegerNetwork:
    """An untrained network of the machine's shape, folded."""
    channels = machine.channels
    layers = (
        LayerGenome("conv1", "conv", channels, dual_threshold=machine.dual),
        LayerGenome("conv2", "conv", channels, pool=2, prune_ratio=machine.pruned),
        LayerGenome("fc1", "fc", 8, kernel=1),
        LayerGenome("classifier", "fc", 10, kernel=1, spiking=False),
    )
    genome = NetworkGenome(
        input_shape=(1, 8, 8),
        input_bits=4,
        classes=10,
        timesteps=machine.timesteps,
        levels=machine.levels,
        pooling=machine.pooling,
        head="fc",
        reset="soft",
        layers=layers,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        built = build_network(genome, Recipe(epochs=1))
    return fold(built.eval())


def image(machine: Machine) -> CoreImage:
    """The machine with ample buffers."""
    return lay_out(network(machine), AcceleratorConfig(machine.rows, machine.lanes, 4, 512, 512))


def synthesised(machine: Machine) -> Synthesis:
    """Export and count."""
    laid_out = image(machine)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_core(laid_out, np.zeros((1, 1, 8, 8), np.uint8), folder, BYTES_PER_CYCLE)
        write_synthesis(folder, parameters(laid_out, 1, BYTES_PER_CYCLE))
        return synthesise(folder)


def rows_of(name: str, found: Synthesis) -> Iterator[tuple[str, ...]]:
    """The lines of one machine."""
    commit = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True)
    for block in found.blocks:
        counts = (str(block.instances), f"{block.cell_ge:.1f}")
        yield (name, block.name, *counts, found.tool, found.cells_digest, commit.stdout.strip())


def read() -> dict[str, dict[str, float]]:
    """Machine to gate equivalents by block."""
    found: dict[str, dict[str, float]] = {}
    if TABLE.exists():
        with TABLE.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found.setdefault(row["machine"], {})[row["block"]] = float(row["ge"])
    return found


def synthesise_missing(names: list[str]) -> None:
    """Synthesise machines that the table lacks, and add them."""
    known = read()
    for name in names or MACHINES:
        if name in known:
            continue
        lines = list(rows_of(name, synthesised(MACHINES[name])))
        new = not TABLE.exists()
        with TABLE.open("a", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows([COLUMNS] * new + lines)
        print(name, flush=True)


def main() -> None:
    """Synthesise."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*MACHINES, []])
    synthesise_missing(parser.parse_args().names)


if __name__ == "__main__":
    main()
