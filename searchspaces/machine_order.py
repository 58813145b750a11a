"""The order in which the machine numbers what a layer reads (docs/cost-model.md, section 2).

A network numbers the maps of a dual threshold one half behind the other, and flattens a map channel by channel; the
machine stores both maps of a membrane side by side, and inputs of a fully connected layer in the order of writing.
"""

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


def channel_order(maps: int, membranes: int) -> Integers:
    """For each channel of the machine its number in the network: map h of membrane m is ``maps m + h`` of the machine.

    Args:
        maps: spike maps of one membrane, 2 under a dual threshold.
    """
    return np.arange(maps * membranes).reshape(maps, membranes).T.ravel()


def flat_order(maps: int, membranes: int, rows: int, columns: int) -> Integers:
    """For each input of a fully connected layer on the machine its number in the flattened map.

    Membranes first, then columns, then rows of the stored map, then both maps of a membrane.
    """
    shape = (maps, membranes, rows, columns)
    return np.arange(int(np.prod(shape))).reshape(shape).transpose(1, 3, 2, 0).ravel()
