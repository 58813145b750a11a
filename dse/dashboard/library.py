"""Which studies the dashboard may show: a name in a request is looked up among them, never joined to a path."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import TypeVar

from costmodels.errors import InputError
from dse.errors import StudyError
from dse.results import StudyFolder, list_studies, open_study

Signature = tuple[tuple[str, int, int], ...]
Made = TypeVar("Made")

READ = ("manifest.json", "networks.jsonl", "points.jsonl", "failures.jsonl", "designs.jsonl")
REFINED = ("refined.jsonl", "refined-points.jsonl", "test.jsonl")
DAMAGE = (InputError, KeyError, TypeError, ValueError, OSError)
"""What a damaged or foreign file makes of reading it."""


@dataclass(frozen=True)
class Library:
    """The studies on show.

    Attributes:
        results: folder whose studies are all on show, also those that appear later; None shows ``named`` alone.
        named: studies by name.
    """

    results: Path | None
    named: dict[str, Path] = field(default_factory=dict)

    @property
    def paths(self) -> dict[str, Path]:
        """Name to folder of every study on show, by name."""
        if self.results is None:
            return self.named
        return {folder.name: folder.path for folder in list_studies(self.results)} | self.named

    def folder(self, name: str) -> StudyFolder:
        """The study on show under ``name``, its manifest read anew.

        Raises:
            StudyError: there is none of that name, or it is damaged.
        """
        paths = self.paths
        if name not in paths:
            raise StudyError(f"study must be one of {', '.join(paths) or 'none'}, not {name!r} (dashboard)")
        try:
            return open_study(paths[name])
        except StudyError:
            raise
        except DAMAGE as error:
            raise StudyError(f"{paths[name]} must be a whole study, not damaged ({error!r})") from error


def library(studies: Sequence[Path], results: Path) -> Library:
    """The named studies, or where none is named all studies of the results folder.

    Raises:
        StudyError: a named folder is missing, or two of them have the same name.
    """
    if not studies:
        return Library(results)
    named: dict[str, Path] = {}
    for path in (path.resolve() for path in studies):
        if not path.is_dir():
            raise StudyError(f"{path} must be the folder of a study, not missing")
        if path.name in named:
            raise StudyError(f"studies must have different names, not {path.name} twice ({named[path.name]}, {path})")
        named[path.name] = path
    return Library(None, named)


def signature(path: Path) -> Signature:
    """Name, size and time of change of every file that a view is made from: equal as long as nothing was written."""
    found = [(name, path / name) for name in (*READ, *REFINED)]
    stats = [(name, file.stat()) for name, file in found if file.exists()]
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)


def version(library: Library, names: Sequence[str]) -> str:
    """16 hexadecimal digits that differ once a file of the named studies has changed."""
    state = [(name, signature(library.folder(name).path)) for name in names]
    return sha256(repr(state).encode()).hexdigest()[:16]


class Remembered:
    """What was made from each study, made again only when the study's files have changed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._made: dict[tuple[Path, str], tuple[Signature, object]] = {}

    def get(self, folder: StudyFolder, make: Callable[[StudyFolder], Made]) -> Made:
        """What ``make`` gives for ``folder``.

        Raises:
            StudyError: the study is damaged.
        """
        key, now = (folder.path, make.__qualname__), signature(folder.path)
        with self._lock:
            known = self._made.get(key)
            if known is None or known[0] != now:
                known = now, _made(folder, make)
                self._made[key] = known
        return known[1]  # type: ignore[return-value]


def _made(folder: StudyFolder, make: Callable[[StudyFolder], Made]) -> Made:
    try:
        return make(folder)
    except InputError as error:
        raise StudyError(str(error)) from error
    except DAMAGE as error:
        raise StudyError(
            f"{folder.path} must be a whole study that this version reads, not damaged or of another version "
            f"({type(error).__name__}: {error}); restore it from a copy, or read it with the dse that wrote it"
        ) from error
