"""The reference point of a study: frozen before the first training, the same for every study of a space."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from dse.objectives import NETWORK_COLUMNS
from dse.results.reference import Reference
from dse.study.pricing import Pricer
from searchspaces.genes import drawn
from searchspaces.network import NetworkSpace

SAMPLED_NETWORKS = 32
MACHINE_QUANTILE = 0.9
MARGIN = 2.0
"""A cost counts from this many times what the sampled networks cost at the quantile of their machines."""


def freeze(networks: NetworkSpace, pricer: Pricer) -> Reference | None:
    """Chance accuracy, and for each cost a value that useful designs stay below.

    Networks are drawn without regard to the user's seed and priced at an assumed activity, machines without regard to
    constraints, so that studies of one space and technology share the point. None where no machine runs any network.
    """
    rows = []
    for params in sampled(networks):
        priced = pricer.price_untrained(networks.genome(params))
        if priced.runs.any():
            machine = {c: values[priced.runs] for c, values in priced.metrics.items() if c not in NETWORK_COLUMNS}
            rows.append({**priced.network, **{c: float(np.quantile(v, MACHINE_QUANTILE)) for c, v in machine.items()}})
    if not rows:
        return None
    # A cost that is 0 everywhere, such as traffic to DRAM, still needs a point to count from.
    worst = {column: max(row[column] for row in rows) * MARGIN or 1.0 for column in rows[0]}
    return Reference({**worst, "accuracy": 1 / networks.images.classes})


def sampled(networks: NetworkSpace) -> Iterator[dict[str, Any]]:
    """The first and the last choice of every gene, and networks in between."""
    yield {gene.name: gene.choices[0] for gene in networks.genes}
    yield {gene.name: gene.choices[-1] for gene in networks.genes}
    draw = np.random.default_rng(0)
    for _ in range(SAMPLED_NETWORKS):
        yield drawn(networks.genes, draw)
