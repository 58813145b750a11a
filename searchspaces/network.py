"""The networks of a space: genes per layer and per network, the genome that a choice makes, and how many there are."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import product
from typing import Any, Literal, NamedTuple

from searchspaces.datasets import DatasetShape
from searchspaces.genes import Clause, Gene, chosen, clause
from searchspaces.genome import LayerGenome, NetworkGenome, Pooling
from searchspaces.shapes import convolved, exact_ratio

CLASSIFIER = "classifier"
WEIGHT_BITS = {"binary": 1, 2: 2, 4: 4, 8: 8}


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
    pooling: tuple[str, ...]
    head: tuple[str, ...]
    reset: tuple[str, ...]
    dynamic_pruning: tuple[bool, ...]
    bwo: tuple[bool, ...]
    first_stage_timesteps: tuple[int, ...]
    layers: tuple[LayerSpace, ...]
    classifier: ClassifierSpace

    @cached_property
    def genes(self) -> tuple[Gene, ...]:
        """Every gene, each after the genes that its condition names; those with a single choice among them."""
        timesteps = Gene("timesteps", self.timesteps)
        levels = Gene("levels", self.levels)
        head = Gene("head", self.head, ordered=False)
        under_fc = clause((head, ("fc",)))
        layers = [gene for layer in self.layers for gene in layer_genes(layer, under_fc if layer.kind == "fc" else ())]
        pools = [(gene, tuple(p for p in gene.choices if p > 1)) for gene in layers if gene.name.endswith(".pool")]
        ratios = [
            (gene, tuple(r for r in gene.choices if r > 0)) for gene in layers if gene.name.endswith(".prune_ratio")
        ]
        several_steps = tuple(steps for steps in self.timesteps if steps > 1)
        last = Gene(f"{CLASSIFIER}.weights", self.classifier.weights)
        plain_and_repeated = (*clause((timesteps, several_steps)), *clause((levels, (1,))))
        return (
            timesteps,
            levels,
            Gene("first_stage_timesteps", self.first_stage_timesteps, clause((timesteps, (1,)))),
            Gene("reset", self.reset, plain_and_repeated, ordered=False),
            head,
            *layers,
            Gene("pooling", self.pooling, clause(*pools), ordered=False),
            Gene("dynamic_pruning", self.dynamic_pruning, clause(*ratios), ordered=False),
            last,
            Gene(f"{CLASSIFIER}.kernel", self.classifier.kernel, clause((head, ("gap",)))),
            Gene("bwo", self.bwo, clause(*_binary(layers, head), (last, ("binary",))), ordered=False),
        )

    def genome(self, params: Mapping[str, Any]) -> NetworkGenome:
        """The network that ``params`` (gene name to choice) describe; inactive genes and foreign names are ignored.

        Canonical: choices that train the same network give the same genome. So ``pooling`` is ``or`` where no layer
        pools, and instead of ``membrane`` at one time step, ``reset`` is ``hard`` at one time step, but ``soft``
        wherever spikes have several strengths, a prune ratio is the share of kernels
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
            reset=values.get("reset", "hard" if values["levels"] == 1 else "soft"),
            layers=(*layers, _classifier_genome(self.images.classes, values)),
            dynamic_pruning=values.get("dynamic_pruning", False) and any(layer.prune_ratio for layer in layers),
            bwo=values.get("bwo", False),
            first_stage_timesteps=values.get("first_stage_timesteps", 1),
            static_input=self.images.static_input,
        )

    def combinations(self) -> int:
        """Number of different genomes, counted exactly."""
        return sum(self._combinations(head) for head in self.head)

    def _combinations(self, head: str) -> int:
        """Different genomes under one head: layers are counted in a chain, by the maps they hand on."""
        chain = Counter({Body(self.images.input_shape[0]): 1})
        for layer in self.layers:
            if layer.kind == "conv" or head == "fc":
                chain = _lengthened(chain, layer)
        pooled, unpooled = (
            sum(number * self._trainings(body) for body, number in chain.items() if body.pools is pools)
            for pools in (True, False)
        )
        kernels = len(self.classifier.kernel) if head == "gap" else 1
        return kernels * sum(
            self._stages(steps) * self._resets(steps) * (pooled * self._poolings(steps) + unpooled)
            for steps in self.timesteps
        )

    def _trainings(self, body: "Body") -> int:
        """Different classifiers and ways to train them behind a body."""
        readmissions = len(self.dynamic_pruning) if body.prunes else 1
        return readmissions * sum(
            len(self.bwo) if body.binary or weights == "binary" else 1 for weights in self.classifier.weights
        )

    def _stages(self, steps: int) -> int:
        """Different first stages before so many steps."""
        return len(self.first_stage_timesteps) if steps == 1 else 1

    def _resets(self, steps: int) -> int:
        """Different pairs of levels and reset at so many steps."""
        return sum(len(self.reset) if steps > 1 and levels == 1 else 1 for levels in self.levels)

    def _poolings(self, steps: int) -> int:
        """Different rules of a pooling window at so many steps."""
        return len({canonical_pooling(pooling, steps) for pooling in self.pooling})


class Body(NamedTuple):
    """What counting must know of the layers so far: maps handed on, whether any pools, is pruned, is binary."""

    channels: int
    pools: bool = False
    prunes: bool = False
    binary: bool = False


def canonical_pooling(pooling: Any, timesteps: int) -> Pooling:
    """The rule that trains the same network: in one step a neuron has gathered no more than its potential."""
    return "or" if pooling == "membrane" and timesteps == 1 else pooling


def _binary(layers: Sequence[Gene], head: Gene) -> Iterator[tuple[Gene, tuple[Any, ...]]]:
    """Alternatives under which a layer before the classifier is binary."""
    for gene in layers:
        if gene.name.endswith(".weights") and "binary" in gene.choices:
            # The weights of an fc layer that has no choice are not there under the other head.
            yield (head, ("fc",)) if gene.when and not gene.free else (gene, ("binary",))


def layer_genes(layer: LayerSpace, when: tuple[Clause, ...]) -> list[Gene]:
    """Genes of one layer that exists under ``when``."""
    channels = Gene(f"{layer.name}.channels", layer.channels, when)
    dual_when = (*when, *clause((channels, layer.even_channels)))
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


def _lengthened(chain: Counter[Body], layer: LayerSpace) -> Counter[Body]:
    """Number of different bodies, one layer longer."""
    longer: Counter[Body] = Counter()
    each = len(layer.kernel) * len(layer.stride)
    for body, number in chain.items():
        for channels in layer.channels:
            ratios = _exact_ratios(layer, channels, body.channels)
            for pool, ratio, weights in product(layer.pool, ratios, layer.weights):
                flags = (body.pools or pool > 1, body.prunes or ratio > 0, body.binary or weights == "binary")
                longer[Body(channels, *flags)] += number * each
    return longer


def _exact_ratios(layer: LayerSpace, channels: int, in_channels: int) -> list[float]:
    """The exact prune ratios that differ under each threshold rule."""
    duals = layer.dual_threshold if channels % 2 == 0 else (False,)
    filters = [channels // 2 if dual else channels for dual in duals]
    return [
        ratio
        for number in filters
        for ratio in {exact_ratio(ratio, number * in_channels) for ratio in layer.prune_ratio}
    ]
