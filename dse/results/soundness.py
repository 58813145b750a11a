"""What a study must hold beyond the types of its fields, so that whoever reads it may rely on it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from dse.objectives import Objective, parse_constraint, parse_objectives
from dse.results.manifest import Manifest
from dse.results.records import NetworkRecord
from dse.results.typed import as_kind
from searchspaces.genome import LayerGenome, NetworkGenome
from searchspaces.shapes import layer_shapes

DIGESTS, DATA = ("space", "data", "technology", "code"), ("name", "title", "classes")


@dataclass(frozen=True)
class Asked:
    """The settings of a search without which nothing of it can be shown."""

    objectives: list[str]
    constraints: list[str]
    mode: str
    trials: int


WEIGHT_BITS = (1, 2, 4, 8)


def check_manifest(manifest: Manifest) -> None:
    """What is read of the manifest is there, and the reference point has a cost above 0, or a share, per objective.

    Raises:
        ValueError: it has not.
    """
    for part, names in (("digests", DIGESTS), ("data", DATA)):
        missing = [name for name in names if name not in getattr(manifest, part)]
        if missing:
            raise ValueError(f"{part} must hold {', '.join(missing)}")
    datetime.fromisoformat(manifest.created)
    asked = as_kind(manifest.settings, Asked)
    for text in asked.constraints:
        parse_constraint(text)
    for objective in parse_objectives(asked.objectives):
        value = manifest.reference.get(objective.column)
        if value is None or value <= 0 or (objective.maximise and value >= 1):
            raise ValueError(f"reference of {objective.column} must be above 0, not {value}")


def check_record(record: NetworkRecord, objectives: Sequence[Objective]) -> None:
    """The parts of a record fit each other.

    Raises:
        ValueError: they do not; says which.
    """
    score, own = record.score, record.own_front
    if not 0 <= min(score.correct, score.deployed_correct) <= max(score.correct, score.deployed_correct):
        raise ValueError("counts of right answers must be at least 0")
    if score.samples < max(1, score.correct, score.deployed_correct):
        raise ValueError(f"samples must be as many as right answers, not {score.samples}")
    lengths = {len(column) for column in (*vars(own.machines).values(), *own.metrics.values())}
    if lengths != {len(own)}:
        raise ValueError(f"columns of the own front must be of one length, not {sorted(lengths | {len(own)})}")
    _has_columns(objectives, own.metrics, "own front")
    if record.feasible:
        _has_columns(objectives, {**record.metrics, **record.best}, "record")
    check_genome(record.genome)
    _check_activity(record)


def _has_columns(objectives: Sequence[Objective], columns: Iterable[str], what: str) -> None:
    missing = [objective.column for objective in objectives if objective.column not in columns]
    if missing:
        raise ValueError(f"{what} must have {', '.join(missing)}")


def check_genome(genome: NetworkGenome) -> None:
    """The network can exist.

    Raises:
        ValueError: it cannot.
    """
    counts = (*genome.input_shape, genome.input_bits, genome.classes, genome.timesteps, genome.levels)
    if min(*counts, genome.first_stage_timesteps) < 1 or not genome.layers:
        raise ValueError("genome must have layers, and counts of at least 1")
    for layer in genome.layers:
        _check_layer(layer)
    if [layer.name for layer in genome.layers if not layer.spiking] != [genome.layers[-1].name]:
        raise ValueError("genome must have its classifier last, and one name for each layer")
    if any(min(shape.stored_height, shape.stored_width) < 1 for _, shape in layer_shapes(genome)):
        raise ValueError("genome must leave no map empty")


def _check_layer(layer: LayerGenome) -> None:
    if min(layer.filters, layer.kernel, layer.stride, layer.pool) < 1:
        raise ValueError(f"layer {layer.name} must have counts of at least 1")
    if layer.weight_bits not in WEIGHT_BITS or not 0 <= layer.prune_ratio < 1:
        raise ValueError(f"layer {layer.name} must have {WEIGHT_BITS} weight bits and a prune ratio from 0 to below 1")


def _check_activity(record: NetworkRecord) -> None:
    """Rates for every spiking layer and step, and masks, where there are any, of the layers' shapes."""
    genome, score = record.genome, record.score
    steps = {layer.name: genome.timesteps for layer in genome.layers if layer.spiking}
    if {name: len(rates) for name, rates in score.firing_rates.items()} != steps:
        raise ValueError(f"firing rates must be those of {', '.join(steps)}, each of {genome.timesteps} steps")
    if len(score.input_density) not in (1, genome.timesteps):
        raise ValueError(f"input density must be one number, or {genome.timesteps}")
    if score.masks:
        shapes = {layer.name: (layer.filters, shape.in_channels) for layer, shape in layer_shapes(genome)}
        wrong = [name for name, mask in score.masks.items() if mask.shape != shapes.get(name)]
        if wrong:
            raise ValueError(f"masks must be of the layers' shapes, not that of {', '.join(wrong)}")
