"""The networks of a space: genes per layer and per network, the genome that a choice makes, and how many there are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Literal

from searchspaces.counting import combinations
from searchspaces.datasets import DatasetShape
from searchspaces.genes import Clause, Gene, chosen, clause
from searchspaces.genome import LayerGenome, NetworkGenome, Pooling
from searchspaces.shapes import canonical_first_stage, canonical_pooling, convolved, exact_ratio

Alternatives = tuple[tuple[Gene, tuple[Any, ...]], ...]

CLASSIFIER = "classifier"
WEIGHT_BITS = {"binary": 1, 2: 2, 4: 4, 8: 8}
EXPLICIT = "explicit"
"""Rule of ``binarize`` under which the layers' own weights say which of them are binary."""


@dataclass(frozen=True)
class LayerSpace:
    """Choices of one layer before the classifier; kernel, stride and pool of an fc layer are 1, nothing is pruned."""

    name: str
    kind: Literal["conv", "fc"]
    channels: tuple[int, ...]
    weights: tuple[str | int, ...]
    dual_threshold: tuple[bool, ...] = (False,)
    kernel: tuple[int, ...] = (1,)
    stride: tuple[int, ...] = (1,)
    pool: tuple[int, ...] = (1,)
    prune_ratio: tuple[float, ...] = (0.0,)

    @property
    def even_channels(self) -> tuple[int, ...]:
        """The choices of ``channels`` that a dual threshold can halve."""
        return tuple(channels for channels in self.channels if channels % 2 == 0)


@dataclass(frozen=True)
class ClassifierSpace:
    """Choices of the last layer; ``kernel`` is that of the convolution under head ``gap``."""

    weights: tuple[str | int, ...]
    kernel: tuple[int, ...]


@dataclass(frozen=True)
class NetworkSpace:
    """Choices of a network for images of one shape; the fields are named as the keys of ``[network]``."""

    images: DatasetShape
    timesteps: tuple[int, ...]
    levels: tuple[int, ...]
    pooling: tuple[Pooling, ...]
    head: tuple[str, ...]
    reset: tuple[str, ...]
    dynamic_pruning: tuple[bool, ...]
    bwo: tuple[bool, ...]
    first_stage_timesteps: tuple[int, ...]
    route: tuple[str, ...]
    binarize: tuple[str, ...]
    ale_saving: tuple[float, ...]
    ale_loss: tuple[float, ...]
    layers: tuple[LayerSpace, ...]
    classifier: ClassifierSpace

    @cached_property
    def genes(self) -> tuple[Gene, ...]:
        """Every gene, each after the genes that its condition names; those with a single choice among them."""
        route = Gene("route", self.route, ordered=False)
        by_stbp = clause((route, ("stbp",)))
        timesteps = Gene("timesteps", self.timesteps)
        levels = Gene("levels", self.levels)
        head = Gene("head", self.head, ordered=False)
        several_steps = tuple(steps for steps in self.timesteps if steps > 1)
        plain_and_repeated = (*clause((timesteps, several_steps)), *clause((levels, (1,))), *by_stbp)
        bodies = [layer_genes(layer, self._under(head, layer), by_stbp) for layer in self.layers]
        layers = [gene for genes in bodies for gene in genes]
        last = Gene(f"{CLASSIFIER}.weights", self.classifier.weights)
        return (
            route,
            timesteps,
            levels,
            Gene("first_stage_timesteps", self.first_stage_timesteps, by_stbp),
            Gene("reset", self.reset, plain_and_repeated, ordered=False),
            head,
            *layers,
            Gene("pooling", self.pooling, clause(*_with(layers, ".pool", 1)), ordered=False),
            Gene("dynamic_pruning", self.dynamic_pruning, clause(*_with(layers, ".prune_ratio", 0)), ordered=False),
            last,
            Gene(f"{CLASSIFIER}.kernel", self.classifier.kernel, clause((head, ("gap",)))),
            *self._binarisation(head, layers, [gene for genes in bodies[1:] for gene in genes], last),
        )

    def _under(self, head: Gene, layer: LayerSpace) -> tuple[Clause, ...]:
        """The condition under which the layer is there."""
        return clause((head, ("fc",))) if layer.kind == "fc" else ()

    def _binarisation(
        self, head: Gene, layers: Sequence[Gene], behind_first: Sequence[Gene], last: Gene
    ) -> tuple[Gene, ...]:
        """How layers become binary while a network is trained, and how binary weights end their training."""
        binary = (*_with_weights(layers, head, _is_binary), (last, ("binary",)))
        several_bits = _with_weights(behind_first, head, lambda weights: not _is_binary(weights))
        binarize = Gene("binarize", self.binarize, clause(*several_bits), ordered=False)
        by_ale = tuple(rule for rule in self.binarize if rule != EXPLICIT)
        picked = ((binarize, by_ale),) if EXPLICIT in self.binarize else several_bits
        return (
            binarize,
            Gene("ale_saving", self.ale_saving, (*binarize.when, *clause((binarize, ("ale",))))),
            Gene("ale_loss", self.ale_loss, (*binarize.when, *clause((binarize, ("ale-loss",))))),
            Gene("bwo", self.bwo, clause(*binary, *picked), ordered=False),
        )

    def genome(self, params: Mapping[str, Any]) -> NetworkGenome:
        """The network that ``params`` (gene name to choice) describe; inactive genes and foreign names are ignored.

        Canonical: choices that train the same network give the same genome. So ``pooling`` is ``or`` where no layer
        pools, and instead of ``membrane`` at one time step, ``first_stage_timesteps`` is 1 where it is that of the
        network, ``reset`` is ``hard`` at one time step, but ``soft``
        wherever spikes have several strengths or the network is converted, a prune ratio is the share of kernels
        it really removes, and ``dynamic_pruning`` is False where none does.

        Raises:
            SpaceError: an active gene has no value, or one that is not among its choices.
        """
        values = chosen(self.genes, params)
        layers: list[LayerGenome] = []
        in_channels = self.images.input_shape[0]
        for layer in self.layers:
            if layer.kind == "conv" or values["head"] == "fc":
                layers.append(_layer_genome(layer, values, in_channels))
                in_channels = layers[-1].channels
        return NetworkGenome(
            input_shape=self.images.input_shape,
            input_bits=self.images.input_bits,
            classes=self.images.classes,
            timesteps=values["timesteps"],
            levels=values["levels"],
            pooling=canonical_pooling(values.get("pooling", "or"), values["timesteps"]),
            head=values["head"],
            reset=values.get("reset", "hard" if values["levels"] == 1 and values["route"] == "stbp" else "soft"),
            layers=(*layers, _classifier_genome(self.images.classes, values)),
            dynamic_pruning=values.get("dynamic_pruning", False) and any(layer.prune_ratio for layer in layers),
            bwo=values.get("bwo", False),
            first_stage_timesteps=canonical_first_stage(values.get("first_stage_timesteps", 1), values["timesteps"]),
            route=values["route"],
            ale_saving=values.get("ale_saving", 0.0),
            ale_loss=values.get("ale_loss", 0.0),
            static_input=self.images.static_input,
        )

    def combinations(self) -> int:
        """Number of different genomes, counted exactly."""
        return combinations(self)


