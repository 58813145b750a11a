"""The pass program: for each run of equal tiles of a group one word, with the transfers that feed and drain it.

The fields are those that `dse/export/rtl/pass_control.sv` and `map_walk.sv` unpack, in the same order; widths in bits.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from costmodels.filters import filter_bank
from costmodels.machine import MACHINE
from costmodels.slots import Pass, neuron_cycles
from costmodels.tiling import Group, map_spans, membrane_demand_bits
from dse.export.machine_maps import MapPlace
from dse.export.machine_order import OrderedPart
from dse.export.machine_program import ADDRESS_BITS, SECTIONS, LayerPass, layer_fields, pack

ELEMENT_BITS = 32


def _fields(flags: str, words: str, elements: str) -> dict[str, int]:
    widths = ((flags, 1), (words, 16), (elements, ELEMENT_BITS))
    return {name: width for names, width in widths for name in names.split()}


CONTROL = _fields(
    "ends_group ends_network resident ahead static scores",
    "tiles steps layer filter filters words ahead_words",
    "weights ahead_weights in_start in_tile in_step out_start out_tile out_step",
)
MAP: Mapping[str, int] = {
    "flat": 1,
    **dict.fromkeys(("planes", "last_lanes"), 8),
    **dict.fromkeys(("rows", "columns", "words", "steps"), 16),
    **dict.fromkeys(("base", "step_pitch", "plane_pitch", "row_pitch", "column_pitch"), ADDRESS_BITS),
    "step_elements": ELEMENT_BITS,
}
PASS_SECTIONS: Mapping[str, Mapping[str, int]] = {
    "CONTROL_BITS": CONTROL,
    "MAP_BITS": {f"in_{name}": width for name, width in MAP.items()},
    "OUT_BITS": {f"out_{name}": width for name, width in MAP.items()},
}


@dataclass(frozen=True, eq=False)
class DramMap:
    """A map in DRAM: step by step, row by row, column by column, all channels of a place together; elements.

    Attributes:
        start: first element.
        rows, columns, channels, planes: of the map.
    """

    start: int
    rows: int
    columns: int
    channels: int
    planes: int

    @property
    def row_elements(self) -> int:
        """Elements of a row."""
        return self.columns * self.channels

    @property
    def step_elements(self) -> int:
        """Elements of a step."""
        return self.rows * self.row_elements


@dataclass(frozen=True, eq=False)
class PlacedGroup:
    """A group of layers on the machine.

    Attributes:
        group: its layers; the first one as it leads a group.
        parts: the same in machine order.
        rows: R, stored rows of a tile.
        resident: its weights are loaded once.
        steps: in one pass.
        maps: in the spike buffer, input first; None for scores.
        source, target: its input and output in DRAM; no target for scores.
        first_word: of its weights in DRAM; first_filter: of its filters in the list of lengths.
        lengths: words of each filter, layer by layer.
    """

    group: Group
    parts: tuple[OrderedPart, ...]
    rows: int
    resident: bool
    steps: int
    maps: tuple[MapPlace | None, ...]
    source: DramMap
    target: DramMap | None
    first_word: int
    first_filter: int
    lengths: tuple[tuple[int, ...], ...]

    @property
    def passes_of_tile(self) -> int:
        """Passes over one tile."""
        return self.group.timesteps // self.steps

    @property
    def kind(self) -> Pass:
        """What one pass over a tile holds."""
        return Pass.ALL_STEPS if self.passes_of_tile == 1 else Pass.FIRST_STEP

    @property
    def words(self) -> int:
        """Words of all filters."""
        return sum(map(sum, self.lengths))

    @property
    def membrane_words(self) -> int:
        """Words of V membranes that a tile leaves for its next step; 0 where one pass holds all steps."""
        if self.passes_of_tile == 1:
            return 0
        width = _present(self.maps[0]).vector_width
        demand = membrane_demand_bits(self.group, np.array([self.rows]), np.array(width))
        return int(demand[0]) // (width * MACHINE.membrane_bits)

    @property
    def filters(self) -> int:
        """Filters of all layers."""
        return sum(map(len, self.lengths))

    @property
    def first_load(self) -> int:
        """Words of the load in front of the group."""
        return self.words if self.resident else self.lengths[0][0]

    def tiles(self) -> list[tuple[LayerPass, ...]]:
        """The layers of each tile."""
        lows, highs = map_spans(self.group, self.rows)
        bases = np.cumsum([0, *map(sum, self.lengths)]) * self.resident
        return [
            tuple(
                LayerPass(
                    one=self.parts[j],
                    layer=layer,
                    number=self.group.first + j,
                    ends_pass=j + 1 == len(self.group.layers),
                    read=_present(self.maps[j]),
                    written=self.maps[j + 1],
                    in_low=int(lows[j, i]),
                    in_high=int(highs[j, i]),
                    out_low=int(lows[j + 1, i]),
                    out_high=int(highs[j + 1, i]),
                    steps=self.steps,
                    slot_cycles=max(neuron_cycles(layer, self.group.timesteps, self.kind), 1),
                    weight_base=int(bases[j]),
                )
                for j, layer in enumerate(self.group.layers)
            )
            for i in range(lows.shape[1])
        ]


def _present(place: MapPlace | None) -> MapPlace:
    assert place is not None
    return place


@dataclass(frozen=True, eq=False)
class Run:
    """Consecutive tiles that differ only in where they lie: the layers of the first one, and how many there are."""

    layers: tuple[LayerPass, ...]
    words: tuple[int, ...]
    count: int
    in_advance: int


def runs(placed: PlacedGroup) -> list[Run]:
    """The tiles of a group as runs: equal program words, and input rows that begin equally far apart."""
    found: list[Run] = []
    for tile in placed.tiles():
        words = tuple(pack(layer_fields(one), SECTIONS) for one in tile)
        last = found[-1] if found else None
        if last is None or words != last.words:
            found.append(Run(tile, words, 1, 0))
            continue
        advance = tile[0].in_low - last.layers[0].in_low
        if last.count > 1 and advance != last.count * last.in_advance:
            found.append(Run(tile, words, 1, 0))
        else:
            found[-1] = Run(last.layers, words, last.count + 1, advance // last.count)
    return found


def programs(placed: Sequence[PlacedGroup]) -> tuple[list[int], list[int]]:
    """Words of the layer program and of the pass program."""
    layers: list[int] = []
    passes: list[int] = []
    for index, one in enumerate(placed):
        following = placed[index + 1] if index + 1 < len(placed) else None
        every = runs(one)
        for run in every:
            fields = _control(one, run, len(layers), run is every[-1], following)
            fields |= _prefixed("in", _shape(one.source, _present(one.maps[0]), _rows_in(run)))
            fields |= _prefixed("out", _out_shape(one, run))
            passes.append(pack(fields, PASS_SECTIONS))
            layers += run.words
    return layers, passes


def _rows_in(run: Run) -> int:
    return run.layers[0].in_high - run.layers[0].in_low


def _control(one: PlacedGroup, run: Run, layer: int, ends: bool, following: PlacedGroup | None) -> dict[str, int]:
    source, target, first = one.source, one.target, run.layers[0]
    static, rows_out = one.group.layers[0].static_input, run.layers[-1].out_high - run.layers[-1].out_low
    ahead = following is not None and one.resident and following.resident
    return {
        "ends_group": ends,
        "ends_network": following is None,
        "resident": one.resident,
        "ahead": ahead,
        "static": static,
        "scores": target is None,
        "tiles": run.count,
        "steps": one.passes_of_tile,
        "layer": layer,
        "filter": one.first_filter,
        "filters": one.filters,
        "words": one.first_load,
        "ahead_words": following.first_load if following and ahead else 0,
        "weights": one.first_word,
        "ahead_weights": following.first_word if following and ahead else 0,
        "in_start": source.start + first.in_low * source.row_elements,
        "in_tile": run.in_advance * source.row_elements,
        "in_step": 0 if static else source.step_elements,
        "out_start": target.start + run.layers[-1].out_low * target.row_elements if target else 0,
        "out_tile": rows_out * target.row_elements if target else 0,
        "out_step": target.step_elements if target else 0,
    }


def _shape(dram: DramMap, place: MapPlace, rows: int) -> dict[str, int]:
    """A map that crosses the port: ``rows`` of its rows."""
    words = -(-dram.channels // place.channel_lanes)
    return {
        "flat": place.flat,
        "planes": dram.planes,
        "last_lanes": dram.channels - (words - 1) * place.channel_lanes,
        "rows": 1 if place.flat else rows,
        "columns": 1 if place.flat else dram.columns,
        "words": words,
        "steps": place.steps,
        "base": place.base,
        "step_pitch": place.step_pitch,
        "plane_pitch": place.plane_pitch,
        "row_pitch": place.row_pitch,
        "column_pitch": place.column_pitch,
        "step_elements": dram.step_elements,
    }


def _out_shape(one: PlacedGroup, run: Run) -> dict[str, int]:
    if one.target is None:
        return dict.fromkeys(MAP, 0)
    last = run.layers[-1]
    return _shape(one.target, _present(one.maps[-1]), last.out_high - last.out_low)


def _prefixed(prefix: str, fields: Mapping[str, int]) -> dict[str, int]:
    return {f"{prefix}_{name}": value for name, value in fields.items()}


def filter_words(group: Group, channel_lanes: int) -> Iterator[tuple[int, ...]]:
    """Words of each filter, layer by layer."""
    for layer in group.layers:
        yield tuple(filter_bank(layer, channel_lanes).words.tolist())
