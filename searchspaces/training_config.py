"""A training: one network, its data set, its recipe and its seed; read from and written to a TOML file."""

from dataclasses import dataclass, fields
from pathlib import Path

from searchspaces.candidate import block, network_blocks
from searchspaces.document import Document, read_file
from searchspaces.genome import NetworkGenome
from searchspaces.parse import as_recipe, read_genome, read_heading, read_recipe
from searchspaces.recipe import Recipe
from searchspaces.rules import REQUIRED, Rule
from searchspaces.tables import TableReader

TABLES = ("training", "images", "network", "recipe")
SEED = Rule("be a whole number of at least 0", lambda value: type(value) is int and value >= 0, (0,), (0,))


@dataclass(frozen=True)
class TrainingConfig:
    """What one training is asked for.

    Attributes:
        name, description: for people.
        dataset: name of the data set, whose image shape the network has.
        network, recipe, seed: of the training.
    """

    name: str
    dataset: str
    network: NetworkGenome
    recipe: Recipe
    seed: int = 0
    description: str = ""


def load_training(path: str | Path) -> TrainingConfig:
    """The training of a TOML file.

    Raises:
        SpaceError: no such file, or problems in it, all at once.
    """
    return parse_training(read_file(Path(path)))


def parse_training(document: Document) -> TrainingConfig:
    """The training that ``document`` describes.

    Raises:
        SpaceError: all problems at once, in file order.
    """
    reader = TableReader(document, single=True)
    reader.unknown_keys((), document.data, TABLES, "")
    name, dataset, description = read_heading(reader, "training", extras=("seed",))
    heading = document.data.get("training", {})
    seed = reader.scalar(("training", "seed"), heading, SEED, "training.seed", default=0)
    genome = read_genome(reader, dataset)
    recipe = read_recipe(reader, ("recipe",), {"epochs": REQUIRED})
    reader.finish()
    return TrainingConfig(name, dataset, genome, as_recipe(recipe), seed, description)


def to_toml(config: TrainingConfig) -> str:
    """The text of a file that `load_training` reads back to an equal training, but for its time budget.

    The budget does not change what a training comes to, and another machine may need longer.
    """
    heading = {"name": config.name, "dataset": config.dataset, "description": config.description, "seed": config.seed}
    recipe = {f.name: getattr(config.recipe, f.name) for f in fields(Recipe) if f.name != "time_budget_s"}
    recipe["train_samples"] = "all" if recipe["train_samples"] is None else recipe["train_samples"]
    blocks = [
        block("[training]", {key: value for key, value in heading.items() if value != ""}),
        *network_blocks(config.network, config.dataset),
        block("[recipe]", recipe),
    ]
    return "\n".join(blocks)
