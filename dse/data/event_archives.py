"""Event data sets as they are published, archives of many recordings, read to slices; no file of them is unpacked."""

import csv
import io
import itertools
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np
from numpy.typing import NDArray

from dse.data.dataset import Split
from dse.data.event_formats import decode_aedat2, decode_aedat3, decode_nmnist
from dse.data.events import Events, sliced
from dse.data.npz import NPZ_ERRORS, open_member, read_member
from dse.errors import DataError

Shape = tuple[int, int, int]
Gestures = list[tuple[int, int, int]]
"""Class from 0, start and end in microseconds of each gesture of a trial."""

LARGEST_RECORDING = 1 << 29  # bytes; the longest trials of DVS128 Gesture have about a tenth
LARGEST_TEXT = 1 << 20
MOST_EVENTS = 1 << 28  # of a packed file; the 60,000 training recordings of N-MNIST have about as many

TAR_ERRORS = (tarfile.TarError, zlib.error, ValueError, EOFError, OSError)


def _bounded(stream: IO[bytes], most: int, subject: str) -> bytes:
    """All bytes of a stream, whatever size it claims or would expand to."""
    data = stream.read(most + 1)
    if len(data) > most:
        raise DataError(f"{subject} must be at most {most:,} bytes, but holds more")
    return data


def _zipped(path: Path, name: str, samples: int) -> Iterator[tuple[re.Match[str], bytes, str]]:
    """Match, bytes and name of every recording in a zip file, in the order of their numbers (the last group)."""
    try:
        with zipfile.ZipFile(path) as archive:
            matches = [match for member in archive.namelist() if (match := re.fullmatch(name, member))]
            if len(matches) != samples:
                raise DataError(f"{path} must hold {samples:,} recordings, not {len(matches):,}")
            for match in sorted(matches, key=lambda match: int(match.groups()[-1])):
                subject = f"{match[0]} of {path}"
                with open_member(archive, match[0]) as stream:
                    data = _bounded(stream, LARGEST_RECORDING, subject)
                yield match, data, subject
    except NPZ_ERRORS as error:
        raise DataError(f"{path} must be an intact zip file ({error})") from error


def read_nmnist(path: Path, samples: int, shape: Shape) -> Split:
    """``Train.zip`` or ``Test.zip`` of N-MNIST: ``Train/5/00001.bin`` is the first image of MNIST, a 5.

    Args:
        samples: recordings that there must be.
        shape: of one recording's slices.

    Raises:
        DataError: not such an archive, or a recording in it is spoilt.
    """
    images, labels = np.empty((samples, *shape), np.uint8), np.empty(samples, np.int64)
    recordings = _zipped(path, r"(?:.*/)?(\d)/(\d+)\.bin", samples)
    for index, (match, data, subject) in enumerate(recordings):
        images[index] = sliced(decode_nmnist(data, subject), shape, subject)
        labels[index] = int(match[1])
    return Split(images, labels)


def read_cifar10_dvs(paths: list[Path], samples: int, shape: Shape) -> Split:
    """The zip files of CIFAR10-DVS, one a class, in the order of the classes. Arguments and errors as `read_nmnist`."""
    each = samples // len(paths)
    images = np.empty((samples, *shape), np.uint8)
    for label, path in enumerate(paths):
        recordings = _zipped(path, r"(?:.*/)?cifar10_[a-z]+_(\d+)\.aedat", each)
        for index, (_, data, subject) in enumerate(recordings, start=label * each):
            images[index] = sliced(decode_aedat2(data, subject), shape, subject)
    return Split(images, np.repeat(np.arange(len(paths), dtype=np.int64), each))


