"""The layer program: one word of fields for each layer of a tile.

The fields are those that the modules of `dse/export/rtl` unpack, in the same order; widths in bits.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from costmodels.filters import header_words, lane_words
from costmodels.machine import MACHINE
from costmodels.ranking import ranked
from costmodels.slots import strip_rows
from costmodels.workload import LayerWorkload
from dse.export.integer_network import IntegerLayer
from dse.export.machine_filters import lists_of
from dse.export.machine_maps import MapPlace
from dse.export.machine_order import OrderedPart

EDGE, TAPS = MACHINE.window_edge, MACHINE.taps
ADDRESS_BITS = 16


def _fields(flags: str, small: str, wide: str, addresses: str = "") -> dict[str, int]:
    widths = ((flags, 1), (small, 8), (wide, 16), (addresses, ADDRESS_BITS))
    return {name: width for names, width in widths for name in names.split()}


SEQUENCER = _fields(
    "spiking pruned ends_pass",
    "number header_words kernel_tiles weight_planes input_planes slots slot_cycles strip_array_rows strip_rows "
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
    "steps planes pool stored_strip_rows stored_strip_bank_step",
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


def pack(values: Mapping[str, int], sections: Mapping[str, Mapping[str, int]]) -> int:
    """One word of a program; numbers are cut to their field, negative ones in two's complement."""
    word = 0
    for section in sections.values():
        for name, width in section.items():
            word = word << width | int(values[name]) & ((1 << width) - 1)
    return word


def split(index: int, channel_lanes: int) -> tuple[int, int, int]:
    """Lane, tap and word of an input of a fully connected layer."""
    return index % channel_lanes, index // channel_lanes % TAPS, index // (channel_lanes * TAPS)


