"""Where maps lie in the spike buffer, and the layer program: one word of fields for each layer.

The fields are those that the modules of `dse/export/rtl` unpack, in the same order; widths in bits.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from costmodels.accelerator import AcceleratorConfig
from costmodels.filters import header_words, lane_words
from costmodels.machine import MACHINE
from costmodels.ranking import ranked
from costmodels.slots import strip_rows
from costmodels.tiling import groups, map_rows
from costmodels.workload import LayerWorkload, Workload
from dse.export.integer_network import IntegerLayer, Integers
from dse.export.machine_filters import lists_of
from dse.export.machine_order import OrderedPart

EDGE, TAPS = MACHINE.window_edge, MACHINE.taps
ADDRESS_BITS = 16


def _fields(flags: str, small: str, wide: str, addresses: str = "") -> dict[str, int]:
    widths = ((flags, 1), (small, 8), (wide, 16), (addresses, ADDRESS_BITS))
    return {name: width for names, width in widths for name in names.split()}


SEQUENCER = _fields(
    "spiking pruned last_layer",
    "header_words kernel_tiles weight_planes input_planes slots neuron_steps strip_array_rows strip_rows "
    "first_row_bank strip_bank_step first_column_bank column_bank_step stride",
    "filters strips columns words array_rows first_row first_column",
    "base step_pitch plane_pitch row_pitch column_pitch first_row_offset strip_offset_step first_column_offset "
    "column_offset_step",
)
READER = _fields(
    "fully_connected pruned", "kernel last_taps last_lanes", "in_rows in_columns", "row_pitch column_pitch"
)
FLAT = tuple(f"flat_{loop}_{unit}" for loop in ("column", "strip", "filter") for unit in ("lane", "tap", "word"))
WRITER = _fields(
    "flat dual",
    "steps pool stored_strip_rows stored_strip_bank_step",
    "stored_columns strips stored_rows",
    "out_base out_step_pitch out_plane_pitch out_row_pitch out_column_pitch stored_strip_offset_step",
) | {name: ADDRESS_BITS if name.endswith("word") else 8 for name in FLAT}
NEURON = _fields(
    "spiking binary hard_reset average ranked ranks_of_sums",
    "list_words neuron_steps steps stride pool strip_rows strength_bits fraction_bits",
    "positions",
)
LOADER = _fields("", "", "", "weight_base")
SECTIONS: Mapping[str, Mapping[str, int]] = {
    "SEQUENCER_BITS": SEQUENCER,
    "READER_BITS": READER,
    "WRITER_BITS": WRITER,
    "NEURON_BITS": NEURON,
    "WEIGHT_BASE_BITS": LOADER,
}


def section_bits(section: Mapping[str, int]) -> int:
    """Bits of the fields of one module."""
    return sum(section.values())


def pack(values: Mapping[str, int]) -> int:
    """The program word of one layer; numbers are cut to their field, negative ones in two's complement."""
    word = 0
    for section in SECTIONS.values():
        for name, width in section.items():
            word = word << width | int(values[name]) & ((1 << width) - 1)
    return word


