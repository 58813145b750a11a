"""Networks that read events: training, folding, both integer networks, the workload, and the real N-MNIST subset."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_networks import event_genome, images_for, settled_network

from costmodels.errors import ConfigurationError
from dse.cache import ScoreCache
from dse.data import list_datasets, load
from dse.data.dataset import Dataset, Split
from dse.export.integer_network import run_integer
from dse.score import NetworkScore
from dse.training import run
from dse.training.deployed import run_deployed
from dse.training.fold import fold
from dse.training.model import build_network
from searchspaces.candidate import assumed_masks
from searchspaces.genome import LayerGenome, NetworkGenome
from searchspaces.lowering import lower
from searchspaces.recipe import Recipe

sys.path.insert(0, str(Path(__file__).parents[1] / "export"))
from integer_examples import loop_network

ROOT = Path(os.environ.get("DSE_DATA_DIR") or Path(__file__).resolve().parents[4] / "shared" / "data").resolve()
HAVE = {row.name for row in list_datasets(ROOT) if row.state == "found"} if ROOT.is_dir() else set()
SEEDS = range(24)


def small_genome(timesteps: int = 4, edge: int = 34) -> NetworkGenome:
    layers = (
        LayerGenome("conv1", "conv", 8, pool=2),
        LayerGenome("conv2", "conv", 16, pool=2),
        LayerGenome("out", "fc", 10, kernel=1, weight_bits=8, spiking=False),
    )
    return NetworkGenome((2, edge, edge), 1, 10, timesteps, 1, "or", "fc", "hard", layers, static_input=False)


@pytest.mark.parametrize("seed", SEEDS)
def test_integer_networks_of_events_equal_naive_loops(seed: int) -> None:
    genome = event_genome(seed)
    folded = fold(settled_network(genome, seed))
    assert not any(layer.static_input for layer in folded.layers)
    images = images_for(genome, 6, seed)
    found = run_integer(folded, images.numpy(), keep=True)
    assert run_deployed(folded, images).scores.tolist() == found.scores.tolist()
    scores, stored = loop_network(folded, images[0].numpy())
    assert found.scores[0].tolist() == scores
    for layer in folded.layers:
        for t, expected in enumerate(stored[layer.name]):
            of_step = found.stored[layer.name][t, 0]
            assert {place: int(of_step[place]) for place in np.ndindex(*of_step.shape)} == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_the_trained_network_sees_the_same_frames(seed: int) -> None:
    """Sums of the float network's first layer and of the integer one agree, step by step, so the frames do."""
    genome = event_genome(seed)
    network = settled_network(genome, seed)
    images = images_for(genome, 64, 7)
    with torch.no_grad():
        expected = network(images).argmax(1).numpy()
    answered = run_integer(fold(network, 14), images.numpy()).predictions
    assert (answered != expected).sum() <= 2


def test_steps_in_which_nothing_happens_leave_the_first_layer_to_its_constants() -> None:
    """Events in the last slice alone: until then every sum is 0."""
    genome = event_genome(3)
    assert genome.timesteps == 8
    folded = fold(settled_network(genome, 3))
    images = np.full((2, *genome.input_shape), 0x80, np.uint8)
    first = folded.layers[0]
    u = run_integer(folded, images, keep=True).potentials[first.name]
    still = np.broadcast_to(-first.c.astype(np.int64)[:, None, None], u[0, 0].shape)
    assert np.array_equal(u[0, 0], still)
    assert not np.array_equal(u[7, 0] - u[6, 0], u[6, 0] - u[5, 0])


def test_the_workload_has_a_spike_layer_in_front_and_a_density_a_step() -> None:
    genome = event_genome(2)
    rates = {layer.name: (0.25,) * 4 for layer in genome.layers if layer.spiking}
    work = lower(genome, (0.1, 0.2, 0.3, 0.4), rates, assumed_masks(genome))
    first = work.layers[0]
    assert (first.static_input, first.input_bits, first.input_density) == (False, 1, (0.1, 0.2, 0.3, 0.4))
    image = replace(genome, static_input=True, input_bits=8)
    same = lower(image, (0.1,), rates, assumed_masks(genome))
    assert work.operations - same.operations == pytest.approx(_first_operations(work, 4) - _first_operations(same, 8))
    with pytest.raises(ConfigurationError, match=r"^input_density must have 4 values, not 1$"):
        lower(genome, (0.1,), rates, assumed_masks(genome))


def _first_operations(work, planes_and_steps):
    layer = work.layers[0]
    return (
        layer.kept_kernels * layer.kernel**2 * layer.out_height * layer.out_width * layer.weight_bits * planes_and_steps
    )


@pytest.mark.parametrize(("timesteps", "first_stage"), [(3, 1), (1, 6), (16, 1)])
def test_steps_that_do_not_divide_the_slices_are_refused(timesteps: int, first_stage: int) -> None:
    genome = replace(small_genome(timesteps), first_stage_timesteps=first_stage)
    with pytest.raises(ConfigurationError, match=r"^timesteps must divide the 8 slices of an event recording"):
        build_network(genome, Recipe(epochs=1))


def made_up(samples: int, seed: int) -> Split:
    """Ten classes that differ in when an edge passes, not in where: a network must use time to tell them apart."""
    rng = np.random.default_rng(seed)
    labels = np.arange(samples) % 10
    happened = rng.random((samples, 2, 16, 16, 8)) < 0.02
    for sample, label in enumerate(labels):
        happened[sample, label % 2, 4:12, 4:12, label // 2 : label // 2 + 3] |= rng.random((8, 8, 3)) < 0.3
    return Split(np.packbits(happened, axis=-1, bitorder="little")[..., 0], labels.astype(np.int64))


def test_a_network_learns_when_events_happen(tmp_path: Path) -> None:
    train, validation = made_up(300, 0), made_up(100, 1)
    data = Dataset("n-mnist", "made up", 10, 1, (2, 16, 16), train, validation, "0" * 16)
    cache = ScoreCache(tmp_path)
    genome, recipe = small_genome(8, edge=16), Recipe(epochs=10, batch_size=32)
    score = run.train(genome, data, recipe, 0, cache, device="cpu", threads=1)
    assert isinstance(score, NetworkScore)
    assert score.deployed_accuracy > 0.4  # 0.2 without time, by polarity alone
    happened = np.unpackbits(validation.images[..., None], axis=-1, bitorder="little")
    np.testing.assert_allclose(score.input_density, happened.mean((0, 1, 2, 3)), rtol=1e-12)
    again = cache.get(cache.key(genome, recipe, data.digest, 0))
    assert again is not None
    assert again.input_density == score.input_density


@pytest.mark.skipif("n-mnist" not in HAVE, reason="n-mnist is not on this machine (DSE_DATA_DIR)")
def test_a_network_learns_the_first_recordings_of_nmnist(tmp_path: Path) -> None:
    data = load("n-mnist", ROOT, cache_dir=tmp_path / "data")
    assert (data.title, len(data.train), len(data.validation)) == ("N-MNIST (first 1,100 recordings)", 800, 200)
    recipe = Recipe(epochs=4, batch_size=32)
    score = run.train(small_genome(4), data, recipe, 0, ScoreCache(tmp_path), device="cpu", threads=1)
    assert isinstance(score, NetworkScore)
    assert score.deployed_accuracy > 0.6
