"""CIFAR-10 as JPEG files end to end in one .npz: decoded once, then kept in the cache folder.

Members: ``jpeg`` uint8 (sample i is ``jpeg[offset[i]:offset[i + 1]]``), ``offset`` int64, ``label`` uint8.
"""

import hashlib
import io
import itertools
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dse.data.dataset import Split
from dse.data.npz import NPZ_ERRORS, Shape, keep, kept, read_member
from dse.errors import DataError


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
            offset = read_member(archive, "offset", "<i8", (samples + 1,))
            label = read_member(archive, "label", "u1", (samples,))
            files = read_member(archive, "jpeg", "u1", (int(offset[-1]),))
    except NPZ_ERRORS as error:
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
    place = cache / _cache_name(data)
    found = kept(place, {"images": ("u1", shape)})
    if found:
        return Split(found["images"], labels)
    images = _decode_all(files, offset, shape[1:], path)
    keep(place, images=images)
    return Split(images, labels)
