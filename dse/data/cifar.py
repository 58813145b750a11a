"""The official Python batches of CIFAR-10 and CIFAR-100, read without trusting their pickles."""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dse.data.dataset import Split
from dse.data.plain_pickle import read_plain_pickle
from dse.errors import DataError


def decode_batch(data: bytes, shape: tuple[int, ...], path: Path, label_key: str) -> Split:
    """One batch: a pickled dictionary with ``data`` (``n x 3072`` uint8, channel by channel) and a list of labels.

    Args:
        data: the whole file.
        shape: ``n x channels x rows x columns`` that it must have.
        path: for messages.
        label_key: ``"labels"`` (CIFAR-10) or ``"fine_labels"`` (CIFAR-100).

    Raises:
        DataError: not such a dictionary, or it holds anything but numbers, text, lists and arrays.
    """
    content = read_plain_pickle(data, path)
    if not isinstance(content, dict):
        raise DataError(f"{path} must hold a dictionary, not {type(content).__name__}")
    batch = {key.decode("latin1") if isinstance(key, bytes) else key: value for key, value in content.items()}
    flat = (shape[0], math.prod(shape[1:]))
    images, labels = batch.get("data"), batch.get(label_key)
    if not isinstance(images, np.ndarray) or images.shape != flat or images.dtype != np.uint8:
        raise DataError(f"'data' in {path} must be {flat[0]} x {flat[1]} uint8, not {_describe(images)}")
    if not isinstance(labels, list) or len(labels) != flat[0] or not all(type(label) is int for label in labels):
        raise DataError(f"{label_key!r} in {path} must be a list of {flat[0]} integers, not {_describe(labels)}")
    return Split(images.reshape(shape), _int64(labels, path))


def _int64(labels: list[int], path: Path) -> NDArray[np.int64]:
    try:
        return np.array(labels, np.int64)
    except OverflowError as error:
        raise DataError(f"a label in {path} must fit 64 bits") from error


def _describe(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{' x '.join(map(str, value.shape))} {value.dtype}"
    size = f" of {len(value)}" if isinstance(value, (list, bytes, str)) else ""
    return f"{type(value).__name__}{size}"
