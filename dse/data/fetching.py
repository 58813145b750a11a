"""Download of a data set: only what is missing or spoilt, verified, and unpacked where it comes as an archive."""

import hashlib
import os
import tarfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import IO, NoReturn

from dse.data.folder import Location, locate_container, named_folder
from dse.data.registry import DATASETS, DataFile, Source, Sources, find_source
from dse.data.transfer import (
    MIRROR_VARIABLE,
    Patience,
    Progress,
    Transfer,
    announced_bytes,
    append,
    arrive,
    open_part,
    settle,
)
from dse.data.verify import checksum_complaint, file_checksum, size_complaint
from dse.errors import DataError

BLOCK = 1 << 20


def _unpack_member(content: IO[bytes], file: DataFile, target: Path) -> None:
    """Copy one member to its place, verified on the way."""
    total = hashlib.new(file.checksum[0])
    with open_part(target) as (stream, part):
        stream.truncate(0)
        while block := content.read(BLOCK):
            total.update(block)
            append(stream, block)
        complaint = checksum_complaint(part, total.hexdigest(), file)
        if complaint:
            stream.truncate(0)
            raise DataError(complaint)
        settle(stream, part, target)


def _unpack(path: Path, files: tuple[DataFile, ...], location: Location) -> None:
    """The wanted members of an archive to their folder; a member's path is compared, never followed."""
    wanted = {f"{location.container.folders[0]}/{file.name}": file for file in files}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() and member.name in wanted else None
                if content:
                    file = wanted.pop(member.name)
                    _unpack_member(content, file, location.folder / file.name)
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise DataError(f"{path} must be an intact archive ({error})") from error
    if wanted:
        raise DataError(f"{path} must hold {', '.join(wanted)}, but does not")


def _is_intact(path: Path, file: DataFile) -> bool:
    try:
        size = path.stat().st_size
        return not size_complaint(path, size, file) and file_checksum(path, file.checksum[0]) == file.checksum[1]
    except OSError:
        return False


def _url(file: DataFile, folder: str, base_url: str | None) -> str:
    """Address of a download: the publisher's, or ``BASE/FOLDER/NAME`` on a mirror."""
    base = base_url or os.environ.get(MIRROR_VARIABLE)
    if not base:
        return file.url or ""
    if not base.startswith(("http://", "https://")):
        raise DataError(f"mirror must be an http:// or https:// address, not {base!r} ({MIRROR_VARIABLE})")
    return f"{base.rstrip('/')}/{folder}/{file.name}"


def _by_hand(location: Location, file: DataFile) -> NoReturn:
    place = location.folder / file.name
    raise DataError(
        f"{file.name} of {location.container.title} must be downloaded by hand, since its publisher serves it to "
        f"browsers alone; take it from {location.container.page} and save it as {place}"
    )


def _spoilt(location: Location) -> tuple[DataFile, ...]:
    """For every role without an intact file, the preferred one."""
    return tuple(
        location.container.variants(role)[0]
        for role in location.container.roles
        if role not in location.present
        or not _is_intact(location.folder / location.present[role].name, location.present[role])
    )


def _location(source: Source, root: Path) -> Location:
    container = next((container for container in source.containers if container.downloads), source.containers[0])
    return locate_container(source, container, root)


def _quiet(_name: str, _have: int, _size: int) -> None:
    """Progress that nobody watches."""


def fetch(
    name: str,
    data_dir: Path | None = None,
    progress: Progress = _quiet,
    *,
    base_url: str | None = None,
    sources: Sources = DATASETS,
    patience: Patience | None = None,
) -> tuple[Path, ...]:
    """Download what is missing or spoilt of a data set; intact files stay as they are.

    Args:
        name: one of `DATASETS`.
        data_dir: data folder, made where it is missing; None is ``DSE_DATA_DIR`` or the user's data folder.
        progress: called as bytes arrive.
        base_url: a mirror that serves ``FOLDER/NAME`` (``mnist/train-images-idx3-ubyte.gz``); None is
            ``DSE_DATA_MIRROR``, else the publisher's address.
        sources: the data sets to know.
        patience: None is the default.

    Returns:
        Every file of the data set, now intact; none for a bundled data set.

    Raises:
        DataError: unknown name, the server does not serve the file, or serves another; what came is kept for the next
            call unless it proved wrong.
    """
    source = find_source(name, sources)
    if source.bundled:
        return ()
    root = named_folder(data_dir)
    location = _location(source, root)
    spoilt = _spoilt(location)
    if not spoilt:
        return _files(location)
    container = location.container
    archive = container.archive
    for file in (archive,) if archive else spoilt:
        url = _url(file, container.folders[0], base_url) or _by_hand(location, file)
        known = file if file.bytes else replace(file, bytes=announced_bytes(url, patience or Patience()))
        arrive(Transfer(known, url, progress, patience or Patience()), location.folder / file.name)
    if archive:
        _unpack(location.folder / archive.name, spoilt, location)
        (location.folder / archive.name).unlink()
    return _files(_location(source, root))


def _files(location: Location) -> tuple[Path, ...]:
    return tuple(location.folder / location.present[role].name for role in location.container.roles)
