"""A study of any size that no search made: real networks and machines, made-up costs, written by `dse.results`."""

import math
from dataclasses import asdict
from pathlib import Path

import numpy as np

from costmodels.technology import Technology
from dse.objectives import COLUMNS, parse_objectives
from dse.results import FailureRecord, NetworkRecord, OwnFront, StudyFolder
from dse.results.manifest import FORMAT, Manifest, Session
from dse.results.reference import Reference
from dse.score import NetworkScore
from searchspaces.genome import NetworkGenome
from searchspaces.space import SearchSpace, load_space

OBJECTIVES = ("acc", "energy")
WORST = {
    "accuracy": 0.1,
    "energy_uj": 200.0,
    "latency_ms": 50.0,
    "area_mm2": 20.0,
    "edp_uj_ms": 1e4,
    "dram_kib": 1e4,
    "storage_kib": 1e3,
    "operations": 1e9,
}


def manifest(name: str, space: SearchSpace, **changes: object) -> Manifest:
    """The manifest of a search over ``space`` that ended."""
    session = Session("2026-11-21T09:00:00+00:00", "2026-11-21T09:30:00+00:00", 1, "host", 2, 1, 1800.0, "trials")
    plain = {
        "format": FORMAT,
        "study": name,
        "created": "2026-11-21T09:00:00+00:00",
        "versions": {"dse": "0.1.0"},
        "host": {"cores": 2},
        "settings": {"objectives": list(OBJECTIVES), "constraints": [], "trials": 1000, "mode": "nested"},
        "space": space.to_dict(),
        "technology": asdict(Technology.default()),
        "digests": {"space": space.digest(), **dict.fromkeys(("data", "technology", "code"), "0" * 16)},
        "data": {"name": "digits", "title": "digits", "classes": 10},
        "reference": WORST,
        "machines": space.accelerator.combinations(),
        "sessions": (session,),
    }
    return Manifest(**{**plain, **changes})  # type: ignore[arg-type]


def write_study(
    results: Path, name: str, networks: int, machines: int, seed: int = 0, failures: int = 0, **changes: object
) -> StudyFolder:
    """A study of ``networks`` x ``machines`` candidates in a new folder ``results/name``."""
    draw = np.random.default_rng(seed)
    space = load_space("digits")
    folder = StudyFolder(results / name)
    folder.path.mkdir(parents=True)
    folder.write_manifest(manifest(name, space, **changes))
    volume = 0.0
    for number in range(networks):
        record = network(space, number, machines, draw, volume)
        volume = record.hypervolume
        folder.add_network(record)
    for trial in range(failures):
        params, genome = _drawn(space, draw)
        folder.add_failure(
            FailureRecord(networks + trial, genome.digest(), genome, params, "diverged", "loss became NaN", 1.0, 9.0)
        )
    return folder


def _drawn(space: SearchSpace, draw: np.random.Generator) -> tuple[dict[str, object], NetworkGenome]:
    params: dict[str, object] = {}
    for gene in space.network.genes:
        if gene.active(params):
            params[gene.name] = gene.choices[int(draw.integers(len(gene.choices)))]
    return params, space.network.genome(params)


def network(space: SearchSpace, number: int, machines: int, draw: np.random.Generator, volume: float) -> NetworkRecord:
    """A network of the space whose accuracy and costs rise together, with noise."""
    params, genome = _drawn(space, draw)
    size = float(draw.random())
    correct = int(360 * min(0.99, 0.55 + 0.42 * math.sqrt(size) + 0.03 * float(draw.normal())))
    every = space.accelerator.enumerate()
    index = np.sort(draw.choice(len(every), machines, replace=False))
    spread = np.exp(draw.normal(size=(machines,)) * 0.5)
    accuracy, storage, operations = correct / 360, 1.0 + 60 * size, 1e5 * (1 + 40 * size)
    energy, latency = 0.3 * 40**size * spread, 0.02 * 15**size / spread
    metrics = {
        "accuracy": np.full(machines, accuracy),
        "energy_uj": energy,
        "latency_ms": latency,
        "area_mm2": 0.2 + 0.6 * spread,
        "edp_uj_ms": energy * latency,
        "dram_kib": 4 * 20**size * spread,
        "storage_kib": np.full(machines, storage),
        "operations": np.full(machines, operations),
    }
    rates = {
        layer.name: tuple(float(rate) for rate in draw.uniform(0.02, 0.4, genome.timesteps))
        for layer in genome.layers
        if layer.spiking
    }
    gain = Reference(WORST).volume({c: metrics[c] for c in COLUMNS}, parse_objectives(OBJECTIVES))
    return NetworkRecord(
        number=number,
        trial=number,
        genome=genome,
        params=params,
        score=NetworkScore(
            genome.digest(), "r", "d", 0, "c", min(360, correct + 2), 360, correct, (0.3,), rates, {}, 4, 2.0, "w"
        ),
        metrics={"accuracy": accuracy, "storage_kib": storage, "operations": operations},
        best={c: float(metrics[c].min()) for c in COLUMNS if c != "accuracy"},
        machines=len(every),
        feasible=machines,
        infeasible=() if machines else ("the spike buffer is too small",),
        violation=0.0,
        cached=False,
        elapsed_s=1.8 * (number + 1),
        hypervolume=max(volume, gain) + 1e-4,
        own_front=OwnFront(index, every.take(index), metrics),
    )
