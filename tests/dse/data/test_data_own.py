"""Data sets of the user's own: one npz file in the data folder."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from dse.data import check_dataset, list_datasets, load, load_test
from dse.data.own import facts, own_file
from dse.errors import DataError
from searchspaces.datasets import DatasetShape

DRAW = np.random.default_rng(3)
ARRAYS = {
    "train_images": DRAW.integers(0, 256, (40, 6, 5), dtype=np.uint8),
    "train_labels": np.arange(40) % 4,
    "test_images": DRAW.integers(0, 256, (8, 6, 5), dtype=np.uint8),
    "test_labels": np.arange(8) % 4,
}


def write(folder: Path, name: str = "faces", **changes: np.ndarray) -> Path:
    path = folder / f"{name}.npz"
    np.savez_compressed(path, **{**ARRAYS, **changes})
    return path


def test_samples_are_those_of_the_file_divided_by_class(tmp_path: Path) -> None:
    write(tmp_path)
    found, test = load("faces", tmp_path), load_test("faces", tmp_path)
    assert (found.name, found.classes, found.input_bits, found.input_shape) == ("faces", 4, 8, (1, 6, 5))
    assert (len(found.train), len(found.validation), len(test)) == (36, 4, 8)
    assert sorted(found.validation.labels.tolist()) == [0, 1, 2, 3]
    both = np.concatenate([found.train.images, found.validation.images])[:, 0]
    assert sorted(map(bytes, both)) == sorted(map(bytes, ARRAYS["train_images"]))
    assert np.array_equal(test.images[:, 0], ARRAYS["test_images"])
    assert facts("faces", tmp_path) == DatasetShape((1, 6, 5), 8, 4)
    assert facts("digits", tmp_path) == DatasetShape((1, 8, 8), 5, 10)


def test_channels_and_column_order_are_kept(tmp_path: Path) -> None:
    colour = {name: np.asfortranarray(np.stack([ARRAYS[name]] * 3, axis=1)) for name in ("train_images", "test_images")}
    write(tmp_path, **colour)
    assert load("faces", tmp_path).input_shape == (3, 6, 5)
    assert np.array_equal(load_test("faces", tmp_path).images, colour["test_images"])


def test_another_pixel_is_another_digest(tmp_path: Path) -> None:
    write(tmp_path)
    changed = ARRAYS["train_images"].copy()
    changed[0, 0, 0] ^= 1
    write(tmp_path, "others", train_images=changed)
    assert load("faces", tmp_path).digest != load("others", tmp_path).digest


def test_own_sets_are_listed_and_checked(tmp_path: Path) -> None:
    path = write(tmp_path)
    row = list_datasets(tmp_path)[-1]
    assert (row.name, row.state, row.train, row.validation, row.test) == ("faces", "found", 36, 4, 8)
    assert [(file.path, file.state) for file in check_dataset("faces", tmp_path)] == [(path, "intact")]


def test_a_name_reaches_no_other_folder_and_hides_no_known_set(tmp_path: Path) -> None:
    write(tmp_path)
    inner = tmp_path / "inner"
    inner.mkdir()
    write(inner, "mnist")
    assert own_file("../faces", inner) is None
    assert own_file("mnist", inner) is None
    with pytest.raises(DataError, match="data set must be one of"):
        load("../faces", inner)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_images": ARRAYS["train_images"] / 255}, "train_images must be uint8, .*, not float64"),
        ({"train_images": ARRAYS["train_images"][:, 0]}, r"not uint8 \(40, 5\)"),
        ({"train_labels": ARRAYS["train_labels"][:-1]}, r"train_labels must be 40 whole numbers .*, not int64 \(39,\)"),
        ({"train_labels": ARRAYS["train_labels"] - 1}, "train_labels must be 40 whole numbers from 0"),
        ({"train_labels": ARRAYS["train_labels"] / 2}, "not float64"),
        ({"train_labels": np.array([object()] * 40)}, "must hold .* bytes of plain numbers"),
        ({"test_images": ARRAYS["test_images"][:, :5]}, r"test images must be \(1, 6, 5\), not \(1, 5, 5\)"),
        ({"test_labels": ARRAYS["test_labels"] + 3}, "test labels must be 0 .. 3, not 6"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change: dict[str, np.ndarray], message: str, tmp_path: Path) -> None:
    write(tmp_path, **change)
    with pytest.raises(DataError, match=message):
        check_dataset("faces", tmp_path)


def test_a_file_that_is_no_whole_npz_is_refused(tmp_path: Path) -> None:
    whole = write(tmp_path).read_bytes()
    for content in (b"", b"no archive", whole[: len(whole) // 2]):
        (tmp_path / "faces.npz").write_bytes(content)
        with pytest.raises(DataError, match=r"must be a whole \.npz file"):
            load("faces", tmp_path)
    np.savez(tmp_path / "faces.npz", train_images=ARRAYS["train_images"])
    with pytest.raises(DataError, match=r"must hold the arrays .*, but lacks train_labels"):
        load("faces", tmp_path)


def test_a_header_that_claims_more_than_the_file_holds_allocates_nothing(tmp_path: Path) -> None:
    """2**40 images would be 30 TB: only the header is read before the refusal."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (1 << 40, 6, 5)})
    with zipfile.ZipFile(write(tmp_path), "w") as archive:
        archive.writestr("train_images.npy", header.getvalue() + b"\0" * 64)
    with pytest.raises(DataError, match=r"must hold .* bytes of plain numbers, not 64"):
        load("faces", tmp_path)
