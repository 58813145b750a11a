"""The Optuna study inside a study folder: SQLite, one writer, readable by optuna-dashboard."""

import sqlite3
import warnings
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.exceptions import ExperimentalWarning
from sqlalchemy import event

from dse.errors import StudyError
from dse.study.one_writer import OneWriter

Direction = Literal["minimize", "maximize"]
STUDY_NAME = "search"


def create(
    database: Path, directions: Sequence[Direction], titles: Sequence[str], about: Mapping[str, Any]
) -> optuna.Study:
    """A fresh study whose told values have these directions and titles.

    SQLite because a torn write cannot brick it, as it would a journal file, and every dashboard reads it; its 26 ms a
    trial are nothing beside a training, and the coordinator is its only writer.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(storage=_storage(database), study_name=STUDY_NAME, directions=list(directions))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        study.set_metric_names(list(titles))
    for key, value in about.items():
        study.set_user_attr(key, value)
    return study


def load(database: Path) -> optuna.Study:
    """The study in ``database``, checked.

    Raises:
        StudyError: there is none, or it is damaged.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if not database.exists():
        raise StudyError(f"{database} must exist; without it the study can be shown but not resumed")
    try:
        return optuna.load_study(storage=_storage(database), study_name=STUDY_NAME)
    except Exception as error:
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise StudyError(
            f"{database} must be the database of a study, not damaged or of something else ({cause}); "
            "restore it from a copy"
        ) from error


def written_by_one(database: Path) -> optuna.Study:
    """The study in ``database``, just checked or made, for the process that holds its lock."""
    return optuna.load_study(storage=OneWriter(_storage(database, check=False)), study_name=STUDY_NAME)


def close(study: optuna.Study) -> None:
    """Let go of the database."""
    backend: Any = getattr(study._storage, "database" if isinstance(study._storage, OneWriter) else "_backend")
    backend.remove_session()
    backend.engine.dispose()


def _storage(database: Path, check: bool = True) -> optuna.storages.RDBStorage:
    """The database, with a write-ahead log: a killed process loses no commit, and a commit waits for no disk.

    Optuna commits once for every parameter; waiting each time took 13 ms of a busy disk, half a second a trial.
    """
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    opened = optuna.storages.RDBStorage(f"sqlite:///{database}", skip_compatibility_check=not check)
    event.listen(opened.engine, "connect", _do_not_wait)
    opened.engine.dispose()
    return opened


def _do_not_wait(connection: sqlite3.Connection, _record: Any) -> None:
    connection.execute("PRAGMA synchronous = NORMAL")
