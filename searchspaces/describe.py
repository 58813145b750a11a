"""A search space in plain rows, for tables on a terminal or a page."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from searchspaces.errors import shown
from searchspaces.genes import Gene
from searchspaces.recipe import Recipe
from searchspaces.space import SearchSpace


@dataclass(frozen=True)
class GeneRow:
    """One gene: its choices as text, how many they are, and when it has an effect (empty: always)."""

    part: Literal["network", "accelerator"]
    gene: str
    choices: str
    number: int
    when: str


@dataclass(frozen=True)
class SpaceDescription:
    """What `describe` says of a space.

    Attributes:
        genes: every gene, those with a single choice among them.
        networks, machines, combinations: numbers of different ones, and of pairs.
        settings: ``(name, value)`` of the technology and of both recipes, those that differ from their default.
    """

    name: str
    dataset: str
    description: str
    genes: tuple[GeneRow, ...]
    networks: int
    machines: int
    combinations: int
    settings: tuple[tuple[str, str], ...]


def describe(space: SearchSpace) -> SpaceDescription:
    """Every gene, domain and condition of ``space``, and how many combinations they make."""
    return SpaceDescription(
        name=space.name,
        dataset=space.dataset,
        description=space.description,
        genes=(*_rows("network", space.network.genes), *_rows("accelerator", space.accelerator.genes)),
        networks=space.network.combinations(),
        machines=space.accelerator.combinations(),
        combinations=space.combinations(),
        settings=(
            *((f"technology.{key}", str(value)) for key, value in space.technology.items()),
            *_recipe("short", space.short),
            *_recipe("refine", space.refine),
        ),
    )


def _rows(part: Literal["network", "accelerator"], genes: Iterable[Gene]) -> Iterator[GeneRow]:
    for gene in genes:
        choices = ", ".join(choice if isinstance(choice, str) else shown(choice) for choice in gene.choices)
        yield GeneRow(part, gene.name, choices, len(gene.choices), gene.condition)


def _recipe(name: str, recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Settings that differ from the default of `Recipe`; epochs and samples always."""
    default = asdict(Recipe(epochs=0))
    for key, value in asdict(recipe).items():
        if value != default[key] or key == "train_samples":
            yield f"training.{name}.{key}", "all" if value is None else str(value)
