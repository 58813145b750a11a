"""Where maps lie in a half of the spike buffer: bank and address of each place, and the two regions of a group."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from costmodels.accelerator import AcceleratorConfig
from costmodels.machine import MACHINE
from costmodels.tiling import Group, allocated_rows

EDGE, TAPS = MACHINE.window_edge, MACHINE.taps


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


def place_maps(group: Group, rows: int, config: AcceleratorConfig) -> tuple[MapPlace | None, ...]:
    """The maps of ``group`` in tiles of ``rows`` rows, input first; None for the scores of a classifier.

    They alternate between two regions, each as large as its largest map.
    """
    held = allocated_rows(group, np.array([rows]))[:, 0].tolist()
    outer = config.time_order == "outer"
    maps = [
        _place(group, index, rows, 1 if outer else group.timesteps, config.vector_width, config.channel_lanes)
        for index, rows in enumerate(held)
    ]
    second = max(place.size for place in maps[0::2] if place)
    return tuple(place and replace(place, base=second * (index % 2)) for index, place in enumerate(maps))


def _place(group: Group, index: int, rows: int, steps: int, vector_width: int, channel_lanes: int) -> MapPlace | None:
    machine = {"base": 0, "vector_width": vector_width, "channel_lanes": channel_lanes}
    if index < len(group.layers):
        layer = group.layers[index]
        steps = 1 if layer.static_input else steps
        flat = layer.kind == "fc"
        shape = (1, 1) if flat else (rows, layer.in_width)
        return MapPlace(flat, *shape, layer.in_channels, layer.input_bits, steps, **machine)
    layer = group.layers[-1]
    if not layer.spiking:
        return None
    return MapPlace(False, rows, layer.stored_width, layer.out_channels, layer.output_bits, steps, **machine)


def depth(maps: Sequence[MapPlace | None]) -> int:
    """Addresses that both regions take in each bank."""
    return max(place.base + place.size for place in maps if place)
