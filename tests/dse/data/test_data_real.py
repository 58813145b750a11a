"""The real files, where this machine has them: facts their publishers state, and goldens of the division."""

import os
from pathlib import Path

import numpy as np
import pytest

from dse.data import check_dataset, list_datasets, load, load_test

ROOT = Path(os.environ.get("DSE_DATA_DIR") or Path(__file__).resolve().parents[4] / "shared" / "data").resolve()
HAVE = {row.name: row for row in list_datasets(ROOT) if row.state == "found"} if ROOT.is_dir() else {}

MNIST_TRAIN = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
MNIST_TEST = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def needs(name):
    return pytest.mark.skipif(name not in HAVE, reason=f"{name} is not on this machine (DSE_DATA_DIR)")


def counts(*splits):
    return np.bincount(np.concatenate([split.labels for split in splits])).tolist()


@pytest.mark.parametrize(
    ("name", "train", "test", "first", "golden"),
    [
        pytest.param(
            "mnist", MNIST_TRAIN, MNIST_TEST, [7, 2, 1, 0, 4, 1, 4, 9, 5, 9], "6dcbaa48aab54dd9", marks=needs("mnist")
        ),
        pytest.param(
            "fashion-mnist",
            [6000] * 10,
            [1000] * 10,
            [9, 2, 1, 1, 6, 1, 4, 6, 5, 7],
            "7050a0b13400c0b2",
            marks=needs("fashion-mnist"),
        ),
    ],
)
def test_mnist_and_fashion_mnist(name, train, test, first, golden):
    data, tested = load(name, ROOT), load_test(name, ROOT)
    assert (len(data.train), len(data.validation), len(tested)) == (54_000, 6_000, 10_000)
    assert counts(data.train, data.validation) == train
    assert np.abs(np.array(counts(data.validation)) - np.array(train) / 10).max() < 1
    assert counts(tested) == test
    assert tested.labels[:10].tolist() == first
    assert data.train.images.shape == (54_000, 1, 28, 28)
    assert data.digest == golden  # 2026-11-21
    assert {check.state for check in check_dataset(name, ROOT)} == {"intact"}


@needs("cifar10")
def test_cifar10(tmp_path):
    data = load("cifar10", ROOT, cache_dir=tmp_path)
    assert (len(data.train), len(data.validation), data.input_shape) == (45_000, 5_000, (3, 32, 32))
    assert counts(data.validation) == [500] * 10
    assert counts(data.train) == [4500] * 10
    pixels = np.concatenate([data.train.images, data.validation.images]).mean((0, 2, 3)) / 255
    assert pixels == pytest.approx([0.4914, 0.4822, 0.4465], abs=2e-4)  # channel means, as commonly published
    again = load("cifar10", ROOT, cache_dir=tmp_path)
    assert again.digest == data.digest


@needs("cifar10")
def test_cifar10_test_part(tmp_path):
    tested = load_test("cifar10", ROOT, cache_dir=tmp_path)
    assert counts(tested) == [1000] * 10
    assert tested.labels[:10].tolist() == [3, 8, 8, 0, 6, 6, 1, 6, 3, 1]


@needs("cifar100")
def test_cifar100():
    data, tested = load("cifar100", ROOT), load_test("cifar100", ROOT)
    assert counts(data.validation) == [50] * 100
    assert counts(tested) == [100] * 100


@needs("n-mnist")
@pytest.mark.skipif(
    HAVE.get("n-mnist") is None or "1,100" not in HAVE["n-mnist"].title, reason="another form of n-mnist is here"
)
def test_the_first_recordings_of_nmnist(tmp_path):
    data, tested = (read("n-mnist", ROOT, cache_dir=tmp_path) for read in (load, load_test))
    assert (len(data.train), len(data.validation), len(tested)) == (800, 200, 100)
    assert tested.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]  # those of MNIST
    assert (np.bincount(data.train.labels) / np.bincount(data.validation.labels)).round(1).tolist() == pytest.approx(
        [4.0] * 10, abs=0.3
    )
    for part in (data.train, data.validation, tested):
        assert part.images.shape[1:] == (2, 34, 34)
        # Three saccades: every slice has events, of both polarities.
        happened = np.unpackbits(part.images[..., None], axis=-1).any(axis=(3, 2)).mean(axis=0)
        assert happened.min() > 0.95
    assert {file.state for file in check_dataset("n-mnist", ROOT)} == {"intact"}
    # Golden, 2026-11-21.
    assert data.digest == "cf6403481058b4ea"
