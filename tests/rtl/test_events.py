"""What the core does, counted in simulation, against the events of the cost model: summed over layers, exactly."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from small_cores import random_core, random_images

from costmodels.accelerator import AcceleratorBatch
from costmodels.schedule import count
from dse.export.rtl_export import CoreImage, lay_out, write_core

IMAGES = 2
BANDWIDTH = 1e4
SEEDS = (6, 14, 19, 24, 59, 95, 101, 127)
COUNTER = Path(__file__).parent / "event_counter.sv"
NAMES = {
    "pe_cycles": ("pe_cycles",),
    "row_cycles": ("row_cycles",),
    "lane_rows": ("row_cycles",),
    "list_steps": ("list_steps",),
    "weight_reads": ("weight_reads",),
    "if_updates": ("if_updates",),
    "compares": ("threshold_compares",),
}


def events(image: CoreImage) -> dict[str, int]:
    schedule = count(image.work, AcceleratorBatch.of([image.config]), BANDWIDTH)
    found = {
        name: IMAGES * sum(int(getattr(schedule.events, event)[0].sum()) for event in of) for name, of in NAMES.items()
    }
    updates = schedule.events.accumulator_updates[0].sum() - schedule.events.row_cycles[0].sum()
    return found | {"scores": IMAGES * int(updates)}


@pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="iverilog is not installed (Debian: apt-get install iverilog)"
)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_core_does_what_the_model_counts(seed: int, tmp_path: Path) -> None:
    image = lay_out(*random_core(seed))
    write_core(image, random_images(image.network, IMAGES, seed), tmp_path)
    sources = [*(tmp_path / "core.f").read_text(encoding="ascii").split(), "core_testbench.sv", str(COUNTER)]
    compile_core = ["iverilog", "-g2012", "-s", "core_testbench", "-s", "event_counter", "-o", "core.vvp", *sources]
    subprocess.run(compile_core, cwd=tmp_path, check=True, capture_output=True)
    done = subprocess.run(["vvp", "-n", "core.vvp"], cwd=tmp_path, check=True, capture_output=True, text=True)
    counted = re.findall(r"^events (.*)$", done.stdout, re.MULTILINE)[-1].split()
    assert {name: int(value) for name, value in zip(counted[::2], counted[1::2], strict=True)} == events(image)


def test_the_cores_leave_rows_and_lanes_idle() -> None:
    """Else the counts of rows and lists would say nothing."""
    images = [lay_out(*random_core(seed)) for seed in SEEDS]
    layers = [layer for image in images for layer in image.work.layers]
    assert {layer.stride for layer in layers} == {1, 2, 3}
    assert any(layer.kind == "fc" for layer in layers)
    assert any(layer.kept is None for layer in layers)
    assert any(layer.kept is not None for layer in layers)
    assert any(events(image)["row_cycles"] < events(image)["pe_cycles"] * image.config.vector_width for image in images)
