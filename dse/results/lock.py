"""One process at a time works on a study, or on the folder of a training."""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dse.errors import StudyError

LOCK = "lock"


@contextmanager
def locked(folder: Path, what: str = "study", instead: str = "give --name") -> Iterator[None]:
    """Hold the folder's lock; the system lets go of it when the process ends, however it ends.

    Args:
        what, instead: what the folder holds, and how to take another, for the message.

    Raises:
        StudyError: another process holds it (the message names its pid and host), or the folder cannot be written.
    """
    path = folder / LOCK
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StudyError(f"{what} {folder} must be writable to go on, but is not: {error}; copy it elsewhere") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StudyError(f"{what} {_held(folder, path)} or {instead}") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _held(folder: Path, path: Path) -> str:
    """Who holds the lock, as far as the file says."""
    try:
        owner = json.loads(path.read_text())
        who = f"process {owner['pid']} on {owner['host']}"
    except (OSError, ValueError, KeyError):
        who = "another process"
    return f"{folder} must be free, not in use by {who}; wait for it, or stop it,"
