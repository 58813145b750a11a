"""What the core does, counted in simulation, against the events of the cost model: summed over layers, exactly."""

import shutil
from pathlib import Path

import pytest
from core_events import BANDWIDTH, expected, simulate
from small_cores import random_core, random_images

from dse.export.core_image import lay_out
from dse.export.rtl_export import write_core

IMAGES = 2
SEEDS = (6, 14, 19, 24, 59, 95, 101, 127)


@pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="iverilog is not installed (Debian: apt-get install iverilog)"
)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_core_does_what_the_model_counts(seed: int, tmp_path: Path) -> None:
    image = lay_out(*random_core(seed))
    write_core(image, random_images(image.network, IMAGES, seed), tmp_path, BANDWIDTH)
    result, events = simulate(tmp_path)
    assert result.errors == 0
    assert events == expected(image, IMAGES)


def test_the_cores_leave_rows_and_lanes_idle() -> None:
    """Else the counts of rows and lists would say nothing."""
    images = [lay_out(*random_core(seed)) for seed in SEEDS]
    layers = [layer for image in images for layer in image.work.layers]
    assert {layer.stride for layer in layers} == {1, 2, 3}
    assert any(layer.kind == "fc" for layer in layers)
    assert any(layer.kept is None for layer in layers)
    assert any(layer.kept is not None for layer in layers)
    counted = [(expected(image, 1), image.config.vector_width) for image in images]
    assert any(events["row_cycles"] < events["pe_cycles"] * width for events, width in counted)
