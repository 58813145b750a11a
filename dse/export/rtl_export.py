"""A network on a machine as a folder of SystemVerilog: modules, parameters, programs, weights, vectors, testbench."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from costmodels.accelerator import AcceleratorConfig
from costmodels.feasibility import infeasibilities
from costmodels.filters import lane_words
from costmodels.machine import MACHINE
from costmodels.occupancy import occupancies
from costmodels.ranking import rank_bits
from costmodels.slots import strip_rows
from costmodels.tiling import Group, groups, raster_order
from costmodels.traffic import BITS_PER_BYTE, LARGEST_DENOMINATOR
from costmodels.workload import Workload
from dse.export.integer_network import IntegerNetwork, IntegerRun, Integers, run_integer
from dse.export.machine_filters import layer_words
from dse.export.machine_maps import depth, place_maps
from dse.export.machine_order import (
    OrderedPart,
    UnsupportedNetworkError,
    ordered_parts,
    reject_unsupported,
    workload,
)
from dse.export.machine_passes import ELEMENT_BITS, PASS_SECTIONS, DramMap, PlacedGroup, filter_words, programs
from dse.export.machine_program import ADDRESS_BITS, SECTIONS, LayerPass, section_bits

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


@dataclass(frozen=True, eq=False)
class CoreImage:
    """All that the machine holds for one network.

    Attributes:
        network, config: what was laid out.
        work: its workload, in machine order.
        parts: its layers, in machine order.
        groups: its groups of layers with their places in buffers and DRAM.
        weights: words of all filters in DRAM.
        program, passes: words of the layer program and of the pass program.
    """

    network: IntegerNetwork
    config: AcceleratorConfig
    work: Workload
    parts: tuple[OrderedPart, ...]
    groups: tuple[PlacedGroup, ...]
    weights: tuple[int, ...]
    program: tuple[int, ...]
    passes: tuple[int, ...]

    @property
    def planes(self) -> int:
        """Bits of the widest stored element."""
        return max((layer.output_bits for layer in self.network.layers), default=1)

    @property
    def port_planes(self) -> int:
        """Bits of the widest element that crosses the port."""
        return max(dram.planes for one in self.groups for dram in (one.source, one.target) if dram)

    @property
    def dual(self) -> bool:
        """Some layer has two thresholds."""
        return any(one.maps == 2 for one in self.parts)

    @property
    def outer(self) -> bool:
        """A tile takes a pass for each of several steps."""
        return any(one.passes_of_tile > 1 for one in self.groups)

    @property
    def elements(self) -> int:
        """Elements of all maps in DRAM, every step of those that are written."""
        last = self.groups[-1].source
        return last.start + last.step_elements * (1 if len(self.groups) == 1 else self.network.timesteps)


def lay_out(network: IntegerNetwork, config: AcceleratorConfig) -> CoreImage:
    """The network in the words of the machine.

    Raises:
        UnsupportedNetworkError: the machine cannot hold it; all reasons at once.
    """
    reject_unsupported(network)
    parts, work = ordered_parts(network), workload(network)
    reject_unsuited(work, config)
    placed: list[PlacedGroup] = []
    weights: list[int] = []
    for group, occupancy in zip(groups(work, config.fusion_depth), occupancies(work, config), strict=True):
        placed.append(_placed(group, occupancy.rows_per_tile, occupancy.resident, parts, config, placed))
        for one, layer in zip(placed[-1].parts, group.layers, strict=True):
            weights += layer_words(one, layer, config.channel_lanes)
    program, passes = programs(placed)
    return CoreImage(network, config, work, parts, tuple(placed), tuple(weights), tuple(program), tuple(passes))


def _placed(
    group: Group,
    rows: int,
    resident: bool,
    parts: Sequence[OrderedPart],
    config: AcceleratorConfig,
    before: Sequence[PlacedGroup],
) -> PlacedGroup:
    own = parts[group.first : group.stop]
    last = group.layers[-1]
    source = before[-1].target if before else None
    first = group.layers[0]
    if source is None:
        source = DramMap(0, first.in_height, first.in_width, first.in_channels, first.input_bits)
    end = source.start + source.step_elements * (1 if first.static_input else group.timesteps)
    shape = (last.stored_height, last.stored_width, last.out_channels, last.output_bits)
    return PlacedGroup(
        group=group,
        parts=(_leading(own[0], parts[group.first - 1] if before else None, before), *own[1:]),
        rows=rows,
        resident=resident,
        steps=1 if config.time_order == "outer" else group.timesteps,
        maps=place_maps(group, rows, config),
        source=_flattened(source) if first.kind == "fc" else source,
        target=DramMap(end, *shape) if last.spiking else None,
        first_word=sum(one.words for one in before),
        first_filter=sum(one.filters for one in before),
        lengths=tuple(filter_words(group, config.channel_lanes)),
    )


def _flattened(source: DramMap) -> DramMap:
    """A map as the input of a fully connected layer: one long place."""
    return replace(source, rows=1, columns=1, channels=source.step_elements)


def _leading(one: OrderedPart, before: OrderedPart | None, placed: Sequence[PlacedGroup]) -> OrderedPart:
    """A layer that begins a group: a fully connected one reads its map in raster order."""
    if one.part.kind != "fc" or before is None:
        return one
    order = raster_order(placed[-1].group.layers[-1])
    part = replace(one.part, weights=one.part.weights[:, order])
    return replace(one, part=part, order=one.order[order])


def reject_unsuited(work: Workload, config: AcceleratorConfig) -> None:
    """Refuse a machine that cannot run the network.

    Raises:
        UnsupportedNetworkError: all reasons at once.
    """
    reasons = [str(reason) for reason in infeasibilities(work, config)]
    if reasons:
        raise UnsupportedNetworkError("\n".join(reasons))


def parameters(image: CoreImage, images: int, dram_bytes_per_cycle: float) -> dict[str, int]:
    """The parameters of the machine and of its testbench."""
    network, config, layers = image.network, image.config, image.work.layers
    lanes = config.channel_lanes
    pruned = [layer for layer in layers if layer.kept is not None]
    rate = BITS_PER_BYTE * Fraction(dram_bytes_per_cycle).limit_denominator(LARGEST_DENOMINATOR)
    sections = {**SECTIONS, **PASS_SECTIONS}
    fractions = {layer.fraction_bits for layer in network.layers} or {network.fraction_bits}
    return {
        "VECTOR_WIDTH": config.vector_width,
        "CHANNEL_LANES": lanes,
        "STEPS": 1 if image.outer else network.timesteps,
        "PLANES": image.planes,
        "PORT_PLANES": image.port_planes,
        "LARGEST_POOL": max(layer.pool for layer in layers),
        "LARGEST_STRIDE": max(layer.stride for layer in layers),
        "DUAL": int(image.dual),
        "PRUNED": int(bool(pruned)),
        "OUTER": int(image.outer),
        "STATIC_INPUT": int(layers[0].static_input),
        "MEMBRANE_DEPTH": max(1, *(one.membrane_words for one in image.groups)),
        "LIST_KERNELS": max((lane_words(layer, lanes) for layer in pruned), default=1),
        "STRENGTH_BITS": max((layer.levels.bit_length() for layer in network.layers), default=1),
        "RANK_BITS": max(rank_bits(layer, network.timesteps) for layer in layers),
        "LEAST_FRACTION": min(fractions),
        "LARGEST_FRACTION": max(fractions),
        "FRACTION_BITS": network.fraction_bits,
        "SUM_BITS": MACHINE.membrane_bits,
        "MEMBRANE_BITS": MACHINE.membrane_bits,
        "SCORE_BITS": MACHINE.score_bits,
        "ADDRESS_BITS": ADDRESS_BITS,
        "ELEMENT_BITS": ELEMENT_BITS,
        "SPIKE_DEPTH": max(depth(one.maps) for one in image.groups),
        "WEIGHT_DEPTH": max(one.words if one.resident else max(map(max, one.lengths)) for one in image.groups),
        "PROGRAM_DEPTH": len(image.program) + 1,
        "PASS_DEPTH": len(image.passes),
        "FILTERS": sum(one.filters for one in image.groups),
        **{name: section_bits(sections[name]) for name in sections if name not in ("WEIGHT_BASE_BITS", "OUT_BITS")},
        "PORT_BITS": max(MACHINE.taps * lanes, image.port_planes * lanes, MACHINE.score_bits),
        "LAYERS": len(layers),
        "IMAGES": images,
        "WEIGHTS": len(image.weights),
        "ELEMENTS": image.elements,
        "INPUTS": image.groups[0].source.step_elements,
        "STORES": sum(1 for _ in store_places(image)),
        "SCORES": layers[-1].out_channels,
        "RATE_BITS": rate.numerator,
        "RATE_CYCLES": rate.denominator,
    }


def passes_of(image: CoreImage) -> Iterator[tuple[LayerPass, range]]:
    """Every layer of every pass in the order of the machine, with the steps of the pass."""
    for one in image.groups:
        for tile in one.tiles():
            for first in range(0, one.group.timesteps, one.steps):
                for layer in tile:
                    yield layer, range(first, first + one.steps)


def store_places(image: CoreImage) -> Iterator[tuple[LayerPass, int, range, int, int]]:
    """Layer, filter, rows, column and step of every store of one image."""
    for here, steps in passes_of(image):
        if not here.layer.spiking:
            continue
        strip = int(strip_rows(here.layer, np.array(image.config.vector_width))) // here.layer.pool
        for m in range(here.layer.filters):
            for top in range(here.out_low, here.out_high, strip):
                rows = range(top, min(top + strip, here.out_high))
                for column in range(here.layer.stored_width):
                    for step in steps:
                        yield here, m, rows, column, step


def stored_words(image: CoreImage) -> list[tuple[int, int]]:
    """Writes of each layer for one image, and elements in them; 0 and 0 behind a classifier."""
    words, elements = Counter[int](), Counter[int]()
    for here, _, rows, _, _ in store_places(image):
        words[here.number] += 1
        elements[here.number] += len(rows) * here.one.maps
    return [(words[number], elements[number]) for number in range(len(image.parts))]


def golden_stores(image: CoreImage, run: IntegerRun, number: int) -> Iterator[int]:
    """What the machine stores for image ``number``, write by write: elements of a strip, lower map first."""
    maps = {
        one.part.name: run.stored[one.part.name][:, number]
        .astype(np.int64)
        .reshape(image.network.timesteps, one.maps, len(one.part.weights), one.stored_height, one.stored_width)
        for one in image.parts
        if one.spiking
    }
    for here, m, rows, column, step in store_places(image):
        yield _packed(maps[here.layer.name][step, :, m, rows.start : rows.stop, column], image)


def _packed(elements: Integers, image: CoreImage) -> int:
    word = 0
    for (which, row), value in np.ndenumerate(elements):
        word |= int(value) << (which * image.config.vector_width + row) * image.planes
    return word


def write_words(path: Path, words: Sequence[int]) -> None:
    """A memory image: one hexadecimal number a line."""
    path.write_text("".join(f"{word:x}\n" for word in words), encoding="ascii")


def write_core(image: CoreImage, images: NDArray[np.uint8], folder: Path, dram_bytes_per_cycle: float) -> None:
    """Write the folder for ``images`` [n, C, H, W]: sources, package, memory images, golden vectors, testbench."""
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
    shaped = images.reshape(len(images), *image.parts[0].part.input_shape)
    write_words(folder / "images.mem", shaped.transpose(0, 2, 3, 1).ravel().tolist())
    write_words(folder / "stores.mem", golden or [0])
    write_words(folder / "scores.mem", [int(score) & 0xFFFFFFFF for score in run.scores.ravel()])


def package(values: dict[str, int]) -> str:
    """The parameter package."""
    lines = "".join(f"  localparam int {name} = {value};\n" for name, value in values.items())
    return f"// Parameters of one network on one machine.\npackage core_parameters;\n{lines}endpackage\n"
