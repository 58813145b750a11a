"""The parameter package of a network on a machine."""

from fractions import Fraction

from costmodels.filters import lane_words
from costmodels.machine import MACHINE
from costmodels.ranking import rank_bits
from costmodels.traffic import BITS_PER_BYTE, LARGEST_DENOMINATOR
from dse.export.core_image import CoreImage
from dse.export.golden_stores import store_places
from dse.export.machine_maps import depth
from dse.export.machine_passes import ELEMENT_BITS, PASS_SECTIONS
from dse.export.machine_program import ADDRESS_BITS, SECTIONS, section_bits


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
        "INPUTS": image.input_elements,
        "STORES": sum(1 for _ in store_places(image)),
        "SCORES": layers[-1].out_channels,
        "RATE_BITS": rate.numerator,
        "RATE_CYCLES": rate.denominator,
    }


def package(values: dict[str, int]) -> str:
    """The parameter package."""
    lines = "".join(f"  localparam int {name} = {value};\n" for name, value in values.items())
    return f"// Parameters of one network on one machine.\npackage core_parameters;\n{lines}endpackage\n"
