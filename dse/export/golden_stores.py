"""What the machine must store for an image, write by write, from the integer reference."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from costmodels.slots import strip_rows
from dse.export.core_image import CoreImage
from dse.export.integer_network import IntegerRun, Integers
from dse.export.machine_program import LayerPass


def passes_of(image: CoreImage) -> Iterator[tuple[LayerPass, range]]:
    """Every layer of every pass in the order of the machine, with the steps of the pass."""
    for one in image.groups:
        for tile in one.tiles():
            for first in range(0, one.group.timesteps, one.steps):
                for layer in tile:
                    yield layer, range(first, first + one.steps)


def store_places(image: CoreImage) -> Iterator[tuple[LayerPass, int, range, int, int]]:
    """Layer, filter, rows, column and step of every store of one image."""
    for here, steps in passes_of(image):
        if not here.layer.spiking:
            continue
        strip = int(strip_rows(here.layer, np.array(image.config.vector_width))) // here.layer.pool
        for m in range(here.layer.filters):
            for top in range(here.out_low, here.out_high, strip):
                rows = range(top, min(top + strip, here.out_high))
                for column in range(here.layer.stored_width):
                    for step in steps:
                        yield here, m, rows, column, step


def stored_words(image: CoreImage) -> list[tuple[int, int]]:
    """Writes of each layer for one image, and elements in them; 0 and 0 behind a classifier."""
    words, elements = Counter[int](), Counter[int]()
    for here, _, rows, _, _ in store_places(image):
        words[here.number] += 1
        elements[here.number] += len(rows) * here.one.maps
    return [(words[number], elements[number]) for number in range(len(image.parts))]


def golden_stores(image: CoreImage, run: IntegerRun, number: int) -> Iterator[int]:
    """What the machine stores for image ``number``, write by write: elements of a strip, lower map first."""
    maps = {
        one.part.name: run.stored[one.part.name][:, number]
        .astype(np.int64)
        .reshape(image.network.timesteps, one.maps, len(one.part.weights), one.stored_height, one.stored_width)
        for one in image.parts
        if one.spiking
    }
    for here, m, rows, column, step in store_places(image):
        yield _packed(maps[here.layer.name][step, :, m, rows.start : rows.stop, column], image)


def _packed(elements: Integers, image: CoreImage) -> int:
    word = 0
    for (which, row), value in np.ndenumerate(elements):
        word |= int(value) << (which * image.config.vector_width + row) * image.planes
    return word
