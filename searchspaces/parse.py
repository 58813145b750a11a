"""From a document to the parts of a search space: every table read by its rules, then checked for contradictions."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_type_hints

from searchspaces.binarisation import saving_rule
from searchspaces.contradictions import contradictions, machine_contradictions
from searchspaces.datasets import DatasetShape, dataset_shapes
from searchspaces.errors import Problem
from searchspaces.genome import NetworkGenome
from searchspaces.machines import AcceleratorSpace
from searchspaces.network import CLASSIFIER, ClassifierSpace, LayerSpace, NetworkSpace
from searchspaces.recipe import Recipe
from searchspaces.rules import (
    ACCELERATOR,
    CONV_LAYER,
    CONV_ONLY,
    FC_LAYER,
    NETWORK,
    REQUIRED,
    TEXT,
    Rule,
    one_of,
    recipe_rules,
    whole,
)
from searchspaces.rules import CLASSIFIER as CLASSIFIER_RULES
from searchspaces.tables import TableReader

# Larger than any image: stands for an unknown data set, so that no pool is called too large on top of it.
UNKNOWN_IMAGES = DatasetShape((1, 1 << 20, 1 << 20), 8, 10)
REAL_FIELDS = {name for name, hint in get_type_hints(Recipe).items() if float in (hint, *get_args(hint))}
OWN_PIXEL_BITS = 8
OWN_DATASET = Rule(
    "be the name of a file NAME.npz in the data folder: letters, digits, - and _, unlike a known data set where "
    "there is a table [images]",
    lambda value: type(value) is str and bool(re.fullmatch(r"[A-Za-z0-9_-]+", value)) and value not in dataset_shapes(),
    REQUIRED,
    (),
)
IMAGE_SHAPE = Rule(
    "be three whole numbers of at least 1: channels, rows, columns",
    lambda value: type(value) is list and len(value) == 3 and all(whole(1).accepts(part) for part in value),
    REQUIRED,
    (),
)
LAYER_NAME = re.compile(r"[a-z][a-z0-9_]*")


def read_heading(reader: TableReader, table: str, extras: tuple[str, ...] = ()) -> tuple[str, str, str]:
    """Name, data set and description from ``[space]``, ``[candidate]`` or ``[training]``, which may have ``extras``."""
    heading = reader.table((table,))
    reader.unknown_keys((table,), heading, ("name", "dataset", "description", *extras), f"{table}.")
    name = reader.scalar((table, "name"), heading, TEXT, f"{table}.name")
    rule = OWN_DATASET if "images" in reader.document.data else one_of(*dataset_shapes())
    dataset = reader.scalar((table, "dataset"), heading, rule, f"{table}.dataset")
    description = reader.scalar((table, "description"), heading, TEXT, f"{table}.description", default="")
    return name or "unnamed", dataset or "", description


def read_images(reader: TableReader) -> DatasetShape | None:
    """The images of a data set of the user's own from ``[images]``; None where there is no such table."""
    if "images" not in reader.document.data:
        return None
    table = reader.table(("images",))
    reader.unknown_keys(("images",), table, ("input_shape", "classes"), "images.")
    shape = reader.scalar(("images", "input_shape"), table, IMAGE_SHAPE, "images.input_shape")
    classes = reader.scalar(("images", "classes"), table, whole(2), "images.classes")
    return DatasetShape(tuple(shape), OWN_PIXEL_BITS, classes) if shape and classes else UNKNOWN_IMAGES


def read_network(reader: TableReader, dataset: str, layer_extras: tuple[str, ...] = ()) -> NetworkSpace:
    """The network's choices from ``[network]``; ``layer_extras`` are further keys that a layer may have."""
    network = reader.table(("network",))
    reader.unknown_keys(("network",), network, (*NETWORK, "layers", CLASSIFIER), "network.")
    choices = _choices(reader, ("network",), network, NETWORK, "network.")
    choices["ale_loss"] = tuple(float(loss) for loss in choices["ale_loss"])
    layers, indices = _layers(reader, network.get("layers"), layer_extras)
    classifier = reader.table(("network", CLASSIFIER))
    reader.unknown_keys(("network", CLASSIFIER), classifier, CLASSIFIER_RULES, f"{CLASSIFIER}.")
    last = _choices(reader, ("network", CLASSIFIER), classifier, CLASSIFIER_RULES, f"{CLASSIFIER}.")
    images = read_images(reader) or dataset_shapes().get(dataset, UNKNOWN_IMAGES)
    space = NetworkSpace(images=images, **choices, layers=layers, classifier=ClassifierSpace(**last))
    _add_contradictions(reader, contradictions(reader.document, space, indices))
    return space


def read_genome(reader: TableReader, dataset: str, layer_extras: tuple[str, ...] = ()) -> NetworkGenome:
    """The one network of a candidate or of a training; arguments as `read_network`."""
    network = read_network(reader, dataset, layer_extras)
    genome = network.genome({gene.name: gene.choices[0] for gene in network.genes})
    if rule := saving_rule(genome):
        reader.refuse(("network", "ale_saving"), "network.ale_saving", rule, genome.ale_saving)
    return genome


