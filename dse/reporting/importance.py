"""How much of an objective's spread each gene explains on its own."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.objectives import OBJECTIVES, Objective
from dse.reporting.candidates import Candidates
from dse.reporting.report_data import Axis, GeneShare, axis

MOST_SHOWN = 8
FEWEST = 8
"""Candidates below which a share of their spread says nothing."""


def importances(table: Candidates) -> dict[str, tuple[GeneShare, ...]]:
    """Column of each objective to its genes, most important first; empty where too few candidates are known."""
    groups = {gene: codes(values) for gene, values in table.genes.items()}
    objectives = dict.fromkeys((*OBJECTIVES.values(), *table.objectives))
    return {o.column: importance(table, o, groups) for o in objectives}


def most_important(table: Candidates) -> tuple[tuple[Axis, tuple[GeneShare, ...]], ...]:
    """Each objective of the search with its most important genes; objectives that no gene explains are left out."""
    found = importances(table)
    ranked = {o: tuple(each for each in found[o.column] if each.share > 0)[:MOST_SHOWN] for o in table.objectives}
    return tuple((axis(o), genes) for o, genes in ranked.items() if genes)


def importance(
    table: Candidates, objective: Objective, groups: Mapping[str, NDArray[np.int64]]
) -> tuple[GeneShare, ...]:
    """Genes by the variance of ``objective`` that they explain among all candidates; a cost counts in decades.

    ``groups`` holds the `codes` of each gene.
    """
    values = table.metrics[objective.column]
    with np.errstate(divide="ignore"):
        values = values if objective.maximise else np.log10(values)
    known = np.isfinite(values)
    if known.sum() < FEWEST or np.ptp(values[known]) == 0:
        return ()
    found = [GeneShare(gene, explained(each, values)) for gene, each in groups.items()]
    return tuple(sorted(found, key=lambda each: (-each.share, each.gene)))


def codes(values: Sequence[Any]) -> NDArray[np.int64]:
    """A number for each distinct value, -1 for None."""
    places: dict[Any, int] = {None: -1}
    return np.array([places.setdefault(value, len(places) - 1) for value in values], dtype=np.int64)


def explained(groups: NDArray[np.int64], values: NDArray[np.float64]) -> float:
    """Share of the variance of ``values`` between ``groups``, ``n`` each, less what as many groups explain by chance.

    This is epsilon squared (T. L. Kelley, PNAS 21, 1935), at least 0. Entries in group -1 or without a finite value
    do not count. A gene acts alone here: what it does only together with another is not seen.
    """
    known = (groups >= 0) & np.isfinite(values)
    groups, values = groups[known], values[known]
    members = np.bincount(groups)
    members_known = members > 0
    spare = len(values) - int(members_known.sum())
    if members_known.sum() < 2 or spare < 1:
        return 0.0
    total = float(((values - values.mean()) ** 2).sum())
    if total == 0:
        return 0.0
    means = np.bincount(groups, weights=values)[members_known] / members[members_known]
    within = total - float((members[members_known] * (means - values.mean()) ** 2).sum())
    return max(0.0, 1.0 - within / spare * (len(values) - 1) / total)
