"""The study in memory is the one in the database, after every change, and is never read from there again."""

from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, IntDistribution
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from dse.study import storage
from dse.study.samplers import make_sampler

GENES: dict[str, Any] = {"steps": IntDistribution(0, 3), "pooling": CategoricalDistribution(("or", "average", True))}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Of a fresh study of two values."""
    path = tmp_path / "study.db"
    storage.close(storage.create(path, ["maximize", "minimize"], ["gain", "cost"], {"settings": {"seed": 3}}))
    return path


def plain(trial: FrozenTrial) -> tuple[object, ...]:
    """What a study says of a trial, without Optuna's own number and the times."""
    said = (trial.params, trial.distributions, trial.user_attrs, trial.system_attrs, trial.constraints)
    return (trial.number, trial.state, trial.values, *said)


def in_database(path: Path) -> list[tuple[object, ...]]:
    study = storage.load(path)
    found = [plain(trial) for trial in study.get_trials()]
    storage.close(study)
    return found


def searched(study: optuna.Study, proposals: int, seed: int) -> None:
    """Ask, tell, fail, queue and take from the queue, as a search does, with up to four trials in training."""
    draw, running = np.random.default_rng(seed), list[optuna.trial.Trial]()
    for _ in range(proposals):
        if draw.random() < 0.2:
            study.enqueue_trial({"steps": int(draw.integers(4)), "pooling": "or"}, user_attrs={"requeued": 1})
        running.append(study.ask(GENES))
        running[-1].set_user_attr("network", dict(running[-1].params))
        if len(running) == 4:
            trial = running.pop(int(draw.integers(4)))
            trial.set_constraint("violation", float(draw.normal()))
            if draw.random() < 0.2:
                study.tell(trial, state=TrialState.FAIL)
            else:
                study.tell(trial, draw.random(2).tolist())


@pytest.mark.parametrize("sampler", ["random", "tpe", "nsga2"])
def test_memory_and_database_say_the_same(database: Path, sampler: str) -> None:
    for session in range(2):
        study = storage.written_by_one(database)
        study.sampler = make_sampler(sampler, 0, 20 * session, 40)
        searched(study, 20, session)
        trials = [plain(trial) for trial in study.get_trials()]
        attrs = study.user_attrs, study._storage.get_study_system_attrs(study._study_id), study.metric_names
        storage.close(study)
        assert trials == in_database(database)
        again = storage.load(database)
        assert attrs == (again.user_attrs, again._storage.get_study_system_attrs(again._study_id), ["gain", "cost"])
        storage.close(again)
    assert {state for _, state, *_ in trials} == {*TrialState} - {TrialState.PRUNED, TrialState.WAITING}


def test_proposals_are_those_of_optuna_s_own_storage(database: Path) -> None:
    alone = storage.written_by_one(database)
    shared = optuna.create_study(directions=alone.directions, storage=f"sqlite:///{database.with_name('shared.db')}")
    for study in (alone, shared):
        study.sampler = make_sampler("tpe", 5, 0, 40)
        searched(study, 25, 5)
    assert [plain(trial) for trial in alone.get_trials()] == [plain(trial) for trial in shared.get_trials()]


def test_nothing_is_read_again(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = storage.written_by_one(database)

    def read(*_: object, **__: object) -> None:
        raise AssertionError("the database must not be read")

    for name in ("get_all_trials", "_get_trials", "get_trial", "get_all_studies"):
        monkeypatch.setattr(RDBStorage, name, read)
    searched(study, 8, 1)
    assert len(study.get_trials()) >= 8


def test_a_kill_in_a_proposal_leaves_nothing_of_it(database: Path) -> None:
    study = storage.written_by_one(database)
    study.ask(GENES)
    assert in_database(database) == []
    second = study.ask(GENES)  # the first is written before it
    assert [number for number, *_ in in_database(database)] == [0]
    second.set_user_attr("network", {})
    assert in_database(database) == [plain(trial) for trial in study.get_trials()]
    storage.close(study)
