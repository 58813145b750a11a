"""Which samples a run trains on, and in which order."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]


def balanced_subset(labels: Index, samples: int | None, rng: np.random.Generator) -> Index:
    """Positions of ``samples`` samples with equally many of each class, as far as the classes reach.

    Where the number is no multiple of the classes, or a class runs out, the rest comes evenly from the other classes.
    None, or more than there are, is all of them.
    """
    if samples is None or samples >= len(labels):
        return np.arange(len(labels))
    order = rng.permutation(len(labels))
    turn = np.empty(len(labels), dtype=np.int64)  # 0 for the first sample of its class in this order, 1 for the next
    for label in np.unique(labels):
        members = order[labels[order] == label]
        turn[members] = np.arange(len(members))
    chosen: Index = order[np.argsort(turn[order], kind="stable")[:samples]]
    return np.sort(chosen)


def batches(samples: int, batch_size: int, epochs: int, rng: np.random.Generator) -> Iterator[Index]:
    """Positions of every batch of all epochs, shuffled anew each epoch.

    What does not fill a batch is left out of its epoch, so that batch statistics rest on equally many samples; a set
    smaller than a batch is one batch.
    """
    size = min(samples, batch_size)
    for _ in range(epochs):
        order = rng.permutation(samples)
        for start in range(0, samples - size + 1, size):
            yield order[start : start + size]


def batch_count(samples: int, batch_size: int, epochs: int) -> int:
    """How many `batches` there are."""
    return epochs * (samples // min(samples, batch_size))
