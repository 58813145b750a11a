"""The search itself: start or resume, keep the workers busy, stop for a reason, leave a whole study behind."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dse.errors import StudyError
from dse.results.folder import StudyFolder, open_study
from dse.results.lock import locked
from dse.results.records import FrontPoint
from dse.results.reference import Reference
from dse.study import storage
from dse.study.fresh import new_manifest, now_utc, staged, study_path
from dse.study.interrupt import Interrupt, watched
from dse.study.joint import Joint
from dse.study.mode import Mode
from dse.study.nested import Nested
from dse.study.pricing import Evaluate
from dse.study.problem import Problem, cache_folder, new_problem, saved_problem
from dse.study.progress import OnProgress, silent
from dse.study.reference_point import freeze
from dse.study.room import kept_in
from dse.study.session import SearchSession, open_session
from dse.study.settings import SearchSettings
from dse.study.told import told_of
from dse.tasks import Trainers
from dse.worker import WorkerSettings
from dse.workers import WorkerPool

MakeTrainers = Callable[[WorkerSettings, int, Path], Trainers]


@dataclass(frozen=True)
class StudyResult:
    """What a search left behind.

    Attributes:
        folder: of the study.
        front: best in the first objective first.
        trained: distinct networks with a score, of all sessions.
        cached: of those, known from the cache.
        failed: networks whose training came to nothing.
        forbidden: networks that constraints ruled out before the training.
        stop_reason: ``trials``, ``timeout``, ``converged``, ``interrupted`` or ``exhausted`` (the space has no more
            networks).
        seconds: search time of all sessions.
    """

    folder: StudyFolder
    front: tuple[FrontPoint, ...]
    trained: int
    cached: int
    failed: int
    forbidden: int
    stop_reason: str
    seconds: float


def run_search(
    settings: SearchSettings,
    on_progress: OnProgress = silent,
    *,
    make_trainers: MakeTrainers = WorkerPool,
    evaluate: Evaluate | None = None,
) -> StudyResult:
    """Search a space and keep everything in a new folder under ``settings.results_dir``.

    Args:
        settings: what to search.
        on_progress: told after every event.
        make_trainers: worker processes, unless a test brings its own.
        evaluate: the cost model, unless a test brings its own.

    Raises:
        InputError: something the user gave cannot be used; then nothing was written.
    """
    problem = new_problem(settings, evaluate)
    now = now_utc()
    path = study_path(settings, problem, now)
    reference = _reference(problem)
    with staged(path) as staging, opened_trainers(problem, make_trainers, staging) as trainers, watched() as interrupt:
        about = trainers.start()
        manifest = new_manifest(path, problem, reference, about, now)
        mode = _mode(problem, reference, StudyFolder(path))
        told = mode.told
        database = storage.create(staging / "study.db", told.directions, told.titles, {"settings": settings.to_dict()})
        storage.close(database)
        manifest.write(staging / "manifest.json")
        with locked(staging), kept_in(path):
            staging.rename(path)
            trainers.logs = path / "logs"
            return _searched(problem, StudyFolder(path), trainers, mode, interrupt, on_progress)


def resume(
    path: Path,
    on_progress: OnProgress = silent,
    *,
    trials: int | None = None,
    timeout_s: float | None = None,
    until_converged: bool | None = None,
    workers: int | None = None,
    device: str | None = None,
    data_dir: Path | None = None,
    make_trainers: MakeTrainers = WorkerPool,
    evaluate: Evaluate | None = None,
) -> StudyResult:
    """Go on with a study, with another budget if one is given (``trials`` counts those of all sessions).

    Raises:
        InputError: no study, a damaged or newer one, one in use, or data, technology or space are not what they were.
    """
    folder = open_study(path)
    settings = SearchSettings.from_dict(folder.manifest.settings, path).with_budget(
        trials=trials,
        timeout_s=timeout_s,
        until_converged=until_converged,
        workers=workers,
        device=device,
        data_dir=data_dir,
    )
    problem = saved_problem(folder, settings, evaluate)
    with locked(path):
        storage.close(storage.load(folder.database))
        with kept_in(path), opened_trainers(problem, make_trainers, path) as trainers, watched() as interrupt:
            about = trainers.start()
            check_same_data(folder, about)
            folder.repair()
            folder.write_manifest(replace(folder.manifest, settings=settings.to_dict()))
            mode = _mode(problem, folder.reference, folder)
            return _searched(problem, folder, trainers, mode, interrupt, on_progress)


def _reference(problem: Problem) -> Reference:
    """The frozen reference point."""
    reference = freeze(problem.space.network, problem.pricer)
    if reference is None:
        raise StudyError(
            f"accelerator space of {problem.space.name} must hold a machine that runs some network, but none runs any "
            "of those tried; make its buffers larger"
        )
    return reference


def _mode(problem: Problem, reference: Reference, folder: StudyFolder) -> Mode:
    nested = problem.settings.mode == "nested"
    told = told_of(problem.objectives, nested, reference)
    if nested:
        return Nested(problem.space.network, told, bool(problem.constraints))
    return Joint(problem.space, told, problem.pricer, folder)


@contextmanager
def opened_trainers(problem: Problem, make: MakeTrainers, folder: Path) -> Iterator[Trainers]:
    """Workers for the problem, closed at the end."""
    settings = problem.settings
    worker = WorkerSettings(
        dataset=problem.dataset,
        data_dir=str(settings.data_dir) if settings.data_dir else None,
        cache=str(cache_folder(settings)),
        device=settings.device,
        threads=settings.threads,
    )
    trainers = make(worker, settings.slots, folder / "logs")
    try:
        yield trainers
    finally:
        trainers.shutdown()


def check_same_data(folder: StudyFolder, about: dict[str, Any]) -> None:
    """The data are those the study began with. Other training code is allowed: scores carry its version."""
    was, now = folder.manifest.digests["data"], about["data_digest"]
    if was != now:
        raise StudyError(
            f"data of {folder.path} must be those it began with ({was}), not {now}; name their folder with --data-dir"
        )


def _searched(
    problem: Problem,
    folder: StudyFolder,
    trainers: Trainers,
    mode: Mode,
    interrupt: Interrupt,
    on_progress: OnProgress,
) -> StudyResult:
    """One session on a study folder that is locked and whole."""
    study = storage.written_by_one(folder.database)
    try:
        search = open_session(problem, folder, trainers, mode, interrupt, on_progress, study)
        folder.write_manifest(folder.manifest.with_session(search.session))
        search.proposer.recover()
        try:
            search.run()
        finally:
            search.ledger.write_tables()
            reason = search.stop or "interrupted"
            folder.write_manifest(folder.manifest.with_session(search.finished_session(reason)))
        search.report("done")
        return _result(search)
    finally:
        storage.close(study)


def _result(search: SearchSession) -> StudyResult:
    ledger = search.ledger
    return StudyResult(
        folder=search.folder,
        front=ledger.front(),
        trained=len(ledger.networks),
        cached=sum(record.cached for record in ledger.networks),
        failed=len(ledger.failed),
        forbidden=len(ledger.forbidden),
        stop_reason=search.stop,
        seconds=search.clock.total_s(),
    )