@dataclass(frozen=True)
class LayerPass:
    """One layer in the passes over a tile.

    Attributes:
        one, layer: the layer in machine order, and its work.
        number: in the network.
        ends_pass: the group's last layer.
        read, written: its maps in the spike buffer; None behind a classifier.
        in_low, in_high: rows of its input that the tile holds.
        out_low, out_high: rows of its stored map that the tile computes.
        steps: in one pass.
        slot_cycles: from one handover to the neurons to the next one, at least.
        weight_base: of its first filter in the half that holds the group's; 0 where filters are streamed.
    """

    one: OrderedPart
    layer: LayerWorkload
    number: int
    ends_pass: bool
    read: MapPlace
    written: MapPlace | None
    in_low: int
    in_high: int
    out_low: int
    out_high: int
    steps: int
    slot_cycles: int
    weight_base: int

    @property
    def flat_input(self) -> bool:
        """Its input is one place of all inputs."""
        return self.layer.kind == "fc"

    @property
    def strip_rows(self) -> int:
        """U."""
        return int(strip_rows(self.layer, np.array(self.read.vector_width)))

    @property
    def stored_rows(self) -> int:
        """Of its map, in this tile."""
        return self.out_high - self.out_low

    @property
    def strips(self) -> int:
        """Of its computed rows."""
        return -(-self.layer.pool * self.stored_rows // self.strip_rows)

    @property
    def columns(self) -> int:
        """That it computes."""
        return self.layer.pool * self.layer.stored_width

    @property
    def steps_at_once(self) -> int:
        """Steps of the neurons on one sum."""
        return self.steps if self.layer.static_input else 1

    @property
    def padding(self) -> int:
        """Rows and columns of its first window before the map."""
        return 0 if self.flat_input else self.layer.padding

    @property
    def first_row(self) -> int:
        """Of its first window, in the rows that the tile holds."""
        return 0 if self.flat_input else self.layer.pool * self.out_low * self.layer.stride - self.padding - self.in_low


def layer_fields(here: LayerPass) -> dict[str, int]:
    """All fields of one layer's program word."""
    return _loops(here) | _windows(here) | _reads(here) | _neurons(here) | _writes(here)


def _loops(here: LayerPass) -> dict[str, int]:
    """What the sequencer walks, and what it says of the layer."""
    layer = here.layer
    return {
        "spiking": layer.spiking,
        "pruned": layer.kept is not None,
        "ends_pass": here.ends_pass,
        "number": here.number,
        "header_words": header_words(layer, here.read.channel_lanes),
        "kernel_tiles": -(-layer.kernel // EDGE),
        "weight_planes": layer.weight_bits,
        "input_planes": layer.input_bits,
        "slots": here.steps // here.steps_at_once,
        "slot_cycles": here.slot_cycles,
        "filters": layer.filters,
        "strips": here.strips,
        "columns": here.columns,
        "words": lane_words(layer, here.read.channel_lanes),
        "array_rows": layer.pool * here.stored_rows * layer.stride,
        "stride": layer.stride,
        "weight_base": here.weight_base,
    }


def _windows(here: LayerPass) -> dict[str, int]:
    """Where the first window lies, and how it moves: rows and columns, their banks, offsets in these."""
    read, stride, array_rows = here.read, here.layer.stride, here.strip_rows * here.layer.stride
    return {
        "strip_array_rows": array_rows,
        "strip_rows": here.strip_rows,
        "first_row": here.first_row,
        "first_row_bank": here.first_row % read.bank_rows,
        "first_row_offset": here.first_row // read.bank_rows * read.row_pitch,
        "strip_bank_step": array_rows % read.bank_rows,
        "strip_offset_step": array_rows // read.bank_rows * read.row_pitch,
        "first_column": -here.padding,
        "first_column_bank": -here.padding % EDGE,
        "first_column_offset": -here.padding // EDGE * read.column_pitch,
        "column_bank_step": stride % EDGE,
        "column_offset_step": stride // EDGE * read.column_pitch,
    }


def _reads(here: LayerPass) -> dict[str, int]:
    """The map that is read, and what of a window lies inside it."""
    layer, read, flat = here.layer, here.read, here.flat_input
    lanes = read.channel_lanes
    rest = layer.in_channels - (lane_words(layer, lanes) - 1) * lanes * (TAPS if flat else 1)
    return {
        "base": read.base,
        "step_pitch": read.step_pitch,
        "plane_pitch": read.plane_pitch,
        "row_pitch": read.row_pitch,
        "column_pitch": read.column_pitch,
        "fully_connected": flat,
        "kernel": layer.kernel,
        "last_taps": rest // lanes,
        "last_lanes": rest % lanes if flat else rest,
        "in_rows": 0 if flat else here.in_high - here.in_low,
        "in_columns": 0 if flat else layer.in_width,
        "list_words": lists_of(layer, lanes),
    }


def _neurons(here: LayerPass) -> dict[str, int]:
    """What neurons and pooling windows do with the sums."""
    layer, part = here.layer, here.one.part
    return {
        "binary": layer.weight_bits == 1,
        "hard_reset": isinstance(part, IntegerLayer) and part.reset == "hard",
        "average": layer.pool > 1 and layer.pooling == "average",
        "ranked": ranked(layer),
        "ranks_of_sums": layer.pooling == "membrane",
        "strength_bits": layer.levels.bit_length(),
        "fraction_bits": part.fraction_bits if isinstance(part, IntegerLayer) else 0,
        "neuron_steps": layer.levels.bit_length() * here.steps_at_once if layer.spiking else 1,
        "steps": here.steps,
        "pool": layer.pool,
        "positions": here.strips * here.columns,
    }


def _writes(here: LayerPass) -> dict[str, int]:
    """Where stored elements go; all 0 where nothing is stored."""
    one, layer, written, strip = here.one, here.layer, here.written, here.strip_rows // here.layer.pool
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
        "planes": written.planes,
        "stored_strip_rows": strip,
        "stored_strip_bank_step": strip % written.bank_rows,
        "stored_columns": layer.stored_width,
        "stored_rows": here.stored_rows,
        "out_base": written.base,
        "out_step_pitch": written.step_pitch,
        "out_plane_pitch": written.plane_pitch,
        "out_row_pitch": written.row_pitch,
        "out_column_pitch": written.column_pitch,
        "stored_strip_offset_step": strip // written.bank_rows * written.row_pitch,
    }
