"""A trained network as a folder that stands alone: parameters, a model in plain torch, samples, and how it was trained.

| file | what |
|---|---|
| `model.py` | the network in plain torch, float and integer, and the count of right answers |
| `weights.safetensors` | trained float parameters; its metadata describe the network |
| `integer.safetensors` | the folded integer network, likewise |
| `validation.safetensors`, `test.safetensors` | samples and the right answers recorded, the test's only where asked |
| `config.toml` | for `dse train`: network, data set, recipe, seed |
| `record.json` | where it comes from: study, digests, versions, counts |
| `README.md` | what to do with all this |
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from dse.data.dataset import Split
from dse.export.integer_network import IntegerLayer, IntegerNetwork
from searchspaces.genome import NetworkGenome
from searchspaces.recipe import Recipe
from searchspaces.shapes import layer_shapes
from searchspaces.training_config import TrainingConfig, to_toml

Arrays = Mapping[str, NDArray[Any]]

CONFIG, MODEL, RECORD, README = "config.toml", "model.py", "record.json", "README.md"
WEIGHTS, INTEGER = "weights.safetensors", "integer.safetensors"
TEXT = """# {name}

{description}

    python model.py          count right answers on the samples here, next to what was recorded (torch, safetensors)
    dse train config.toml    train it again, or change the recipe first; writes config-training/

`model.py` is the network in plain torch: `load("weights.safetensors")` gives a module that also trains,
`load_integer("integer.safetensors")` the folded integers, which answer as the accelerator does. No file holds a pickle.
"""


@dataclass(frozen=True)
class Counts:
    """Right answers of the float and of the integer network on some samples."""

    correct: int
    deployed_correct: int
    samples: int


def describe(genome: NetworkGenome, recipe: Recipe, folded: IntegerNetwork) -> dict[str, Any]:
    """What ``model.py`` builds the float network from; weights have the bits that they were folded with."""
    of_layer = ("name", "kind", "filters", "kernel", "stride", "pool", "dual_threshold")
    bits = {part.name: part.weight_bits for part in (*folded.layers, folded.classifier)}
    layers = [
        {name: getattr(layer, name) for name in of_layer}
        | {"in_channels": shape.in_channels, "weight_bits": bits[layer.name]}
        | {"pruned": layer.prune_ratio > 0, "whole_layer": not layer.spiking}
        for layer, shape in layer_shapes(genome)
    ]
    return {
        "static_input": genome.static_input,
        "timesteps": genome.timesteps,
        "levels": genome.levels,
        "pooling": genome.pooling,
        "reset": genome.reset,
        "surrogate": recipe.surrogate,
        "surrogate_width": recipe.surrogate_width,
        "layers": layers,
    }


def describe_integer(network: IntegerNetwork) -> dict[str, Any]:
    """What ``model.py`` needs beside the tensors of the integer network."""
    common = ("name", "stride", "padding", "input_shape")
    spiking = ("fraction_bits", "reset", "pool", "pooling", "levels")
    parts = (*network.layers, network.classifier)
    return {
        "static_input": network.layers[0].static_input,
        "timesteps": network.timesteps,
        "fraction_bits": network.fraction_bits,
        "layers": [
            {name: getattr(part, name) for name in (*common, *(spiking if isinstance(part, IntegerLayer) else ()))}
            for part in parts
        ],
    }


def integer_tensors(network: IntegerNetwork) -> dict[str, NDArray[Any]]:
    """Weights, constants, thresholds and bias, by layer."""
    tensors: dict[str, NDArray[Any]] = {}
    for layer in network.layers:
        fields: dict[str, NDArray[Any]] = {"weights": layer.weights, "c": layer.c, "thetas": layer.thetas}
        tensors |= {f"{layer.name}.{name}": array for name, array in fields.items()}
    last = network.classifier
    return tensors | {f"{last.name}.weights": last.weights, f"{last.name}.bias": last.bias}


def _save(arrays: Arrays, path: Path, text: str, content: Any) -> None:
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    save_file(whole, path, metadata={text: json.dumps(content)})


def write_samples(folder: Path, part: str, split: Split, counts: Counts) -> None:
    """Write the samples of a part with what was counted on them."""
    arrays: Arrays = {"images": split.images, "labels": split.labels}
    _save(arrays, folder / f"{part}.safetensors", "recorded", asdict(counts))


def write_network(folder: Path, config: TrainingConfig, weights: Arrays, network: IntegerNetwork) -> None:
    """Write the network, its model and how it was trained."""
    (folder / CONFIG).write_text(to_toml(config), encoding="utf-8")
    _save(weights, folder / WEIGHTS, "network", describe(config.network, config.recipe, network))
    _save(integer_tensors(network), folder / INTEGER, "network", describe_integer(network))
    text = TEXT.format(name=config.name, description=config.description or f"Trained on {config.dataset}.")
    (folder / README).write_text(text, encoding="utf-8")
    with resources.as_file(resources.files("dse.export") / "training" / MODEL) as model:
        shutil.copyfile(model, folder / MODEL)


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write where the network comes from."""
    text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / RECORD).write_text(text + "\n", encoding="utf-8")
