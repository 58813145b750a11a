"""A folder that appears as a whole: written beside its place under another name, and renamed when all is there."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from costmodels.errors import InputError


class TargetFolderError(InputError):
    """A folder that cannot be written."""


def reject_occupied(folder: Path) -> None:
    """Refuse a place that something already has.

    Raises:
        TargetFolderError: it is a file or a folder that holds something, or nothing can be written there.
    """
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists() or folder.is_symlink():
        what = "a folder with files in it" if folder.is_dir() else "a file"
        raise TargetFolderError(f"output folder must be new or empty, not {what} ({folder}); name another with -o")


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder to write to, which becomes ``folder`` at the end; after an error nothing is left.

    Raises:
        TargetFolderError: as `reject_occupied`, or the system refuses.
    """
    reject_occupied(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder.parent))
    except OSError as error:
        raise TargetFolderError(f"output folder must be writable, not {folder}: {error.strerror}") from error
    try:
        partial.chmod(0o755)  # temporary folders are closed to others, results are not
        yield partial
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
