"""A network of a study as a folder that stands alone (`dse.export.training_folder`)."""

from dataclasses import asdict
from pathlib import Path

from dse.data import load_test
from dse.export.trained import TrainedNetwork
from dse.export.training_folder import Counts, write_network, write_record, write_samples
from dse.words import network_words
from searchspaces.training_config import TrainingConfig


def write_training(trained: TrainedNetwork, folder: Path) -> None:
    """Write the folder; test samples only where the study tested these very weights.

    Raises:
        InputError: the data set is missing, or not the one that the network was trained on.
    """
    dataset, score, genome = trained.dataset(), trained.score, trained.record.genome
    config = TrainingConfig(
        name=f"{trained.study.name} {trained.point}",
        dataset=trained.dataset_name,
        network=genome,
        recipe=trained.recipe,
        seed=score.seed,
        description=network_words(genome),
    )
    counts = Counts(score.correct, score.deployed_correct, score.samples)
    tested = recorded_test(trained)
    write_network(folder, config, trained.cache.weights(score), trained.integer_network)
    write_samples(folder, "validation", dataset.validation, counts)
    if tested:
        write_samples(folder, "test", load_test(trained.dataset_name, trained.settings.data_dir), tested)
    write_record(
        folder,
        {
            "study": trained.study.name,
            "id": trained.point,
            "fidelity": trained.record.fidelity,
            "seed": score.seed,
            "dataset": {"name": dataset.name, "title": dataset.title, "digest": dataset.digest},
            "digests": {"genome": score.genome_digest, "recipe": score.recipe_digest, "code": score.code_version},
            "versions": trained.study.manifest.versions,
            "validation": asdict(counts),
            "test": asdict(tested) if tested else None,
        },
    )


def recorded_test(trained: TrainedNetwork) -> Counts | None:
    """What the study counted on the test set with these weights; None where it did not, or with others."""
    test = trained.study.test_scores().get(trained.record.number)
    was, now = trained.record.score, trained.score
    same = (was.correct, was.deployed_correct, was.firing_rates) == (
        now.correct,
        now.deployed_correct,
        now.firing_rates,
    )
    return Counts(**test) if test and same and trained.record.fidelity == "refined" else None