@dataclass(frozen=True)
class MapPlace:
    """A map in the spike buffer: row y and column x in bank (y mod (V + 2), x mod 3), or flat in nine tap banks.

    Attributes:
        flat: the inputs of a fully connected layer.
        rows, columns, channels, planes, steps: of the map; a flat map has only channels.
        base: first address in each bank.
        vector_width, channel_lanes: V and L.
    """

    flat: bool
    rows: int
    columns: int
    channels: int
    planes: int
    steps: int
    base: int
    vector_width: int
    channel_lanes: int

    @property
    def bank_rows(self) -> int:
        """Banks that the rows take in turn."""
        return self.vector_width + MACHINE.window_halo

    @property
    def column_pitch(self) -> int:
        """Words of lanes of one place."""
        return -(-self.channels // ((TAPS if self.flat else 1) * self.channel_lanes))

    @property
    def row_pitch(self) -> int:
        """Addresses from a row to the next one in the same bank."""
        return 0 if self.flat else -(-self.columns // EDGE) * self.column_pitch

    @property
    def plane_pitch(self) -> int:
        """Addresses of a bit plane."""
        return self.column_pitch if self.flat else -(-self.rows // self.bank_rows) * self.row_pitch

    @property
    def step_pitch(self) -> int:
        """Addresses of a step."""
        return self.planes * self.plane_pitch

    @property
    def size(self) -> int:
        """Addresses of the map in each bank."""
        return self.steps * self.step_pitch

    def words(self, values: Integers) -> Iterator[tuple[int, int, int]]:
        """Bank, address and lanes of all words of a map of one step, ``channels x rows x columns``."""
        lanes = self.channel_lanes
        padded = -self.channels % (lanes * (TAPS if self.flat else 1))
        bits = np.pad(values, ((0, padded), (0, 0), (0, 0)))
        for plane in range(self.planes):
            set_bits = (bits >> plane) & 1
            for word, y, x in np.ndindex(len(bits) // lanes, *bits.shape[1:]):
                data = sum(int(bit) << i for i, bit in enumerate(set_bits[word * lanes : (word + 1) * lanes, y, x]))
                yield self._bank(plane, word, y, x), self._address(plane, word, y, x), data

    def _bank(self, plane: int, word: int, y: int, x: int) -> int:
        # Planes lie apart, so that all planes of an element can be written at once: see spike_reader.sv.
        if self.flat:
            return (word + 2 * (plane % 4)) % TAPS
        half = -(-self.vector_width // 2)
        row = y + (half if EDGE <= plane < 2 * EDGE else 0)
        return row % self.bank_rows * EDGE + (x + plane) % EDGE

    def _address(self, plane: int, word: int, y: int, x: int) -> int:
        if self.flat:
            return self.base + plane * self.plane_pitch + word // TAPS
        place = y // self.bank_rows * self.row_pitch + x // EDGE * self.column_pitch + word
        return self.base + plane * self.plane_pitch + place


def place_maps(parts: Sequence[OrderedPart], config: AcceleratorConfig, timesteps: int) -> tuple[MapPlace, ...]:
    """The map that each layer reads; they alternate between two regions, each as large as its largest map."""
    maps = []
    for one in parts:
        channels, rows, columns = one.part.input_shape
        steps = 1 if one.static_input else timesteps
        flat = one.part.kind == "fc"
        size = (channels, 1, 1) if flat else (channels, rows, columns)
        maps.append(
            MapPlace(
                flat,
                size[1],
                size[2],
                size[0],
                one.part.input_bits,
                steps,
                0,
                config.vector_width,
                config.channel_lanes,
            )
        )
    second = max(place.size for place in maps[0::2])
    return tuple(MapPlace(**{**vars(place), "base": second * (index % 2)}) for index, place in enumerate(maps))


def stored_rows(work: Workload, config: AcceleratorConfig) -> tuple[int, ...]:
    """Rows that each layer computes of its stored map: inside a group only those that the next layer reads."""
    rows: list[int] = []
    for group in groups(work, config.fusion_depth):
        rows += [int(count) for count in map_rows(group, group.height)[1:, 0]]
    return tuple(rows)


def split(index: int, channel_lanes: int) -> tuple[int, int, int]:
    """Lane, tap and word of an input of a fully connected layer."""
    return index % channel_lanes, index // channel_lanes % TAPS, index // (channel_lanes * TAPS)


def layer_fields(
    one: OrderedPart,
    layer: LayerWorkload,
    read: MapPlace,
    written: MapPlace | None,
    timesteps: int,
    weight_base: int,
    stored_rows: int,
) -> dict[str, int]:
    """All fields of one layer's program word; ``stored_rows`` of its map are computed."""
    lanes, banks, stride = read.channel_lanes, read.bank_rows, layer.stride
    rows = int(strip_rows(layer, np.array(read.vector_width)))
    flat = layer.kind == "fc"
    strip_array_rows = rows * stride
    computed = layer.pool * stored_rows
    columns = layer.pool * layer.stored_width
    strips = -(-computed // rows)
    steps_at_once = timesteps if layer.static_input else 1
    padding = 0 if flat else layer.padding
    rest = layer.in_channels - (lane_words(layer, lanes) - 1) * lanes * (TAPS if flat else 1)
    fields = {
        "spiking": layer.spiking,
        "pruned": layer.kept is not None,
        "last_layer": written is None,
        "header_words": header_words(layer, lanes),
        "kernel_tiles": -(-layer.kernel // EDGE),
        "weight_planes": layer.weight_bits,
        "input_planes": layer.input_bits,
        "slots": timesteps // steps_at_once,
        "neuron_steps": layer.levels.bit_length() * steps_at_once if layer.spiking else 1,
        "strip_array_rows": strip_array_rows,
        "strip_rows": rows,
        "first_row_bank": -padding % banks,
        "strip_bank_step": strip_array_rows % banks,
        "first_column_bank": -padding % EDGE,
        "column_bank_step": stride % EDGE,
        "filters": layer.filters,
        "strips": strips,
        "columns": columns,
        "words": lane_words(layer, lanes),
        "array_rows": computed * stride,
        "first_row": -padding,
        "first_column": -padding,
        "stride": stride,
        "base": read.base,
        "step_pitch": read.step_pitch,
        "plane_pitch": read.plane_pitch,
        "row_pitch": read.row_pitch,
        "column_pitch": read.column_pitch,
        "first_row_offset": -padding // banks * read.row_pitch,
        "strip_offset_step": strip_array_rows // banks * read.row_pitch,
        "first_column_offset": -padding // EDGE * read.column_pitch,
        "column_offset_step": stride // EDGE * read.column_pitch,
        "fully_connected": flat,
        "kernel": layer.kernel,
        "last_taps": rest // lanes,
        "last_lanes": rest % lanes if flat else rest,
        "in_rows": 0 if flat else layer.in_height,
        "in_columns": 0 if flat else layer.in_width,
        "binary": layer.weight_bits == 1,
        "hard_reset": isinstance(one.part, IntegerLayer) and one.part.reset == "hard",
        "average": layer.pool > 1 and layer.pooling == "average",
        "ranked": ranked(layer),
        "ranks_of_sums": layer.pooling == "membrane",
        "strength_bits": layer.levels.bit_length(),
        "fraction_bits": one.part.fraction_bits if isinstance(one.part, IntegerLayer) else 0,
        "list_words": lists_of(layer, lanes),
        "steps": timesteps,
        "pool": layer.pool,
        "positions": strips * columns,
        "weight_base": weight_base,
    }
    return fields | _writer_fields(one, layer, written, rows // layer.pool, stored_rows)


def _writer_fields(
    one: OrderedPart, layer: LayerWorkload, written: MapPlace | None, strip: int, stored_rows: int
) -> dict[str, int]:
    """Fields of where stored elements go; all 0 where nothing is stored."""
    if written is None:
        return dict.fromkeys(WRITER.keys() - {"strips", "pool", "steps"}, 0)
    advances = {
        "column": layer.stored_height * one.maps,
        "strip": strip * one.maps,
        "filter": layer.stored_height * layer.stored_width * one.maps,
    }
    flat = {
        f"flat_{loop}_{unit}": value
        for loop, by in advances.items()
        for unit, value in zip(("lane", "tap", "word"), split(by, written.channel_lanes), strict=True)
    }
    return flat | {
        "flat": written.flat,
        "dual": one.maps == 2,
        "stored_strip_rows": strip,
        "stored_strip_bank_step": strip % written.bank_rows,
        "stored_columns": layer.stored_width,
        "stored_rows": stored_rows,
        "out_base": written.base,
        "out_step_pitch": written.step_pitch,
        "out_plane_pitch": written.plane_pitch,
        "out_row_pitch": written.row_pitch,
        "out_column_pitch": written.column_pitch,
        "stored_strip_offset_step": strip // written.bank_rows * written.row_pitch,
    }
