"""Pickles of numbers, text, lists, dictionaries and numeric arrays; nothing else in a pickle is ever called.

The CIFAR batches were pickled by Python 2 with NumPy arrays inside. `pickle.load` would run whatever a file asks for.
Here the only names a pickle may ask for are the five that an array needs, and each is answered by a stand-in of this
file: not even NumPy's own reconstruction runs, so that a claimed shape allocates nothing.
"""

import io
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.errors import DataError

NUMERIC = ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8")


class _Dtype:
    """Stands in for a ``numpy.dtype`` object: a numeric type, its byte order set afterwards."""

    def __init__(self, code: str) -> None:
        if code not in NUMERIC:
            raise pickle.UnpicklingError(f"array type must be numeric, not {code!r}")
        self.numeric: np.dtype[Any] = np.dtype(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if _text(state[1]) == ">":
            self.numeric = self.numeric.newbyteorder(">")


class _Array:
    """Stands in for an array under reconstruction: takes its bytes only if they are as many as its shape says."""

    array: NDArray[Any] | None = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _version, shape, kind, fortran, content = state
        if not isinstance(kind, _Dtype) or not isinstance(content, bytes):
            raise pickle.UnpicklingError("array must be of a numeric type, with its bytes")
        if any(size < 0 for size in shape) or len(content) != math.prod(shape) * kind.numeric.itemsize:
            raise pickle.UnpicklingError(f"array must hold the bytes of its shape {shape}, not {len(content):,}")
        self.array = np.frombuffer(content, kind.numeric).reshape(shape, order="F" if fortran else "C")


class _Name:
    """What a pickle gets for a name it asks for. Sealed: a pickle can set state on whatever it was given."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        raise pickle.UnpicklingError("it sets state on a function, which plain data never does")


class _ArrayType(_Name):
    """``numpy.ndarray``, which is passed to the reconstruction and never called."""


class _Reconstruct(_Name):
    """NumPy's ``_reconstruct``."""

    def __call__(self, *_arguments: object) -> _Array:
        return _Array()


class _MakeDtype(_Name):
    """``numpy.dtype``."""

    def __call__(self, code: str | bytes, *_flags: object) -> _Dtype:
        return _Dtype(_text(code))


class _Encode(_Name):
    """``_codecs.encode``, by which Python 3 writes bytes into an old pickle."""

    def __call__(self, text: str, encoding: str) -> bytes:
        if encoding != "latin1":
            raise pickle.UnpicklingError(f"encoding must be latin1, not {encoding!r}")
        return text.encode("latin1")


def _text(value: str | bytes) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else value


ADMITTED: dict[tuple[str, str], _Name] = {
    ("numpy.core.multiarray", "_reconstruct"): _Reconstruct(),
    ("numpy._core.multiarray", "_reconstruct"): _Reconstruct(),
    ("numpy", "ndarray"): _ArrayType(),
    ("numpy", "dtype"): _MakeDtype(),
    ("_codecs", "encode"): _Encode(),
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ADMITTED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which plain data never does")
        return ADMITTED[module, name]


def _finished(value: Any) -> Any:
    """The value with finished arrays in place of stand-ins; containers are read one level deep, as batches are."""
    if isinstance(value, _Array):
        return value.array
    if isinstance(value, dict):
        return {key: item.array if isinstance(item, _Array) else item for key, item in value.items()}
    return value


def read_plain_pickle(data: bytes, path: Path) -> Any:
    """What a pickle holds; byte strings of Python 2 come back as `bytes`.

    Args:
        data: the whole file.
        path: for messages.

    Raises:
        DataError: not a pickle, or it asks for anything but plain data.
    """
    try:
        return _finished(_PlainUnpickler(io.BytesIO(data), fix_imports=False, encoding="bytes").load())
    except Exception as error:  # a spoilt pickle can raise any class; each means the same here
        raise DataError(f"{path} must be a pickle of plain data and arrays ({error})") from error
