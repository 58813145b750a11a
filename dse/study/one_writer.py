"""A study that this process alone changes: read from memory, while every change goes to the database first.

Optuna's own cache reads each trial in training from the database at every proposal, and commits once a parameter.
"""

from collections.abc import Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.storages import InMemoryStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState


class OneWriter(InMemoryStorage):
    """The first study of ``database``. Intermediate values, which a search never reports, would stay in memory.

    A trial that is being asked for is written whole, before anything else is: a kill before that leaves nothing of a
    proposal that nobody has seen.
    """

    def __init__(self, database: RDBStorage) -> None:
        super().__init__()
        self.database = database
        self._asked: int | None = None
        (kept,) = database.get_all_studies()
        self._row = kept._study_id
        study = super().create_new_study(kept.directions, kept.study_name)
        for key, value in kept.user_attrs.items():
            super().set_study_user_attr(study, key, value)
        for key, value in kept.system_attrs.items():
            super().set_study_system_attr(study, key, value)
        self._rows = [self._read(study, trial) for trial in database.get_all_trials(self._row, deepcopy=False)]

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """A trial that is asked for, or one that is given and written at once."""
        self._keep()
        self._asked = trial = super().create_new_trial(study_id, template_trial)
        if template_trial is not None:
            self._keep()
        return trial

    def set_trial_param(self, trial_id: int, name: str, value: float, distribution: BaseDistribution) -> None:
        """One parameter, in Optuna's inner form."""
        if trial_id != self._asked:
            self.database.set_trial_param(self._rows[trial_id], name, value, distribution)
        super().set_trial_param(trial_id, name, value, distribution)

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        """How a trial ends, or that a waiting one begins."""
        self._keep()
        written = self.database.set_trial_state_values(self._rows[trial_id], state, values)
        return written and super().set_trial_state_values(trial_id, state, values)

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        """What a search says of a trial."""
        self._keep()
        self.database.set_trial_user_attr(self._rows[trial_id], key, value)
        super().set_trial_user_attr(trial_id, key, value)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """What Optuna says of a trial."""
        self._keep()
        self.database.set_trial_system_attr(self._rows[trial_id], key, value)
        super().set_trial_system_attr(trial_id, key, value)

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        """What a sampler says of the study."""
        self.database.set_study_system_attr(self._row, key, value)
        super().set_study_system_attr(study_id, key, value)

    def _read(self, study: int, trial: FrozenTrial) -> int:
        """Take a trial of the database; its row there."""
        row = trial._trial_id
        super().create_new_trial(study, trial)
        return row

    def _keep(self) -> None:
        """Write the trial that is being asked for, if there is one."""
        if self._asked is not None:
            self._rows.append(self.database.create_new_trial(self._row, self.get_trial(self._asked)))
            self._asked = None
