"""A gene: one choice to make, and the choices of other genes under which it has an effect."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from searchspaces.errors import Problem, SpaceError, nearest, shown

if TYPE_CHECKING:
    import numpy as np

Clause = tuple[tuple[str, tuple[Any, ...]], ...]
"""Alternatives ``(gene, values)``: the clause holds when one of the genes has one of its values."""


@dataclass(frozen=True)
class Gene:
    """One parameter of a search space.

    Attributes:
        name: ``"timesteps"``, or ``"conv2.weights"`` for a gene of one layer.
        choices: what it may be, in the order of the file.
        when: clauses that must all hold for the gene to have an effect; they name earlier genes only.
        ordered: the choices are amounts, so that neighbours are alike.
    """

    name: str
    choices: tuple[Any, ...]
    when: tuple[Clause, ...] = ()
    ordered: bool = True

    @property
    def free(self) -> bool:
        """Whether there is anything to choose."""
        return len(self.choices) > 1

    @property
    def condition(self) -> str:
        """When the gene has an effect, in words; empty for always."""
        return " and ".join(
            " or ".join(f"{name} = {'/'.join(_plain(value) for value in values)}" for name, values in clause)
            for clause in self.when
        )

    def active(self, params: Mapping[str, Any]) -> bool:
        """Whether the gene has an effect under the choices made for the genes before it."""
        return all(any(params.get(name) in values for name, values in clause) for clause in self.when)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else shown(value)


def chosen(genes: Sequence[Gene], params: Mapping[str, Any]) -> dict[str, Any]:
    """The active genes with their values, in the order of ``genes``; a gene with a single choice may be left out.

    Names that are not genes are ignored, so one mapping may hold the choices of network and accelerator together.

    Raises:
        SpaceError: an active gene has no value, or one that is not among its choices.
    """
    values: dict[str, Any] = {}
    foreign = [name for name in params if name not in {gene.name for gene in genes}]
    problems: list[Problem] = []
    for gene in genes:
        if not gene.active(values):
            continue
        value = params.get(gene.name, None if gene.free else gene.choices[0])
        problems += _problems(gene, value, gene.name in params, foreign)
        values[gene.name] = value
    if problems:
        raise SpaceError(problems)
    return values


def drawn(genes: Iterable[Gene], draw: "np.random.Generator") -> dict[str, Any]:
    """A choice of every gene at random, one number of ``draw`` each."""
    return {gene.name: gene.choices[draw.integers(len(gene.choices))] for gene in genes}


def _problems(gene: Gene, value: object, given: bool, foreign: Sequence[str]) -> Iterable[Problem]:
    if not any(value == choice and isinstance(value, bool) == isinstance(choice, bool) for choice in gene.choices):
        rule = f"be one of {', '.join(shown(choice) for choice in gene.choices)}"
        fix = "" if given else nearest(gene.name, foreign) or "give it a value"
        yield Problem(gene.name, rule, "" if value is None else shown(value), "parameters", fix)


def clause(*alternatives: tuple[Gene, tuple[Any, ...]]) -> tuple[Clause, ...]:
    """The condition that one of the genes has one of the values; no clause at all where that is always so.

    A gene that is itself conditional may be named beside its own condition only.
    """
    if any(set(gene.choices) <= set(values) for gene, values in alternatives):
        return ()
    return (tuple((gene.name, values) for gene, values in alternatives if values),)
