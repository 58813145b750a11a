"""One data file against its record: its size and checksum, before a byte of it is trusted."""

import hashlib
from pathlib import Path

from dse.data.registry import DataFile
from dse.errors import DataError


def file_checksum(path: Path, algorithm: str) -> str:
    """Hexadecimal checksum of a file, read in blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def size_complaint(path: Path, found: int, file: DataFile) -> str | None:
    """What is wrong with a file's size, or None."""
    if file.bytes is None or found == file.bytes:
        return None
    cause = "truncated" if found < file.bytes else "not the published file"
    return f"{path} must be {file.bytes:,} bytes, not {found:,} ({cause})"


def checksum_complaint(path: Path, found: str, file: DataFile) -> str | None:
    """What is wrong with a file's checksum, or None."""
    algorithm, expected = file.checksum
    if found == expected:
        return None
    return f"{path} must have {algorithm} {expected}, not {found} (corrupt, or not the published file)"


def read_verified(path: Path, file: DataFile, mend: str) -> bytes:
    """The bytes of a file whose size and checksum are those on record.

    Raises:
        DataError: missing, unreadable, truncated or corrupt; says what to do, as `mend` tells.
    """
    try:
        complaint = size_complaint(path, path.stat().st_size, file)  # before anything is read
        data = b"" if complaint else path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} must be readable, but {error.strerror}; {mend}") from error
    complaint = complaint or checksum_complaint(path, hashlib.new(file.checksum[0], data).hexdigest(), file)
    if complaint:
        raise DataError(f"{complaint}; {mend}")
    return data


def verified(path: Path, file: DataFile, mend: str) -> Path:
    """The path of a file too large to hold in memory, once its size and checksum are those on record.

    Raises:
        DataError: as `read_verified`.
    """
    try:
        complaint = size_complaint(path, path.stat().st_size, file)
        complaint = complaint or checksum_complaint(path, file_checksum(path, file.checksum[0]), file)
    except OSError as error:
        raise DataError(f"{path} must be readable, but {error.strerror}; {mend}") from error
    if complaint:
        raise DataError(f"{complaint}; {mend}")
    return path
