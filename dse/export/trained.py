"""One network of a study with its trained weights: from the cache, or trained again where the cache has lost them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from costmodels.accelerator import AcceleratorConfig
from dse.cache import ScoreCache, score_key
from dse.data import Dataset, load
from dse.errors import StudyError
from dse.export.integer_network import IntegerNetwork
from dse.results.folder import StudyFolder
from dse.results.records import NetworkRecord
from dse.score import Failed, NetworkScore
from dse.study.problem import cache_folder
from dse.study.settings import SearchSettings
from dse.words import share_words
from searchspaces.recipe import Recipe
from searchspaces.space import SearchSpace

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """What an export starts from.

    Attributes:
        study: where it was found.
        point: the id that was asked for, ``NETWORK`` or ``NETWORK-MACHINE``.
        record: of the study.
        recipe: that it was trained by.
        score: of the entry of ``cache`` that holds its weights; equal to the record's unless it was trained again.
        cache: where the weights lie.
        machine: of the id; None where it names a network alone.
        settings: of the study, with the data folder that was asked for.
        dataset_name: what it was trained on.
    """

    study: StudyFolder
    point: str
    record: NetworkRecord
    recipe: Recipe
    score: NetworkScore
    cache: ScoreCache
    machine: AcceleratorConfig | None
    settings: SearchSettings
    dataset_name: str

    @property
    def integer_network(self) -> IntegerNetwork:
        """The folded network."""
        return self.cache.integer_network(self.score)

    def dataset(self) -> Dataset:
        """Training and validation samples, the same that it was trained on.

        Raises:
            InputError: they are missing or others.
        """
        return _same_data(self.study, self.dataset_name, self.settings)


def find_trained(
    study: StudyFolder,
    point: str,
    refined: bool,
    say: Say,
    data_dir: Path | None = None,
    cache_dir: Path | None = None,
) -> TrainedNetwork:
    """The network of an id; ``say`` is told when it must be trained again, and what came of it.

    Raises:
        InputError: no such network or machine; or its weights are gone and its data are missing.
    """
    record = study.record(point.partition("-")[0], refined)
    machine = study.machine(point) if "-" in point else None
    settings = SearchSettings.from_dict(study.manifest.settings, study.path)
    settings = settings.with_budget(data_dir=data_dir)
    space = SearchSpace.from_dict(study.manifest.space, str(study.path / "manifest.json"))
    recipe = space.refine if refined else space.short
    dataset_name = settings.dataset or space.dataset
    cache = ScoreCache(cache_dir or cache_folder(settings))
    score = cache.get(score_key(record.score))
    if score is None:
        seed = record.score.seed
        say(f"the weights of network {record.number} are not in {cache.folder}: training it again, seed {seed}")
        score = _again(record, recipe, _same_data(study, dataset_name, settings), cache, settings)
        say(_compared(record.score, score))
    return TrainedNetwork(study, point, record, recipe, score, cache, machine, settings, dataset_name)


def _same_data(study: StudyFolder, name: str, settings: SearchSettings) -> Dataset:
    dataset = load(name, settings.data_dir)
    was = study.manifest.digests["data"]
    if dataset.digest != was:
        raise StudyError(
            f"data set {name} must be the one that {study.path} was trained on ({was}), not {dataset.digest}; "
            "name its folder with --data-dir"
        )
    return dataset


def _again(
    record: NetworkRecord, recipe: Recipe, dataset: Dataset, cache: ScoreCache, settings: SearchSettings
) -> NetworkScore:
    from dse.training.run import train

    score = train(record.genome, dataset, recipe, record.score.seed, cache, settings.device, settings.threads)
    if isinstance(score, Failed):
        raise StudyError(f"network {record.number} must train again, but {score.reason}: {score.message}")
    return score


def _compared(was: NetworkScore, now: NetworkScore) -> str:
    """What the second training came to."""
    found = share_words(now.deployed_correct, now.samples)
    if now.deployed_correct == was.deployed_correct:
        return f"trained again: deployed accuracy {found}, as recorded"
    return f"trained again: deployed accuracy {found}, recorded {share_words(was.deployed_correct, was.samples)}"
