"""Recordings of an event camera: what an event is, and how a recording becomes the frames that a network sees.

A recording is cut into eight slices of equal time, from its first event to its last. It is kept as one byte a pixel and
polarity, whose bit s says whether an event fell into slice s. A frame of T steps (1, 2, 4 or 8) is the union of 8 / T
neighbouring slices (`dse.export.integer_network.frames`), so that one decoded data set serves every T, is shifted and
mirrored as images are, and takes an eighth of the memory of frames.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dse.errors import DataError
from searchspaces.genome import SLICES

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Events:
    """Events of one recording, each array with one entry an event.

    Attributes:
        t: microseconds.
        x, y: column and row.
        on: 1 where it became brighter (ON), 0 where it became darker (OFF).
    """

    t: Integers
    x: Integers
    y: Integers
    on: Integers

    def between(self, start: int, end: int) -> "Events":
        """The events with ``start <= t < end``."""
        inside = (self.t >= start) & (self.t < end)
        return Events(self.t[inside], self.x[inside], self.y[inside], self.on[inside])


def sliced(events: Events, shape: tuple[int, int, int], subject: str) -> NDArray[np.uint8]:
    """The slices of a recording, ``2 x rows x columns``: OFF events in map 0, ON events in map 1.

    Args:
        events: in any order.
        shape: maps (2), rows, columns.
        subject: the recording's name, for messages.

    Raises:
        DataError: no event, or one outside of the camera.
    """
    if not events.t.size:
        raise DataError(f"{subject} must hold at least one event")
    maps, rows, columns = shape
    outside = np.flatnonzero((events.x < 0) | (events.x >= columns) | (events.y < 0) | (events.y >= rows))
    if outside.size:
        place = f"column {events.x[outside[0]]}, row {events.y[outside[0]]}"
        raise DataError(f"event of {subject} must lie within {columns} columns and {rows} rows, not at {place}")
    start, end = events.t.min(), events.t.max()
    slices = (events.t - start) * SLICES // (end - start + 1)
    happened = np.zeros((maps * rows * columns, SLICES), np.bool_)
    happened[(events.on * rows + events.y) * columns + events.x, slices] = True
    return np.packbits(happened, axis=1, bitorder="little").reshape(shape)
