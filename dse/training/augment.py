"""Augmentation of integer images, a whole batch at once."""

import numpy as np
from numpy.typing import NDArray

from searchspaces.recipe import Augmentation

# Largest shift in pixels and whether images are mirrored, by the recipe's name.
AUGMENTATIONS: dict[Augmentation, tuple[int, bool]] = {
    "none": (0, False),
    "flip": (0, True),
    "shift": (2, False),
    "small-shift-flip": (2, True),
    "shift-flip": (4, True),
}


def shifted(images: NDArray[np.uint8], largest: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Images [n, C, H, W] each moved by -largest..largest rows and columns; 0 moves in."""
    n, _, height, width = images.shape
    padded = np.pad(images, ((0, 0), (0, 0), (largest, largest), (largest, largest)))
    down, right = rng.integers(0, 2 * largest + 1, (2, n))
    rows = down[:, None] + np.arange(height)
    columns = right[:, None] + np.arange(width)
    # Indexed in front and behind the slice, the channels come last: n, H, W, C.
    moved: NDArray[np.uint8] = padded[np.arange(n)[:, None, None], :, rows[:, :, None], columns[:, None, :]]
    return moved.transpose(0, 3, 1, 2)


def mirrored(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Images [n, C, H, W], about half of them mirrored left to right."""
    flip = rng.random(len(images)) < 1 / 2
    return np.where(flip[:, None, None, None], images[..., ::-1], images)


def augmented(images: NDArray[np.uint8], how: Augmentation, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A changed copy of uint8 images [n, C, H, W], or the images themselves for ``"none"``."""
    largest, flip = AUGMENTATIONS[how]
    if largest:
        images = shifted(images, largest, rng)
    return np.ascontiguousarray(mirrored(images, rng) if flip else images)
