"""The idx format of MNIST and Fashion-MNIST: a big-endian header, then one unsigned byte a pixel or label.

Format: "THE IDX FILE FORMAT" on the MNIST page (Y. LeCun): two zero bytes, a type code (8 is an unsigned byte), the
number of dimensions, one 32-bit size for each, then the data with the last dimension fastest.
"""

import gzip
import io
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dse.errors import DataError

UNSIGNED_BYTE = 8


def header(shape: tuple[int, ...]) -> bytes:
    """The header of an idx file of unsigned bytes with this shape."""
    return struct.pack(f">HBB{len(shape)}I", 0, UNSIGNED_BYTE, len(shape), *shape)


def _expand(data: bytes, bound: int, path: Path) -> bytes:
    # At most `bound` bytes come out, whatever the stream would expand to; reaching the end checks its CRC.
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            return stream.read(bound)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} must be an intact gzip file ({error})") from error


def decode_idx(data: bytes, shape: tuple[int, ...], path: Path) -> NDArray[np.uint8]:
    """The array in an idx file, plain or gzipped (a name that ends in ``.gz``), as a read-only view.

    Args:
        data: the whole file.
        shape: what the data set must have; the file's own claim is only compared with it, never allocated.
        path: for messages, and its ending.

    Raises:
        DataError: not gzip, another header, too few or too many bytes.
    """
    expected = header(shape)
    size = len(expected) + math.prod(shape)
    raw = _expand(data, size + 1, path) if path.suffix == ".gz" else data
    if raw[: len(expected)] != expected:
        found = raw[: len(expected)].hex(" ", 4)
        raise DataError(f"{path} must begin with the idx header {expected.hex(' ', 4)} for {shape}, not {found}")
    if len(raw) != size:
        amount = f"{len(raw):,}" if len(raw) < size else "more"
        raise DataError(f"{path} must hold {size:,} bytes of idx data for {shape}, not {amount}")
    return np.frombuffer(raw, np.uint8, offset=len(expected)).reshape(shape)
