"""The data sets this package knows: their facts, files, sizes, checksums and addresses, read from ``sources.toml``."""

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from dse.errors import DataError

Format = Literal[
    "bundled", "idx", "cifar-batches", "cifar-jpeg", "nmnist-zip", "packed-events", "gesture-tar", "cifar10-dvs-zips"
]


@dataclass(frozen=True)
class DataFile:
    """One file as published.

    Attributes:
        name: in its folder.
        role: what it holds, ``train...`` or ``test...``; of variants with one role the first found is read.
        bytes: its exact size; None where it is not on record.
        sha256, md5: its checksum, at least one of the two.
        url: where it is published; None for a member of an archive or a file nobody publishes.
    """

    name: str
    role: str
    bytes: int | None = None
    sha256: str | None = None
    md5: str | None = None
    url: str | None = None

    @property
    def checksum(self) -> tuple[str, str]:
        """Algorithm and expected hexadecimal digits, the stronger one that is on record."""
        if self.sha256:
            return "sha256", self.sha256
        if self.md5:
            return "md5", self.md5
        raise DataError(f"data file {self.name} must have a sha256 or md5 on record")


@dataclass(frozen=True)
class Container:
    """One form in which a data set is stored.

    Attributes:
        format: how its files are decoded.
        title: of the data set in this form.
        folders: where its files lie below the data folder, the first being where a download goes.
        files: every file, all variants.
        archive: the download that holds all files, where they are published as one.
        label_key: of the labels in a CIFAR batch.
        page: where a person can download the files, for a form that no program may fetch.
        parts: samples to train, validate and test with, where this form has others than the data set; else empty.
        undivided: it comes without a test part, so that one is set aside.
    """

    format: Format
    title: str
    folders: tuple[str, ...] = ()
    files: tuple[DataFile, ...] = ()
    archive: DataFile | None = None
    label_key: str = "labels"
    page: str = ""
    parts: tuple[int, ...] = ()
    undivided: bool = False

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role once, in order."""
        return tuple(dict.fromkeys(file.role for file in self.files))

    def variants(self, role: str) -> tuple[DataFile, ...]:
        """The files that can play this role, in order of preference."""
        return tuple(file for file in self.files if file.role == role)

    @property
    def downloads(self) -> tuple[DataFile, ...]:
        """What to download for the whole container; empty where nobody publishes it."""
        if self.archive:
            return (self.archive,)
        return tuple(file for file in self.files if file.url)


@dataclass(frozen=True)
class Source:
    """A data set: its facts and the forms it comes in, in order of preference.

    Attributes:
        name: on the command line.
        classes, input_bits, input_shape: of its samples; the shape is channels, rows, columns.
        static_input: images; False for recordings of events, kept as slices (`dse.data.events`).
        train, validation, test: samples in each part after the division.
        license, origin: for the listing.
    """

    name: str
    classes: int
    input_bits: int
    input_shape: tuple[int, int, int]
    train: int
    validation: int
    test: int
    license: str
    origin: str
    containers: tuple[Container, ...]
    static_input: bool = True

    @property
    def title(self) -> str:
        """The title in the preferred form."""
        return self.containers[0].title

    @property
    def bundled(self) -> bool:
        """True where no file is needed."""
        return self.containers[0].format == "bundled"


Sources = MappingProxyType[str, Source]


def _container(entry: dict[str, Any]) -> Container:
    archive = entry.get("archive")
    fields = {
        "files": tuple(DataFile(**file) for file in entry.get("files", ())),
        "folders": tuple(entry.get("folders", ())),
        "parts": tuple(entry.get("parts", ())),
        "archive": DataFile(role="archive", **archive) if archive else None,
    }
    return Container(**{**entry, **fields})


def _source(name: str, entry: dict[str, Any]) -> Source:
    containers = tuple(_container(container) for container in entry["containers"])
    return Source(**{**entry, "name": name, "input_shape": tuple(entry["input_shape"]), "containers": containers})


def read_sources(text: str) -> Sources:
    """The data sets that a text in the form of ``sources.toml`` describes, by name."""
    return MappingProxyType({name: _source(name, entry) for name, entry in tomllib.loads(text).items()})


DATASETS: Sources = read_sources(Path(__file__).with_name("sources.toml").read_text(encoding="utf-8"))


def find_source(name: str, sources: Sources = DATASETS) -> Source:
    """The data set of that name.

    Raises:
        DataError: unknown name.
    """
    if name in sources:
        return sources[name]
    close = get_close_matches(name, sources, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise DataError(f"data set must be one of {', '.join(sources)}, not {name!r}{hint}")
