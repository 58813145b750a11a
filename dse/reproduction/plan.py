"""The rows of the table and the networks they need, read from ``rows.toml`` and the spaces beside it."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Literal

from costmodels.errors import InputError
from costmodels.published import Figure, figure
from searchspaces.genome import NetworkGenome
from searchspaces.recipe import Recipe
from searchspaces.space import SearchSpace, load_space

FOLDER = Path(__file__).parent

BUDGETS = ("small", "full")


class ReproductionError(InputError):
    """A reproduction that cannot be run as asked."""


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        name: on the command line.
        method: short name of the paper.
        what: the number, in words, with its unit.
        quantity: how it is computed (`dse.reproduction.quantities`).
        network, against: the networks compared; ``against`` is empty where one is measured alone, and several where it
            is compared with their mean.
        datasets: on which it is asked.
        must: how it must lie to the published value, or to the bound this project set itself.
        published: quantity of that value in ``published.toml``; empty where there is none.
        bound: in its place.
    """

    name: str
    method: str
    what: str
    quantity: str
    network: str
    datasets: tuple[str, ...]
    must: Literal["at least", "at most", "equal"]
    against: tuple[str, ...] = ()
    published: str = ""
    bound: float | None = None

    @property
    def figure(self) -> Figure | None:
        """The published value, if there is one that was read in its source."""
        return figure(self.method, self.published) if self.published else None

    @property
    def target(self) -> float:
        """What the row is compared with."""
        found = self.figure
        if found:
            return found.value
        if self.bound is None:
            raise ReproductionError(f"row {self.name} must have a published value or a bound (rows.toml)")
        return self.bound

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks it needs."""
        return *self.against, self.network


@dataclass(frozen=True)
class Training:
    """One network to train on one data set; its seeds are asked one by one."""

    network: str
    dataset: str
    genome: NetworkGenome
    recipe: Recipe

    @property
    def key(self) -> tuple[str, str]:
        """Network and data set."""
        return self.network, self.dataset

    @property
    def words(self) -> str:
        """For progress."""
        return f"{self.network} on {self.dataset}"


@dataclass(frozen=True)
class Plan:
    """What a budget asks.

    Attributes:
        rows: of the table.
        seeds: of each training.
        trainings: (network, data set) to its training, in the order of the rows.
        whole: it has every row.
    """

    budget: str
    rows: tuple[Row, ...]
    seeds: tuple[int, ...]
    trainings: Mapping[tuple[str, str], Training]
    whole: bool

    def cells(self) -> Iterator[tuple[Row, str]]:
        """Every row with each of its data sets that the budget has."""
        for row in self.rows:
            for dataset in row.datasets:
                if (row.network, dataset) in self.trainings:
                    yield row, dataset


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "rows.toml").read_text(encoding="utf-8"))


@cache
def _space(name: str) -> SearchSpace:
    return load_space(FOLDER / f"{name}.toml")


def rows() -> tuple[Row, ...]:
    """Every row, in the order of the file."""
    return tuple(
        Row(**{**row, "datasets": tuple(row["datasets"]), "against": tuple(row.get("against", ()))})
        for row in _table()["rows"]
    )


def read_plan(budget: str, name: str | None = None) -> Plan:
    """What a budget asks, of all rows or of the one (or of the method's) called ``name``.

    Raises:
        ReproductionError: no such budget, row or method, or the budget does not have its data set.
    """
    if budget not in BUDGETS:
        raise ReproductionError(f"budget must be one of {', '.join(BUDGETS)}, not {budget}")
    wanted = [row for row in rows() if name is None or name.lower() in (row.name.lower(), row.method.lower())]
    if name is not None and not wanted:
        known = [*dict.fromkeys(row.method for row in rows()), *(row.name for row in rows())]
        close = get_close_matches(name, known, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ReproductionError(f"name must be one of {', '.join(known)}, not {name}{hint}")
    trainings = {
        (network, dataset): _training(budget, network, dataset)
        for row in wanted
        for dataset in row.datasets
        if _table()["spaces"][dataset] in _table()["base"][budget]
        for network in row.networks
    }
    if not trainings:
        raise ReproductionError(f"{name} must be asked under another budget than {budget}, which has no such data set")
    return Plan(budget, tuple(wanted), tuple(_table()["seeds"]), trainings, name is None)


def _training(budget: str, network: str, dataset: str) -> Training:
    own = dict(_table()["networks"][network])
    name = own.pop("space", _table()["spaces"][dataset])
    space = _space(name)
    choices = {**_table()["base"][budget].get(name, {}), **own}
    recipe = space.short if budget == "small" else space.refine
    return Training(network, dataset, space.network.genome(_spread(space, choices)), recipe)


def _spread(space: SearchSpace, choices: Mapping[str, Any]) -> dict[str, Any]:
    """A choice for each gene: the one made for it by name, else by ``*``, else the gene's first."""
    found = {gene.name: gene.choices[0] for gene in space.network.genes}
    for name, choice in choices.items():
        if name.startswith("*"):
            found |= {gene: choice for gene in found if gene.endswith(name[1:]) and choice in _choices(space, gene)}
    found |= {name: choice for name, choice in choices.items() if not name.startswith("*")}
    return found


def _choices(space: SearchSpace, name: str) -> tuple[Any, ...]:
    return next(gene.choices for gene in space.network.genes if gene.name == name)
