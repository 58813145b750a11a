"""How many different networks a space has: layers are counted in a chain, by what they hand on."""

from collections import Counter
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from searchspaces.shapes import canonical_first_stage, canonical_pooling, exact_ratio

if TYPE_CHECKING:
    from searchspaces.network import LayerSpace, NetworkSpace


class Body(NamedTuple):
    """What counting must know of the layers so far.

    Attributes:
        channels: maps handed on.
        pools, prunes, binary: whether any layer does or is.
        several_bits: whether any layer behind the first has weights of more than one bit.
    """

    channels: int
    pools: bool = False
    prunes: bool = False
    binary: bool = False
    several_bits: bool = False


def combinations(space: "NetworkSpace") -> int:
    """Number of different genomes, counted exactly."""
    return sum(_under(space, route, head) for route, head in product(space.route, space.head))


def _under(space: "NetworkSpace", route: str, head: str) -> int:
    """Different genomes of one route and head."""
    chain = Counter({Body(space.images.input_shape[0]): 1})
    for number, layer in enumerate(layer for layer in space.layers if layer.kind == "conv" or head == "fc"):
        chain = _lengthened(chain, layer, first=number == 0, dual=route == "stbp")
    pooled, unpooled = (
        sum(number * _trainings(space, body) for body, number in chain.items() if body.pools is pools)
        for pools in (True, False)
    )
    kernels = len(space.classifier.kernel) if head == "gap" else 1
    return kernels * sum(
        _dynamics(space, route, steps) * (pooled * _poolings(space, steps) + unpooled) for steps in space.timesteps
    )


def _dynamics(space: "NetworkSpace", route: str, steps: int) -> int:
    """Different triples of levels, reset and first stage at so many steps."""
    if route != "stbp":
        return len(space.levels)
    resets = sum(len(space.reset) if steps > 1 and levels == 1 else 1 for levels in space.levels)
    return resets * len({canonical_first_stage(first, steps) for first in space.first_stage_timesteps})


def _poolings(space: "NetworkSpace", steps: int) -> int:
    """Different rules of a pooling window at so many steps."""
    return len({canonical_pooling(pooling, steps) for pooling in space.pooling})


def _trainings(space: "NetworkSpace", body: Body) -> int:
    """Different classifiers and ways to train them behind a body."""
    readmissions = len(space.dynamic_pruning) if body.prunes else 1
    as_stated = "explicit" in space.binarize or not body.several_bits
    by_ale = len(space.ale_saving) * ("ale" in space.binarize) + len(space.ale_loss) * ("ale-loss" in space.binarize)
    picked = by_ale * len(space.bwo) if body.several_bits else 0
    return readmissions * sum(
        as_stated * (len(space.bwo) if body.binary or weights == "binary" else 1) + picked
        for weights in space.classifier.weights
    )


def _lengthened(chain: Counter[Body], layer: "LayerSpace", first: bool, dual: bool) -> Counter[Body]:
    """Number of different bodies, one layer longer."""
    longer: Counter[Body] = Counter()
    each = len(layer.kernel) * len(layer.stride)
    for body, number in chain.items():
        for channels in layer.channels:
            ratios = _exact_ratios(layer, channels, body.channels, dual)
            for pool, ratio, weights in product(layer.pool, ratios, layer.weights):
                binary = weights == "binary"
                longer[
                    Body(
                        channels,
                        body.pools or pool > 1,
                        body.prunes or ratio > 0,
                        body.binary or binary,
                        body.several_bits or not (first or binary),
                    )
                ] += number * each
    return longer


def _exact_ratios(layer: "LayerSpace", channels: int, in_channels: int, dual: bool) -> list[float]:
    """The exact prune ratios that differ under each threshold rule; a single threshold alone unless ``dual``."""
    duals = layer.dual_threshold if dual and channels % 2 == 0 else (False,)
    filters = [channels // 2 if halved else channels for halved in duals]
    return [
        ratio
        for number in filters
        for ratio in {exact_ratio(ratio, number * in_channels) for ratio in layer.prune_ratio}
    ]
