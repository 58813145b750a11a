"""Simulates an exported core beside `event_counter.sv`: what the testbench reports, and what the core did."""

import re
import subprocess
from pathlib import Path

from costmodels.accelerator import AcceleratorBatch
from costmodels.schedule import count
from dse.export.core_image import CoreImage
from dse.export.rtl_simulate import BENCH, SimulationResult, parse

BANDWIDTH = 1e4  # bytes per cycle, ample
TIMEOUT_S = 600  # a simulation that hangs
COUNTER = Path(__file__).parent / "event_counter.sv"
COUNTED = {
    "pe_cycles": "pe_cycles",
    "row_cycles": "row_cycles",
    "lane_rows": "row_cycles",
    "list_steps": "list_steps",
    "weight_reads": "weight_reads",
    "if_updates": "if_updates",
    "compares": "threshold_compares",
    "membrane_reads": "membrane_reads",
    "membrane_writes": "membrane_writes",
}
AT_THE_PORT = {
    "reads": "spike_reads",
    "written": "spike_writes",
    "weights": "weight_writes",
    "input": "dram_input_bits",
    "output": "dram_output_bits",
}


def expected(image: CoreImage, images: int) -> dict[str, int]:
    """What the cost model counts for so many images, over all layers; ``scores`` are classifier sums read out.

    ``moves`` are those of idle lanes.
    """
    events = count(image.work, AcceleratorBatch.of([image.config]), BANDWIDTH).events
    of_image = {name: int(getattr(events, event)[0].sum()) for name, event in COUNTED.items()}
    of_image["scores"] = int((events.accumulator_updates - events.row_cycles)[0].sum())
    of_image |= {name: int(getattr(events, event)[0].sum()) for name, event in AT_THE_PORT.items()}
    return {name: images * number for name, number in of_image.items()} | {"moves": 0}


def simulate(folder: Path) -> tuple[SimulationResult, dict[str, int]]:
    """Run the testbench of ``folder`` in Icarus.

    Raises:
        CalledProcessError: it does not compile, or a simulation broke off.
        SimulationError: the testbench reports nothing.
    """
    sources = [*(folder / "core.f").read_text(encoding="ascii").split(), *BENCH, str(COUNTER)]
    compiled = ["iverilog", "-g2012", "-s", "core_testbench", "-s", "event_counter", "-o", "events.vvp", *sources]
    subprocess.run(compiled, cwd=folder, check=True, capture_output=True)
    done = subprocess.run(
        ["vvp", "-n", "events.vvp"], cwd=folder, check=True, capture_output=True, text=True, timeout=TIMEOUT_S
    )
    result = parse(done.stdout)
    lines = [re.findall(rf"^{kind} (.*)$", done.stdout, re.MULTILINE)[-1] for kind in ("events", "port")]
    words = " ".join(lines).split()
    return result, {name: int(value) for name, value in zip(words[::2], words[1::2], strict=True)}
