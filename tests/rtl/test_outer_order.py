"""Time order `outer`: a pass holds one step, and what neurons leave for the next one crosses the membrane buffer.

Every stored element and score as the integer reference says; compute, stall and fill cycles of each layer, and every
event, those of the cost model.
"""

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from core_events import expected
from core_events import simulate as simulate_events
from small_cores import connected_core, random_core, random_images
from test_compute_core import features as layer_features
from test_compute_core import lint
from test_memory_system import features as memory_features
from test_memory_system import measured, predicted
from tight_machines import bytes_per_cycle, shrink_kib, tight_machine

from costmodels.accelerator import AcceleratorConfig
from costmodels.slots import words_between_steps
from dse.export.core_image import CoreImage, lay_out
from dse.export.integer_network import IntegerNetwork
from dse.export.machine_passes import runs
from dse.export.rtl_export import write_core
from dse.export.rtl_parameters import parameters

IMAGES = 2
TIGHT = (11, 14, 19, 20, 24, 25, 37, 42, 52, 55, 65, 70, 71, 89, 93, 96, 108, 112, 114, 116, 127, 134, 162, 172)
TIGHT += (184, 212, 224, 242, 250, 275, 279, 283, 473, 475)
CONNECTED = (2, 3, 4)

needs_icarus = pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="iverilog is not installed (Debian: apt-get install iverilog)"
)


def machines() -> Iterator[tuple[str, CoreImage]]:
    """Random networks on tight machines, and fully connected ones on ample machines."""
    for seed in TIGHT:
        drawn = tight_machine(seed, "outer")
        assert drawn is not None
        yield f"tight {seed}", lay_out(*drawn)
    for seed in CONNECTED:
        yield f"connected {seed}", lay_out(*connected_core(seed))


with pytest.MonkeyPatch.context() as small:
    shrink_kib(small)
    MACHINES = list(machines())


@needs_icarus
@pytest.mark.parametrize(("name", "image"), MACHINES, ids=[name for name, _ in MACHINES])
def test_bits_cycles_and_events_are_those_of_reference_and_model(
    name: str, image: CoreImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink_kib(monkeypatch)
    seed = int(name.split()[1])
    rate = bytes_per_cycle(seed)
    write_core(image, random_images(image.network, IMAGES, seed), tmp_path, rate)
    result, events = simulate_events(tmp_path)
    assert (result.images, result.errors) == (IMAGES, 0)
    assert measured(result) == predicted(image, rate)
    assert events == expected(image, IMAGES)
    assert events["membrane_reads"] > 0


@pytest.mark.skipif(
    shutil.which("verilator") is None, reason="verilator is not installed (Debian: apt-get install verilator)"
)
@pytest.mark.parametrize("name", ["tight 24", "tight 25", "tight 55", "connected 3"])
def test_lint_is_clean_without_waivers(name: str, tmp_path: Path) -> None:
    """Winners of both rules, in windows of two and three rows; no winners."""
    image = dict(MACHINES)[name]
    write_core(image, random_images(image.network, 1, 0), tmp_path, 1.0)
    assert lint(tmp_path) == ""


def features(image: CoreImage) -> Iterator[str]:
    """What of the order a machine exercises."""
    yield from layer_features(image)
    yield from memory_features(image)
    steps = image.network.timesteps
    yield f"steps {steps}"
    for one in image.groups:
        tiles = sum(run.count for run in runs(one))
        for layer in one.group.layers:
            words = words_between_steps(layer)
            yield f"{words} words"
            yield f"{words} words, static {layer.static_input}, bits {layer.levels.bit_length()}"
            if layer.static_input:
                yield f"static, resident {one.resident}, pruned {layer.kept is not None}"
                yield f"static, in tiles {tiles > 1}"
            if layer.kind == "fc" and layer.spiking and layer.filters % image.config.vector_width:
                yield "a word of fully connected neurons that is not full"
                yield f"filters beyond a word {layer.filters > image.config.vector_width}"
        yield f"layers of a group {len(one.group.layers)}, in tiles {tiles > 1}"


def test_the_machines_exercise_every_feature() -> None:
    seen = Counter(feature for _, image in MACHINES for feature in set(features(image)))
    wanted = [f"steps {steps}" for steps in (2, 3, 4)] + ["streamed", "resident", "tiles", "equal tiles", "ahead"]
    wanted += [f"fusion {depth}" for depth in (1, 2, 3, 4)] + ["map read flat from DRAM", "planes in DRAM"]
    wanted += [f"layers of a group {layers}, in tiles True" for layers in (1, 2)]
    wanted += [f"static, resident {r}, pruned {p}" for r in (True, False) for p in (True, False)]
    wanted += ["static, in tiles True", "a word of fully connected neurons that is not full"]
    wanted += ["filters beyond a word True", *(f"{words} words" for words in (1, 2, 3))]
    wanted += [f"3 words, static True, bits {bits}" for bits in (1, 3)]
    wanted += [f"2 words, static False, bits {bits}" for bits in (1, 3)]
    wanted += ["fc", "fc classifier", "conv classifier", "reset hard", "reset soft", "maps 2", "fractions True"]
    wanted += [f"pruned {kind} True" for kind in ("conv", "fc", "fc classifier", "conv classifier")]
    wanted += [f"pool {edge} {rule}" for edge in (2, 3) for rule in ("or", "membrane", "count")] + ["pool 2 average"]
    wanted += [f"levels {n} {reset}, maps 1" for n in (1, 3, 7) for reset in ("hard", "soft")]
    wanted += [f"stride {stride}" for stride in (1, 2, 3)]
    assert [feature for feature in wanted if not seen[feature]] == []
    assert len(MACHINES) >= 30


def on_outer(network: IntegerNetwork, config: AcceleratorConfig) -> CoreImage:
    return lay_out(network, replace(config, time_order="outer", membrane_buffer_kib=4096))


@needs_icarus
def test_a_classifier_of_an_image_adds_its_sum_once(tmp_path: Path) -> None:
    """No step but the first adds anything, so there is no pass for another one, and no membrane buffer."""
    seed, network, config = next(
        (seed, network, config)
        for seed, (network, config) in ((seed, random_core(seed)) for seed in range(99))
        if not network.layers and network.timesteps > 1 and config.vector_width * config.channel_lanes <= 16
    )
    image = on_outer(network, config)
    assert not image.outer
    write_core(image, random_images(network, IMAGES, seed), tmp_path, 12.8)
    result, events = simulate_events(tmp_path)
    assert result.errors == 0
    assert measured(result) == predicted(image, 12.8)
    assert events == expected(image, IMAGES)


def test_one_step_needs_no_membrane_buffer() -> None:
    network, config = next((n, c) for n, c in map(random_core, range(99)) if n.timesteps == 1 and n.layers)
    inner, outer = lay_out(network, config), on_outer(network, config)
    assert parameters(outer, 1, 1.0) == parameters(inner, 1, 1.0)
    assert (outer.program, outer.passes, outer.weights) == (inner.program, inner.passes, inner.weights)
