"""The compute core in SystemVerilog against the integer reference (every stored spike, every score) and the cost model
(cycles of every layer, every counted event)."""

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from core_events import TIMEOUT_S, expected
from core_events import simulate as simulate_events
from small_cores import random_core, random_images

from costmodels.accelerator import AcceleratorBatch, AcceleratorConfig
from costmodels.schedule import count
from dse.export.core_image import CoreImage, lay_out
from dse.export.integer_network import IntegerNetwork, run_integer
from dse.export.machine_order import UnsupportedNetworkError
from dse.export.machine_program import SECTIONS
from dse.export.rtl_export import write_core
from dse.export.rtl_simulate import BENCH, SimulationError, parse, simulate

IMAGES = 2
# Icarus runs about a thousand cycles a second of a core with 64 rows x lanes; what takes longer is not simulated here.
CYCLES_AND_SIZE = 6000
# 166 to 623 for poolings that the first ones lack, 258 and 750 for stale spikes in lanes beyond the last channel under
# binary weights.
SEEDS = (*range(130), 166, 279, 313, 623, 258, 750)
DUAL_STRENGTHS = (6, 11, 24, 101)
NEGATIVE_WINNERS = (
    4704  # windows of two rows, whose winners fire at sums below 0, on a machine that has windows of three
)
BANDWIDTH = 12.8  # bytes per cycle; the core's own cycles do not depend on it

needs_icarus = pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="iverilog is not installed (Debian: apt-get install iverilog)"
)
needs_verilator = pytest.mark.skipif(
    shutil.which("verilator") is None, reason="verilator is not installed (Debian: apt-get install verilator)"
)


def predicted(image: CoreImage) -> list[int]:
    """Compute cycles of each layer for one image, by the cost model."""
    schedule = count(image.work, AcceleratorBatch.of([image.config]), BANDWIDTH)
    assert schedule.feasible[0]
    return [int(cycles) for cycles in schedule.events.compute_cycles[0]]


def cores() -> Iterator[tuple[int, CoreImage]]:
    """The random cores that are small enough."""
    for seed in SEEDS:
        try:
            image = lay_out(*random_core(seed))
        except UnsupportedNetworkError:
            continue
        config = image.config
        if sum(predicted(image)) * config.vector_width * config.channel_lanes <= CYCLES_AND_SIZE:
            yield seed, image


CORES = list(cores())


@needs_icarus
@pytest.mark.parametrize(("seed", "image"), CORES, ids=[str(seed) for seed, _ in CORES])
def test_the_core_stores_what_the_reference_stores_in_the_predicted_cycles(
    seed: int, image: CoreImage, tmp_path: Path
) -> None:
    write_core(image, random_images(image.network, IMAGES, seed), tmp_path, BANDWIDTH)
    result, events = simulate_events(tmp_path)
    assert result.images == IMAGES
    assert result.errors == 0
    assert [layer.compute_cycles for layer in result.layers] == [IMAGES * cycles for cycles in predicted(image)]
    assert all(layer.compared for layer in result.layers)
    assert events == expected(image, IMAGES)


