"""Walls around a parser: no file outside its folder, no program, no network, no memory beyond a bound."""

import os
import resource
import sys
from pathlib import Path
from typing import Any

MEMORY = 1 << 30
"""Bytes of address space that inputs of a few KiB may ask for in all, beyond what the program has before the first."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.truncate", "os.chmod"}
NEVER = (
    "subprocess.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "socket.",
    "webbrowser.",
    "ctypes.dlopen",
)


class ForbiddenError(BaseException):
    """Something that no input may bring about. No `Exception`: nothing under test can take it for a bad file."""


def forbid_all_but(folder: Path) -> None:
    """From now on this process may write into ``folder`` alone, and starts nothing and calls nobody."""
    inside = os.path.realpath(folder) + os.sep

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(NEVER):
            raise ForbiddenError(f"{event} {arguments!r}"[:300])
        written = event == "open" and bool(arguments[2] & WRITING)
        if written or event in CHANGES:
            for path in arguments[: 1 if written else 2]:
                if isinstance(path, str | bytes | os.PathLike) and not _allowed(os.fsdecode(path), inside):
                    raise ForbiddenError(f"{event} {arguments!r}"[:300])

    sys.addaudithook(look)


def _allowed(path: str, inside: str) -> bool:
    return path == os.devnull or (os.path.realpath(path) + os.sep).startswith(inside)


def bound_memory() -> None:
    """From now on memory beyond `MEMORY` is refused."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
