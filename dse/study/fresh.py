"""Make the folder of a new study: whole, or not at all."""

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dse
from dse.errors import StudyError
from dse.results.folder import is_study
from dse.results.manifest import FORMAT, Manifest
from dse.results.reference import Reference
from dse.study.problem import Problem
from dse.study.room import made_in
from dse.study.settings import SearchSettings, cores

LIBRARIES = ("torch", "optuna", "numpy", "scipy", "moocore")


def study_path(settings: SearchSettings, problem: Problem, now: datetime) -> Path:
    """Where the new study goes: the name given, or space, data set (where it is another) and time.

    Raises:
        StudyError: the place is taken.
    """
    space = problem.space.name
    kind = space if problem.dataset in (space, problem.space.dataset) else f"{space}-{problem.dataset}"
    path = settings.results_dir / (settings.name or f"{kind}-{now:%Y%m%d-%H%M%S}")
    if not path.exists():
        return path
    if settings.name is None:
        return _numbered(path)
    if is_study(path):
        raise StudyError(
            f"study {path} must be new, but exists; continue it with --resume {path}, or give another --name"
        )
    raise StudyError(f"{path} must be new, but something else lies there; give another --name")


def _numbered(path: Path) -> Path:
    """The first free name when two studies begin within a second."""
    return next(p for i in range(2, 1_000) if not (p := path.with_name(f"{path.name}-{i}")).exists())


@contextmanager
def staged(path: Path) -> Iterator[Path]:
    """A hidden folder beside ``path``, for the caller to fill and rename; removed on any error."""
    made = [p for p in (path.parent, *path.parent.parents) if not p.exists()]
    staging = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with made_in(path.parent):
            staging.mkdir(parents=True)
            yield staging
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        for parent in made:
            if parent.exists() and not any(parent.iterdir()):
                parent.rmdir()
        raise


def new_manifest(path: Path, problem: Problem, reference: Reference, about: dict[str, Any], now: datetime) -> Manifest:
    """What the study is made of; ``about`` is what the workers say of data and code."""
    return Manifest(
        format=FORMAT,
        study=path.name,
        created=now.isoformat(timespec="seconds"),
        versions=versions(),
        host=host(),
        settings=problem.settings.to_dict(),
        space=problem.space.to_dict(),
        technology=asdict(problem.technology),
        digests=problem.digests(about["data_digest"], about["code_version"]),
        data={name: value for name, value in about.items() if name not in ("data_digest", "code_version")},
        reference=dict(reference.values),
        machines=len(problem.pricer.machines),
    )


def versions() -> dict[str, str]:
    """Of everything that may change an answer."""
    return {"dse": dse.__version__, "python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


def host() -> dict[str, Any]:
    """The machine that searches."""
    return {"name": platform.node(), "system": platform.platform(), "processor": _processor(), "cores": cores()}


def _processor() -> str:
    """The processor's name where the system tells it."""
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def now_utc() -> datetime:
    """The time, for manifests."""
    return datetime.now(UTC)
