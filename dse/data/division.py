"""How samples are divided into parts: stratified by class, fixed for ever by `VERSION`.

The order within a class is drawn by NumPy's legacy generator, whose stream NumPy promises never to change
(NEP 19), so a division is the same on every machine and with every version of NumPy.
"""

import numpy as np
from numpy.typing import NDArray

VERSION = "stratified-1"
SEED = 20_240_101

Positions = NDArray[np.int64]


def apportion(counts: NDArray[np.int64], total: int) -> NDArray[np.int64]:
    """Shares of `total` in proportion to `counts`, by largest remainder (ties: the lower class first).

    Args:
        counts: samples of each class.
        total: samples wanted, at most ``counts.sum()``.

    Returns:
        Samples to take of each class; they sum to `total`.
    """
    shares, remainder = np.divmod(counts * total, counts.sum())
    late = np.argsort(-remainder, kind="stable")[: total - int(shares.sum())]
    shares[late] += 1
    return np.asarray(shares, np.int64)


def set_aside(labels: NDArray[np.int64], total: int, seed: int = SEED) -> tuple[Positions, Positions]:
    """Positions that stay and positions set aside, stratified, both ascending.

    Args:
        labels: class of each sample.
        total: samples to set aside; every class gives its share by `apportion`.
    """
    classes, counts = np.unique(labels, return_counts=True)
    aside = np.zeros(len(labels), dtype=bool)
    random = np.random.RandomState(seed)
    for label, share in zip(classes, apportion(counts, total), strict=True):
        members = np.flatnonzero(labels == label)
        aside[random.permutation(members)[:share]] = True
    return np.flatnonzero(~aside), np.flatnonzero(aside)
