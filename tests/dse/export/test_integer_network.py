"""The integer reference against naive loops, by hand, and at the ends of its widths."""

import itertools
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from integer_examples import loop_network, random_images, random_network

from dse.export.integer_network import (
    IntegerClassifier,
    IntegerLayer,
    IntegerNetworkError,
    from_npz,
    integrate,
    potential_range,
    run_integer,
    run_layer,
    signed_bits,
    sum_range,
    to_npz,
)


def one_neuron(**changes: object) -> IntegerLayer:
    """A neuron with one input of weight 1, c = 1 and theta = 5 on a grid of halves (f = 1)."""
    layer = IntegerLayer(
        name="l0",
        kind="fc",
        weights=np.ones((1, 1, 1, 1), np.int8),
        kept=None,
        weight_bits=1,
        stride=1,
        padding=0,
        input_shape=(1, 1, 1),
        input_bits=2,
        largest_input=3,
        accumulator_bits=3,
        static_input=False,
        fraction_bits=1,
        c=np.array([1], np.int32),
        thetas=np.array([[5]], np.int32),
        reset="hard",
        pool=1,
        pooling="or",
        membrane_bits=8,
    )
    return replace(layer, **changes)  # type: ignore[arg-type]


def worked(layer: IntegerLayer) -> tuple[list[int], list[list[int]]]:
    """Potentials and strengths for the sums 2, 2, 0, 3, 3 at f = 1."""
    sums = (np.full((1, 1, 1, 1), z, np.int64) for z in (2, 2, 0, 3, 3))
    steps = list(integrate(layer, sums))
    return [int(u.item()) for u, _ in steps], [spikes.ravel().tolist() for _, spikes in steps]


def test_hard_reset_worked_by_hand() -> None:
    # u: 2*2-1 = 3 | 3+4-1 = 6 fires, v = 0 | 0-1 = -1 | -1+6-1 = 4 | 4+6-1 = 9 fires
    assert worked(one_neuron()) == ([3, 6, -1, 4, 9], [[0], [1], [0], [0], [1]])


def test_soft_reset_worked_by_hand() -> None:
    # u: 3 | 6 fires, v = 1 | 1-1 = 0 | 0+6-1 = 5 fires at the threshold itself, v = 0 | 5 fires
    assert worked(one_neuron(reset="soft")) == ([3, 6, 0, 5, 5], [[0], [1], [0], [1], [1]])


def test_dual_threshold_worked_by_hand() -> None:
    # the higher threshold 9 adds a spike at u = 9 and does not reset at 6
    layer = one_neuron(thetas=np.array([[5], [9]], np.int32))
    assert worked(layer)[1] == [[0, 0], [1, 0], [0, 0], [0, 0], [1, 1]]


def test_several_strengths_worked_by_hand() -> None:
    # theta = 2, at most 3 thetas: u 3 is 1, leaves 1 | 1+3 = 4 is 2, leaves 0 | -1 | -1+5 = 4 is 2 | 5 is 2, leaves 1
    layer = one_neuron(reset="soft", thetas=np.array([[2]], np.int32), levels=3)
    assert worked(layer) == ([3, 4, -1, 4, 5], [[1], [2], [0], [2], [2]])
    # theta = 1: u 3 is 3 | 3 is 3 | -1 | 4 is only 3, leaves 1 | 6 is only 3
    layer = one_neuron(reset="soft", thetas=np.array([[1]], np.int32), levels=3)
    assert worked(layer) == ([3, 3, -1, 4, 6], [[3], [3], [0], [3], [3]])


@pytest.mark.parametrize(("pooling", "passed"), [("or", [1, 1, 1]), ("membrane", [1, 0, 1]), ("count", [1, 1, 0])])
def test_winners_worked_by_hand(pooling: str, passed: list[int]) -> None:
    """Two neurons side by side (the other two of the window are silent), theta = 4, hard reset."""
    how = {"kind": "conv", "input_shape": (1, 2, 2), "pool": 2, "pooling": pooling, "largest_input": 9}
    layer = one_neuron(thetas=np.array([[4]], np.int32), c=np.array([0], np.int32), fraction_bits=0, **how)
    # left: 4 fires | 4 fires | 0, right: 9 fires | 1 | 1 + 4 fires
    # gathered sums: 4, 8, 8 against 9, 10, 14; spikes so far: 1, 2, 2 against 1, 1, 2
    steps = [np.array([[4, 9], [0, 0]]), np.array([[4, 1], [0, 0]]), np.array([[0, 4], [0, 0]])]
    x = np.stack(steps).astype(np.uint8)[:, None, None]
    _, stored = run_layer(layer, x, 3)
    assert stored.ravel().tolist() == passed


@pytest.mark.parametrize("seed", range(48))
def test_reference_equals_naive_loops(seed: int) -> None:
    network = random_network(seed)
    image = random_images(network, 1, seed)
    run = run_integer(network, image, keep=True)
    scores, stored = loop_network(network, image[0])
    assert run.scores[0].tolist() == scores
    assert run.predictions[0] == scores.index(max(scores))
    for layer in network.layers:
        for t in range(network.timesteps):
            expected = stored[layer.name][t]
            found = run.stored[layer.name][t, 0]
            assert {place: int(found[place]) for place in np.ndindex(*found.shape)} == expected


