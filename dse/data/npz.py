"""Arrays in an .npz, read without trusting what the file claims; and decoded samples kept in the cache folder."""

import math
import os
import struct
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, ...]
BLOCK = 1 << 20

NPZ_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    tokenize.TokenError,
    SyntaxError,
    LookupError,
    ValueError,
    TypeError,
    EOFError,
    OSError,
    OverflowError,
    RuntimeError,
)
"""What a spoilt zip file, and a spoilt .npz, can raise."""


def open_member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """A member, which must be stored or deflated: other ways of compression ask for as much memory as a file claims."""
    if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise NotImplementedError(f"{name} must be stored or deflated")  # as zipfile says of what it cannot unpack
    return archive.open(name)


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
    with open_member(archive, f"{name}.npy") as stream:
        return _read_array(stream, kind, shape)


def read_plain(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """The array of that name, whatever type and shape it has, if as many bytes of plain numbers follow its header.

    Raises one of `NPZ_ERRORS` where they do not; nothing is unpickled.
    """
    member = f"{name}.npy"
    with open_member(archive, member) as stream:
        version = np.lib.format.read_magic(stream)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        if version not in read:
            raise ValueError(f"array must be in .npy version 1.0 or 2.0, not {version}")
        shape, fortran, dtype = read[version](stream)
        size, there = math.prod(shape) * dtype.itemsize, archive.getinfo(member).file_size - stream.tell()
        if dtype.hasobject or not dtype.itemsize or min(shape, default=0) < 0 or size != there:
            raise ValueError(f"{name} must hold {size:,} bytes of plain numbers, not {there:,}")
        return np.frombuffer(bytearray(stream.read()), dtype).reshape(shape, order="F" if fortran else "C")


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
