"""Find a network the study does not know, near a given one if there is any."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice, product
from typing import Any

import numpy as np

from searchspaces.genes import chosen, drawn
from searchspaces.genome import NetworkGenome
from searchspaces.network import NetworkSpace

NEIGHBOURS, DRAWS, LISTED = 64, 256, 20_000
"""Neighbours tried, then random networks, then the space from its beginning."""


def unseen_network(
    space: NetworkSpace, near: Mapping[str, Any], wanted: Callable[[NetworkGenome], bool], seed: int
) -> dict[str, Any] | None:
    """Active genes of a network for which ``wanted`` holds, or None where none turns up.

    First neighbours of ``near`` at growing distance, then networks drawn at random, then the networks of the space in
    order as far as that can be afforded; the same arguments find the same network.
    """
    seen: set[str] = set()
    for params in _candidates(space, near, np.random.default_rng(seed)):
        genome = space.genome(params)
        digest = genome.digest()
        if digest not in seen and wanted(genome):
            return chosen(space.genes, params)
        seen.add(digest)
        if len(seen) >= LISTED:
            return None
    return None


def _candidates(space: NetworkSpace, near: Mapping[str, Any], draw: np.random.Generator) -> Iterator[dict[str, Any]]:
    free = [gene for gene in space.genes if gene.free]
    start = {gene.name: near.get(gene.name, gene.choices[0]) for gene in space.genes}
    for attempt in range(NEIGHBOURS if free else 0):
        changed = draw.choice(len(free), size=min(1 + attempt // 16, len(free)), replace=False)
        others = {free[i].name: [c for c in free[i].choices if c != start[free[i].name]] for i in changed.tolist()}
        yield {**start, **{name: choices[draw.integers(len(choices))] for name, choices in others.items()}}
    for _ in range(DRAWS):
        yield {**start, **drawn(free, draw)}
    names = [gene.name for gene in free]
    everything = product(*(gene.choices for gene in free))
    yield from ({**start, **dict(zip(names, values, strict=True))} for values in islice(everything, 50 * LISTED))
