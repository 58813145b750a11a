"""What is fuzzed: a parser, bytes to begin with, and what it may do with any bytes: read or refuse them."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from costmodels.errors import InputError

SLOWEST_S = 20.0
"""Processor seconds that one input of at most `LARGEST` bytes may take."""

LARGEST = 8192


class SlowError(Exception):
    """An input that took longer than any of its size may."""


@dataclass(frozen=True)
class Target:
    """One parser.

    Attributes:
        name: on the command line.
        begin: puts what the parser needs beside its input into a folder, and gives inputs to begin with.
        read: hands bytes to the parser; it may write into that folder alone.
        share: of the executions of a run.
    """

    name: str
    begin: Callable[[Path], list[bytes]]
    read: Callable[[bytes, Path], object]
    share: float = 1.0


def refused(target: Target, data: bytes, folder: Path) -> str:
    """Why the parser refuses the bytes; empty where it reads them. Whatever else it raises is a finding."""
    begun = time.process_time()
    try:
        target.read(data, folder)
        answer = ""
    except InputError as error:
        answer = str(error) or "without a word"
    if time.process_time() - begun > SLOWEST_S:
        raise SlowError(f"{len(data)} bytes took {time.process_time() - begun:.0f} processor seconds")
    if answer == "without a word":
        raise AssertionError("refused without a word")
    return answer
