"""One file over HTTP: resumed where it was cut off, verified before it gets its name.

A file arrives under ``NAME.part``, which survives an interruption and is continued by an HTTP range request. Only when
its size and checksum are right is it renamed.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from io import FileIO
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from dse.data.registry import DataFile
from dse.data.verify import checksum_complaint, file_checksum
from dse.errors import DataError

MIRROR_VARIABLE = "DSE_DATA_MIRROR"
BLOCK = 1 << 16

Progress = Callable[[str, int, int], None]
"""Called with the file's name, the bytes that are there, and its size in bytes."""


@dataclass(frozen=True)
class Patience:
    """How long a download is tried.

    Attributes:
        attempts: failures in a row, none of which brought new bytes, until it is given up.
        pause_s: wait after the first failure; doubles with each.
        timeout_s: silence of the server that counts as a failure.
        sleep: waits.
    """

    attempts: int = 5
    pause_s: float = 1.0
    timeout_s: float = 30.0
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Transfer:
    """One file under way: what it must be, where from, and whom to tell."""

    file: DataFile
    url: str
    progress: Progress
    patience: Patience

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.file.bytes or 0


class _PassingError(Exception):
    """A failure that may pass."""


LARGEST_UNRECORDED = 1 << 31
"""Bytes of a download whose size is not on record, at most: what it holds is known by its checksum alone."""


def announced_bytes(url: str, patience: Patience) -> int:
    """The size that a server announces for a file.

    Raises:
        DataError: it does not answer, tells no size, or one beyond `LARGEST_UNRECORDED`.
    """
    headers = {"User-Agent": "snn-dse", "Accept-Encoding": "identity"}
    try:
        with urlopen(Request(url, headers=headers), timeout=patience.timeout_s) as response:
            size = _total(response)
    except (OSError, HTTPException) as error:
        raise DataError(f"{url} must be there, but {error}; {elsewhere()}") from error
    if size is None or size > LARGEST_UNRECORDED:
        found = "none" if size is None else f"{size:,}"
        raise DataError(
            f"{url} must announce a size of at most {LARGEST_UNRECORDED:,} bytes, not {found}; {elsewhere()}"
        )
    return size


def _total(response: HTTPResponse) -> int | None:
    """Size of the whole file as the server says, or None."""
    if response.status == 206:
        total = response.headers.get("Content-Range", "").rpartition("/")[2]
    else:
        total = response.headers.get("Content-Length", "")
    return int(total) if total.isdecimal() else None


def _continues(response: HTTPResponse, have: int) -> bool:
    return response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {have}-")


def append(stream: FileIO, block: bytes) -> None:
    """Write all of a block.

    Raises:
        DataError: the disk is full or refuses; waiting would not help.
    """
    left = memoryview(block)
    try:
        while left:
            left = left[stream.write(left) :]
    except OSError as error:
        raise DataError(
            f"{stream.name} must fit on its disk, but {error.strerror}; make room, or name another --data-dir"
        ) from error


def _store(response: HTTPResponse, stream: FileIO, have: int, transfer: Transfer) -> None:
    while block := response.read(BLOCK):
        have += len(block)
        if have > transfer.size:
            raise _wrong_size(transfer, "more")
        append(stream, block)
        transfer.progress(transfer.file.name, have, transfer.size)


def _wrong_size(transfer: Transfer, found: str) -> DataError:
    return DataError(f"{transfer.url} must serve {transfer.size:,} bytes, not {found}; {elsewhere()}")


def elsewhere() -> str:
    """What to do when a server fails."""
    return f"try again later, or name a mirror in {MIRROR_VARIABLE}"


