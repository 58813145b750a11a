"""NIR graphs of integer networks: read back by `nir`, run by Norse in a process of its own, spike for spike."""

import functools
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from integer_examples import random_images, random_network
from small_networks import event_genome, images_for, settled_network

from dse.export.integer_network import IntegerNetwork, frames, run_integer
from dse.export.nir_graph import NirError, to_nir, unsayable, write_nir
from dse.training.fold import fold
from searchspaces.genome import NetworkGenome

nir = pytest.importorskip("nir", reason="the package nir is not here: pip install 'snn-dse[nir]'")

RUN = Path(__file__).with_name("run_nir.py")


def sayable(**wanted: object) -> IntegerNetwork:
    """The first random network that NIR can say and whose first layer has what is wanted."""
    for seed in range(10_000):
        network = random_network(seed)
        first = network.layers[0]
        facts = {
            "pooling": first.pooling if first.pool > 1 else None,
            "pool": first.pool,
            "dual": len(first.thetas) > 1,
            "kinds": [layer.kind for layer in network.layers] + [network.classifier.kind],
            "several": network.timesteps > 1,
        }
        if not unsayable(network) and all(facts[name] == value for name, value in wanted.items()):
            return network
    raise AssertionError(f"no random network has {wanted}")


SAYABLE: list[dict[str, object]] = [
    {"pooling": "or", "pool": 2, "several": True, "kinds": ["conv", "fc", "fc"]},
    {"pooling": "or", "pool": 3, "several": True},
    {"pooling": "average", "pool": 2, "several": True, "kinds": ["conv", "conv", "conv"]},
    {"pooling": "average", "pool": 3, "several": True},
    {"pooling": "or", "dual": True, "several": False, "kinds": ["conv", "conv", "fc", "fc"]},
    {"pooling": "average", "dual": True, "several": False},
    {"pooling": None, "dual": False, "several": True, "kinds": ["conv", "conv", "conv", "conv"]},
]


@functools.cache
def examples() -> list[tuple[IntegerNetwork, np.ndarray]]:
    """Networks with images, and one with slices of events."""
    networks = [sayable(**wanted) for wanted in SAYABLE]
    genome = next(g for g in map(event_genome, range(100)) if g.timesteps > 1 and not unsayable(folded(g)))
    images = [random_images(network, 6, 0) for network in networks]
    return [*zip(networks, images, strict=True), (folded(genome), images_for(genome, 6).numpy())]


def folded(genome: NetworkGenome) -> IntegerNetwork:
    return fold(settled_network(genome, 0))


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A folder for each of the examples with what a process that has the files alone found."""
    pytest.importorskip("norse", reason="the simulator Norse is not here: pip install norse")
    folders = []
    for network, images in examples():
        folders.append(tmp_path_factory.mktemp("graph"))
        write_nir(network, folders[-1] / "network.nir")
        steps = images[None] if network.layers[0].static_input else frames(images, network.timesteps)
        np.save(folders[-1] / "inputs.npy", np.moveaxis(steps, 1, 0))
    command = [sys.executable, "-I", str(RUN), *map(str, folders)]
    done = subprocess.run(command, cwd=folders[0], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return folders


@pytest.mark.parametrize("number", range(len(SAYABLE) + 1), ids=lambda number: str([*SAYABLE, "events"][number]))
def test_a_simulator_finds_the_same_spikes_and_classes(number: int, ran: list[Path]) -> None:
    network, images = examples()[number]
    with np.load(ran[number] / "result.npz") as file:
        found = dict(file)
    expected = run_integer(network, images, keep=True)
    fired = 0
    for layer in network.layers:
        suffix = "neurons" if layer.pool == 1 else "pooled" if layer.pooling == "or" else "windows"
        spikes = np.moveaxis(found[f"{layer.name}_{suffix}"], 1, 0)
        stored = expected.stored[layer.name]
        np.testing.assert_allclose(spikes.reshape(stored.shape), stored, rtol=0, atol=1e-5)
        fired += int(stored.sum())
    assert fired > 0
    scores = expected.scores / 2**network.fraction_bits
    np.testing.assert_allclose(found["scores"], scores, rtol=1e-5, atol=1e-3)


def test_the_file_read_back_holds_the_numbers_of_the_network(tmp_path: Path) -> None:
    network = sayable(pooling="or", dual=False, several=True)
    write_nir(network, tmp_path / "network.nir")
    graph = nir.read(tmp_path / "network.nir")
    first = network.layers[0]
    assert graph.metadata["timesteps"] == network.timesteps
    np.testing.assert_array_equal(graph.nodes[first.name].weight, first.weights)
    np.testing.assert_array_equal(graph.nodes[first.name].bias * 2**first.fraction_bits, -first.c)
    thresholds = graph.nodes[f"{first.name}_neurons"].v_threshold[:, 0, 0] * 2**first.fraction_bits
    np.testing.assert_array_equal(thresholds + 0.5, first.thetas[0])


def changed(network: IntegerNetwork, **fields: object) -> IntegerNetwork:
    return replace(network, layers=(replace(network.layers[0], **fields), *network.layers[1:]))


def test_what_nir_cannot_say_is_refused_by_name_all_at_once() -> None:
    network = sayable(pooling="or", dual=False, several=True)
    first = network.layers[0]
    dual = np.concatenate([first.thetas, first.thetas + 1])
    with pytest.raises(NirError) as refused:
        to_nir(changed(network, levels=3, reset="soft", pooling="membrane", thetas=dual))
    lines = str(refused.value).splitlines()
    assert [line.split(" must be ")[0] for line in lines] == ["levels", "reset", "dual_threshold", "pooling"]
    assert lines[2].startswith(
        f"dual_threshold must be false in a NIR graph of several steps, not true (layer {first.name})"
    )
    assert "not membrane" in lines[3]


def test_a_reset_that_no_step_sees_is_not_refused() -> None:
    network = sayable(several=False)
    assert unsayable(changed(network, reset="soft")) == []
    assert unsayable(changed(replace(network, timesteps=2), reset="soft")) != []


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nir", None)
    with pytest.raises(NirError, match="nir must be installed, not missing; run: pip install 'snn-dse\\[nir\\]'"):
        to_nir(sayable(several=True))
