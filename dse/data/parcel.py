"""Send a data set to another machine: its files as they lie here, to where they belong there."""

from collections.abc import Mapping
from pathlib import Path

from dse.data.folder import data_folder, locate, locate_container, named_folder
from dse.data.own import own_file
from dse.data.registry import DATASETS, Sources, find_source
from dse.errors import DataError


def pack(name: str, data_dir: Path | None = None, *, sources: Sources = DATASETS) -> dict[str, bytes]:
    """The files of a data set, known or own, by name; empty where it is bundled, or not complete here."""
    own = own_file(name, data_dir)
    if own:
        return {own.name: own.read_bytes()}
    source = find_source(name, sources)
    if source.bundled:
        return {}
    location = locate(source, data_folder(data_dir))
    if location.missing:
        return {}
    return {file.name: (location.folder / file.name).read_bytes() for file in location.present.values()}


def unpack(name: str, files: Mapping[str, bytes], data_dir: Path | None = None, *, sources: Sources = DATASETS) -> None:
    """Write files that `pack` gave into the data folder; each appears whole, and is verified when it is read.

    Raises:
        DataError: a name that is none of the data set's.
    """
    root = named_folder(data_dir)
    if name not in sources and Path(name).name == name and set(files) == {f"{name}.npz"}:
        _write(files, root)
        return
    source = find_source(name, sources)
    for container in source.containers:
        if set(files) <= {file.name for file in container.files}:
            _write(files, locate_container(source, container, root).folder)
            return
    raise DataError(f"files of {source.title} must bear the names it is published with, not {', '.join(sorted(files))}")


def _write(files: Mapping[str, bytes], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        part = folder / f".{file}.part"
        part.write_bytes(content)
        part.replace(folder / file)
