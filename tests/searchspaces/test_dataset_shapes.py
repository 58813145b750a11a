"""The table of data sets against the registry that loads them, and against images where they are bundled."""

import numpy as np
import pytest

from searchspaces.datasets import dataset_shapes

data = pytest.importorskip("dse.data")


def test_table_and_registry_know_the_same() -> None:
    known = {name: (s.input_shape, s.input_bits, s.classes) for name, s in dataset_shapes().items()}
    assert known == {name: (s.input_shape, s.input_bits, s.classes) for name, s in data.DATASETS.items()}


def test_table_is_that_of_the_bundled_images() -> None:
    dataset, shape = data.load("digits", None), dataset_shapes()["digits"]
    assert dataset.train.images.shape[1:] == shape.input_shape
    assert int(dataset.train.images.max()).bit_length() == shape.input_bits
    assert len(np.unique(dataset.train.labels)) == shape.classes
