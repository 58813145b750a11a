"""What is there of each data set, and whether it is intact."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dse.data.folder import Location, data_folder, locate
from dse.data.own import load_own, load_own_test, own_file, own_names
from dse.data.registry import DATASETS, DataFile, Source, Sources, find_source
from dse.data.verify import file_checksum

State = Literal["found", "missing", "incomplete", "corrupt-size"]


@dataclass(frozen=True)
class DatasetRow:
    """A line of the listing.

    Attributes:
        title: in the form that would be loaded.
        folder: where its files lie; None where it is bundled or missing.
        state: ``found`` (all files, right sizes), ``missing`` (none), ``incomplete`` or ``corrupt-size``.
        train, validation, test: samples in each part.
        license, origin: of the data.
    """

    name: str
    title: str
    folder: Path | None
    state: State
    train: int
    validation: int
    test: int
    license: str
    origin: str


@dataclass(frozen=True)
class FileCheck:
    """One file against its record.

    Attributes:
        path: where it lies or should lie.
        state: ``intact``, ``missing``, ``wrong-size``, ``corrupt`` or ``unreadable``.
        expected_bytes, found_bytes: sizes; None where not on record, or not there.
        algorithm, expected, found: checksum; ``found`` is None where the file was not read.
    """

    path: Path
    state: Literal["intact", "missing", "wrong-size", "corrupt", "unreadable"]
    expected_bytes: int | None
    found_bytes: int | None
    algorithm: str
    expected: str
    found: str | None


def _state(location: Location) -> State:
    if not location.present:
        return "missing"
    sizes = [(file.bytes, (location.folder / file.name).stat().st_size) for file in location.present.values()]
    if any(expected not in (None, found) for expected, found in sizes):
        return "corrupt-size"
    return "incomplete" if location.missing else "found"


def _row(source: Source, root: Path) -> DatasetRow:
    location = None if source.bundled else locate(source, root)
    state: State = _state(location) if location else "found"
    train, validation, test = location.parts if location else (source.train, source.validation, source.test)
    return DatasetRow(
        name=source.name,
        title=location.container.title if location else source.title,
        folder=location.folder if location and location.present else None,
        state=state,
        train=train,
        validation=validation,
        test=test,
        license=source.license,
        origin=source.origin,
    )


def list_datasets(data_dir: Path | None = None, *, sources: Sources = DATASETS) -> tuple[DatasetRow, ...]:
    """Every known data set and what is there of it, sizes only; then the user's own ones in the data folder.

    Raises:
        DataError: a folder was named and does not exist, or an own data set cannot be read.
    """
    root = data_folder(data_dir)
    return (*(_row(source, root) for source in sources.values()), *(_own_row(name, root) for name in own_names(root)))


def _own_row(name: str, root: Path) -> DatasetRow:
    path = root / f"{name}.npz"
    own, test = load_own(path), load_own_test(path)
    sizes = (len(own.train), len(own.validation), len(test))
    return DatasetRow(name, f"{name} (own)", root, "found", *sizes, license="", origin=str(path))


def _check_file(path: Path, file: DataFile) -> FileCheck:
    algorithm, expected = file.checksum
    try:
        size = path.stat().st_size
        found = file_checksum(path, algorithm)
    except FileNotFoundError:
        return FileCheck(path, "missing", file.bytes, None, algorithm, expected, None)
    except OSError:
        return FileCheck(path, "unreadable", file.bytes, None, algorithm, expected, None)
    if file.bytes not in (None, size):
        return FileCheck(path, "wrong-size", file.bytes, size, algorithm, expected, found)
    return FileCheck(path, "intact" if found == expected else "corrupt", file.bytes, size, algorithm, expected, found)


def check_dataset(name: str, data_dir: Path | None = None, *, sources: Sources = DATASETS) -> tuple[FileCheck, ...]:
    """Size and checksum of every file of a data set, in the form that would be loaded; empty for a bundled one.

    Of an own data set there is no record to compare with: it is intact if it can be loaded.

    Raises:
        DataError: unknown name, a folder was named and does not exist, or an own data set cannot be read.
    """
    own = own_file(name, data_dir)
    if own:
        load_own_test(own)
        size, found = own.stat().st_size, file_checksum(own, "sha256")
        return (FileCheck(own, "intact", size, size, "sha256", found, found),)
    source = find_source(name, sources)
    if source.bundled:
        return ()
    location = locate(source, data_folder(data_dir))
    files = [location.present.get(role, location.container.variants(role)[0]) for role in location.container.roles]
    return tuple(_check_file(location.folder / file.name, file) for file in files)
