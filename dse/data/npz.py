"""Arrays in an .npz, read without trusting what the file claims; and decoded samples kept in the cache folder."""

import os
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, ...]
BLOCK = 1 << 20

NPZ_ERRORS = (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, OSError, NotImplementedError)
"""What a spoilt .npz can raise."""


def _read_array(stream: IO[bytes], kind: str, shape: Shape) -> NDArray[Any]:
    """An array in .npy form; its header is compared with what must come before memory is asked for."""
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("array must be in .npy version 1.0")
    found, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    if found != shape or dtype != np.dtype(kind) or fortran:
        raise ValueError(f"array must be {shape} {kind}, not {found} {dtype}")
    array: NDArray[Any] = np.empty(shape, dtype)
    left = memoryview(array.data).cast("B")
    while block := stream.read(BLOCK):  # block by block: one copy in memory; the end checks the member's CRC
        left[: len(block)], left = block, left[len(block) :]  # a block too long does not fit: ValueError
    if left:
        raise ValueError(f"array must hold {array.nbytes:,} bytes, {len(left):,} are missing")
    return array


def read_member(archive: zipfile.ZipFile, name: str, kind: str, shape: Shape) -> NDArray[Any]:
    """The array of that name, which must have this type and shape; raises one of `NPZ_ERRORS` where it has not."""
    with archive.open(f"{name}.npy") as stream:
        return _read_array(stream, kind, shape)


def kept(path: Path, arrays: Mapping[str, tuple[str, Shape]]) -> dict[str, NDArray[Any]] | None:
    """What `keep` kept, or None where there is nothing or it is spoilt (a zip member carries its CRC).

    Args:
        arrays: name to type and shape.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: read_member(archive, name, kind, shape) for name, (kind, shape) in arrays.items()}
    except NPZ_ERRORS:
        return None


def keep(path: Path, **arrays: NDArray[Any]) -> None:
    """Write arrays under a temporary name, then rename: a reader sees all of the file or none of it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, suffix=".part", delete=False) as stream:
            _write(stream, arrays, Path(stream.name), path)
    except OSError:
        return  # a full or read-only cache folder costs the next load its decoding, nothing else


def _write(stream: IO[bytes], arrays: dict[str, NDArray[Any]], temporary: Path, path: Path) -> None:
    try:
        np.savez(stream, **arrays)  # type: ignore[arg-type]
        stream.flush()
        os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
