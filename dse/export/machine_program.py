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


def layer_fields(here: LayerPass) -> dict[str, int]:
    """All fields of one layer's program word."""
    one, layer, read = here.one, here.layer, here.read
    stored_rows, timesteps = here.out_high - here.out_low, here.steps
    lanes, banks, stride = read.channel_lanes, read.bank_rows, layer.stride
    rows = int(strip_rows(layer, np.array(read.vector_width)))
    flat = layer.kind == "fc"
    strip_array_rows = rows * stride
    computed = layer.pool * stored_rows
    columns = layer.pool * layer.stored_width
    strips = -(-computed // rows)
    steps_at_once = timesteps if layer.static_input else 1
    padding = 0 if flat else layer.padding
    first_row = 0 if flat else layer.pool * here.out_low * stride - padding - here.in_low
    rest = layer.in_channels - (lane_words(layer, lanes) - 1) * lanes * (TAPS if flat else 1)
    fields = {
        "spiking": layer.spiking,
        "pruned": layer.kept is not None,
        "ends_pass": here.ends_pass,
        "number": here.number,
        "header_words": header_words(layer, lanes),
        "kernel_tiles": -(-layer.kernel // EDGE),
        "weight_planes": layer.weight_bits,
        "input_planes": layer.input_bits,
        "slots": timesteps // steps_at_once,
        "slot_cycles": here.slot_cycles,
        "neuron_steps": layer.levels.bit_length() * steps_at_once if layer.spiking else 1,
        "strip_array_rows": strip_array_rows,
        "strip_rows": rows,
        "first_row_bank": first_row % banks,
        "strip_bank_step": strip_array_rows % banks,
        "first_column_bank": -padding % EDGE,
        "column_bank_step": stride % EDGE,
        "filters": layer.filters,
        "strips": strips,
        "columns": columns,
        "words": lane_words(layer, lanes),
        "array_rows": computed * stride,
        "first_row": first_row,
        "first_column": -padding,
        "stride": stride,
        "base": read.base,
        "step_pitch": read.step_pitch,
        "plane_pitch": read.plane_pitch,
        "row_pitch": read.row_pitch,
        "column_pitch": read.column_pitch,
        "first_row_offset": first_row // banks * read.row_pitch,
        "strip_offset_step": strip_array_rows // banks * read.row_pitch,
        "first_column_offset": -padding // EDGE * read.column_pitch,
        "column_offset_step": stride // EDGE * read.column_pitch,
        "fully_connected": flat,
        "kernel": layer.kernel,
        "last_taps": rest // lanes,
        "last_lanes": rest % lanes if flat else rest,
        "in_rows": 0 if flat else here.in_high - here.in_low,
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
        "weight_base": here.weight_base,
    }
    return fields | _writer_fields(one, layer, here.written, rows // layer.pool, stored_rows)


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
        "planes": written.planes,
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
