"""A candidate: one network on one machine, with its activity; read from and written to a TOML file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from costmodels.accelerator import AcceleratorConfig
from costmodels.workload import Workload
from searchspaces.binarisation import smallest
from searchspaces.datasets import DatasetShape, dataset_shapes
from searchspaces.document import Document, read_file
from searchspaces.errors import shown
from searchspaces.genome import LayerGenome, NetworkGenome
from searchspaces.lowering import lower
from searchspaces.parse import read_accelerator, read_genome, read_heading
from searchspaces.rules import CONV_ONLY, DENSITY, TEXT
from searchspaces.shapes import layer_shapes, removed_kernels
from searchspaces.tables import TableReader

TABLES = ("candidate", "images", "network", "accelerator", "technology", "activity")
ASSUMED = "assumed"


@dataclass(frozen=True)
class Activity:
    """How busy a network's maps are, and who says so.

    Attributes:
        input_density: share of set bits in the input pixels: one value, or one a time step for events.
        firing_rates: spiking layer to the share of set bits of its stored map, one value per time step.
        source: ``"assumed"``, or where the values were measured; to be shown wherever a cost rests on them.
    """

    input_density: tuple[float, ...]
    firing_rates: Mapping[str, tuple[float, ...]]
    source: str = ASSUMED


@dataclass(frozen=True)
class Candidate:
    """One network on one machine.

    Attributes:
        name, description: for people.
        dataset: name of the data set, whose image shape the network has.
        technology: ``name`` and settings for the technology loader, as they stand in the file.
        activity: None as long as nobody has measured or assumed it.
    """

    network: NetworkGenome
    accelerator: AcceleratorConfig
    name: str
    dataset: str
    description: str = ""
    technology: Mapping[str, Any] = field(default_factory=dict)
    activity: Activity | None = None


def load_candidate(path: str | Path) -> Candidate:
    """The candidate of a TOML file, which must state activity: ``density`` per layer, or one for all in ``[activity]``.

    Raises:
        SpaceError: no such file, or problems in it, all at once.
    """
    return parse_candidate(read_file(Path(path)))


def parse_candidate(document: Document) -> Candidate:
    """The candidate that ``document`` describes.

    Raises:
        SpaceError: all problems at once, in file order.
    """
    reader = TableReader(document, single=True)
    reader.unknown_keys((), document.data, TABLES, "")
    name, dataset, description = read_heading(reader, "candidate")
    genome = read_genome(reader, dataset, layer_extras=("density",))
    accelerator = read_accelerator(reader)
    technology = reader.table(("technology",), required=False)
    activity = _read_activity(reader, genome)
    reader.finish()
    return Candidate(genome, accelerator.config({}), name, dataset, description, technology, activity)


def workload(candidate: Candidate) -> Workload:
    """The work of one inference of a candidate that has activity.

    Pruned kernels as in `assumed_masks`; layers that ALE would pick from all binary.
    """
    if candidate.activity is None:
        raise ValueError(f"candidate {candidate.name} must have activity to be lowered")
    activity, network = candidate.activity, smallest(candidate.network)
    return lower(network, activity.input_density, activity.firing_rates, assumed_masks(network), candidate.name)


def assumed_masks(genome: NetworkGenome) -> dict[str, NDArray[np.bool_]]:
    """Masks that remove as many kernels as the prune ratios say, drawn without regard to lanes: an assumption.

    Trained masks follow norms, not lanes, so the fullest lane of a drawn mask is a fair guess of theirs. Kernels
    removed at regular distances are not: a distance that divides the number of lanes empties some, spares others.
    """
    return {
        layer.name: _drawn_mask(layer, shape.in_channels)
        for layer, shape in layer_shapes(genome)
        if layer.prune_ratio > 0
    }


def _drawn_mask(layer: LayerGenome, in_channels: int) -> NDArray[np.bool_]:
    kernels = layer.filters * in_channels
    removed = removed_kernels(layer.prune_ratio, kernels)
    kept = np.ones(kernels, dtype=np.bool_)
    kept[np.random.default_rng(0).permutation(kernels)[:removed]] = False
    return np.asarray(kept.reshape(layer.filters, in_channels))


def _read_activity(reader: TableReader, genome: NetworkGenome) -> Activity:
    table = reader.table(("activity",))
    reader.unknown_keys(("activity",), table, ("input_density", "density", "source"), "activity.")
    input_density = _input_density(reader, table, genome)
    source = reader.scalar(("activity", "source"), table, TEXT, "activity.source", default=ASSUMED)
    rates = {
        layer.name: _rates(reader, layer.name, table, genome.timesteps) for layer in genome.layers if layer.spiking
    }
    return Activity(input_density, rates, source)


def _input_density(reader: TableReader, activity: Mapping[str, Any], genome: NetworkGenome) -> tuple[float, ...]:
    """Density of an image, or of the frames of events, where a single number holds at every step."""
    path, name = ("activity", "input_density"), "activity.input_density"
    if genome.static_input or path[-1] not in activity:
        return (float(reader.scalar(path, activity, DENSITY, name) or 0),)
    return _per_step(reader, path, name, activity[path[-1]], genome.timesteps)


def _rates(reader: TableReader, name: str, activity: Mapping[str, Any], timesteps: int) -> tuple[float, ...]:
    """Densities of one layer: its own, or the default; a single number holds at every step."""
    layers = reader.document.data["network"]["layers"]
    index = next(i for i, layer in enumerate(layers) if layer.get("name") == name)
    own = "density" in layers[index]
    path = ("network", "layers", index, "density") if own else ("activity", "density")
    if not own and "density" not in activity:
        reader.refuse(path, f"{name}.density", "be stated", None, "give the layer, or [activity] for all, a density")
        return (0.0,) * timesteps
    value = layers[index]["density"] if own else activity["density"]
    return _per_step(reader, path, f"{name}.density" if own else "activity.density", value, timesteps)


def _per_step(
    reader: TableReader, path: tuple[str | int, ...], name: str, value: object, timesteps: int
) -> tuple[float, ...]:
    """A density for each step; a single number holds at every step."""
    rates: list[Any] = value if isinstance(value, list) else [value] * timesteps
    steps_known = all(problem.subject != "network.timesteps" for problem in reader.problems)
    if (len(rates) != timesteps and steps_known) or not all(DENSITY.accepts(rate) for rate in rates):
        reader.refuse(path, name, f"{DENSITY.text}, or a list of {timesteps}, one per time step", value)
        return (0.0,) * timesteps
    return tuple(float(rate) for rate in rates)


def to_toml(candidate: Candidate) -> str:
    """The text of a file that `load_candidate` reads back to an equal candidate (given that it has activity)."""
    heading = {"name": candidate.name, "dataset": candidate.dataset, "description": candidate.description}
    blocks = [
        block("[candidate]", {key: value for key, value in heading.items() if value}),
        *network_blocks(candidate.network, candidate.dataset, candidate.activity),
        block("[accelerator]", {f.name: getattr(candidate.accelerator, f.name) for f in fields(AcceleratorConfig)}),
    ]
    if candidate.technology:
        blocks.append(block("[technology]", candidate.technology))
    if candidate.activity:
        activity = candidate.activity
        density = activity.input_density if len(activity.input_density) > 1 else activity.input_density[0]
        blocks.append(block("[activity]", {"input_density": density, "source": activity.source}))
    return "\n".join(blocks)


def network_blocks(network: NetworkGenome, dataset: str, activity: Activity | None = None) -> list[str]:
    """The tables of a network, and of images of the user's own; each layer with its density where there is activity."""
    settings = {key: getattr(network, key) for key in ("timesteps", "levels", "pooling", "head", "reset")}
    settings |= {key: True for key in ("dynamic_pruning", "bwo") if getattr(network, key)}
    if network.first_stage_timesteps > 1:
        settings["first_stage_timesteps"] = network.first_stage_timesteps
    if network.route == "conversion":
        settings["route"] = network.route
    if network.ale_saving:
        settings |= {"binarize": "ale", "ale_saving": network.ale_saving}
    if network.ale_loss:
        settings |= {"binarize": "ale-loss", "ale_loss": network.ale_loss}
    return [
        *([] if dataset in dataset_shapes() else [block("[images]", _images(network))]),
        block("[network]", settings),
        *(block("[[network.layers]]", _layer_row(layer, activity)) for layer in network.layers[:-1]),
        block("[network.classifier]", _classifier_row(network.layers[-1])),
    ]


def _images(network: NetworkGenome) -> dict[str, Any]:
    return DatasetShape(network.input_shape, network.input_bits, network.classes).stated()


def _layer_row(layer: LayerGenome, activity: Activity | None) -> dict[str, Any]:
    row = {
        "name": layer.name,
        "kind": layer.kind,
        "channels": layer.channels,
        "kernel": layer.kernel,
        "stride": layer.stride,
        "pool": layer.pool,
        "weights": _weights(layer),
        "dual_threshold": layer.dual_threshold,
        "prune_ratio": layer.prune_ratio,
    }
    if activity:
        row["density"] = activity.firing_rates[layer.name]
    return {key: value for key, value in row.items() if layer.kind == "conv" or key not in CONV_ONLY}


def _classifier_row(layer: LayerGenome) -> dict[str, Any]:
    return {"weights": _weights(layer), **({"kernel": layer.kernel} if layer.kind == "conv" else {})}


def _weights(layer: LayerGenome) -> str | int:
    return "binary" if layer.weight_bits == 1 else layer.weight_bits


def block(header: str, row: Mapping[str, Any]) -> str:
    """A table of a TOML file."""
    return "\n".join([header, *(f"{key} = {shown(value)}" for key, value in row.items())]) + "\n"
