"""From a name to a data set: find its files, verify them, decode them, divide them."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dse.data import division
from dse.data.cifar import decode_batch
from dse.data.dataset import Dataset, Split, digest
from dse.data.digits import read_digits
from dse.data.event_archives import read_cifar10_dvs, read_gestures, read_nmnist, read_packed
from dse.data.folder import Location, cache_folder, data_folder, locate
from dse.data.idx import decode_idx
from dse.data.jpeg import decode_jpegs
from dse.data.npz import keep, kept
from dse.data.own import load_own, load_own_test, own_file
from dse.data.registry import DATASETS, DataFile, Source, Sources, find_source
from dse.data.verify import read_verified, verified
from dse.errors import DataError

Part = Literal["train", "test", "all"]
Shape = tuple[int, int, int]

SLICED = "slices-1"
"""Version of how recordings become slices; raised when the same file would give others."""


def _samples(location: Location, part: Part) -> int:
    """Samples in the published part, before the validation samples are set aside."""
    train, validation, test = location.parts
    return {"train": train + validation, "test": test, "all": train + validation + test}[part]


def _file(location: Location, role: str) -> tuple[Path, DataFile]:
    """The file that plays a role, not opened yet."""
    if role not in location.present:
        wanted = location.container.variants(role)[0]
        size = "" if wanted.bytes is None else f" ({wanted.bytes:,} bytes)"
        raise DataError(f"{location.folder / wanted.name}{size} must be there, but is missing; {location.mend}")
    file = location.present[role]
    return location.folder / file.name, file


def _read_idx(location: Location, part: Part, _cache: Path) -> Split:
    samples = _samples(location, part)
    channels, rows, columns = location.source.input_shape
    images = decode_idx(*_shaped(location, f"{part}-images", (samples, rows, columns)))
    labels = decode_idx(*_shaped(location, f"{part}-labels", (samples,)))
    return Split(images.reshape(samples, channels, rows, columns), labels.astype(np.int64))


def _shaped(location: Location, role: str, shape: tuple[int, ...]) -> tuple[bytes, tuple[int, ...], Path]:
    path, file = _file(location, role)
    return read_verified(path, file, location.mend), shape, path


def _read_batches(location: Location, part: Part, _cache: Path) -> Split:
    source = location.source
    roles = [role for role in location.container.roles if role.startswith(part)]
    shape = (_samples(location, part) // len(roles), *source.input_shape)
    batches = [decode_batch(*_shaped(location, role, shape), location.container.label_key) for role in roles]
    return Split(np.concatenate([b.images for b in batches]), np.concatenate([b.labels for b in batches]))


def _read_jpegs(location: Location, part: Part, cache: Path) -> Split:
    return decode_jpegs(*_shaped(location, part, (_samples(location, part), *location.source.input_shape)), cache)


EVENT_READERS: dict[str, Callable[[list[Path], Part, int, Shape], Split]] = {
    "nmnist-zip": lambda paths, _part, samples, shape: read_nmnist(paths[0], samples, shape),
    "packed-events": lambda paths, _part, samples, shape: read_packed(paths[0], samples, shape),
    "gesture-tar": lambda paths, part, samples, shape: read_gestures(paths[0], part, samples, shape),
    "cifar10-dvs-zips": lambda paths, _part, samples, shape: read_cifar10_dvs(paths, samples, shape),
}


def _read_events(location: Location, part: Part, cache: Path) -> Split:
    """Slices of recordings, kept once they are decoded: the files are verified and read where they are not kept yet."""
    container, shape, samples = location.container, location.source.input_shape, _samples(location, part)
    roles = [role for role in container.roles if role.startswith((part, "all"))]
    files = [_file(location, role) for role in roles]
    identity = repr((SLICED, part, [file.checksum for _, file in files]))
    place = cache / f"events-{hashlib.sha256(identity.encode()).hexdigest()[:32]}.npz"
    found = kept(place, {"images": ("u1", (samples, *shape)), "labels": ("<i8", (samples,))})
    if found:
        return Split(found["images"], found["labels"])
    paths = [verified(path, file, location.mend) for path, file in files]
    split = EVENT_READERS[container.format](paths, part, samples, shape)
    keep(place, images=split.images, labels=split.labels)
    return split


READERS: dict[str, Callable[[Location, Part, Path], Split]] = {
    "idx": _read_idx,
    "cifar-batches": _read_batches,
    "cifar-jpeg": _read_jpegs,
    **dict.fromkeys(EVENT_READERS, _read_events),
}


def _check_labels(labels: NDArray[np.int64], location: Location, part: Part) -> None:
    wrong = np.flatnonzero((labels < 0) | (labels >= location.source.classes))
    if wrong.size:
        found = f"{labels[wrong[0]]} ({part} sample {wrong[0]} of {location.folder})"
        raise DataError(f"label must be 0 .. {location.source.classes - 1}, not {found}; {location.mend}")


def _published(source: Source, part: Part, data_dir: Path | None, cache: Path | None) -> tuple[Split, Location]:
    """All samples of a published part and where they were read from."""
    location = locate(source, data_folder(data_dir))
    if not location.present:
        places = " or ".join(str(location.root / name) for name in location.container.folders)
        raise DataError(f"{source.title} must lie in {places}, but is missing; {location.mend}")
    undivided, read = location.container.undivided, READERS[location.container.format]
    split = read(location, "all" if undivided else part, cache or cache_folder())
    _check_labels(split.labels, location, part)
    if undivided:
        split = split.take(division.set_aside(split.labels, location.parts[2])[part == "test"])
    return split, location


def _bundled(source: Source) -> tuple[Split, Split]:
    """The bundled samples without, and with only, those set aside for the test."""
    samples = read_digits()
    stay, tested = division.set_aside(samples.labels, source.test)
    return samples.take(stay), samples.take(tested)


def load(
    name: str, data_dir: Path | None = None, *, sources: Sources = DATASETS, cache_dir: Path | None = None
) -> Dataset:
    """Training and validation samples of a data set; no test file is opened.

    Args:
        name: one of `DATASETS`, or of a data set of the user's own (see `dse.data.own`).
        data_dir: folder of the data; None is ``DSE_DATA_DIR`` or the user's data folder.
        sources: the data sets to know.
        cache_dir: where decoded JPEG images and recordings are kept; None is the user's cache folder.

    Raises:
        DataError: unknown name; a file is missing, truncated, corrupt or not what its name says.
    """
    own = own_file(name, data_dir)
    if own:
        return load_own(own)
    source = find_source(name, sources)
    if source.bundled:
        (samples, _), title, validate = _bundled(source), source.title, source.validation
    else:
        samples, location = _published(source, "train", data_dir, cache_dir)
        title, validate = location.container.title, location.parts[1]
    stay, aside = division.set_aside(samples.labels, validate)
    train, validation = samples.take(stay), samples.take(aside)
    identity = digest((train, validation), division.VERSION)
    return Dataset(
        source.name, title, source.classes, source.input_bits, source.input_shape, train, validation, identity
    )


def load_test(
    name: str, data_dir: Path | None = None, *, sources: Sources = DATASETS, cache_dir: Path | None = None
) -> Split:
    """Test samples of a data set, for the end of a search. Arguments and errors as `load`."""
    own = own_file(name, data_dir)
    if own:
        return load_own_test(own)
    source = find_source(name, sources)
    if source.bundled:
        return _bundled(source)[1]
    split, _ = _published(source, "test", data_dir, cache_dir)
    return Split(np.array(split.images), split.labels)  # a writable copy of what may be a view of the file
