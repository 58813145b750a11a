"""The machine against a memory of fixed bandwidth: tiles, groups, streamed filters, weights ahead.

Every stored element and score as the integer reference says; compute, stall and fill cycles, and every event, as the
cost model says.
"""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from core_events import expected, simulate
from small_cores import random_images
from tight_machines import bytes_per_cycle, schedule_of, shrink_kib, tight_machine

from costmodels.accelerator import AcceleratorBatch
from costmodels.schedule import count
from dse.export.core_image import CoreImage, lay_out
from dse.export.machine_order import UnsupportedNetworkError
from dse.export.machine_passes import runs
from dse.export.rtl_export import write_core
from dse.export.rtl_simulate import SimulationResult

IMAGES = 2
# 1058 to 1621 for tiles of fused convolutions, which the first ones lack, 622 for equal tiles whose output is read.
SEEDS = (*range(220), 622, 1058, 1412, 1621)
CYCLES_AND_SIZE = 7000  # what takes longer in Icarus is not simulated here
ENOUGH = 60

needs_icarus = pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="iverilog is not installed (Debian: apt-get install iverilog)"
)


def machines() -> Iterator[tuple[int, CoreImage]]:
    """The random machines that are small enough."""
    for seed in SEEDS:
        drawn = tight_machine(seed)
        if drawn is None:
            continue
        try:
            image = lay_out(*drawn)
        except UnsupportedNetworkError:
            continue
        config = image.config
        cycles = schedule_of(image.work, config, bytes_per_cycle(seed)).events.cycles.sum()
        if cycles * (config.vector_width + 2) * config.channel_lanes <= CYCLES_AND_SIZE:
            yield seed, image


with pytest.MonkeyPatch.context() as small:
    shrink_kib(small)
    MACHINES = list(machines())


def predicted(image: CoreImage, rate: float) -> list[tuple[int, int, int]]:
    """Compute, stall and fill cycles of each layer for one image."""
    events = count(image.work, AcceleratorBatch.of([image.config]), rate).events
    counts = (events.compute_cycles[0], events.stall_cycles[0], events.fill_cycles[0])
    return [(int(a), int(b), int(c)) for a, b, c in zip(*counts, strict=True)]


def measured(result: SimulationResult) -> list[tuple[int, int, int]]:
    """The same in the simulation; all images take equally long."""
    layers = [(one.compute_cycles, one.stall_cycles, one.fill_cycles) for one in result.layers]
    assert not any(cycles % result.images for one in layers for cycles in one)
    return [(a // result.images, b // result.images, c // result.images) for a, b, c in layers]


@needs_icarus
@pytest.mark.parametrize(("seed", "image"), MACHINES, ids=[str(seed) for seed, _ in MACHINES])
def test_bits_and_cycles_are_those_of_reference_and_model(
    seed: int, image: CoreImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink_kib(monkeypatch)
    rate = bytes_per_cycle(seed)
    write_core(image, random_images(image.network, IMAGES, seed), tmp_path, rate)
    result, events = simulate(tmp_path)
    assert result.images == IMAGES
    assert result.errors == 0
    assert measured(result) == predicted(image, rate)
    assert all(layer.compared for layer in result.layers)
    assert events == expected(image, IMAGES)


def features(image: CoreImage) -> Iterator[str]:
    """What of the memory system a machine exercises."""
    yield f"fusion {image.config.fusion_depth}"
    for one, following in zip(image.groups, [*image.groups[1:], None], strict=True):
        every = runs(one)
        yield "streamed" if not one.resident else "resident"
        if sum(run.count for run in every) > 1:
            yield "tiles"
            yield f"tiles, resident {one.resident}"
            yield f"tiles of {len(one.group.layers)} layers"
        if any(run.count > 1 for run in every):
            yield "equal tiles"
        if one.resident and following and following.resident:
            yield "ahead"
        if following and following.group.layers[0].kind == "fc":
            yield "map read flat from DRAM"
        if one.source.planes > 1:
            yield "planes in DRAM"
        if one.source.channels % image.config.channel_lanes and one.source.channels > image.config.channel_lanes:
            yield "short last word"


def test_the_machines_exercise_every_feature() -> None:
    seen = Counter(feature for _, image in MACHINES for feature in set(features(image)))
    wanted = [f"fusion {depth}" for depth in (1, 2, 3, 4)] + ["streamed", "resident", "tiles", "equal tiles", "ahead"]
    wanted += ["tiles of 1 layers", "tiles of 2 layers", "tiles, resident True", "tiles, resident False"]
    wanted += ["map read flat from DRAM", "planes in DRAM", "short last word"]
    assert [feature for feature in wanted if seen[feature] < 2] == []
    assert len(MACHINES) >= ENOUGH
