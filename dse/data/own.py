"""A data set of the user's own: the file ``NAME.npz`` in the data folder, with four arrays.

``train_images`` and ``test_images`` are uint8, ``n x rows x columns`` or ``n x channels x rows x columns``;
``train_labels`` and ``test_labels`` are whole numbers from 0. A tenth of the training samples is set aside for
validation.
"""

import math
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dse.data import division
from dse.data.dataset import Dataset, Split, digest
from dse.data.folder import data_folder
from dse.data.npz import NPZ_ERRORS, read_plain
from dse.data.registry import DATASETS, find_source
from dse.errors import DataError
from searchspaces.datasets import DatasetShape

ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")
VALIDATION_SHARE = 0.1
PIXEL_BITS = 8


def own_file(name: str, data_dir: Path | None = None) -> Path | None:
    """The file of an own data set of that name, if there is one; a name that this package knows is never one."""
    if name in DATASETS or Path(name).name != name:
        return None
    path = data_folder(data_dir) / f"{name}.npz"
    return path if path.is_file() else None


def own_names(data_dir: Path | None = None) -> list[str]:
    """Names of the own data sets in the data folder, sorted."""
    return sorted(path.stem for path in data_folder(data_dir).glob("*.npz") if path.stem not in DATASETS)


def load_own(path: Path) -> Dataset:
    """Training and validation samples of an own data set.

    Raises:
        DataError: the file is not as described above.
    """
    samples = _split(path, "train")
    classes = int(samples.labels.max()) + 1
    kept, aside = division.set_aside(samples.labels, math.ceil(VALIDATION_SHARE * len(samples)))
    train, validation = samples.take(kept), samples.take(aside)
    identity = digest((train, validation), division.VERSION)
    shape = (samples.images.shape[1], samples.images.shape[2], samples.images.shape[3])
    return Dataset(path.stem, path.stem, classes, PIXEL_BITS, shape, train, validation, identity)


def load_own_test(path: Path) -> Split:
    """Test samples of an own data set, shaped as its training samples.

    Raises:
        DataError: the file is not as described above, or the test samples are not like the training samples.
    """
    train, test = _split(path, "train"), _split(path, "test")
    if test.images.shape[1:] != train.images.shape[1:]:
        raise DataError(f"test images must be {train.images.shape[1:]}, not {test.images.shape[1:]} ({path})")
    if test.labels.max() > train.labels.max():
        raise DataError(f"test labels must be 0 .. {train.labels.max()}, not {test.labels.max()} ({path})")
    return test


def facts(name: str, data_dir: Path | None = None) -> DatasetShape:
    """What networks must fit, of a data set known or own.

    Raises:
        DataError: there is none of that name.
    """
    path = own_file(name, data_dir)
    if path:
        own = load_own(path)
        return DatasetShape(own.input_shape, own.input_bits, own.classes)
    source = find_source(name)
    return DatasetShape(source.input_shape, source.input_bits, source.classes, source.static_input)


def _split(path: Path, part: str) -> Split:
    images, labels = _array(path, f"{part}_images"), _array(path, f"{part}_labels")
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or 0 in images.shape:
        rule = "be uint8, n x rows x columns or n x channels x rows x columns"
        raise DataError(f"{part}_images must {rule}, not {images.dtype} {images.shape} ({path})")
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu" or labels.min() < 0:
        rule = f"be {images.shape[0]} whole numbers from 0, one for each image"
        raise DataError(f"{part}_labels must {rule}, not {labels.dtype} {labels.shape} ({path})")
    return Split(images.reshape(len(images), -1, *images.shape[-2:]).astype(np.uint8), labels.astype(np.int64))


def _array(path: Path, name: str) -> NDArray[np.generic]:
    """One array of the file."""
    try:
        with zipfile.ZipFile(path) as archive:
            if f"{name}.npy" not in archive.namelist():
                raise DataError(f"{path} must hold the arrays {', '.join(ARRAYS)}, but lacks {name}")
            return read_plain(archive, name)
    except NPZ_ERRORS as error:
        raise DataError(f"{path} must be a whole .npz file as np.savez_compressed writes it ({error})") from error
