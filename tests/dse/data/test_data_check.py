"""The listing and the check: what is there, and whether it is intact."""

import hashlib

import pytest

from dse.data import check_dataset, list_datasets
from dse.errors import DataError


def states(root, published):
    return {row.name: row.state for row in list_datasets(root, sources=published.sources)}


def test_a_complete_folder_is_found(published, folder):
    rows = list_datasets(folder, sources=published.sources)
    assert [row.name for row in rows] == ["mnist", "fashion-mnist", "cifar10", "cifar100"]
    assert {row.state for row in rows} == {"found"}
    mnist = rows[0]
    assert (mnist.title, mnist.folder, mnist.license) == ("MNIST", folder / "mnist", "public domain")
    assert (mnist.train, mnist.validation, mnist.test) == (32, 8, 12)


def test_an_empty_folder_has_nothing(published, tmp_path):
    assert set(states(tmp_path, published).values()) == {"missing"}
    assert all(row.folder is None for row in list_datasets(tmp_path, sources=published.sources))


def test_the_bundled_set_is_always_found(tmp_path):
    digits = list_datasets(tmp_path)[0]
    assert (digits.name, digits.state, digits.folder) == ("digits", "found", None)
    assert check_dataset("digits", tmp_path) == ()


def test_missing_and_cut_files_are_told_apart(published, folder):
    (folder / "mnist" / "train-labels-idx1-ubyte.gz").unlink()
    cut = folder / "cifar-100-python" / "train"
    cut.write_bytes(cut.read_bytes()[:-1])
    assert states(folder, published) == {
        "mnist": "incomplete",
        "fashion-mnist": "found",
        "cifar10": "found",
        "cifar100": "corrupt-size",
    }


def test_the_listing_names_the_form_that_would_be_loaded(published, tmp_path):
    root = published.store(tmp_path, "cifar-10-jpeg")
    row = next(row for row in list_datasets(root, sources=published.sources) if row.name == "cifar10")
    assert (row.title, row.state) == ("CIFAR-10 (JPEG)", "found")


def test_every_file_is_checked(published, folder):
    images, labels = folder / "mnist" / "train-images-idx3-ubyte.gz", folder / "mnist" / "train-labels-idx1-ubyte.gz"
    data = images.read_bytes()
    images.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    labels.unlink()
    test_images = folder / "mnist" / "t10k-images-idx3-ubyte.gz"
    test_images.write_bytes(test_images.read_bytes() + b"\0")
    checks = {check.path.name: check for check in check_dataset("mnist", folder, sources=published.sources)}
    assert {name: check.state for name, check in checks.items()} == {
        "train-images-idx3-ubyte.gz": "corrupt",
        "train-labels-idx1-ubyte.gz": "missing",
        "t10k-images-idx3-ubyte.gz": "wrong-size",
        "t10k-labels-idx1-ubyte.gz": "intact",
    }
    corrupt = checks[images.name]
    assert corrupt.path == images
    assert (corrupt.expected_bytes, corrupt.found_bytes) == (len(data), len(data))
    assert (corrupt.algorithm, corrupt.expected) == ("sha256", hashlib.sha256(data).hexdigest())
    assert corrupt.found == hashlib.sha256(images.read_bytes()).hexdigest()
    assert (checks[labels.name].found_bytes, checks[labels.name].found) == (None, None)


def test_a_missing_set_is_checked_against_the_preferred_form(published, tmp_path):
    checks = check_dataset("cifar10", tmp_path, sources=published.sources)
    assert {check.state for check in checks} == {"missing"}
    assert checks[-1].path == tmp_path / "cifar-10-batches-py" / "test_batch"


def test_the_folder_must_exist_and_the_name_be_known(published, tmp_path):
    with pytest.raises(DataError, match="existing folder"):
        list_datasets(tmp_path / "nowhere", sources=published.sources)
    with pytest.raises(DataError, match="data set must be one of"):
        check_dataset("cifar11", tmp_path, sources=published.sources)
