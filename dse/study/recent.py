"""TPE over the newest trials alone, so that a proposal after 10,000 trials costs what one after a thousand does."""

from collections.abc import Container
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, TrialState

MODELLED = 1_000
"""Finished trials that TPE learns from: 0.12 s a joint proposal, and as much again for every further thousand."""

SEEN = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)


class RecentTPE(TPESampler):
    """Optuna's, for parameters on their own, over the newest `MODELLED` finished trials and all in training."""

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """A proposal begins: what all its parameters are drawn from."""
        super().before_trial(study, trial)
        self._recent = _Recent(study)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """One parameter."""
        return super().sample_independent(self._recent, trial, param_name, param_distribution)


class _Recent(optuna.Study):
    """The study as a sampler of few trials sees it."""

    def __init__(self, study: optuna.Study) -> None:
        self.__dict__.update(vars(study))
        trials = study.get_trials(deepcopy=False, states=SEEN)
        finished = [trial.number for trial in trials if trial.state != TrialState.RUNNING]
        oldest = finished[-MODELLED] if len(finished) > MODELLED else 0
        self._newest = [trial for trial in trials if trial.number >= oldest or trial.state == TrialState.RUNNING]

    def _get_trials(
        self, deepcopy: bool = True, states: Container[TrialState] | None = None, use_cache: bool = False
    ) -> list[FrozenTrial]:
        return [trial for trial in self._newest if states is None or trial.state in states]
