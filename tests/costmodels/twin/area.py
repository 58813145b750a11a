"""Gate equivalents of one machine, its parts counted one by one as the RTL generates them."""

import csv
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import costmodels
from costmodels.accelerator import AcceleratorConfig
from costmodels.features import Features

TABLE = Path(costmodels.__file__).parent / "data" / "logic_area.csv"
LANE_BITS = 5


def table() -> list[dict[str, str]]:
    """Lines of the table of coefficients."""
    with TABLE.open(newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def levels_of(number: int) -> int:
    """How often ``number`` operands or places can be halved."""
    levels = 0
    while 1 << levels < number:
        levels += 1
    return levels


def tree(lanes: int) -> tuple[int, int, int]:
    """Operand bits of the adders, adders, and register bits of one row's tree, operand by operand."""
    operands, bits, adders, registers, level = [LANE_BITS] * lanes, 0, 0, 0, 0
    while len(operands) > 1:
        level += 1
        pairs = [operands[place : place + 2] for place in range(0, len(operands), 2)]
        for pair in pairs:
            if len(pair) == 2:
                bits += max(pair)
                adders += 1
        operands = [max(pair) + 1 if len(pair) == 2 else pair[0] for pair in pairs]
        if level % 2 == 0 or len(operands) == 1:
            registers += sum(operands)
    return bits, adders, registers


def words_touched(elements: int, lanes: int) -> int:
    """Most words of lanes that neighbours touch, wherever they begin."""
    return max(len({(first + i) // lanes for i in range(elements)}) for first in range(lanes))


def choices(rows: int, windows: int, features: Features) -> int:
    """Rows behind the places of windows, as `window_rows.sv` generates them."""
    edges, strides = range(1, features.largest_pool + 1), range(1, features.largest_stride + 1)
    places = product(range(windows), range(features.largest_pool), edges, strides)
    return sum(i < p and (j * p + i) * s < rows for j, i, p, s in places)


def port_planes(features: Features, fusion_depth: int) -> int:
    """Of the fusion depth, the last one standing for all deeper ones."""
    known = dict(enumerate(features.port_planes, start=1))
    return known.get(fusion_depth, features.port_planes[-1])


def terms(config: AcceleratorConfig, features: Features) -> Iterator[tuple[str, float]]:
    """Every term of the machine."""
    v, lanes, n = config.vector_width, config.channel_lanes, config.vector_width + 2
    maps, planes, pool = 1 + features.dual_threshold, features.planes, features.largest_pool
    bits, adders, registers = tree(lanes)
    stages = -(-levels_of(lanes) // 2)
    steps = features.timesteps if config.time_order == "inner" else 1
    yield from (("one", 1), ("rows", v), ("lanes", lanes), ("row_lanes", v * lanes))
    yield from (("bank_rows", n), ("bank_lanes", n * lanes))
    yield from (("tree_bits", v * bits), ("tree_adders", v * adders), ("tree_registers", v * registers))
    yield from (("tree_level_rows", v * levels_of(lanes)), ("tree_stages", stages), ("tree_stage_rows", v * stages))
    turns = levels_of(n)
    yield from (
        ("turned_lanes", n * lanes * turns),
        ("turned_valid", n * turns),
        ("turned_rows", n * turns * maps * planes),
    )
    yield "stride_rows", sum(1 for _ in product(range(v), range(1, features.largest_stride)))

    strong = features.strength_bits > 1
    yield from (("dual_rows", v if maps == 2 else 0), ("grids", 1 if features.grids else 0))
    yield from (("strengths", int(strong)), ("strength_rows", v if strong else 0))
    yield "strength_bits", sum(1 for _ in product(range(maps), range(v), range(1, features.strength_bits)))
    yield "dual_strength_rows", v if strong and maps == 2 else 0

    elements = [*product(range(maps), range(v))]
    yield from (("map_rows", len(elements)), ("stored_bits", len(elements) * planes))
    yield "kept_bits", sum(1 for _ in product(elements, range(planes), range(steps)))
    yield "pooled_bits", sum(1 for _ in product(elements, range(planes), range(pool)))
    yield "added_bits", sum(1 for _ in product(elements, range(1, planes), range(pool)))
    yield "choice_bits", choices(v, v, features) * maps * features.strength_bits

    rank = features.rank_bits
    windows = len(range(0, v, 2)) if rank else 0
    neuron = rank + maps * features.strength_bits
    yield from (("rank_bits", rank * v), ("winner_bits", windows * (neuron + 1)))
    yield "winner_kept_bits", sum(neuron + 1 for _ in product(range(windows), range(steps)))
    yield "winner_choice_bits", choices(v, windows, features) * neuron
    yield "winner_compared_bits", sum(rank for _ in product(range(windows), range(pool)))
    yield "winner_passed_bits", sum(neuron for _ in product(range(windows), range(pool)))
    yield "winner_stored_bits", len(elements) * planes if rank else 0

    outer = config.time_order == "outer" and features.timesteps > 1
    yield "outer", int(outer)
    yield from (("outer_rows", v if outer else 0), ("outer_stage_rows", v * stages if outer else 0))
    yield "outer_rank_bits", sum(rank for _ in range(v) if outer)

    pruned = features.pruned_channels > 0
    yield from (("single_bank_rows", 0 if pruned else n), ("single_bank_lanes", 0 if pruned else n * lanes))
    yield from (("pruned_bank_rows", n if pruned else 0), ("pruned_bank_lanes", n * lanes if pruned else 0))
    yield "pruned_lanes", lanes if pruned else 0
    words = len(range(0, features.pruned_channels, 9 * lanes))
    yield "list_bits", sum(9 for _ in product(range(words), range(lanes)))
    yield from (("dual_bank_lanes", n * lanes if maps == 2 else 0), ("dual_bank_rows", n * planes if maps == 2 else 0))
    span = words_touched(len(elements), lanes) * lanes
    shifts = span * levels_of(span)
    yield from (("span", span), ("span_planes", span * planes))
    yield from (("span_shifts", shifts), ("span_shift_planes", shifts * planes))
    yield from (("planes", planes - 1), ("plane_bank_rows", n * (planes - 1)), ("plane_lanes", lanes * (planes - 1)))

    wide = port_planes(features, config.fusion_depth)
    yield from (("port_planes", wide - 1), ("port_lanes", wide * lanes))
    later = range(1, wide)
    yield "port_bank_rows", sum(1 for _ in product(later, range(n)))
    yield "port_bank_lanes", sum(1 for _ in product(later, range(n), range(lanes)))


def block_ge(config: AcceleratorConfig, features: Features) -> dict[str, float]:
    """Block to gate equivalents as synthesised."""
    values, found = dict(terms(config, features)), dict[str, float]()
    for row in table():
        found[row["block"]] = found.get(row["block"], 0.0) + float(row["ge"]) * values[row["term"]]
    return found
