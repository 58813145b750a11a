"""The search's own sampler: it proposes the network that would enlarge the front most if the model's hopes came true.

This is SMS-EGO (Ponweiser, Wagner, Biermann, Vincze, PPSN X, 2008) over a pool of networks, with three additions: the
noise of single trainings is smoothed by the model before the front is taken; what is in training counts as if it had
come out as expected; and how far a network is outside the constraints is modelled beside its values.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import FrozenTrial, TrialState

from dse.front import hypervolume, nondominated
from dse.study.encoding import decoded, distributions, encoded
from dse.study.pool import Candidate, Pool
from dse.study.surrogate import Fitted, Surrogate
from searchspaces.network import NetworkSpace

Floats = NDArray[np.float64]

HOPE = 1.0
"""Standard deviations above the mean at which a network is judged. They include the noise: a training's luck and a
network's own share cannot be told apart, so networks near the front come before those that are merely unknown."""

MODELLED = 200
"""Networks the model learns from; of more, the best and some of all others, so that a proposal's cost is bounded."""

PENDING = 100
"""Networks in training that the model takes into account, the latest ones."""

JUDGED, DRAWS = 16, 64
"""Candidates whose expected gain is estimated, and draws of each."""


@dataclass(eq=False)
class _Seen:
    """What the trials of a study say, ``n`` of them told.

    Attributes:
        told: candidates.
        values: what they gain, ``n x m``; NaN where nobody knows, as of a network that was not trained.
        violations: of the constraints, ``n``; above 0 is outside, and so is a network that no machine runs.
        pending: candidates in training.
        digests: of everything tried.
    """

    told: list[Candidate] = field(default_factory=list)
    values: Floats = field(default_factory=lambda: np.zeros((0, 1)))
    violations: Floats = field(default_factory=lambda: np.zeros(0))
    pending: list[Candidate] = field(default_factory=list)
    digests: set[str] = field(default_factory=set)

    @property
    def trained(self) -> int:
        """Networks of which something is known."""
        return int((~np.isnan(self.values)).any(axis=1).sum())

    @property
    def worth(self) -> Floats:
        """Values that count, ``n x m``: none of a network outside the constraints."""
        return np.where(self.violations[:, None] > 0, 0.0, np.nan_to_num(self.values))