def _receive(transfer: Transfer, stream: FileIO, have: int) -> None:
    """Ask for what is missing and append what comes; starts over where the server sends the whole file."""
    headers = {"User-Agent": "snn-dse", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with urlopen(Request(transfer.url, headers=headers), timeout=transfer.patience.timeout_s) as response:
        total = _total(response)
        if total is not None and total != transfer.size:
            raise _wrong_size(transfer, f"{total:,}")
        if not _continues(response, have):
            stream.truncate(0)
            have = 0
        _store(response, stream, have, transfer)


def _refused(error: HTTPError, stream: FileIO, transfer: Transfer) -> Exception:
    """What an HTTP error status means: `_PassingError` or the end."""
    if error.code == 416:  # range not satisfiable: what is there is not the beginning of the file
        stream.truncate(0)
    elif error.code < 500 and error.code not in (408, 429):  # request timeout, too many requests
        return DataError(f"{transfer.url} must be there, but the server answers {error.code}; {elsewhere()}")
    return _PassingError(f"the server answers {error.code}")


def _attempt(transfer: Transfer, stream: FileIO) -> None:
    """One request.

    Raises:
        _PassingError: it brought less than the file.
        DataError: no use in trying again.
    """
    try:
        _receive(transfer, stream, _size(stream))
    except HTTPError as error:
        with error:
            raise _refused(error, stream, transfer) from error
    except (OSError, HTTPException) as error:
        raise _PassingError(str(error) or type(error).__name__) from error
    if _size(stream) < transfer.size:
        raise _PassingError("the connection ended early")


def _size(stream: FileIO) -> int:
    return os.fstat(stream.fileno()).st_size


def _complete(transfer: Transfer, stream: FileIO) -> None:
    """Append until the file has its size; new bytes earn new patience."""
    failures, most = 0, _size(stream)
    while _size(stream) < transfer.size:
        try:
            _attempt(transfer, stream)
        except _PassingError as error:
            have = _size(stream)
            failures = 1 if have > most else failures + 1
            most = max(most, have)
            if failures >= transfer.patience.attempts:
                raise DataError(
                    f"{transfer.url} must serve {transfer.size:,} bytes, but {error} "
                    f"({have:,} bytes kept, {failures} attempts); run the command again to go on, or {elsewhere()}"
                ) from error
            transfer.patience.sleep(transfer.patience.pause_s * 2 ** (failures - 1))


def _locked(stream: FileIO, path: Path) -> bool:
    """Whether the file is now ours alone, and still has its name: another download may just have renamed it."""
    import fcntl  # here: a system without it can still load data

    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(path.stat(), os.fstat(stream.fileno()))
    except (BlockingIOError, FileNotFoundError):
        return False


@contextmanager
def open_part(target: Path) -> Iterator[tuple[FileIO, Path]]:
    """``NAME.part`` beside the target, open for appending and locked against a second download; removed if empty.

    Raises:
        DataError: the folder refuses, or somebody else writes the file.
    """
    path = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        stream = FileIO(path, "ab")
    except OSError as error:
        raise DataError(f"{path} must be writable, but {error.strerror}; name another --data-dir") from error
    with stream:
        if not _locked(stream, path):
            raise DataError(f"{path} must not be written by another process; wait for the other download to end")
        try:
            yield stream, path
        finally:
            if _size(stream) == 0:
                path.unlink(missing_ok=True)


def settle(stream: FileIO, part: Path, target: Path) -> None:
    """Give a verified part its name, once its bytes are on the disk."""
    os.fsync(stream.fileno())
    part.replace(target)


def arrive(transfer: Transfer, target: Path) -> None:
    """Download one file to its place; a resumed part that proves wrong is fetched once more from the beginning.

    Raises:
        DataError: the server does not serve the file, or serves another; the disk refuses; somebody else downloads it.
    """
    with open_part(target) as (stream, part):
        for resumed in (_size(stream) > 0, False):
            _complete(transfer, stream)
            complaint = checksum_complaint(part, file_checksum(part, transfer.file.checksum[0]), transfer.file)
            if complaint is None:
                settle(stream, part, target)
                return
            stream.truncate(0)
            if not resumed:
                break
        raise DataError(f"{transfer.url} serves a wrong file: {complaint}; {elsewhere()}")
