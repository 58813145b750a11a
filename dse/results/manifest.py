"""What a study was made of: settings, versions, digests, and who worked on it when."""

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from dse.errors import StudyError
from dse.results.lines import read_json, write_json
from dse.results.typed import as_kind

FORMAT = 1
"""Version of the study folder; raised when an older dse could not read it."""


@dataclass(frozen=True)
class Session:
    """One stretch of work on a study by one process.

    Attributes:
        started, finished: UTC, ISO 8601; ``finished`` is empty where the process was killed.
        pid, host: who worked.
        workers, threads: training processes and their threads.
        seconds: of search, so far.
        stop_reason: ``trials``, ``timeout``, ``interrupted``, ``exhausted`` or empty.
    """

    started: str
    finished: str
    pid: int
    host: str
    workers: int
    threads: int
    seconds: float
    stop_reason: str


@dataclass(frozen=True)
class Manifest:
    """Content of ``manifest.json``.

    Attributes:
        format: version of the folder.
        study: its name.
        created: UTC, ISO 8601.
        versions: of dse, python and the libraries that change an answer.
        host: processor, cores, system.
        settings: of the search (`dse.study.settings.SearchSettings` as plain data).
        space: the whole search space (`searchspaces.space.SearchSpace.to_dict`).
        technology: every constant of the technology.
        digests: of ``space``, ``data``, ``technology`` and training ``code``.
        data: name, title and class count of the data set.
        reference: frozen reference point, metric column to value.
        machines: size of the accelerator space.
        sessions: oldest first.
        refined: what was trained again, oldest first: settings, numbers, when the test set was touched.
    """

    format: int
    study: str
    created: str
    versions: dict[str, str]
    host: dict[str, Any]
    settings: dict[str, Any]
    space: dict[str, Any]
    technology: dict[str, Any]
    digests: dict[str, str]
    data: dict[str, Any]
    reference: dict[str, float]
    machines: int
    sessions: tuple[Session, ...] = ()
    refined: tuple[dict[str, Any], ...] = ()

    @property
    def seconds(self) -> float:
        """Search time of all sessions."""
        return sum(session.seconds for session in self.sessions)

    @property
    def stop_reason(self) -> str:
        """Why the last session ended; empty while it runs or where it was killed."""
        return self.sessions[-1].stop_reason if self.sessions else ""

    def with_session(self, session: Session) -> "Manifest":
        """The manifest with one more session, or with that session brought up to date."""
        others = tuple(s for s in self.sessions if (s.started, s.pid) != (session.started, session.pid))
        return replace(self, sessions=(*others, session))

    def write(self, path: Path) -> None:
        """Write ``manifest.json`` whole."""
        write_json(path, asdict(self))


def read_manifest(path: Path) -> Manifest:
    """The manifest at ``path``.

    Raises:
        StudyError: missing, damaged, of something else, or written by a newer dse.
    """
    data = read_json(path)
    version = data.get("format") if isinstance(data, dict) else None
    if not isinstance(version, int) or "study" not in data:
        raise StudyError(f"{path} must be the manifest of a study, not of something else; name a folder under results/")
    if version > FORMAT:
        raise StudyError(f"{path} must be of format {FORMAT} or older, not {version}; install a newer dse to read it")
    missing = [f.name for f in fields(Manifest) if f.name not in data]
    if missing:
        raise StudyError(f"{path} must hold {', '.join(missing)}; the file is damaged, restore it from a copy")
    try:
        return as_kind(data, Manifest)
    except ValueError as error:
        raise StudyError(f"{path} must be as it was written, not damaged ({error}); restore it from a copy") from error