def read_accelerator(reader: TableReader) -> AcceleratorSpace:
    """The machine's choices from ``[accelerator]``."""
    table = reader.table(("accelerator",))
    reader.unknown_keys(("accelerator",), table, ACCELERATOR, "accelerator.")
    space = AcceleratorSpace(**_choices(reader, ("accelerator",), table, ACCELERATOR, "accelerator."))
    if not any(problem.subject == "accelerator.time_order" for problem in reader.problems):
        _add_contradictions(reader, machine_contradictions(reader.document, space))
    return space


def read_recipes(reader: TableReader) -> tuple[Recipe, Recipe]:
    """The short and the refined recipe; ``[training.refine]`` says only what differs from ``[training.short]``."""
    training = reader.table(("training",))
    reader.unknown_keys(("training",), training, ("short", "refine"), "training.")
    short = read_recipe(reader, ("training", "short"), {"epochs": REQUIRED})
    refine = read_recipe(reader, ("training", "refine"), {})
    return as_recipe(short), as_recipe({**short, **refine})


def _add_contradictions(reader: TableReader, found: Iterator[Problem]) -> None:
    """Keep the problems ``found`` whose subject is not broken in itself already."""
    broken = {problem.subject for problem in reader.problems}
    reader.problems += [problem for problem in found if problem.subject not in broken]


def _choices(
    reader: TableReader, path: tuple[str | int, ...], table: Mapping[str, Any], rules: Mapping[str, Any], name: str
) -> dict[str, tuple[Any, ...]]:
    return {key: reader.choices((*path, key), table, rule, f"{name}{key}") for key, rule in rules.items()}


def _layers(
    reader: TableReader, value: object, extras: tuple[str, ...]
) -> tuple[tuple[LayerSpace, ...], tuple[int, ...]]:
    """The sound layers and their places in the document."""
    path = ("network", "layers")
    if not isinstance(value, list) or not value or not all(isinstance(layer, dict) for layer in value):
        reader.refuse(path, "network.layers", "be a list of at least one table", value, "write [[network.layers]]")
        return (), ()
    layers: list[LayerSpace] = []
    indices: list[int] = []
    for index, table in enumerate(value):
        layer = _layer(reader, index, table, extras, {layer.name for layer in layers})
        if layer is not None:
            layers.append(layer)
            indices.append(index)
    return tuple(layers), tuple(indices)


def _layer(
    reader: TableReader, index: int, table: Mapping[str, Any], extras: tuple[str, ...], taken: set[str]
) -> LayerSpace | None:
    """One layer, or None where its name or kind is broken (its other keys are checked all the same)."""
    path = ("network", "layers", index)
    name = table.get("name")
    sound = isinstance(name, str) and bool(LAYER_NAME.fullmatch(name)) and name not in {*taken, CLASSIFIER}
    if not sound:
        rule = f"be lower-case letters, digits and _, unlike any other layer and {CLASSIFIER!r}"
        reader.refuse((*path, "name"), "layer name", rule, name, "" if "name" in table else "it is missing")
    label = f"{name}." if sound else f"network.layers[{index}]."
    kind = table.get("kind")
    if kind not in ("conv", "fc"):
        fix = "" if "kind" in table else "it is missing"
        reader.refuse((*path, "kind"), f"{label}kind", "be one of conv, fc", kind, fix)
        sound = False
    rules = FC_LAYER if kind == "fc" else CONV_LAYER
    _refuse_conv_keys(reader, path, table, kind, label)
    reader.unknown_keys(path, table, ("name", "kind", *CONV_LAYER, *extras), label)
    choices = _choices(reader, path, table, rules, label)
    if "prune_ratio" in choices:
        choices["prune_ratio"] = tuple(float(ratio) for ratio in choices["prune_ratio"])
    return LayerSpace(name=str(name), kind="fc" if kind == "fc" else "conv", **choices) if sound else None


def _refuse_conv_keys(
    reader: TableReader, path: tuple[str | int, ...], table: Mapping[str, Any], kind: object, label: str
) -> None:
    for key in CONV_ONLY:
        if kind == "fc" and key in table:
            rule = "be left out of an fc layer"
            reader.refuse((*path, key), f"{label}{key}", rule, table[key], "only conv layers have it; drop it")


def read_recipe(reader: TableReader, path: tuple[str, ...], required: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of `Recipe` that the table at ``path`` states, sound ones only."""
    table, name = reader.table(path), ".".join(path)
    rules = recipe_rules()
    reader.unknown_keys(path, table, rules, f"{name}.")
    wanted = [key for key in rules if key in table or key in required]
    values = {key: reader.scalar((*path, key), table, rules[key], f"{name}.{key}") for key in wanted}
    return {key: _as_field(key, value) for key, value in values.items() if value is not None}


def as_recipe(stated: Mapping[str, Any]) -> Recipe:
    """The recipe of the fields that are stated; one epoch stands for a number that was refused."""
    return Recipe(**{"epochs": 1, **stated})


def _as_field(key: str, value: Any) -> Any:
    """``value`` as the field of `Recipe` holds it: a whole number in a real field is real, "all" samples are None."""
    if value == "all":
        return None
    return float(value) if key in REAL_FIELDS else value
