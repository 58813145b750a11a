"""Say in words why a study can no longer be kept on disk, and how to go on."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import OperationalError

from dse.errors import RunError, StudyError


@contextmanager
def kept_in(study: Path) -> Iterator[None]:
    """A search on this folder.

    Raises:
        RunError: the system refuses a write (full disk, lost mount); what is finished stays.
    """
    try:
        yield
    except (OSError, StorageInternalError, OperationalError) as error:
        raise RunError(
            f"study {study} must be written, but cannot be: {_cause(error)}; everything finished is kept, so mend that "
            f"and go on with: dse search --resume {shlex.quote(str(study))}"
        ) from error


@contextmanager
def made_in(folder: Path) -> Iterator[None]:
    """The making of a study in this folder.

    Raises:
        StudyError: the system refuses a write.
    """
    try:
        yield
    except (OSError, StorageInternalError, OperationalError) as error:
        raise StudyError(
            f"a study must be made in {folder}, but cannot: {_cause(error)}; free space or give another --results-dir"
        ) from error


def _cause(error: BaseException) -> str:
    """What the system said, in one line."""
    while isinstance(error, StorageInternalError | OperationalError) and (error.__cause__ or error.__context__):
        error = error.__cause__ or error.__context__ or error
    return str(error).splitlines()[0]
