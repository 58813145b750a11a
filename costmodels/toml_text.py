"""The text and the data of a TOML file that somebody wrote: bounded in size and depth before it is parsed."""

import re
import tomllib
from pathlib import Path
from typing import Any

LARGEST = 1 << 20
"""Bytes; the largest file in this package has a fortieth."""

DEEPEST = 16
"""Tables and arrays in each other, and parts of a dotted key, whose square `tomllib` takes time for."""

_TOO_DEEP = f"its values are nested more than {DEEPEST} deep"
_DOTTED = re.compile(rf"""(?<![\w"'-])(?:[\w"'-]+[ \t]*\.[ \t]*){{{DEEPEST}}}""")


def read_toml(path: Path) -> tuple[str, dict[str, Any]]:
    """Text and data of the file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no UTF-8 (UnicodeDecodeError), no TOML, or larger or deeper than anybody means.
    """
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"it holds more than {LARGEST:,} bytes")
    text = content.decode("utf-8")
    if _DOTTED.search(text):
        raise ValueError(f"a key has more than {DEEPEST} parts")
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if _depth(data) > DEEPEST:
        raise ValueError(_TOO_DEEP)
    return text, data


def _depth(data: dict[str, Any]) -> int:
    """Tables and arrays in each other."""
    depth, level = 0, list[Any]([data])
    while level:
        depth += 1
        inside = (value.values() if isinstance(value, dict) else value for value in level)
        level = [child for children in inside for child in children if isinstance(child, dict | list)]
    return depth
