"""Which sampler proposes, and from which seed."""

import hashlib
import warnings

from optuna.exceptions import ExperimentalWarning
from optuna.samplers import (
    BaseSampler,
    GPSampler,
    NSGAIIISampler,
    NSGAIISampler,
    RandomSampler,
)

from dse.study.recent import RecentTPE

GP_TRAININGS = 150
"""A joint ``auto`` models with a Gaussian process up to here; beyond, one proposal costs seconds and TPE takes over."""

POPULATION = 50
STARTUP = 10


def chosen(name: str, mode: str, trainings: int) -> str:
    """The sampler that ``name`` means: ``auto`` is the search's own where it can be, and changes where it cannot."""
    if name != "auto":
        return name
    if mode == "nested":
        return "front"
    return "gp" if trainings < GP_TRAININGS else "tpe"


def make_sampler(kind: str, user_seed: int, trials: int, budget: int) -> BaseSampler:
    """A sampler of that kind (see `chosen`); the Gaussian process and TPE mind the networks in training.

    Args:
        kind: ``gp``, ``tpe`` (every parameter on its own, over the newest trials), ``nsga2``, ``nsga3`` or ``random``.
        user_seed: of the search.
        trials: in the study so far; part of the seed, since the same seed would propose the same trials again.
        budget: trainings of the whole search; small ones start with fewer random proposals.
    """
    seed = derived_seed(user_seed, trials)
    startup = startup_of(budget)
    population = max(8, min(POPULATION, budget // 4))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        if kind == "gp":
            return GPSampler(seed=seed, n_startup_trials=startup, warn_independent_sampling=False)
        if kind == "tpe":
            return RecentTPE(seed=seed, n_startup_trials=startup, multivariate=False, constant_liar=True)
        if kind == "nsga2":
            return NSGAIISampler(seed=seed, population_size=population)
        if kind == "nsga3":
            return NSGAIIISampler(seed=seed, population_size=population)
    return RandomSampler(seed=seed)


def startup_of(budget: int) -> int:
    """Networks to train before a model is asked."""
    return max(4, min(STARTUP, budget // 4))


def derived_seed(user_seed: int, trials: int) -> int:
    """A seed of 31 bits that differs for every pair."""
    return int.from_bytes(hashlib.sha256(f"{user_seed}/{trials}".encode()).digest()[:4], "big") >> 1
