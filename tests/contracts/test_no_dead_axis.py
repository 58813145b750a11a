"""No gene of a shipped space is without effect: for each one a candidate exists whose price it changes.

`reset` decides spikes, so accuracy and firing rates, but no count of the machine; that it changes spikes is tested on
the neuron and on the integer network.
"""

from typing import Any

import numpy as np
import pytest

from costmodels.accelerator import AcceleratorBatch
from costmodels.evaluate import evaluate_totals
from costmodels.technology import Technology
from searchspaces.candidate import assumed_masks
from searchspaces.genes import Gene
from searchspaces.lowering import lower
from searchspaces.presets import presets
from searchspaces.space import SearchSpace, load_space

SPACES = {preset.name: load_space(preset.name) for preset in presets()}
ONLY_ACCURACY = {"reset"}
DRAWS = 300


def free(genes: tuple[Gene, ...]) -> list[str]:
    return [gene.name for gene in genes if gene.free and gene.name not in ONLY_ACCURACY]


def drawn(genes: tuple[Gene, ...], random: np.random.Generator) -> dict[str, Any]:
    return {gene.name: gene.choices[random.integers(len(gene.choices))] for gene in genes}


def prices(space: SearchSpace, network: dict[str, Any], machine: dict[str, Any]) -> tuple[float, ...] | None:
    """Latency, energy, area and traffic with every second spike bit set; None where the machine cannot run it."""
    genome = space.network.genome(network)
    rates = {layer.name: (0.5,) * genome.timesteps for layer in genome.layers if layer.spiking}
    inputs = (0.5,) * (1 if genome.static_input else genome.timesteps)
    workload = lower(genome, inputs, rates, assumed_masks(genome))
    batch = AcceleratorBatch.of([space.accelerator.config(machine)])
    totals = evaluate_totals(workload, batch, Technology.default())
    if not totals.feasible[0]:
        return None
    return tuple(float(part[0]) for part in (totals.latency_ms, totals.energy_uj, totals.area_mm2, totals.dram_kib))


def roomy(space: SearchSpace) -> dict[str, Any]:
    """The largest choice of every buffer, so that most networks run."""
    return {gene.name: gene.choices[-1] for gene in space.accelerator.genes} | {"time_order": "inner"}


@pytest.mark.parametrize(
    ("preset", "gene"), [(name, gene) for name, space in SPACES.items() for gene in free(space.network.genes)]
)
def test_every_network_gene_changes_a_price(preset: str, gene: str) -> None:
    space, random = SPACES[preset], np.random.default_rng(0)
    choices = {g.name: g.choices for g in space.network.genes}[gene]
    for _ in range(DRAWS):
        network = drawn(space.network.genes, random)
        found = {prices(space, {**network, gene: choice}, roomy(space)) for choice in choices} - {None}
        if len(found) > 1:
            return
    pytest.fail(f"{gene} of {preset} changed nothing in {DRAWS} networks")


@pytest.mark.parametrize(
    ("preset", "gene"), [(name, gene) for name, space in SPACES.items() for gene in free(space.accelerator.genes)]
)
def test_every_machine_gene_changes_a_price(preset: str, gene: str) -> None:
    space, random = SPACES[preset], np.random.default_rng(0)
    choices = {g.name: g.choices for g in space.accelerator.genes}[gene]
    for _ in range(DRAWS):
        network = drawn(space.network.genes, random)
        machine = {**roomy(space), **drawn(space.accelerator.genes, random)}
        found = {prices(space, network, {**machine, gene: choice}) for choice in choices} - {None}
        if len(found) > 1:
            return
    pytest.fail(f"{gene} of {preset} changed nothing in {DRAWS} machines")


def test_the_check_can_fail() -> None:
    """A gene with one price for all choices is found out."""
    space = SPACES["digits"]
    network = {gene.name: gene.choices[0] for gene in space.network.genes}
    same = {prices(space, network, roomy(space)) for _ in range(3)}
    assert len(same) == 1
    assert None not in same
