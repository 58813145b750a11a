"""What the user asks of a search, checked before anything is written."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

from costmodels.errors import InputError
from dse.objectives import DEFAULT_OBJECTIVES, Constraint, Objective, parse_constraint, parse_objectives

MODES = ("nested", "joint")
SAMPLERS = ("auto", "gp", "tpe", "nsga2", "nsga3", "random")

MOST_WORKERS = 8
"""More are started only when asked for: each holds torch and the data, about half a GiB."""


class SettingsError(InputError):
    """A setting of the search holds a value it cannot have."""


@dataclass(frozen=True)
class SearchSettings:
    """Settings of one search.

    Attributes:
        space: preset or TOML file.
        dataset: in place of the one the space names; its images must have the same shape.
        data_dir: folder of downloaded data; None is the default place.
        objectives: names, the first orders the front.
        constraints: texts such as ``"area_mm2<=0.8"``.
        mode: ``nested`` prices every machine for each proposed network, ``joint`` proposes both.
        sampler: one of `SAMPLERS`.
        trials: distinct networks to ask for, whether trained, failed or known from the cache. Proposals that repeat a
            network, and those that a constraint forbids before the training, do not count.
        timeout_s: no network is proposed after this many seconds of a session; None is no bound.
        until_converged: no network is proposed once the model expects too little of the next (`dse.study.converged`).
        workers: training processes; None is one for every core, at most `MOST_WORKERS`; threads share what is left.
        seed: of every random choice.
        device: ``auto``, ``cpu`` or ``cuda``.
        results_dir: folder of studies.
        name: of the study; None makes a fresh one.
        cache_dir: folder of trained networks; None is the user's.
        technology: preset or TOML file in place of the space's.
        dram_pj_per_bit: in place of the technology's.
    """

    space: str = "digits"
    dataset: str | None = None
    data_dir: Path | None = None
    objectives: tuple[str, ...] = DEFAULT_OBJECTIVES
    constraints: tuple[str, ...] = ()
    mode: str = "nested"
    sampler: str = "auto"
    trials: int = 40
    timeout_s: float | None = None
    until_converged: bool = False
    workers: int | None = None
    seed: int = 0
    device: str = "auto"
    results_dir: Path = Path("results")
    name: str | None = None
    cache_dir: Path | None = None
    technology: str | None = None
    dram_pj_per_bit: float | None = None

    def __post_init__(self) -> None:
        problems = [*self._problems()]
        if problems:
            raise SettingsError("\n".join(problems))

    def _problems(self) -> Sequence[str]:
        """Every rule that is broken, in words."""
        problems = [_choice("mode", self.mode, MODES), _choice("sampler", self.sampler, SAMPLERS)]
        problems += [_least("trials", self.trials, 1), _least("workers", self.workers, 1), _least("seed", self.seed, 0)]
        problems += [_least("timeout", self.timeout_s, 0), _least("dram", self.dram_pj_per_bit, 0)]
        if self.until_converged and (self.mode, self.sampler) != ("nested", "auto"):
            problems.append(
                "until-converged must go with mode nested and sampler auto, whose model knows what to expect, "
                f"not mode {self.mode} and sampler {self.sampler}"
            )
        if self.name is not None and (self.name in ("", ".", "..") or Path(self.name).name != self.name):
            problems.append(f"name must be one folder name, not {self.name!r}")
        for check in (lambda: self.parsed_objectives, lambda: self.parsed_constraints):
            try:
                check()
            except InputError as error:
                problems.append(str(error))
        return [problem for problem in problems if problem]

    @property
    def parsed_objectives(self) -> tuple[Objective, ...]:
        """The objectives by name."""
        return parse_objectives(self.objectives)

    @property
    def parsed_constraints(self) -> tuple[Constraint, ...]:
        """The constraints by text."""
        return tuple(parse_constraint(text) for text in self.constraints)

    @property
    def slots(self) -> int:
        """Training processes."""
        return self.workers or min(MOST_WORKERS, cores())

    @property
    def threads(self) -> int:
        """Threads of each training process."""
        return max(1, cores() // self.slots)

    def to_dict(self) -> dict[str, Any]:
        """Plain data that `from_dict` reads back, without the place of the study (``results_dir`` and ``name``)."""
        plain = {k: str(v) if isinstance(v, Path) else v for k, v in asdict(self).items()}
        del plain["results_dir"], plain["name"]
        return plain

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], folder: Path) -> Self:
        """The settings of the study in ``folder``."""
        known = {f.name for f in fields(cls)}
        given = {name: value for name, value in data.items() if name in known}
        for name in ("data_dir", "cache_dir"):
            given[name] = Path(given[name]) if given.get(name) else None
        for name in ("objectives", "constraints"):
            given[name] = tuple(given[name])
        return cls(**{**given, "results_dir": folder.parent, "name": folder.name})

    def with_budget(self, **changes: Any) -> Self:
        """These settings with another ``trials``, ``timeout_s``, ``workers`` and so on; None keeps the old one."""
        return replace(self, **{name: value for name, value in changes.items() if value is not None})


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _choice(subject: str, value: str, known: Sequence[str]) -> str:
    """What is wrong with a choice, or nothing."""
    if value in known:
        return ""
    near = get_close_matches(value, known, n=1)
    return f"{subject} must be one of {', '.join(known)}, not {value!r}" + (
        f"; did you mean {near[0]!r}?" if near else ""
    )


def _least(subject: str, value: float | None, least: float) -> str:
    """What is wrong with a number, or nothing."""
    return "" if value is None or value >= least else f"{subject} must be at least {least}, not {value}"
