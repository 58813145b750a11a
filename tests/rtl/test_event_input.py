"""Frames of events as input of the machine: a map at each step instead of one image."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from core_events import expected, simulate
from small_cores import random_images
from test_memory_system import measured, predicted
from tight_machines import Order, bytes_per_cycle, shrink_kib, tight_machine

from dse.export.core_image import CoreImage, lay_out
from dse.export.machine_passes import runs
from dse.export.rtl_export import write_core
from dse.export.rtl_parameters import parameters

IMAGES = 2
SEEDS: tuple[tuple[int, Order], ...] = (
    (8, "inner"),
    (19, "inner"),
    (53, "inner"),
    (8, "outer"),
    (37, "outer"),
    (39, "outer"),
)


def laid_out(seed: int, order: Order) -> CoreImage:
    drawn = tight_machine(seed, order, events=True)
    assert drawn is not None
    return lay_out(*drawn)


with pytest.MonkeyPatch.context() as small:
    shrink_kib(small)
    MACHINES = [(seed, laid_out(seed, order)) for seed, order in SEEDS]


@pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="iverilog is not installed (Debian: apt-get install iverilog)"
)
@pytest.mark.parametrize(("seed", "image"), MACHINES, ids=[f"{seed} {order}" for seed, order in SEEDS])
def test_bits_cycles_and_events_are_those_of_reference_and_model(
    seed: int, image: CoreImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink_kib(monkeypatch)
    rate = bytes_per_cycle(seed)
    write_core(image, random_images(image.network, IMAGES, seed), tmp_path, rate)
    result, events = simulate(tmp_path)
    assert (result.images, result.errors) == (IMAGES, 0)
    assert measured(result) == predicted(image, rate)
    assert events == expected(image, IMAGES)


def test_the_machines_differ_in_what_they_load() -> None:
    """Recordings in tiles and whole, of two and of four steps, in one group and in several."""
    first = [image.groups[0] for _, image in MACHINES]
    assert {sum(run.count for run in runs(one)) > 1 for one in first} == {True, False}
    assert {one.group.timesteps for one in first} == {2, 4}
    assert {len(image.groups) > 1 for _, image in MACHINES} == {True, False}
    assert not any(image.network.static_input for _, image in MACHINES)


def test_dram_holds_the_frame_of_each_step(tmp_path: Path) -> None:
    """Frames by their definition: step t is the union of the slices from 8 t / T on."""
    _, image = MACHINES[-1]
    slices = random_images(image.network, 1, 5)
    write_core(image, slices, tmp_path, 1.0)
    found = [int(word, 16) for word in (tmp_path / "images.mem").read_text().split()]
    steps, (channels, rows, columns) = image.network.timesteps, slices.shape[1:]
    wanted = [
        int(any(slices[0, c, y, x] >> s & 1 for s in range(8 * t // steps, 8 * (t + 1) // steps)))
        for t, y, x, c in np.ndindex(steps, rows, columns, channels)
    ]
    assert found == wanted
    assert parameters(image, 1, 1.0)["INPUTS"] == len(wanted)
