"""Train what a plan asks, seed by seed, and keep every outcome: stopped at any moment, it goes on where it was."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dse.cache import ScoreCache, code_version
from dse.data import load, load_test
from dse.data.dataset import Dataset, Split
from dse.reproduction.plan import Plan, Training
from dse.reproduction.quantities import STEPS, UNTRAINED, Outcome
from dse.reproduction.record import Identity, Record
from dse.reproduction.table import Line, table
from dse.results.lock import locked
from dse.score import Failed
from dse.study.fresh import host, now_utc, versions
from dse.study.interrupt import Interrupt, watched

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Data:
    """One data set, its parts loaded when they are first asked for."""

    name: str
    folder: Path | None

    @cached_property
    def known(self) -> Dataset:
        """Training and validation samples."""
        return load(self.name, self.folder)

    @cached_property
    def test(self) -> Split:
        """Test samples."""
        return load_test(self.name, self.folder)


@dataclass(frozen=True)
class Place:
    """Where a reproduction reads and writes, and what it computes on."""

    record: Record
    cache: ScoreCache
    data_dir: Path | None
    device: str


@dataclass(frozen=True)
class Reproduction:
    """What came of it: the table so far, what failed by (network, data set, seed), and whether somebody stopped it."""

    lines: tuple[Line, ...]
    failed: dict[tuple[str, str, int], Failed]
    interrupted: bool


def reproduce(plan: Plan, place: Place, tell: Tell) -> Reproduction:
    """Train what is not trained yet, the first seed of every network before the second of any.

    The table is written where the plan has every row; the outcomes are kept in any case.

    Raises:
        DataError: a data set is missing or spoilt.
    """
    trainings = [plan.trainings[key] for key in trained_keys(plan)]
    data = {name: Data(name, place.data_dir) for name in dict.fromkeys(t.dataset for t in trainings)}
    identities = {t.key: Identity.of(t, data[t.dataset].known.digest, code_version()) for t in trainings}
    about = session(plan, place, data)
    place.record.folder.mkdir(parents=True, exist_ok=True)
    with locked(place.record.folder), watched() as interrupt:
        place.record.repair()
        place.record.note_session(about)
        failed = train_missing(plan, place, data, identities, interrupt, tell)
        lines = table(plan, place.record.outcomes(identities))
        if plan.whole:
            place.record.write(lines)
        told = {" ".join(map(str, key)): vars(failure) for key, failure in failed.items()}
        place.record.note_session({**about, "finished": _now(), "failed": told})
    return Reproduction(lines, failed, interrupt.asked)


def train_missing(
    plan: Plan,
    place: Place,
    data: dict[str, Data],
    identities: dict[tuple[str, str], Identity],
    interrupt: Interrupt,
    tell: Tell,
) -> dict[tuple[str, str, int], Failed]:
    """Train and keep what is not kept yet, until all is or somebody asks to stop; what failed."""
    failed: dict[tuple[str, str, int], Failed] = {}
    tasks = [(plan.trainings[key], seed) for seed in plan.seeds for key in identities]
    for number, (training, seed) in enumerate(tasks, start=1):
        identity, told = identities[training.key], f"{number} of {len(tasks)}: {training.words}, seed {seed}"
        if interrupt.asked or place.record.has(identity, training.dataset, seed):
            continue
        found = attempt(training, data[training.dataset], seed, place)
        if isinstance(found, Failed):
            failed[*training.key, seed] = found
            tell(f"{told}: {found.reason}, {found.message}")
            continue
        place.record.add(training, identity, found)
        tell(f"{told}: {found.accuracy:.2f} %")
        if plan.whole:
            place.record.write(table(plan, place.record.outcomes(identities)))
    return failed


def trained_keys(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Of the trainings that a row asks the answers of; other rows are counted on the networks alone."""
    asked = [(row, dataset) for row, dataset in plan.cells() if row.quantity not in UNTRAINED]
    return tuple(dict.fromkeys((network, dataset) for row, dataset in asked for network in row.networks))


def attempt(training: Training, data: Data, seed: int, place: Place) -> Outcome | Failed:
    """Train one network, or take it from the cache, and ask the test set."""
    from dse.training.run import answers_by_steps, test, train, training_loss

    genome = training.genome
    score = train(genome, data.known, training.recipe, seed, place.cache, place.device)
    if isinstance(score, Failed):
        return score
    steps = STEPS if genome.route == "conversion" else ()
    answer = test(genome, score, place.cache, data.test, place.device)
    return Outcome(
        seed=seed,
        correct=answer.correct,
        deployed_correct=answer.deployed_correct,
        samples=answer.samples,
        training_loss=training_loss(genome, score, place.cache, data.known.train, training.recipe, place.device),
        seconds=round(score.seconds, 1),
        binarised=score.binarised,
        by_steps=answers_by_steps(genome, score, place.cache, data.test, steps, place.device),
    )


def session(plan: Plan, place: Place, data: dict[str, Data]) -> dict[str, Any]:
    """One stretch of work as it begins, for the manifest."""
    return {
        "started": _now(),
        "finished": "",
        "rows": [row.name for row in plan.rows],
        "seeds": list(plan.seeds),
        "device": place.device,
        "code": code_version(),
        "data": {name: {"title": one.known.title, "digest": one.known.digest} for name, one in data.items()},
        "versions": versions(),
        "host": {key: value for key, value in host().items() if key != "name"},
        "failed": {},
    }


def _now() -> str:
    return now_utc().isoformat(timespec="seconds")
