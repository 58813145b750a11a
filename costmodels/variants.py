"""Machines as one group of layers sees them: equal ones once, and the tiles of each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from costmodels.filters import FilterBank, Integers, filter_bank
from costmodels.tiling import Group, Tiles, tiles
from costmodels.workload import LayerWorkload


@dataclass(frozen=True, eq=False)
class Banks:
    """The filters of some layers for each number of lanes that occurs.

    Attributes:
        channel_lanes: the ``l`` numbers of lanes.
        by_lanes: for each of them, one `FilterBank` per layer.
    """

    channel_lanes: Integers
    by_lanes: tuple[tuple[FilterBank, ...], ...]

    @classmethod
    def of(cls, channel_lanes: Integers, layers: Sequence[LayerWorkload]) -> "Banks":
        """The banks of ``layers``."""
        return cls(channel_lanes, tuple(tuple(filter_bank(one, int(each)) for one in layers) for each in channel_lanes))

    def group(self, group: Group, leading: "Banks") -> "Banks":
        """The banks of ``group``, whose first layer is in ``leading``."""
        pairs = zip(leading.by_lanes, self.by_lanes, strict=True)
        spans = tuple((led[group.first], *banks[group.first + 1 : group.stop]) for led, banks in pairs)
        return Banks(self.channel_lanes, spans)


@dataclass(frozen=True, eq=False)
class Variants:
    """Distinct machines; arrays of length ``k``.

    Attributes:
        vector_width, channel_lanes, outer: as in `AcceleratorBatch`.
        lanes: index of ``channel_lanes`` in `Banks`.
        rows: R, stored rows of a tile.
        resident: the group's weights are loaded once.
    """

    vector_width: Integers
    channel_lanes: Integers
    lanes: Integers
    outer: NDArray[np.bool_]
    rows: Integers
    resident: NDArray[np.bool_]

    def take(self, index: Integers) -> "Variants":
        """The variants at ``index``."""
        return Variants(**{name: array[index] for name, array in vars(self).items()})


@dataclass(frozen=True, eq=False)
class VariantTiles:
    """The distinct tiles of every variant, one variant after the other; ``e`` in all.

    Attributes:
        variant: index of the variant of each tile.
        starts: first tile of each variant.
        tiles: the tiles, arrays over ``e``.
    """

    variant: Integers
    starts: Integers
    tiles: Tiles

    def total(self, values: Integers) -> Integers:
        """Sum of ``values`` (``... x e``) over the tiles of each variant (``... x k``), equal tiles counted."""
        return np.asarray(np.add.reduceat(values * self.tiles.count, self.starts, axis=-1))


def variant_tiles(group: Group, variants: Variants) -> VariantTiles:
    """The distinct tiles of each variant."""
    sizes, size = np.unique(variants.rows, return_inverse=True)
    of_size = [tiles(group, int(rows)) for rows in sizes]
    kinds = np.array([len(each.count) for each in of_size], dtype=np.int64)
    lengths = kinds[size]
    starts = np.cumsum(lengths) - lengths
    variant = np.repeat(np.arange(len(size)), lengths)
    source = np.arange(len(variant)) - starts[variant] + (np.cumsum(kinds) - kinds)[size][variant]
    joined = {
        name: np.concatenate([getattr(each, name) for each in of_size], axis=-1)[..., source]
        for name in vars(of_size[0])
    }
    return VariantTiles(variant, starts, Tiles(**joined))
