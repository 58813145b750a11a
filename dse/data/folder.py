"""Where the files of a data set lie on this machine."""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dse.data.registry import Container, DataFile, Source
from dse.errors import DataError

FOLDER_VARIABLE = "DSE_DATA_DIR"


def _base(variable: str, fallback: str, environment: Mapping[str, str]) -> Path:
    # The XDG base directory specification: a relative path counts as unset.
    named = Path(environment.get(variable, ""))
    return named if named.is_absolute() else Path.home() / fallback


def default_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The user's data folder by the XDG base directory specification, ``~/.local/share/dse/data``."""
    return _base("XDG_DATA_HOME", ".local/share", environment) / "dse" / "data"


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where decoded images may be kept, ``~/.cache/dse/data``."""
    return _base("XDG_CACHE_HOME", ".cache", environment) / "dse" / "data"


def named_folder(data_dir: Path | None = None, environment: Mapping[str, str] = os.environ) -> Path:
    """The folder given, else the one in ``DSE_DATA_DIR``, else the user's data folder; it need not exist."""
    named = data_dir or environment.get(FOLDER_VARIABLE)
    return Path(named).expanduser() if named else default_folder(environment)


def data_folder(data_dir: Path | None = None, environment: Mapping[str, str] = os.environ) -> Path:
    """As `named_folder`; a folder that somebody named must exist.

    Raises:
        DataError: it does not.
    """
    folder = named_folder(data_dir, environment)
    if folder.is_dir() or folder == default_folder(environment):
        return folder
    told = "--data-dir" if data_dir else FOLDER_VARIABLE
    raise DataError(f"data folder must be an existing folder, not {folder} ({told}); create it or name another")


@dataclass(frozen=True)
class Location:
    """A container of a data set as it lies on this machine.

    Attributes:
        source, container: which data set, in which form.
        root: the data folder that was searched.
        folder: where its files lie, or where they would be put.
        present: the file found for each role; roles without one are missing.
    """

    source: Source
    container: Container
    root: Path
    folder: Path
    present: Mapping[str, DataFile]

    @property
    def missing(self) -> tuple[str, ...]:
        """Roles for which no file is there."""
        return tuple(role for role in self.container.roles if role not in self.present)

    @property
    def parts(self) -> tuple[int, int, int]:
        """Samples to train, validate and test with."""
        source = self.source
        train, validation, test = self.container.parts or (source.train, source.validation, source.test)
        return train, validation, test

    @property
    def mend(self) -> str:
        """What to do about a file that is missing or spoilt."""
        where = "" if self.root == default_folder() else f" --data-dir {shlex.quote(str(self.root))}"
        fetch = f"run `dse data fetch {self.source.name}{where}`"
        if self.container.page:
            return f"download it from {self.container.page}, or name the folder that has it with --data-dir"
        if self.container.downloads:
            return f"{fetch}, or name the folder that has it with --data-dir or {FOLDER_VARIABLE}"
        return f"replace it by an intact copy, or {fetch} for the official files"


def _folders(container: Container, root: Path) -> tuple[Path, ...]:
    return (*(root / name for name in container.folders), root)


def _is_there(path: Path, file: DataFile, root: Path) -> bool:
    # In the data folder itself a name says little (two data sets share their names): there the size must fit too.
    return path.is_file() and (path.parent != root or path.stat().st_size == file.bytes)


def _present(container: Container, folder: Path, root: Path) -> dict[str, DataFile]:
    there = [file for file in reversed(container.files) if _is_there(folder / file.name, file, root)]
    return {file.role: file for file in there}  # the last entry wins: the preferred variant


def locate_container(source: Source, container: Container, root: Path) -> Location:
    """Where one form of a data set lies: the folder with most of its files, else where they would be put."""
    found = [
        Location(source, container, root, folder, _present(container, folder, root))
        for folder in _folders(container, root)
    ]
    return max(found, key=lambda location: len(location.present))  # the first of equals


def locate(source: Source, root: Path) -> Location:
    """The first form of a data set of which any file is there, complete or not; else the preferred form, with none.

    An incomplete preferred form is not passed over in silence for a lossy one.
    """
    found = [locate_container(source, container, root) for container in source.containers]
    return next((location for location in found if location.present), found[0])
