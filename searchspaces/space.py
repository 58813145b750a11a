"""A search space: the networks and machines to choose from, and how a network is trained and priced."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from searchspaces.datasets import dataset_shapes
from searchspaces.document import Document, read
from searchspaces.errors import Problem, SpaceError
from searchspaces.machines import AcceleratorSpace
from searchspaces.network import CLASSIFIER, NetworkSpace, plain
from searchspaces.parse import read_accelerator, read_heading, read_network, read_recipes
from searchspaces.recipe import Recipe
from searchspaces.rules import NETWORK
from searchspaces.tables import TableReader

TABLES = ("space", "images", "network", "accelerator", "technology", "training")


@dataclass(frozen=True)
class SearchSpace:
    """What a search may choose.

    Attributes:
        name, description: for people.
        dataset: name of the data set, whose image shape the networks have.
        network, accelerator: choices on either side.
        technology: ``name`` and settings for the technology loader, passed on as they stand in the file.
        short, refine: recipes of every trial, and of the networks trained again at the end.
    """

    name: str
    dataset: str
    description: str
    network: NetworkSpace
    accelerator: AcceleratorSpace
    technology: Mapping[str, Any]
    short: Recipe
    refine: Recipe

    def combinations(self) -> int:
        """Number of different pairs of network and machine."""
        return self.network.combinations() * self.accelerator.combinations()

    def to_dict(self) -> dict[str, Any]:
        """Plain data laid out as the file is, which `from_dict` reads back to an equal space."""
        network: dict[str, Any] = {key: list(getattr(self.network, key)) for key in NETWORK}
        network["layers"] = [plain(layer) for layer in self.network.layers]
        network[CLASSIFIER] = plain(self.network.classifier)
        description = {"description": self.description} if self.description else {}
        return {
            "space": {"name": self.name, "dataset": self.dataset, **description},
            **({} if self.dataset in dataset_shapes() else {"images": self.network.images.stated()}),
            "network": network,
            "accelerator": self.accelerator.to_dict(),
            "technology": dict(self.technology),
            "training": {"short": _stated(self.short), "refine": _stated(self.refine)},
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any], origin: str = "saved space") -> "SearchSpace":
        """The space that `to_dict` (or its JSON) describes.

        Raises:
            SpaceError: all problems at once.
        """
        return parse_space(Document(data, {}, origin))

    def digest(self) -> str:
        """16 hexadecimal digits that differ where the choices or recipes differ; name and description do not count."""
        settings = {**self.to_dict(), "space": {"dataset": self.dataset}}
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def load_space(name_or_path: str | Path) -> SearchSpace:
    """The space of a preset or of a TOML file.

    Raises:
        SpaceError: no such preset or file, or problems in it, all at once.
    """
    return parse_space(read(name_or_path))


def check(name_or_path: str | Path) -> SearchSpace | tuple[Problem, ...]:
    """The space, or everything that is wrong with it."""
    try:
        return load_space(name_or_path)
    except SpaceError as error:
        return error.problems


def parse_space(document: Document) -> SearchSpace:
    """The space that ``document`` describes.

    Raises:
        SpaceError: all problems at once, in file order.
    """
    reader = TableReader(document)
    reader.unknown_keys((), document.data, TABLES, "")
    name, dataset, description = read_heading(reader, "space")
    network = read_network(reader, dataset)
    accelerator = read_accelerator(reader)
    technology = reader.table(("technology",), required=False)
    short, refine = read_recipes(reader)
    reader.finish()
    return SearchSpace(name, dataset, description, network, accelerator, technology, short, refine)


def _stated(recipe: Recipe) -> dict[str, Any]:
    """Fields of a recipe as a file states them: "all" samples, and no time budget where there is none."""
    fields = {**asdict(recipe), "train_samples": recipe.train_samples or "all"}
    return {key: value for key, value in fields.items() if value is not None}
