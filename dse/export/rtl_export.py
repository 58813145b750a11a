"""A network on a machine as a folder of SystemVerilog: modules, parameters, program, weights, vectors, testbench.

It holds modules, parameter package, program, weights, vectors and testbench of the compute core: all layers,
weights and maps on chip, `inner` time order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from costmodels.accelerator import AcceleratorConfig
from costmodels.feasibility import unsuited_strips
from costmodels.filters import lane_words
from costmodels.machine import MACHINE
from costmodels.ranking import rank_bits
from costmodels.slots import strip_rows
from costmodels.tiling import groups
from costmodels.workload import Workload
from dse.export.integer_network import IntegerNetwork, IntegerRun, Integers, run_integer
from dse.export.machine_filters import layer_words
from dse.export.machine_order import (
    OrderedPart,
    UnsupportedNetworkError,
    ordered_parts,
    reject_unsupported,
    workload,
)
from dse.export.machine_program import (
    ADDRESS_BITS,
    SECTIONS,
    MapPlace,
    layer_fields,
    pack,
    place_maps,
    section_bits,
    stored_rows,
)

FILES = (
    "sram",
    "spike_buffer",
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
)
TOP = "compute_core"
TESTBENCH = "core_testbench"
BANK_BITS = 16


@dataclass(frozen=True, eq=False)
class CoreImage:
    """All that the core holds for one network on one machine.

    Attributes:
        network, config: what was laid out.
        work: its workload, in machine order.
        parts: its layers, in machine order.
        maps: the map that each layer reads.
        rows: rows of its stored map that each layer computes.
        weights: words of the weight memory.
        program: words of the program memory.
    """

    network: IntegerNetwork
    config: AcceleratorConfig
    work: Workload
    parts: tuple[OrderedPart, ...]
    maps: tuple[MapPlace, ...]
    rows: tuple[int, ...]
    weights: tuple[int, ...]
    program: tuple[int, ...]

    @property
    def planes(self) -> int:
        """Bits of the widest stored element."""
        return max((layer.output_bits for layer in self.network.layers), default=1)

    @property
    def dual(self) -> bool:
        """Some layer has two thresholds."""
        return any(one.maps == 2 for one in self.parts)


def lay_out(network: IntegerNetwork, config: AcceleratorConfig) -> CoreImage:
    """The network in the words of the machine.

    Raises:
        UnsupportedNetworkError: the core cannot hold it; all reasons at once.
    """
    reject_unsupported(network)
    parts, work = ordered_parts(network), workload(network)
    maps = place_maps(parts, config, network.timesteps)
    rows = stored_rows(work, config)
    reject_unsuited(work, config)
    weights: list[int] = []
    program: list[int] = []
    for one, layer, read, written, kept in zip(parts, work.layers, maps, [*maps[1:], None], rows, strict=True):
        program.append(pack(layer_fields(one, layer, read, written, network.timesteps, len(weights), kept)))
        weights += layer_words(one, layer, config.channel_lanes)
    return CoreImage(network, config, work, parts, maps, rows, tuple(weights), tuple(program))


def reject_unsuited(work: Workload, config: AcceleratorConfig) -> None:
    """Refuse a machine whose strips or words do not suit the network, all of whose layers are one group here.

    Raises:
        UnsupportedNetworkError: all reasons at once.
    """
    reasons = [
        str(reason)
        for group in groups(work, len(work.layers))
        for reason in unsuited_strips(group, config.vector_width, config.channel_lanes)
    ]
    if config.time_order != "inner":
        reasons.append(f"time_order must be inner in the compute core, not {config.time_order}")
    if reasons:
        raise UnsupportedNetworkError("\n".join(reasons))


def parameters(image: CoreImage, images: int) -> dict[str, int]:
    """The parameters of the core."""
    network, config, layers = image.network, image.config, image.work.layers
    pruned = [layer for layer in layers if layer.kept is not None]
    fractions = {layer.fraction_bits for layer in network.layers} or {network.fraction_bits}
    return {
        "VECTOR_WIDTH": config.vector_width,
        "CHANNEL_LANES": config.channel_lanes,
        "STEPS": network.timesteps,
        "PLANES": image.planes,
        "LARGEST_POOL": max(layer.pool for layer in layers),
        "LARGEST_STRIDE": max(layer.stride for layer in layers),
        "DUAL": int(image.dual),
        "PRUNED": int(bool(pruned)),
        "LIST_KERNELS": max((lane_words(layer, config.channel_lanes) for layer in pruned), default=1),
        "STRENGTH_BITS": max((layer.levels.bit_length() for layer in network.layers), default=1),
        "RANK_BITS": max(rank_bits(layer, network.timesteps) for layer in layers),
        "LEAST_FRACTION": min(fractions),
        "LARGEST_FRACTION": max(fractions),
        "FRACTION_BITS": network.fraction_bits,
        "SUM_BITS": MACHINE.membrane_bits,
        "MEMBRANE_BITS": MACHINE.membrane_bits,
        "SCORE_BITS": MACHINE.score_bits,
        "ADDRESS_BITS": ADDRESS_BITS,
        "SPIKE_DEPTH": max(place.base + place.size for place in image.maps),
        "WEIGHT_DEPTH": len(image.weights),
        "PROGRAM_DEPTH": len(image.program) + 1,
        **{name: section_bits(section) for name, section in SECTIONS.items() if name != "WEIGHT_BASE_BITS"},
        "LAYERS": len(layers),
        "IMAGES": images,
        "FILL_WORDS": sum(1 for _ in image.maps[0].words(np.zeros(_input_shape(image), np.int64))),
        "STORES": sum(stores(image)),
        "SCORES": layers[-1].out_channels,
    }


def _input_shape(image: CoreImage) -> tuple[int, int, int]:
    place = image.maps[0]
    return place.channels, place.rows, place.columns


def stores(image: CoreImage) -> Iterator[int]:
    """Writes of each spiking layer for one image."""
    for layer, stored_height in zip(image.work.layers[:-1], image.rows[:-1], strict=True):
        rows = int(strip_rows(layer, np.array(image.config.vector_width)))
        strips = -(-layer.pool * stored_height // rows)
        yield layer.filters * strips * layer.stored_width * image.network.timesteps


def golden_stores(image: CoreImage, run: IntegerRun, number: int) -> Iterator[int]:
    """What the core stores for image ``number``, write by write: elements of a strip, lower map first."""
    for one, layer, height in zip(image.parts[:-1], image.work.layers[:-1], image.rows[:-1], strict=True):
        stored = run.stored[layer.name][:, number, :, :height].astype(np.int64)
        rows = int(strip_rows(layer, np.array(image.config.vector_width))) // layer.pool
        maps = stored.reshape(image.network.timesteps, one.maps, layer.filters, *stored.shape[2:])
        for m in range(layer.filters):
            for top in range(0, height, rows):
                for column in range(layer.stored_width):
                    for step in range(image.network.timesteps):
                        yield _packed(maps[step, :, m, top : top + rows, column], image)


def _packed(elements: Integers, image: CoreImage) -> int:
    word = 0
    for (which, row), value in np.ndenumerate(elements):
        word |= int(value) << (which * image.config.vector_width + row) * image.planes
    return word


def write_words(path: Path, words: Sequence[int]) -> None:
    """A memory image: one hexadecimal number a line."""
    path.write_text("".join(f"{word:x}\n" for word in words), encoding="ascii")


def write_core(image: CoreImage, images: NDArray[np.uint8], folder: Path) -> None:
    """Write the folder for ``images`` [n, C, H, W]: sources, package, memory images, golden vectors, testbench."""
    folder.mkdir(parents=True, exist_ok=True)
    source = resources.files("dse.export").joinpath("rtl")
    for name in (*FILES, TESTBENCH):
        (folder / f"{name}.sv").write_text(source.joinpath(f"{name}.sv").read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "core_parameters.sv").write_text(package(parameters(image, len(images))), encoding="utf-8")
    (folder / "core.f").write_text("".join(f"{name}.sv\n" for name in ("core_parameters", *FILES)), encoding="utf-8")
    run = run_integer(image.network, images, keep=True)
    inputs = images.reshape(len(images), *_input_shape(image)).astype(np.int64)
    fills = [
        bank << ADDRESS_BITS + image.config.channel_lanes | address << image.config.channel_lanes | data
        for one in inputs
        for bank, address, data in image.maps[0].words(one)
    ]
    golden = [word for number in range(len(images)) for word in golden_stores(image, run, number)]
    write_words(folder / "weights.mem", image.weights)
    write_words(folder / "program.mem", [*image.program, 0])
    write_words(folder / "fills.mem", fills)
    write_words(folder / "stores.mem", golden or [0])
    write_words(folder / "scores.mem", [int(score) & 0xFFFFFFFF for score in run.scores.ravel()])


def package(values: dict[str, int]) -> str:
    """The parameter package."""
    lines = "".join(f"  localparam int {name} = {value};\n" for name, value in values.items())
    return f"// Parameters of one network on one machine.\npackage core_parameters;\n{lines}endpackage\n"
