"""Networks that a model may choose from, with what is known of each before any training."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.study.pricing import nominal_workload
from searchspaces.genes import Gene, chosen, drawn
from searchspaces.genome import NetworkGenome
from searchspaces.network import NetworkSpace

WHOLE = 2_000
"""Spaces of at most so many networks are in the pool whole; of larger ones, it holds at most so many at a time."""

DRAWN, FRESH, NEIGHBOURS = 500, 16, 48
"""Networks drawn at random at first, then for every proposal, and neighbours of the best ones beside them."""

CHANGED = 3
"""A neighbour differs in at most so many genes."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A network that may be proposed.

    Attributes:
        genes: the active ones.
        digest: of the genome.
        features: see `features`.
    """

    genes: dict[str, Any]
    digest: str
    features: NDArray[np.float64]


@dataclass(eq=False)
class Pool:
    """Candidates by digest.

    A network's size and work follow from its genes without training and say most of what it will cost; they are
    features beside the genes, so that a model need not learn them.
    """

    space: NetworkSpace
    draw: np.random.Generator
    candidates: dict[str, Candidate] = field(default_factory=dict)
    _drawn: bool = False

    def refresh(self, best: Sequence[Mapping[str, Any]]) -> None:
        """New candidates: at random, and around the networks ``best``; the oldest leave."""
        if self.space.combinations() <= WHOLE:
            self._add(everything(self.space) if not self._drawn else ())
        else:
            self._add(self._random(FRESH if self._drawn else DRAWN))
            self._add(self._neighbours(best) if best else ())
        self._drawn = True
        for digest in list(self.candidates)[: max(0, len(self.candidates) - WHOLE)]:
            del self.candidates[digest]

    def without(self, known: Callable[[str], bool]) -> list[Candidate]:
        """Candidates whose digest is not known."""
        return [candidate for digest, candidate in self.candidates.items() if not known(digest)]

    def candidate(self, genes: Mapping[str, Any]) -> Candidate:
        """The candidate of those genes."""
        return self._candidate(genes, self.space.genome(genes))

    def _add(self, found: Iterator[dict[str, Any]] | tuple[()]) -> None:
        for genes in found:
            genome = self.space.genome(genes)
            if genome.digest() not in self.candidates:
                candidate = self._candidate(genes, genome)
                self.candidates[candidate.digest] = candidate

    def _candidate(self, genes: Mapping[str, Any], genome: NetworkGenome) -> Candidate:
        active = chosen(self.space.genes, genes)
        return Candidate(active, genome.digest(), features(self.space.genes, active, genome))

    def _random(self, count: int) -> Iterator[dict[str, Any]]:
        for _ in range(count):
            yield drawn(self.space.genes, self.draw)

    def _neighbours(self, best: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        free = [gene for gene in self.space.genes if gene.free]
        first = {gene.name: gene.choices[0] for gene in self.space.genes}
        for _ in range(NEIGHBOURS):
            start = best[int(self.draw.integers(len(best)))]
            count = min(int(self.draw.integers(1, CHANGED + 1)), len(free))
            changed = self.draw.choice(len(free), size=count, replace=False)
            genes = [free[place] for place in changed.tolist()]
            yield {**first, **start, **drawn(genes, self.draw)}


def everything(space: NetworkSpace) -> Iterator[dict[str, Any]]:
    """Every choice of genes, as far as `WHOLE` networks may hide among choices that mean the same."""
    choices = product(*(gene.choices for gene in space.genes))
    names = [gene.name for gene in space.genes]
    return (dict(zip(names, values, strict=True)) for values in islice(choices, 20 * WHOLE))


def features(genes: Sequence[Gene], active: Mapping[str, Any], genome: NetworkGenome) -> NDArray[np.float64]:
    """What a model sees of a network.

    Each free gene: the place of an ordered choice from 0 to 1, one 0 or 1 for each other choice, 0 where it has no
    effect; then decades of storage and of operations at an assumed activity.
    """
    work = nominal_workload(genome)
    sizes = np.log10([work.storage_bits, max(1.0, work.operations)])
    return np.concatenate([*(_of_gene(gene, active) for gene in genes if gene.free), sizes])


def _of_gene(gene: Gene, active: Mapping[str, Any]) -> list[float]:
    if gene.ordered:
        last = len(gene.choices) - 1
        return [gene.choices.index(active[gene.name]) / last if gene.name in active else 0.0]
    return [float(gene.name in active and active[gene.name] == choice) for choice in gene.choices]