def test_random_networks_cover_every_gene_and_are_not_silent() -> None:
    networks = [random_network(seed) for seed in range(48)]
    layers = [layer for network in networks for layer in network.layers]
    assert {network.timesteps for network in networks} == {1, 2, 3, 4}
    assert {network.fraction_bits for network in networks} == {0, 4, 8}
    assert {network.classifier.kind for network in networks} == {"conv", "fc"}
    assert {(layer.pooling, len(layer.thetas)) for layer in layers if layer.pool > 1} == set(
        itertools.product(("or", "average", "membrane", "count"), (1, 2))
    )
    assert {(layer.reset, layer.levels) for layer in layers} == {("hard", 1), ("soft", 1), ("soft", 3), ("soft", 7)}
    assert {layer.weight_bits for layer in layers} == {1, 2, 4, 8}
    assert {layer.pool for layer in layers} == {1, 2, 3}
    assert {layer.stride for layer in layers} == {1, 2}
    assert any(layer.kept is not None for layer in layers)
    rates = [run_integer(n, random_images(n, 4, 1), keep=True).stored["l0"].mean() for n in networks]
    assert sum(rate > 0.02 for rate in rates) > 30


def test_the_lowest_class_wins_a_tie() -> None:
    network = random_network(1)
    weights = np.zeros_like(network.classifier.weights)
    even = replace(network.classifier, weights=weights, bias=np.array([3, 7, 7], np.int32))
    run = run_integer(replace(network, classifier=even), random_images(network, 5, 0))
    assert run.predictions.tolist() == [1] * 5


def test_images_in_a_batch_do_not_meet() -> None:
    network = random_network(5)
    images = random_images(network, 3, 2)
    together = run_integer(network, images).scores
    alone = [run_integer(network, image[None]).scores[0] for image in images]
    assert together.tolist() == np.stack(alone).tolist()


@pytest.mark.parametrize(
    ("low", "high", "bits"), [(0, 0, 1), (-1, 0, 1), (0, 1, 2), (-2, 1, 2), (-3, 1, 3), (-128, 127, 8), (-5, 128, 9)]
)
def test_signed_bits_are_the_narrowest(low: int, high: int, bits: int) -> None:
    assert signed_bits(low, high) == bits


def test_sum_range_is_reached_and_never_left() -> None:
    rng = np.random.default_rng(0)
    weights = rng.integers(-3, 4, (2, 1, 2, 2)).astype(np.int8)
    low, high = sum_range(weights, 2)
    every = np.array(list(itertools.product(range(3), repeat=4)))
    sums = every @ weights.reshape(2, 4).T.astype(np.int64)
    assert (sums.min(0) == low).all()
    assert (sums.max(0) == high).all()


@pytest.mark.parametrize("reset", ["hard", "soft"])
@pytest.mark.parametrize("c", [-7, 0, 5])
def test_potential_range_holds_all_inputs_and_is_tight(reset: str, c: int) -> None:
    steps, theta = 4, 11
    layer = one_neuron(reset=reset, c=np.array([c], np.int32), thetas=np.array([[theta]], np.int32))
    sums = np.array([-2]), np.array([3])
    low, high = potential_range(sums, np.array([c]), np.array([theta]), steps, 1, reset)
    seen = []
    for inputs in itertools.product(range(-2, 4), repeat=steps):
        potentials = [int(u.item()) for u, _ in integrate(layer, (np.full((1, 1, 1, 1), z) for z in inputs))]
        seen += potentials
    assert low <= min(seen)
    assert max(seen) <= high
    assert min(seen) == low or low == 0
    # A reset costs part of the reach, so the bound above may be loose, but not by a bit.
    assert signed_bits(0, high) <= signed_bits(0, max(seen)) + 1


def test_npz_round_trip(tmp_path: Path) -> None:
    for seed in range(6):
        network = random_network(seed)
        to_npz(network, tmp_path / "network.npz")
        again = from_npz(tmp_path / "network.npz")
        images = random_images(network, 3, seed)
        assert run_integer(again, images).scores.tolist() == run_integer(network, images).scores.tolist()
        for one, other in zip((*network.layers, network.classifier), (*again.layers, again.classifier), strict=True):
            assert_same_part(one, other)


def assert_same_part(one: IntegerLayer | IntegerClassifier, other: IntegerLayer | IntegerClassifier) -> None:
    assert vars(one).keys() == vars(other).keys()
    for name, value in vars(one).items():
        found = getattr(other, name)
        if isinstance(value, np.ndarray):
            assert value.dtype == found.dtype
            assert np.array_equal(value, found)
        else:
            assert found == value
            assert type(found) is type(value)


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.npz"
    for content in (b"", b"PK\x03\x04 torn", b"plain text"):
        path.write_bytes(content)
        with pytest.raises(IntegerNetworkError, match=r"^an integer network must be an npz written by this program"):
            from_npz(path)
    np.savez(path, weights=np.zeros(3))
    with pytest.raises(IntegerNetworkError, match=r"other\.npz"):
        from_npz(path)
    np.save(path.with_suffix(".npy"), np.zeros(3))
    with pytest.raises(IntegerNetworkError, match=r"other\.npy"):
        from_npz(path.with_suffix(".npy"))
    with pytest.raises(IntegerNetworkError, match=r"missing\.npz"):
        from_npz(tmp_path / "missing.npz")


def test_numpy_alone_is_imported() -> None:
    code = "import sys, dse.export.integer_network; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