class FrontSampler(BaseSampler):
    """Proposes networks of a space; see the first line of this file.

    Args:
        space: of networks.
        gains: told values as `dse.study.told.Told.gains` sees them.
        seed: of every random choice.
        startup: networks spread over the space before a model is asked.

    Attributes:
        expected_gain: hypervolume that the last proposals may be expected to add, as a share of the front's;
            infinite before the model is asked.
    """

    def __init__(self, space: NetworkSpace, gains: Callable[[Floats], Floats], seed: int, startup: int) -> None:
        self.expected_gain = float("inf")
        self._space, self._gains, self._startup = space, gains, startup
        self._draw = np.random.default_rng(seed)
        self._pool = Pool(space, self._draw)
        self._surrogate = Surrogate()
        self._random = RandomSampler(seed=seed)
        self._known: dict[int, Candidate] = {}

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Every gene with a choice."""
        return distributions(self._space.genes)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Parameters of the next network; none where the pool has no network that is new."""
        seen = self._seen(study)
        self._pool.refresh([seen.told[i].genes for i in _best(seen.worth)])
        new = self._pool.without(seen.digests.__contains__)
        if not new:
            return {}
        proposed = self._spread(seen, new) if seen.trained < self._startup else self._hopeful(seen, new)
        return encoded(self._space.genes, proposed.genes)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Drawn at random."""
        return self._random.sample_independent(study, trial, param_name, param_distribution)

    def _seen(self, study: optuna.Study) -> _Seen:
        """Everything that is told, in training or failed."""
        seen, names = _Seen(), distributions(self._space.genes).keys()
        values, violations = list[list[float]](), list[float]()
        for trial in study.get_trials(deepcopy=False):
            candidate = self._candidate(trial) if names <= trial.params.keys() else None
            if candidate is None or candidate.digest in seen.digests:
                continue
            seen.digests.add(candidate.digest)
            if trial.state == TrialState.COMPLETE:
                seen.told.append(candidate)
                values.append(trial.values)
                violations.append(trial.constraints.get("violation", float("nan")))
            elif trial.state == TrialState.RUNNING:
                seen.pending.append(candidate)
        if values:
            seen.values, seen.violations = known(self._gains(np.array(values, dtype=np.float64)), np.array(violations))
        return seen

    def _candidate(self, trial: FrozenTrial) -> Candidate:
        if trial.number not in self._known:
            self._known[trial.number] = self._pool.candidate(decoded(self._space.genes, trial.params))
        return self._known[trial.number]

    def _spread(self, seen: _Seen, new: Sequence[Candidate]) -> Candidate:
        """The candidate farthest from all that were tried; at first, any."""
        tried = [*seen.told, *seen.pending]
        if not tried:
            return new[int(self._draw.integers(len(new)))]
        places = _features(new)
        scale = np.where(places.std(axis=0) > 0, places.std(axis=0), 1.0)
        apart = [np.linalg.norm((places - candidate.features) / scale, axis=1) for candidate in tried]
        return new[int(np.min(apart, axis=0).argmax())]

    def _hopeful(self, seen: _Seen, new: Sequence[Candidate]) -> Candidate:
        """The candidate whose hoped-for values enlarge the front most."""
        rows = _modelled(seen.worth)
        data, told = _features([seen.told[i] for i in rows]), np.column_stack([seen.values, seen.violations])[rows]
        model = self._surrogate.fit(data, told)
        outside = seen.violations[rows] > 0
        if pending := seen.pending[-PENDING:]:
            data = np.concatenate([data, _features(pending)])
            told = np.concatenate([told, model.predict(data[len(told) :])[0]])
            model = self._surrogate.fit(data, told)
            outside = told[:, -1] > 0
        believed = model.predict(data[~outside])[0][:, :-1] if not outside.all() else np.zeros((0, told.shape[1] - 1))
        return self._most_gaining(model, new, Front.of(believed))

    def _most_gaining(self, model: Fitted, new: Sequence[Candidate], front: "Front") -> Candidate:
        """The most hopeful candidate; a point that another betters in every value cannot be it."""
        means, spread = model.predict(_features(new))
        least = means[:, -1] - HOPE * spread[:, -1]
        if (least > 0).all():
            return new[int(least.argmin())]
        inside = np.flatnonzero(least <= 0)
        new, means, spread = [new[i] for i in inside.tolist()], means[inside, :-1], spread[inside, :-1]
        hopes = means + HOPE * np.hypot(spread, model.noise[:-1])
        rows = np.flatnonzero(nondominated(hopes, [True] * hopes.shape[1]))
        gains = np.array([front.gain(hopes[row][None]) for row in rows])
        judged = rows[np.argsort(-gains)[:JUDGED]]
        drawn = self._draw.standard_normal((DRAWS, hopes.shape[1]))
        expected = [np.mean([front.gain(point[None]) for point in means[i] + drawn * spread[i]]) for i in judged]
        self.expected_gain = float(max(expected)) / front.volume if front.volume > 0 else float("inf")
        # Where nothing is hoped for, the candidate that is known least.
        return new[int(judged[0])] if gains.max() > 0 else new[int(spread.sum(axis=1).argmax())]


@dataclass(frozen=True, eq=False)
class Front:
    """Points that no other betters, ``n x m``, larger being better, and the hypervolume they cover above 0."""

    points: Floats
    volume: float

    @classmethod
    def of(cls, values: Floats) -> "Front":
        """The front of all ``values``."""
        points = values[nondominated(values, [True] * values.shape[1])]
        return cls(points, covered(points))

    def gain(self, more: Floats) -> float:
        """Hypervolume that further points add."""
        return covered(np.concatenate([self.points, more])) - self.volume


def covered(points: Floats) -> float:
    """Hypervolume of ``n x m`` points above 0."""
    return hypervolume(points, np.zeros(points.shape[1]), [True] * points.shape[1])


def known(gains: Floats, violations: Floats) -> tuple[Floats, Floats]:
    """Gains with NaN for what is not known, and violations of a study with constraints or without (NaN).

    What is told of a network that was not trained, or that no machine runs, is the reference point, whose gain is 0.
    """
    gains = np.where(gains == 0, np.nan, gains)
    runs = np.where(np.isnan(gains).all(axis=1), 1.0, -1.0)
    return gains, np.where(np.isnan(violations), runs, violations)


def _features(candidates: Sequence[Candidate]) -> Floats:
    return np.stack([candidate.features for candidate in candidates])


def _best(values: Floats) -> list[int]:
    """Rows of the told front."""
    return np.flatnonzero(nondominated(values, [True] * values.shape[1])).tolist()


def _modelled(values: Floats) -> NDArray[np.int64]:
    """Rows that the model learns from: all, or three quarters best ones by rank of dominance and others evenly."""
    if len(values) <= MODELLED:
        return np.arange(len(values))
    from moocore import pareto_rank

    order = np.argsort(pareto_rank(values, maximise=True), kind="stable")
    best, rest = order[: MODELLED * 3 // 4], np.sort(order[MODELLED * 3 // 4 :])
    return np.sort(np.concatenate([best, rest[:: -(-len(rest) // (MODELLED // 4))]]))