def excited(network: IntegerNetwork) -> IntegerNetwork:
    """The network with an eighth of its thresholds: strengths of all sizes, by both of them."""
    return replace(network, layers=tuple(replace(layer, thetas=layer.thetas // 8 + 1) for layer in network.layers))


@needs_icarus
@pytest.mark.parametrize("seed", DUAL_STRENGTHS)
def test_strong_spikes_of_both_thresholds_are_those_of_the_reference(seed: int, tmp_path: Path) -> None:
    network, config = random_core(seed)
    image, images = lay_out(excited(network), config), random_images(network, IMAGES, seed)
    dual = [layer for layer in image.network.layers if len(layer.thetas) == 2 and layer.levels > 1]
    stored = run_integer(image.network, images, keep=True).stored
    assert any(stored[layer.name][:, :, len(layer.c) :].max() > 1 for layer in dual)
    write_core(image, images, tmp_path, BANDWIDTH)
    assert simulate(tmp_path, "iverilog", TIMEOUT_S).errors == 0


def eager(network: IntegerNetwork) -> IntegerNetwork:
    """The network with constants a threshold lower: neurons fire at negative sums, too."""
    return replace(network, layers=tuple(replace(layer, c=layer.c - layer.thetas[0]) for layer in network.layers))


@needs_icarus
def test_rows_beyond_a_window_win_nothing(tmp_path: Path) -> None:
    """They show rank 0, more than those of neurons that gathered less than nothing."""
    network, config = random_core(NEGATIVE_WINNERS)
    image = lay_out(eager(network), config)
    assert {(2, "membrane"), (3, "membrane")} <= {(layer.pool, layer.pooling) for layer in network.layers}
    write_core(image, random_images(network, IMAGES, NEGATIVE_WINNERS), tmp_path, BANDWIDTH)
    assert simulate(tmp_path, "iverilog", TIMEOUT_S).errors == 0


def features(image: CoreImage) -> Iterator[str]:
    """What a core exercises."""
    for one, layer in zip(image.parts, image.work.layers, strict=True):
        kind = layer.kind if layer.spiking else f"{layer.kind} classifier"
        yield kind
        yield f"pruned {kind} {layer.kept is not None}"
        yield f"stride {layer.stride}"
        yield f"kernel {layer.kernel}"
        yield f"binary {layer.weight_bits == 1}"
        yield f"static {layer.static_input}, spiking {layer.spiking}"
        if layer.spiking:
            yield f"maps {one.maps}"
            yield f"reset {one.part.reset}"  # type: ignore[union-attr]
            yield f"levels {layer.levels} {one.part.reset}, maps {one.maps}"  # type: ignore[union-attr]
        if layer.pool > 1:
            yield f"pool {layer.pool} {layer.pooling}"
            yield f"{layer.pooling} of levels {layer.levels}, maps {one.maps}"
    yield f"fractions {len({layer.fraction_bits for layer in image.network.layers}) > 1}"


def test_the_cores_exercise_every_feature() -> None:
    seen = Counter(feature for _, image in CORES for feature in set(features(image)))
    wanted = ["conv", "fc", "conv classifier", "fc classifier", "maps 2", "reset hard", "reset soft", "binary True"]
    wanted += [f"stride {s}" for s in (1, 2, 3)] + [f"kernel {k}" for k in (1, 3, 5, 7)]
    wanted += [f"pruned {kind} True" for kind in ("conv", "fc")] + ["fractions True"]
    rules = ("or", "average", "membrane", "count")
    wanted += [f"pool {edge} {rule}" for edge in (2, 3) for rule in rules]
    wanted += [f"{rule} of levels {levels}, maps 1" for rule in rules for levels in (1, 3, 7)]
    wanted += [f"{rule} of levels 1, maps 2" for rule in rules]
    wanted += [f"levels {n} {reset}, maps {maps}" for n in (1, 3, 7) for reset in ("hard", "soft") for maps in (1, 2)]
    assert [feature for feature in wanted if not seen[feature]] == []


@needs_icarus
def test_the_testbench_sees_a_wrong_score_and_a_wrong_spike(tmp_path: Path) -> None:
    """Golden vectors are compared indeed: one changed bit in each is one mismatch each."""
    seed, image = next((seed, image) for seed, image in CORES if len(image.parts) > 1)
    write_core(image, random_images(image.network, 1, seed), tmp_path, BANDWIDTH)
    for name in ("stores.mem", "scores.mem"):
        words = (tmp_path / name).read_text().split()
        words[-1] = f"{int(words[-1], 16) ^ 1:x}"
        (tmp_path / name).write_text("\n".join(words))
    assert simulate(tmp_path, "iverilog", TIMEOUT_S).errors == 2


def lint(folder: Path) -> str:
    """What Verilator has to say of an exported core; nothing where it accepts it."""
    sources = (folder / "core.f").read_text().split()
    command = ["verilator", "--lint-only", "-Wall", "--timing", "--top-module", "core_testbench"]
    done = subprocess.run([*command, *sources, *BENCH], cwd=folder, capture_output=True, text=True)
    return done.stderr if done.stderr or not done.returncode else f"status {done.returncode}"


@needs_verilator
@pytest.mark.parametrize("number", range(0, len(CORES), 8))
def test_lint_is_clean_without_waivers(number: int, tmp_path: Path) -> None:
    seed, image = CORES[number]
    write_core(image, random_images(image.network, 1, seed), tmp_path, BANDWIDTH)
    assert lint(tmp_path) == ""


def dense_network() -> IntegerNetwork:
    return random_core(3)[0]


def test_a_network_beyond_the_words_of_the_machine_is_refused() -> None:
    network = dense_network()
    wide = replace(network.classifier, bias=np.full_like(network.classifier.bias, 2**23), score_bits=40)
    with pytest.raises(UnsupportedNetworkError) as caught:
        lay_out(replace(network, classifier=wide), AcceleratorConfig(2, 2, 1, 64, 64))
    assert str(caught.value).startswith("constants must fit 24 bits, not 8388608 to 8388608 (layer out)")
    assert "score bits must be at most 32, not 40 (layer out)" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"levels": 2}, "levels must be a power of two less one, not 2 (layer l0)"),
        (
            {"pool": 2, "pooling": "membrane", "largest_input": 2**22},
            "ranks of pooling must fit 24 bits, not ",
        ),
    ],
)
def test_a_layer_that_the_neurons_of_the_core_cannot_be_is_refused(changes: dict[str, Any], reason: str) -> None:
    network = next(network for network, _ in map(random_core, range(99)) if network.layers)
    first, *rest = network.layers
    with pytest.raises(UnsupportedNetworkError) as caught:
        lay_out(replace(network, layers=(replace(first, **changes), *rest)), AcceleratorConfig(2, 2, 1, 64, 64))
    assert str(caught.value).startswith(reason)


def test_reordering_changes_no_score() -> None:
    """Machine order only renumbers: each reordered weight meets the input it met before."""
    for seed, image in CORES[:20]:
        images = random_images(image.network, 2, seed)
        run = run_integer(image.network, images, keep=True)
        for one, original in zip(image.parts, (*image.network.layers, image.network.classifier), strict=True):
            assert sorted(one.order.tolist()) == list(range(original.input_shape[0]))
            assert np.array_equal(one.part.weights, original.weights[:, one.order])
        assert run.scores.shape == (2, image.work.layers[-1].out_channels)


def test_fields_have_one_width_everywhere() -> None:
    """A field that two modules read has the same width in both."""
    widths: dict[str, int] = {}
    for section in SECTIONS.values():
        for name, width in section.items():
            assert widths.setdefault(name, width) == width


def test_a_report_without_verdict_is_an_error() -> None:
    with pytest.raises(SimulationError, match=r"^a testbench must report images and errors"):
        parse("Segmentation fault")