def read_gestures(path: Path, part: str, samples: int, shape: Shape) -> Split:
    """``DvsGesture.tar.gz``: recordings of trials, each with a table of its gestures, and lists of trials by part.

    Args:
        part: ``train`` or ``test``; further arguments and errors as `read_nmnist`.
    """
    tables = _tables(path, part)
    labels = np.array([kind for table in tables.values() for kind, _, _ in table], np.int64)
    if len(labels) != samples:
        raise DataError(f"{path} must hold {samples:,} gestures to {part}, not {len(labels):,}")
    first = dict(zip(tables, np.cumsum([0, *map(len, tables.values())]), strict=False))
    images, missing = np.empty((samples, *shape), np.uint8), set(tables)
    for trial, data in _tarred(path, lambda name: name in tables, LARGEST_RECORDING):
        missing.discard(trial)
        cut = _cut(data, tables[trial], shape, f"{trial} of {path}")
        images[first[trial] : first[trial] + len(cut)] = cut
    if missing:
        raise DataError(f"{path} must hold {', '.join(sorted(missing))}, but does not")
    return Split(images, labels)


def _cut(data: bytes, table: Gestures, shape: Shape, subject: str) -> NDArray[np.uint8]:
    """The slices of each gesture of a trial."""
    events = decode_aedat3(data, subject)
    return np.stack(
        [sliced(events.between(start, end), shape, f"gesture {start} to {end} of {subject}") for _, start, end in table]
    )


def _tables(path: Path, part: str) -> dict[str, Gestures]:
    """The trials of a part in the order of their list, each with its gestures."""
    listed = f"trials_to_{part}.txt"
    texts = dict(_tarred(path, lambda name: name.endswith(("_labels.csv", listed)), LARGEST_TEXT))
    if listed not in texts:
        raise DataError(f"{path} must hold {listed}, but does not")
    trials = texts[listed].decode("utf-8", "replace").split()
    return {trial: _table(texts, trial.removesuffix(".aedat") + "_labels.csv", path) for trial in trials}


def _table(texts: dict[str, bytes], name: str, path: Path) -> Gestures:
    """The gestures of one trial, ``class,startTime_usec,endTime_usec`` with classes from 1."""
    if name not in texts:
        raise DataError(f"{path} must hold {name}, but does not")
    rows = csv.reader(io.StringIO(texts[name].decode("utf-8", "replace")))
    try:
        gestures = [(int(kind) - 1, int(start), int(end)) for kind, start, end in list(rows)[1:]]
    except (ValueError, csv.Error) as error:
        raise DataError(f"{name} of {path} must hold rows of class, start and end ({error})") from error
    if not gestures:
        raise DataError(f"{name} of {path} must hold at least one gesture")
    return gestures


def _tarred(path: Path, wanted: Callable[[str], bool], most: int) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of the wanted members of a tar file, in its order; a name is compared, never followed."""
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                name = PurePosixPath(member.name).name
                stream = archive.extractfile(member) if member.isfile() and wanted(name) else None
                if stream:
                    yield name, _bounded(stream, most, f"{name} of {path}")
    except TAR_ERRORS as error:
        raise DataError(f"{path} must be an intact tar file ({error})") from error


def read_packed(path: Path, samples: int, shape: Shape) -> Split:
    """Recordings end to end in an .npz: ``t``, ``x``, ``y``, ``p`` (1 is ON) of all events, ``offset`` and ``label``.

    Sample i has the events ``offset[i]:offset[i + 1]``. Arguments and errors as `read_nmnist`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            offset = read_member(archive, "offset", "<i8", (samples + 1,))
            if offset[0] != 0 or np.any(np.diff(offset) <= 0) or offset[-1] > MOST_EVENTS:
                raise ValueError(f"offsets must begin at 0, rise, and end at {MOST_EVENTS:,} at most")
            label = read_member(archive, "label", "u1", (samples,))
            kinds = {"t": "<u4", "x": "u1", "y": "u1", "p": "u1"}
            columns = [read_member(archive, name, kind, (int(offset[-1]),)) for name, kind in kinds.items()]
    except NPZ_ERRORS as error:
        raise DataError(f"{path} must be an .npz of t, x, y, p, offset and label ({error})") from error
    if columns[3].max() > 1:
        raise DataError(f"p of {path} must be 0 or 1, not {columns[3].max()}")
    images = np.empty((samples, *shape), np.uint8)
    for index, (begin, end) in enumerate(itertools.pairwise(offset)):
        events = Events(*(column[begin:end].astype(np.int64) for column in columns))
        images[index] = sliced(events, shape, f"recording {index} of {path}")
    return Split(images, label.astype(np.int64))
