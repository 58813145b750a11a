"""The kernels that training removed are removed in every form in which a network leaves, and no others."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file
from small_networks import digits_genome

from dse.cache import ScoreCache
from dse.data import load
from dse.export.integer_network import IntegerNetwork
from dse.export.nir_graph import to_nir
from dse.export.training_folder import INTEGER, WEIGHTS, write_network
from dse.score import NetworkScore, lowered
from dse.training.run import train
from searchspaces.genome import NetworkGenome
from searchspaces.recipe import Recipe
from searchspaces.training_config import TrainingConfig

Masks = dict[str, NDArray[np.bool_]]
RECIPE = Recipe(epochs=2, train_samples=640, learning_rate=1e-2)


def pruned() -> NetworkGenome:
    """Binary weights, so that a weight is 0 where its kernel is removed and nowhere else; kernels may come back."""
    plain = digits_genome()
    ratios = {"conv2": 0.5, "fc1": 0.7}
    layers = tuple(replace(layer, prune_ratio=ratios.get(layer.name, 0.0)) for layer in plain.layers)
    return replace(plain, layers=layers, dynamic_pruning=True)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[NetworkScore, ScoreCache]:
    cache = ScoreCache(tmp_path_factory.mktemp("cache"))
    score = train(pruned(), load("digits"), RECIPE, 0, cache, device="cpu", threads=1)
    assert isinstance(score, NetworkScore)
    return score, cache


@pytest.fixture(scope="module")
def network(trained: tuple[NetworkScore, ScoreCache]) -> IntegerNetwork:
    score, cache = trained
    return cache.integer_network(score)


def test_training_removes_what_was_asked(trained: tuple[NetworkScore, ScoreCache]) -> None:
    score, _ = trained
    assert {name: int((~mask).sum()) for name, mask in score.masks.items()} == {
        "conv2": 16 * 8 // 2,
        "fc1": 32 * 16 * 16 * 7 // 10,
    }


def test_folding_and_the_workload_have_them(trained: tuple[NetworkScore, ScoreCache], network: IntegerNetwork) -> None:
    score, _ = trained
    parts = {part.name: part for part in network.layers}
    work = {layer.name: layer for layer in lowered(pruned(), score).layers}
    for name, mask in score.masks.items():
        assert np.array_equal((parts[name].weights != 0).any((2, 3)), mask)
        assert np.array_equal((parts[name].weights != 0).all((2, 3)), mask)
        assert work[name].kept_kernels == mask.sum()
    assert (parts["conv1"].weights != 0).all()


def test_the_training_folder_has_them(
    trained: tuple[NetworkScore, ScoreCache], network: IntegerNetwork, tmp_path: Path
) -> None:
    score, cache = trained
    write_network(tmp_path, TrainingConfig("it", "digits", pruned(), RECIPE), cache.weights(score), network)
    weights, integers = load_file(tmp_path / WEIGHTS), load_file(tmp_path / INTEGER)
    for name, mask in score.masks.items():
        assert np.array_equal(weights[f"layers.{name}.synapses.kept"], mask)
        assert np.array_equal((integers[f"{name}.weights"] != 0).any((2, 3)), mask)


def test_the_graph_has_them(trained: tuple[NetworkScore, ScoreCache], network: IntegerNetwork) -> None:
    pytest.importorskip("nir", reason="the package nir is not here: pip install 'snn-dse[nir]'")
    score, _ = trained
    nodes = to_nir(network).nodes
    for name, mask in score.masks.items():
        (weights,) = (
            node.weight
            for key, node in nodes.items()
            if key.startswith(name) and getattr(node, "weight", None) is not None
        )
        assert np.array_equal((weights != 0).reshape(*mask.shape, -1).any(-1), mask)
