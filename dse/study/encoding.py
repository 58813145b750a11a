"""Genes as Optuna parameters and back."""

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from searchspaces.genes import Gene, chosen


def distributions(genes: Sequence[Gene], prefix: str = "") -> dict[str, BaseDistribution]:
    """One parameter for each gene with a choice.

    An ordered gene of three or more choices is the position of the choice, so that samplers see neighbours; another is
    categorical. Inactive genes are parameters too: samplers that model the whole space would drop a parameter that some
    trials lack.
    """
    return {prefix + gene.name: _distribution(gene) for gene in genes if gene.free}


def decoded(genes: Sequence[Gene], params: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The active genes with the values that the parameters mean.

    Raises:
        KeyError: a parameter is missing.
    """
    values = {
        gene.name: gene.choices[int(params[prefix + gene.name])] if _by_position(gene) else params[prefix + gene.name]
        for gene in genes
        if gene.free
    }
    return chosen(genes, values)


def encoded(genes: Sequence[Gene], values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Parameters that mean ``values``; genes without a value take their first choice."""
    given = {gene: values.get(gene.name, gene.choices[0]) for gene in genes if gene.free}
    return {prefix + g.name: g.choices.index(value) if _by_position(g) else value for g, value in given.items()}


def _by_position(gene: Gene) -> bool:
    """Whether the parameter is the position of the choice."""
    return gene.ordered and len(gene.choices) > 2


def _distribution(gene: Gene) -> BaseDistribution:
    return IntDistribution(0, len(gene.choices) - 1) if _by_position(gene) else CategoricalDistribution(gene.choices)
