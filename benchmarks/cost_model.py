"""Accelerator x layer evaluations per second of the cost model on one core, and its peak memory by batch size.

    python benchmarks/cost_model.py [--machines 4096 16384 65536 262144] [--rounds 5] [--json cost_model.json]

Each batch size runs in a process of its own, bound to one core. Rates count processor time, the median of the rounds;
the peak is what Python and numpy allocate during one more call. Machines are drawn at random from the feasible ones of
a grid over all axes.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np

from costmodels.accelerator import AcceleratorBatch, AcceleratorConfig
from costmodels.evaluate import evaluate, evaluate_totals
from costmodels.schedule import count
from costmodels.technology import Technology
from costmodels.workload import LayerWorkload, Workload

BAR_PER_SECOND = 1_000_000
TIMESTEPS = 4


def convolution(name: str, channels: int, size: int, out_channels: int, pool: int = 1) -> LayerWorkload:
    """A binary 3 x 3 layer over a square map."""
    return LayerWorkload(
        name=name,
        kind="conv",
        in_channels=channels,
        in_height=size,
        in_width=size,
        out_channels=out_channels,
        out_height=size,
        out_width=size,
        kernel=3,
        stride=1,
        padding=1,
        weight_bits=1,
        input_bits=1,
        static_input=False,
        dual_threshold=False,
        spiking=True,
        levels=1,
        pool=pool,
        pooling="or",
        output_bits=1,
        input_density=(0.15,) * TIMESTEPS,
        output_density=(0.15,) * TIMESTEPS,
    )


def network(prune_ratio: float) -> Workload:
    """Eight layers on 3 x 32 x 32 pixels of 8 bits: seven convolutions and a classifier over maps."""
    layers = [
        replace(convolution("conv1", 3, 32, 64), input_bits=8, static_input=True, input_density=(0.5,)),
        convolution("conv2", 64, 32, 64, pool=2),
        convolution("conv3", 64, 16, 128),
        convolution("conv4", 128, 16, 128, pool=2),
        convolution("conv5", 128, 8, 256),
        convolution("conv6", 256, 8, 256),
        convolution("conv7", 256, 8, 256, pool=2),
        replace(convolution("head", 256, 4, 10), kernel=1, padding=0, spiking=False, output_density=()),
    ]
    if prune_ratio:
        random = np.random.default_rng(1)
        masks = [random.random((layer.filters, layer.in_channels)) >= prune_ratio for layer in layers]
        layers = [replace(layer, kept=kept) for layer, kept in zip(layers, masks, strict=True)]
    return Workload("8 layers", TIMESTEPS, tuple(layers))


def grid() -> AcceleratorBatch:
    """All combinations of the search ranges."""
    buffers = [(s, w) for s, w in product((4, 8, 16, 32, 64, 128, 256), (4, 8, 16, 32, 64, 128, 256, 512))]
    arrays = list(product((2, 4, 8, 16, 32), (4, 8, 16, 32, 64), (1, 2, 3, 4)))
    inner = [AcceleratorConfig(*array, *pair) for array in arrays for pair in buffers]
    outer = [replace(each, time_order="outer", membrane_buffer_kib=kib) for each in inner for kib in (16, 32, 64, 128)]
    return AcceleratorBatch.of(inner + outer)


def feasible_machines(workload: Workload, number: int, technology: Technology) -> AcceleratorBatch:
    """``number`` machines drawn with repetition from the feasible part of the grid."""
    every = grid()
    feasible = np.flatnonzero(count(workload, every, technology.dram_bytes_per_cycle).feasible)
    return every.take(np.random.default_rng(0).choice(feasible, number))


@dataclass(frozen=True)
class Result:
    """One batch size: evaluations a second of the schedule alone, with all terms, and of totals in parts; peak MiB."""

    machines: int
    layers: int
    pruned: bool
    schedule_per_s: float
    terms_per_s: float
    totals_per_s: float
    terms_peak_mib: float
    totals_peak_mib: float


def peak_mib(work: Callable[[], object]) -> float:
    """Most memory that ``work`` holds at once, result included."""
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 2**20


def seconds(work: Callable[[], object], rounds: int) -> float:
    """Median processor time of ``work`` after one call to warm up."""
    work()
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def measure(machines: int, rounds: int, prune_ratio: float) -> Result:
    """Time one batch size in this process."""
    technology = Technology.default()
    workload = network(prune_ratio)
    batch = feasible_machines(workload, machines, technology)
    evaluations = machines * len(workload.layers)

    def schedule() -> object:
        return count(workload, batch, technology.dram_bytes_per_cycle)

    def terms() -> object:
        table = evaluate(workload, batch, technology)
        return table, table.energy_pj, table.totals

    def totals() -> object:
        return evaluate_totals(workload, batch, technology)

    return Result(
        machines=machines,
        layers=len(workload.layers),
        pruned=prune_ratio > 0,
        schedule_per_s=evaluations / seconds(schedule, rounds),
        terms_per_s=evaluations / seconds(terms, rounds),
        totals_per_s=evaluations / seconds(totals, rounds),
        terms_peak_mib=peak_mib(terms),
        totals_peak_mib=peak_mib(totals),
    )


def in_own_process(machines: int, rounds: int, prune_ratio: float) -> Result:
    """`measure` in a fresh process on one core."""
    command = [sys.executable, __file__, "--one", str(machines), str(rounds), str(prune_ratio)]
    core = {min(os.sched_getaffinity(0))}
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, preexec_fn=lambda: os.sched_setaffinity(0, core)
    )
    return Result(**json.loads(done.stdout))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machines", type=int, nargs="+", default=[4096, 16384, 65536, 262144])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", nargs=3, metavar=("MACHINES", "ROUNDS", "PRUNED"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(vars(measure(int(asked.one[0]), int(asked.one[1]), float(asked.one[2])))))
        return
    versions = f"Python {platform.python_version()}, numpy {np.__version__}"
    print(f"{platform.machine()}, {versions}, one core; bar {BAR_PER_SECOND:,} evaluations/s")
    print("million accelerator x layer evaluations per second of processor time; peak in MiB")
    print(" machines pruned  schedule all terms  totals terms MiB totals MiB")
    results = []
    for prune_ratio, machines in product((0.0, 0.8), asked.machines):
        found = in_own_process(machines, asked.rounds, prune_ratio)
        results.append(found)
        rates = [rate / 1e6 for rate in (found.schedule_per_s, found.terms_per_s, found.totals_per_s)]
        print(
            f"{machines:>9,} {'yes' if found.pruned else 'no':>6} {rates[0]:>9.2f} {rates[1]:>9.2f} {rates[2]:>7.2f}"
            f" {found.terms_peak_mib:>9.0f} {found.totals_peak_mib:>11.0f}"
        )
    if asked.json:
        asked.json.write_text(json.dumps([vars(each) for each in results], indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
