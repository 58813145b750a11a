"""The 8x8 digits that come with scikit-learn: needs no file and no network."""

import numpy as np

from dse.data.dataset import Split


def read_digits() -> Split:
    """All 1,797 samples in scikit-learn's order: pixels 0 .. 16."""
    # Imported here: scikit-learn takes a second to import, and no other data set needs it.
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = bunch.images.astype(np.uint8)[:, None]
    return Split(images, bunch.target.astype(np.int64))
