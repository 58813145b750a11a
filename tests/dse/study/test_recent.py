"""TPE over the newest trials: that of Optuna in a study which holds no others."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, IntDistribution
from optuna.samplers import TPESampler
from optuna.trial import TrialState, create_trial

from dse.study import recent
from dse.study.samplers import STARTUP, derived_seed, make_sampler

GENES: dict[str, Any] = {"steps": IntDistribution(0, 7), "pooling": CategoricalDistribution(("or", "average", True))}


RUNNING, FAILED, TOLD = range(3), range(9, 60, 10), [number for number in range(3, 60) if number % 10 != 9]


def study_of(numbers: Iterable[int], sampler: optuna.samplers.BaseSampler) -> optuna.Study:
    """Trials that follow from their numbers, the oldest in training."""
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    for number in sorted({*RUNNING, *numbers}):
        draw = np.random.default_rng(number)
        params = {"steps": int(draw.integers(8)), "pooling": GENES["pooling"].choices[int(draw.integers(3))]}
        told: dict[str, Any] = {"values": draw.random(2).tolist()}
        if number not in TOLD:
            told = {"state": TrialState.RUNNING if number in RUNNING else TrialState.FAIL}
        study.add_trial(create_trial(params=params, distributions=GENES, **told))
    return study


def proposals(study: optuna.Study) -> list[dict[str, Any]]:
    """Twenty, each in training from then on."""
    return [study.ask(GENES).params for _ in range(20)]


def plain() -> TPESampler:
    """Optuna's own, as `make_sampler` sets it up."""
    return TPESampler(seed=derived_seed(3, 60), n_startup_trials=STARTUP, multivariate=False, constant_liar=True)


@pytest.mark.parametrize("modelled", [20, 51, 1_000])
def test_proposals_are_those_of_a_study_of_the_newest_trials_and_those_in_training(
    modelled: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "MODELLED", modelled)
    whole = study_of([*TOLD, *FAILED], make_sampler("tpe", 3, 60, 100))
    assert proposals(whole) == proposals(study_of(TOLD[-modelled:], plain()))


def test_older_trials_would_change_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "MODELLED", 20)
    whole = study_of(TOLD, make_sampler("tpe", 3, 60, 100))
    assert proposals(whole) != proposals(study_of(TOLD, plain()))
