"""The model in plain torch that an export writes, against the networks it stands for: every gene, bit by bit."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from integer_examples import random_images, random_network
from small_networks import event_genome, images_for, random_genome, settled_network

from dse.export import training_folder
from dse.export.integer_network import run_integer
from dse.export.training_folder import describe, integer_tensors
from dse.training.fold import fold
from dse.training.quantise import STEP_PER_MEAN
from searchspaces.recipe import Recipe
from searchspaces.training_config import TrainingConfig

ONE_EPOCH = Recipe(epochs=1)
FILE = Path(training_folder.__file__).parent / "training" / "model.py"


@pytest.fixture(scope="module")
def plain() -> ModuleType:
    """The file as a module."""
    spec = importlib.util.spec_from_file_location("plain_model", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def twin(plain: ModuleType, network: torch.nn.Module, recipe: Recipe = ONE_EPOCH) -> torch.nn.Module:
    """The plain network with the same parameters."""
    made: torch.nn.Module = plain.Network(describe(network.genome, recipe, fold(network, word_bits=64)))
    made.load_state_dict(network.state_dict())
    return made.eval()


def test_random_genomes_meet_every_gene() -> None:
    genomes = [random_genome(seed) for seed in range(40)]
    layers = [layer for genome in genomes for layer in genome.layers]
    assert {g.pooling for g in genomes if any(layer.pool > 1 for layer in g.layers)} == {
        "or",
        "average",
        "membrane",
        "count",
    }
    assert {g.levels for g in genomes} == {1, 3, 7}
    assert {g.head for g in genomes} == {"fc", "gap"}
    assert {g.reset for g in genomes} == {"hard", "soft"}
    assert {g.timesteps for g in genomes} == {1, 2, 3, 4}
    assert {layer.weight_bits for layer in layers} == {1, 2, 4, 8}
    assert {layer.dual_threshold for layer in layers} == {True, False}
    assert {layer.prune_ratio > 0 for layer in layers if not layer.spiking} == {True, False}


@pytest.mark.parametrize("seed", range(48))
def test_spikes_and_classes_of_the_float_network_are_the_same(plain: ModuleType, seed: int) -> None:
    genome = random_genome(seed) if seed < 40 else event_genome(seed)
    network = settled_network(genome, seed)
    images = images_for(genome, 24, seed + 1)
    ours = twin(plain, network)
    with torch.no_grad():
        expected, found = network.stored_maps(images), ours.stored_maps(images)
        for name, maps in expected.items():
            assert torch.equal(found[name].flatten(0, 1).reshape(maps.shape), maps.float()), name
        torch.testing.assert_close(ours(images), network(images), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("seed", range(48))
def test_scores_and_spikes_of_the_integer_network_are_the_same(plain: ModuleType, seed: int) -> None:
    if seed < 40:
        network = random_network(seed)
        images = random_images(network, 8, seed)
    else:
        genome = event_genome(seed)
        network, images = fold(settled_network(genome, seed)), images_for(genome, 8).numpy()
    tensors = {name: torch.from_numpy(array) for name, array in integer_tensors(network).items()}
    ours = plain.IntegerNetwork(training_folder.describe_integer(network), tensors)
    expected = run_integer(network, images, keep=True)
    for name, stored in ours.stored_maps(torch.from_numpy(images)).items():
        np.testing.assert_array_equal(stored.numpy(), expected.stored[name])
    np.testing.assert_array_equal(ours(torch.from_numpy(images)).numpy(), expected.scores)


@pytest.mark.parametrize("seed", range(12))
def test_its_gradients_are_those_that_train(plain: ModuleType, seed: int) -> None:
    genome = random_genome(seed)
    recipe = Recipe(epochs=1, surrogate=("arctan", "rectangular")[seed % 2], surrogate_width=1.5)
    settled = settled_network(genome, seed)
    network = type(settled)(genome, recipe)
    network.load_state_dict(settled.state_dict())
    network.eval()
    ours = twin(plain, network, recipe)
    images, labels = images_for(genome, 16, seed), torch.arange(16) % 3
    for each in (network, ours):
        F.cross_entropy(each(images), labels).backward()
    met = 0
    for (name, parameter), theirs in zip(network.named_parameters(), ours.parameters(), strict=True):
        size = max(float(parameter.grad.abs().max()), 1e-6)
        assert float((parameter.grad - theirs.grad).abs().max()) <= 1e-4 * size, name
        met += float(parameter.grad.abs().max()) > 0
    assert met > 2


def test_training_mode_normalises_by_the_batch_and_remembers(plain: ModuleType) -> None:
    genome = random_genome(3)
    network = settled_network(genome, 3)
    ours = twin(plain, network).train()
    network.train()
    network(images_for(genome, 16)), ours(images_for(genome, 16))
    name = genome.layers[0].name
    for buffer in ("running_mean", "running_var"):
        theirs = getattr(network.layers[name].neuron, buffer)
        momentum_of_ours = getattr(ours.layers[name].neuron, buffer)
        before = getattr(settled_network(genome, 3).layers[name].neuron, buffer)
        # The settled network moves its statistics by a fifth, the plain one by a tenth as training does.
        torch.testing.assert_close((momentum_of_ours - before) * 2, theirs - before, rtol=1e-3, atol=1e-4)


def test_steps_of_codes_are_those_of_training(plain: ModuleType) -> None:
    assert plain.STEP_PER_MEAN == STEP_PER_MEAN


def test_a_written_folder_reads_back_without_pickle(plain: ModuleType, tmp_path: Path) -> None:
    genome = random_genome(5)
    network = settled_network(genome, 5)
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    folded = fold(network)
    config = TrainingConfig("a", "digits", genome, Recipe(epochs=1))
    training_folder.write_network(tmp_path, config, weights, folded)
    images = images_for(genome, 8)
    assert torch.equal(plain.load(tmp_path / "weights.safetensors")(images).argmax(1), network(images).argmax(1))
    scores = plain.load_integer(tmp_path / "integer.safetensors")(images).numpy()
    np.testing.assert_array_equal(scores, run_integer(folded, images.numpy()).scores)
    assert (tmp_path / "model.py").read_bytes() == FILE.read_bytes()
