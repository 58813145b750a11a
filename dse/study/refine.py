"""Train networks of the front again at length, price them again, and only then ask the test set, once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dse.errors import StudyError
from dse.results.folder import StudyFolder, open_study
from dse.results.lines import write_json
from dse.results.lock import locked
from dse.results.records import FrontPoint, NetworkRecord
from dse.results.refined import RefinedRow, refined_rows
from dse.results.tables import write_front
from dse.score import Failed, NetworkScore
from dse.study.fresh import now_utc
from dse.study.interrupt import Interrupt, watched
from dse.study.ledger import priced_record
from dse.study.pricing import Evaluate
from dse.study.problem import Problem, saved_problem
from dse.study.progress import OnProgress, Phase, Progress, silent
from dse.study.room import kept_in
from dse.study.search import MakeTrainers, check_same_data, opened_trainers
from dse.study.session import LOOK_EVERY_S, Clock
from dse.study.settings import SearchSettings
from dse.study.spread import spread_networks
from dse.tasks import Flight, Outcome, Task, Trainers
from dse.workers import WorkerPool


@dataclass(frozen=True)
class RefineResult:
    """What a refinement left behind.

    Attributes:
        folder: of the study.
        rows: every refined network at every fidelity, by number.
        front: of the refined networks.
        failed: number of the network to why its longer training came to nothing.
        stop_reason: ``done`` or ``interrupted``; asked again, the refinement goes on.
    """

    folder: StudyFolder
    rows: tuple[RefinedRow, ...]
    front: tuple[FrontPoint, ...]
    failed: dict[int, Failed]
    stop_reason: str


def refine(
    study: Path,
    count: int,
    on_progress: OnProgress = silent,
    *,
    workers: int | None = None,
    device: str | None = None,
    data_dir: Path | None = None,
    make_trainers: MakeTrainers = WorkerPool,
    evaluate: Evaluate | None = None,
) -> RefineResult:
    """Refine ``count`` networks spread over the front, the most accurate and the cheapest always among them.

    What was refined or tested before is not done again.

    Raises:
        InputError: no study, or one in use, or its data or technology are not what they were.
    """
    folder = open_study(study)
    settings = SearchSettings.from_dict(folder.manifest.settings, study).with_budget(
        workers=workers, device=device, data_dir=data_dir
    )
    problem = saved_problem(folder, settings, evaluate)
    numbers = spread_networks(folder.front(), folder.objectives, folder.reference, count)
    if not numbers and count:
        raise StudyError(
            f"front of {study} must hold a network to refine, but is empty; search on or relax constraints"
        )
    with locked(study), opened_trainers(problem, make_trainers, study) as trainers, watched() as interrupt:
        check_same_data(folder, trainers.start())
        with kept_in(study):
            folder.repair()
            return _refined(problem, folder, trainers, interrupt, on_progress, numbers)


@dataclass(eq=False)
class _Refinement:
    """Tasks of one refinement, and what came of them."""

    problem: Problem
    folder: StudyFolder
    trainers: Trainers
    interrupt: Interrupt
    on_progress: OnProgress
    records: Mapping[int, NetworkRecord]
    clock: Clock
    failed: dict[int, Failed] = field(default_factory=dict)

    def train(self, numbers: Iterable[int]) -> None:
        """Train and price those that have not been."""
        known = {record.number for record in self.folder.refined()}
        recipe, seed = self.problem.space.refine, self.problem.settings.seed
        tasks = [Task(n, self.records[n].genome, recipe, seed) for n in numbers if n not in known]
        for outcome in self._outcomes(tasks, "refining"):
            self._keep(outcome)

    def test(self, numbers: Iterable[int]) -> None:
        """Score on the test set those that were refined and have not been tested; each once for ever."""
        tested, refined = self.folder.test_scores(), {r.number: r for r in self.folder.refined(masks=True)}
        recipe, seed = self.problem.space.refine, self.problem.settings.seed
        wanted = [n for n in numbers if n in refined and n not in tested]
        tasks = [Task(n, refined[n].genome, recipe, seed, "test", refined[n].score) for n in wanted]
        for outcome in self._outcomes(tasks, "testing"):
            if isinstance(outcome.result, dict):
                self.folder.add_test(outcome.task.id, outcome.result)
            elif isinstance(outcome.result, Failed):
                self.failed[outcome.task.id] = outcome.result

    def _keep(self, outcome: Outcome) -> None:
        number = outcome.task.id
        if isinstance(outcome.result, NetworkScore):
            short = self.records[number]
            record = priced_record(
                self.problem.pricer,
                number,
                short.trial,
                short.genome,
                short.params,
                outcome.result,
                outcome.cached,
                self.clock.session_s(),
            )
            self.folder.add_refined(replace(record, fidelity="refined"))
        elif isinstance(outcome.result, Failed):
            self.failed[number] = outcome.result

    def _outcomes(self, tasks: list[Task], phase: Phase) -> Iterable[Outcome]:
        """Hand out the tasks and yield what comes back, until all is in or somebody asks to stop."""
        flight = Flight(self.trainers)
        for task in tasks:
            flight.submit(task)
        left = len(tasks)
        self._report(phase, len(tasks), left)
        while left and not self.interrupt.asked:
            for outcome in flight.outcomes(LOOK_EVERY_S):
                left -= 1
                yield outcome
                self._report(phase, len(tasks), left)

    def _report(self, phase: Phase, total: int, left: int) -> None:
        elapsed_s, done = self.clock.session_s(), total - left
        self.on_progress(
            Progress(
                phase=phase,
                done=done - len(self.failed),
                failed=len(self.failed),
                cached=0,
                forbidden=0,
                repeats=0,
                running=min(left, self.trainers.slots),
                budget=total,
                best={},
                hypervolume=0.0,
                front_size=0,
                elapsed_s=elapsed_s,
                left_s=elapsed_s / done * left if done else None,
            )
        )


def _refined(
    problem: Problem,
    folder: StudyFolder,
    trainers: Trainers,
    interrupt: Interrupt,
    on_progress: OnProgress,
    numbers: tuple[int, ...],
) -> RefineResult:
    """Train, price, write the front, and then test."""
    records = {record.number: record for record in folder.networks()}
    work = _Refinement(problem, folder, trainers, interrupt, on_progress, records, Clock.starting())
    work.train(numbers)
    front = folder.refined_front()
    write_front(
        folder.path, front, folder.objectives, folder.constraints, folder.manifest.reference, stem="refined-front"
    )
    if not interrupt.asked:
        touched = now_utc().isoformat(timespec="seconds")
        work.test(numbers)
        _note(folder, problem, numbers, work.failed, touched)
    rows = refined_rows(folder)
    write_json(folder.path / "refined.json", {"format": 1, "networks": [row.to_dict() for row in rows]})
    return RefineResult(folder, rows, front, work.failed, "interrupted" if interrupt.asked else "done")


def _note(
    folder: StudyFolder, problem: Problem, numbers: tuple[int, ...], failed: Mapping[int, Failed], touched: str
) -> None:
    """Say in the manifest which networks were refined, with what recipe, and when the test set was asked."""
    entry: dict[str, Any] = {
        "networks": list(numbers),
        "recipe": problem.space.refine.digest(),
        "failed": {str(number): vars(failure) for number, failure in failed.items()},
        "test_asked": touched,
        "tested": sorted(folder.test_scores()),
    }
    folder.write_manifest(replace(folder.manifest, refined=(*folder.manifest.refined, entry)))
