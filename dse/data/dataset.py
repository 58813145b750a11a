"""What a data set is once decoded: unsigned 8-bit images or slices of events, labels, fixed parts, a digest of all."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Split:
    """Samples of one part of a data set.

    Attributes:
        images: uint8, ``n x channels x rows x columns``, integers ``0 .. 2**input_bits - 1`` (never scaled); or
            recordings of events, one bit for each time slice (`dse.data.events`).
        labels: int64, ``n``, ``0 .. classes - 1``.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: NDArray[np.int64]) -> "Split":
        """The samples at these positions, copied."""
        return Split(self.images[index], self.labels[index])


@dataclass(frozen=True, eq=False)
class Dataset:
    """What a search may see: training and validation samples, never test samples.

    Attributes:
        name: as on the command line, e.g. ``"cifar10"``.
        title: as in a report; says so where the pixels are not the official ones.
        classes: number of classes.
        input_bits: bits of a pixel.
        input_shape: channels, rows, columns.
        train, validation: the two parts.
        digest: 16 hexadecimal digits that differ where a pixel, a label or the division differs.
    """

    name: str
    title: str
    classes: int
    input_bits: int
    input_shape: tuple[int, int, int]
    train: Split
    validation: Split
    digest: str


def digest(parts: tuple[Split, ...], version: str) -> str:
    """16 hexadecimal digits over shapes, pixels and labels of the parts and the version of the division."""
    total = hashlib.sha256(version.encode())
    for part in parts:
        total.update(repr(part.images.shape).encode())
        total.update(np.ascontiguousarray(part.images).data)
        total.update(np.ascontiguousarray(part.labels, dtype="<i8").data)
    return total.hexdigest()[:16]
