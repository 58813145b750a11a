"""The question a search asks, with every name resolved: space, data set, technology, machines."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from costmodels.errors import InputError
from dse.errors import StudyError
from dse.objectives import Constraint, Objective
from dse.results.folder import StudyFolder
from dse.study.pricing import Evaluate, Pricer, technology_of
from dse.study.settings import SearchSettings
from searchspaces.space import SearchSpace, load_space

if TYPE_CHECKING:
    from costmodels.technology import Technology


@dataclass(frozen=True, eq=False)
class Problem:
    """What is searched.

    Attributes:
        settings: the user's.
        space: networks, machines, recipes.
        dataset: name.
        technology: of the cost model.
        pricer: prices the whole accelerator space.
    """

    settings: SearchSettings
    space: SearchSpace
    dataset: str
    technology: "Technology"
    pricer: Pricer

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """Of the search."""
        return self.settings.parsed_objectives

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        """Of the search."""
        return self.settings.parsed_constraints

    def digests(self, data: str, code: str) -> dict[str, str]:
        """What changes an answer, with what the workers say of data and code."""
        return {"space": self.space.digest(), "data": data, "technology": self.technology.digest(), "code": code}


def new_problem(settings: SearchSettings, evaluate: Evaluate | None = None) -> Problem:
    """The problem that the settings of a new search pose.

    Raises:
        InputError: the space, data set or technology does not exist or they do not fit.
    """
    space = load_space(settings.space)
    return _problem(settings, space, evaluate)


def saved_problem(folder: StudyFolder, settings: SearchSettings, evaluate: Evaluate | None = None) -> Problem:
    """The problem of a study, from what its manifest holds.

    Raises:
        StudyError: the technology it was priced with has changed since.
    """
    space = SearchSpace.from_dict(folder.manifest.space, f"{folder.path / 'manifest.json'}")
    problem = _problem(settings, space, evaluate)
    was, now = folder.manifest.digests["technology"], problem.technology.digest()
    if was != now:
        raise StudyError(
            f"technology of {folder.path} must be the one it was priced with ({was[:12]}), not {now[:12]}; "
            f"price its networks anew with: dse recost {folder.path}"
        )
    return problem


def _problem(settings: SearchSettings, space: SearchSpace, evaluate: Evaluate | None) -> Problem:
    dataset = settings.dataset or space.dataset
    _check_shape(space, dataset, settings.data_dir)
    technology = technology_of(space.technology, settings.technology, settings.dram_pj_per_bit)
    pricer = Pricer(
        space.accelerator.enumerate(), technology, settings.parsed_objectives, settings.parsed_constraints, evaluate
    )
    return Problem(settings, space, dataset, technology, pricer)


def _check_shape(space: SearchSpace, dataset: str, data_dir: Path | None) -> None:
    """The data set's images are what the space's networks read."""
    from dse.data.own import facts

    found, images = facts(dataset, data_dir), space.network.images
    compared: dict[str, tuple[Any, Any]] = {
        "images of": (found.input_shape, images.input_shape),
        "bits of a pixel of": (found.input_bits, images.input_bits),
        "classes of": (found.classes, images.classes),
        "a static input of": (found.static_input, images.static_input),
    }
    wrong = [f"{what} {dataset} must be {b}, not {a}" for what, (a, b) in compared.items() if a != b]
    if wrong:
        raise InputError("\n".join(f"{line} (space {space.name}, made for {space.dataset})" for line in wrong))


def cache_folder(settings: SearchSettings) -> Path:
    """Where trained networks are kept."""
    if settings.cache_dir:
        return settings.cache_dir
    from dse.data.folder import cache_folder as data_cache

    return data_cache().parent / "networks"
