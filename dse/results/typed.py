"""Plain data of a file as the dataclass that its reader expects, with every field checked for its type."""

from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
PLAIN: dict[type, Any] = {np.int64: list[int], np.float64: list[float], np.bool_: list[bool]}
"""Type of an array's elements to what stands for the array in JSON."""


def as_kind(data: Any, kind: type[T]) -> T:
    """``data`` as a dataclass, its fields and theirs; arrays are made of lists, fields that are not known are left out.

    Raises:
        ValueError: something is missing or of another type; says where.
    """
    try:
        return msgspec.convert(data, kind, dec_hook=_made)
    except (OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _made(kind: Any, data: Any) -> Path | NDArray[Any]:
    """The path that a text stands for, or the one-dimensional array of a list; what is an array already stays so."""
    if kind is Path:
        return Path(data)
    if isinstance(data, np.ndarray):
        return data
    (element,) = get_args(get_args(kind)[1])
    return np.array(msgspec.convert(data, PLAIN[element]), dtype=element)