def _is_binary(weights: object) -> bool:
    return weights == "binary"


def _with(layers: Sequence[Gene], key: str, above: float) -> Alternatives:
    """Alternatives under which a layer has a value of ``key`` above a bound."""
    genes = (gene for gene in layers if gene.name.endswith(key))
    return tuple((gene, tuple(choice for choice in gene.choices if choice > above)) for gene in genes)


def _with_weights(layers: Sequence[Gene], head: Gene, wanted: Callable[[Any], bool]) -> Alternatives:
    """Alternatives under which a layer has weights that are ``wanted``."""
    found: list[tuple[Gene, tuple[Any, ...]]] = []
    for gene in (gene for gene in layers if gene.name.endswith(".weights")):
        values = tuple(choice for choice in gene.choices if wanted(choice))
        if values:
            # Where every choice is wanted, the gene's own condition decides: an fc layer is missing under head gap.
            found.append((head, ("fc",)) if gene.when and values == gene.choices else (gene, values))
    return tuple(found)


def layer_genes(layer: LayerSpace, when: tuple[Clause, ...], by_stbp: tuple[Clause, ...]) -> list[Gene]:
    """Genes of one layer that exists under ``when``; a dual threshold is trained under ``by_stbp`` only."""
    channels = Gene(f"{layer.name}.channels", layer.channels, when)
    dual_when = (*when, *clause((channels, layer.even_channels)), *by_stbp)
    genes = [
        channels,
        Gene(f"{layer.name}.weights", layer.weights, when),
        Gene(f"{layer.name}.dual_threshold", layer.dual_threshold, dual_when, ordered=False),
    ]
    if layer.kind == "conv":
        keys = ("kernel", "stride", "pool", "prune_ratio")
        genes += [Gene(f"{layer.name}.{key}", getattr(layer, key), when) for key in keys]
    return genes


def smallest_maps(images: DatasetShape, layers: tuple[LayerSpace, ...]) -> list[tuple[int, int]]:
    """Rows and columns of each layer's map before pooling, when every layer takes its largest stride and pool.

    Below 1 x 1 the map counts as 1 x 1, so that one layer too many does not put the blame on all behind it.
    """
    _, height, width = images.input_shape
    maps: list[tuple[int, int]] = []
    for layer in layers:
        if layer.kind == "fc":
            height = width = 1
        maps.append((convolved(height, max(layer.stride)), convolved(width, max(layer.stride))))
        height, width = (max(edge // max(layer.pool), 1) for edge in maps[-1])
    return maps


def plain(space: LayerSpace | ClassifierSpace) -> dict[str, Any]:
    """Keys of a layer or of the classifier as a space file has them."""
    conv_only = ("kernel", "stride", "pool", "prune_ratio")
    row = {f.name: getattr(space, f.name) for f in fields(space)}
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in row.items()
        if not (row.get("kind") == "fc" and key in conv_only)
    }


def _layer_genome(layer: LayerSpace, values: Mapping[str, Any], in_channels: int) -> LayerGenome:
    channels = values[f"{layer.name}.channels"]
    dual = values.get(f"{layer.name}.dual_threshold", False)
    filters = channels // 2 if dual else channels
    ratio = exact_ratio(values.get(f"{layer.name}.prune_ratio", 0.0), filters * in_channels)
    return LayerGenome(
        name=layer.name,
        kind=layer.kind,
        channels=channels,
        kernel=values.get(f"{layer.name}.kernel", 1),
        stride=values.get(f"{layer.name}.stride", 1),
        pool=values.get(f"{layer.name}.pool", 1),
        weight_bits=WEIGHT_BITS[values[f"{layer.name}.weights"]],
        dual_threshold=dual,
        prune_ratio=ratio,
    )


def _classifier_genome(classes: int, values: Mapping[str, Any]) -> LayerGenome:
    return LayerGenome(
        name=CLASSIFIER,
        kind="conv" if values["head"] == "gap" else "fc",
        channels=classes,
        kernel=values.get(f"{CLASSIFIER}.kernel", 1),
        weight_bits=WEIGHT_BITS[values[f"{CLASSIFIER}.weights"]],
        spiking=False,
    )
