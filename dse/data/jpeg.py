"""CIFAR-10 as JPEG files end to end in one .npz: decoded once, then kept in the cache folder.

Members: ``jpeg`` uint8 (sample i is ``jpeg[offset[i]:offset[i + 1]]``), ``offset`` int64, ``label`` uint8.
"""

import hashlib
import io
import itertools
import os
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from dse.data.dataset import Split
from dse.errors import DataError

Shape = tuple[int, ...]
BLOCK = 1 << 20


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


def _member(archive: zipfile.ZipFile, name: str, kind: str, shape: Shape) -> NDArray[Any]:
    with archive.open(f"{name}.npy") as stream:
        return _read_array(stream, kind, shape)


def _decode_one(data: bytes, shape: Shape) -> NDArray[np.uint8]:
    # Imported here: only this container needs Pillow.
    from PIL import Image

    channels, rows, columns = shape
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:  # reads the header only
        if image.size != (columns, rows) or len(image.getbands()) != channels:
            raise ValueError(f"image must be {columns} x {rows} in {channels} channels, not {image.size} {image.mode}")
        return np.asarray(image).reshape(rows, columns, channels).transpose(2, 0, 1)


def _decode_all(files: bytes, offset: Sequence[int], shape: Shape, path: Path) -> NDArray[np.uint8]:
    images = np.empty((len(offset) - 1, *shape), np.uint8)
    for sample, (begin, end) in enumerate(itertools.pairwise(offset)):
        try:
            images[sample] = _decode_one(files[begin:end], shape)
        except Exception as error:  # Pillow raises many classes on spoilt images; each means the same here
            raise DataError(f"image {sample} of {path} must be an intact JPEG ({error})") from error
    return images


def _read_members(data: bytes, samples: int, path: Path) -> tuple[bytes, list[int], NDArray[np.int64]]:
    """The JPEG files end to end, where each begins and ends, and the labels."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            offset = _member(archive, "offset", "<i8", (samples + 1,))
            label = _member(archive, "label", "u1", (samples,))
            files = _member(archive, "jpeg", "u1", (int(offset[-1]),))
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, OSError, NotImplementedError) as error:
        raise DataError(f"{path} must be an .npz of jpeg, offset and label for {samples:,} images ({error})") from error
    if offset[0] != 0 or np.any(np.diff(offset) <= 0):
        raise DataError(f"offsets in {path} must begin at 0 and rise")
    return files.tobytes(), offset.tolist(), label.astype(np.int64)


def _cache_name(data: bytes) -> str:
    # The pixels depend on the file and on the decoder: libjpeg versions round differently.
    import PIL
    from PIL import features

    decoder = f"{PIL.__version__} {features.version('jpg')}"
    return f"jpeg-{hashlib.sha256(hashlib.sha256(data).digest() + decoder.encode()).hexdigest()[:32]}.npz"


def _cached(path: Path, shape: Shape) -> NDArray[np.uint8] | None:
    """Images kept by `_keep`, or None where there are none or they are spoilt (a zip member carries its CRC)."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _member(archive, "images", "u1", shape)
    except (OSError, zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, NotImplementedError):
        return None


def _keep(images: NDArray[np.uint8], path: Path) -> None:
    """Write images under a temporary name, then rename: a reader sees all of the file or none of it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, suffix=".part", delete=False) as stream:
            _write(stream, images, Path(stream.name), path)
    except OSError:
        return  # a full or read-only cache folder costs the next load some seconds, nothing else


def _write(stream: IO[bytes], images: NDArray[np.uint8], temporary: Path, path: Path) -> None:
    try:
        np.savez(stream, images=images)
        stream.flush()
        os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def decode_jpegs(data: bytes, shape: Shape, path: Path, cache: Path) -> Split:
    """Images and labels of a container.

    Args:
        data: the whole file.
        shape: ``n x channels x rows x columns`` that it must have.
        path: for messages.
        cache: folder in which decoded images are kept and looked for.

    Raises:
        DataError: not such a container, or an image in it is spoilt.
    """
    files, offset, labels = _read_members(data, shape[0], path)
    kept = cache / _cache_name(data)
    images = _cached(kept, shape)
    if images is None:
        images = _decode_all(files, offset, shape[1:], path)
        _keep(images, kept)
    return Split(images, labels)
