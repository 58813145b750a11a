"""A network on a machine as a folder of SystemVerilog: modules, parameters, programs, weights, vectors, testbench."""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dse.export.core_image import CoreImage
from dse.export.golden_stores import golden_stores
from dse.export.integer_network import frames, run_integer
from dse.export.rtl_parameters import package, parameters

FILES = (
    "sram",
    "spike_buffer",
    "weight_buffer",
    "lane_lists",
    "rotator",
    "window_turner",
    "spike_reader",
    "pe_array",
    "popcount_nine",
    "pe_lane",
    "pe_row",
    "adder_tree",
    "accumulators",
    "if_units",
    "membrane_place",
    "membrane_buffer",
    "ranks",
    "window_rows",
    "pooling",
    "winners",
    "flat_step",
    "bank_writer",
    "spike_writer",
    "score_unit",
    "sequencer",
    "compute_core",
    "plane_banks",
    "map_walk",
    "map_port",
    "weight_loader",
    "pass_control",
    "accelerator",
)
TOP = "accelerator"
TESTBENCH = "core_testbench"
MEMORY_MODEL = "memory_model"


def write_words(path: Path, words: Sequence[int]) -> None:
    """A memory image: one hexadecimal number a line."""
    path.write_text("".join(f"{word:x}\n" for word in words), encoding="ascii")


def write_core(image: CoreImage, images: NDArray[np.uint8], folder: Path, dram_bytes_per_cycle: float) -> None:
    """Write the folder for ``images``: sources, package, memory images, golden vectors, testbench.

    Args:
        images: uint8 [n, C, H, W], pixels, or slices of events (`integer_network.frames`).
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = resources.files("dse.export").joinpath("rtl")
    for name in (*FILES, MEMORY_MODEL, TESTBENCH):
        (folder / f"{name}.sv").write_text(source.joinpath(f"{name}.sv").read_text(encoding="utf-8"), encoding="utf-8")
    values = parameters(image, len(images), dram_bytes_per_cycle)
    (folder / "core_parameters.sv").write_text(package(values), encoding="utf-8")
    (folder / "core.f").write_text("".join(f"{name}.sv\n" for name in ("core_parameters", *FILES)), encoding="utf-8")
    run = run_integer(image.network, images, keep=True)
    golden = [word for number in range(len(images)) for word in golden_stores(image, run, number)]
    write_words(folder / "program.mem", [*image.program, 0])
    write_words(folder / "passes.mem", image.passes)
    write_words(folder / "lengths.mem", [words for one in image.groups for layer in one.lengths for words in layer])
    write_words(folder / "weights.mem", image.weights)
    write_words(folder / "images.mem", input_elements(image, images).ravel().tolist())
    write_words(folder / "stores.mem", golden or [0])
    write_words(folder / "scores.mem", [int(score) & 0xFFFFFFFF for score in run.scores.ravel()])


def input_elements(image: CoreImage, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Inputs in the order of DRAM: of each image, steps (one of pixels), rows, columns, channels."""
    network = image.network
    steps = images[None] if network.static_input else frames(images, network.timesteps)
    shaped = steps.reshape(len(steps), len(images), *image.parts[0].part.input_shape)
    return shaped.transpose(1, 0, 3, 4, 2)
