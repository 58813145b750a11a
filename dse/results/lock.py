"""One process at a time works on a study."""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dse.errors import StudyError


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the study's lock; the system lets go of it when the process ends, however it ends.

    Raises:
        StudyError: another process holds it (the message names its pid and host), or the folder cannot be written.
    """
    path = folder / "lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StudyError(f"study {folder} must be writable to go on, but is not: {error}; copy it elsewhere") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StudyError(_held(folder, path)) from None
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
    return f"study {folder} must be free, not in use by {who}; wait for it, or stop it, or give --name"
