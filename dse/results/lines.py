"""JSON on disk that survives a kill: whole files replaced at once, lines appended, a torn last line cut off."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from dse.errors import StudyError
from dse.results.typed import as_kind

T = TypeVar("T")


def write_whole(path: Path, text: str) -> None:
    """Replace ``path`` with ``text``: a reader sees the old file or the new one, never a part."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with scratch.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise


def write_json(path: Path, data: Any) -> None:
    """`write_whole` of readable JSON; NaN and infinity are refused (they are not JSON)."""
    write_whole(path, json.dumps(data, indent=1, allow_nan=False, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        StudyError: the file is missing or is no JSON.
    """
    try:
        return plain_json(path.read_bytes())
    except FileNotFoundError:
        raise StudyError(f"{path} must exist; is {path.parent} the folder of a study?") from None
    except (ValueError, RecursionError, OSError) as error:
        raise StudyError(f"{path} must be readable JSON, not damaged ({error}); restore it from a copy") from error


def plain_json(text: bytes) -> Any:
    """What a JSON text holds; half a surrogate pair, which cannot be printed, is no text.

    Raises:
        ValueError: no JSON.
    """
    try:
        data = json.loads(text)
        if b"\\u" in text:
            json.dumps(data, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ValueError("its values are nested too deeply") from error
    return data


def append_line(path: Path, data: Any) -> None:
    """Append one JSON line in a single write and force it to disk."""
    line = json.dumps(data, allow_nan=False, ensure_ascii=False, separators=(",", ":")) + "\n"
    with path.open("ab") as file:
        file.write(line.encode())
        file.flush()
        os.fsync(file.fileno())


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Every complete line of a JSON-lines file, in order; a torn last line is passed over, a missing file is empty.

    Raises:
        StudyError: a complete line is no JSON object.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            yield _parsed(line, path, number)


def read_as(path: Path, kind: type[T]) -> Iterator[T]:
    """Every complete line as a dataclass of that kind.

    Raises:
        StudyError: a complete line is something else.
    """
    for number, line in enumerate(read_lines(path), start=1):
        try:
            yield as_kind(line, kind)
        except ValueError as error:
            raise StudyError(
                f"{path}:{number} must be as it was written, not damaged ({error}); delete that line to lose it alone"
            ) from error


def _parsed(line: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        data = plain_json(line)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise StudyError(f"{path}:{number} must be a JSON object, not damaged; delete that line to lose it alone")
    return data


def cut_torn_line(path: Path) -> int:
    """Cut what follows the last newline, so that the next append starts a line of its own; return the bytes cut."""
    if not path.exists():
        return 0
    content = path.read_bytes()
    torn = len(content) - (content.rfind(b"\n") + 1)
    if torn:
        with path.open("rb+") as file:
            file.truncate(len(content) - torn)
    return torn
