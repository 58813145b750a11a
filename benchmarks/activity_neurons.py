"""Bits that change in neurons and in addresses, in the order in which the machine runs through positions and steps."""

from dataclasses import replace

import numpy as np
from activity_array import changes
from numpy.typing import NDArray

from costmodels.machine import MACHINE
from costmodels.workload import LayerWorkload
from dse.export.integer_network import IntegerLayer, run_layer
from dse.export.machine_maps import MapPlace

ADDRESS_BITS = 16
CONSTANT_BITS = 3 * MACHINE.membrane_bits


def neuron_changes(values: NDArray[np.integer], rows: int, bits: int) -> int:
    """Bits that change in ``rows`` registers, the rows of a strip, that take values [T, M, H, W].

    A register goes through filters, its rows of the map, columns, steps; it rests where a strip has no row for it.
    """
    found = 0
    for row in range(rows):
        in_order = values[:, :, row::rows].transpose(1, 2, 3, 0).ravel().astype(np.int64)
        found += int(np.bitwise_count((in_order[1:] ^ in_order[:-1]) & (2**bits - 1)).sum())
    return found


def neurons(
    part: IntegerLayer, inputs: NDArray[np.uint8], timesteps: int, rows: int, dual_machine: bool, lanes: int
) -> tuple[int, int]:
    """Bits of potentials that change, and of strengths before pooling, both maps.

    The upper threshold of a layer that has one threshold is 0 where the words of its header reach so far: it fires
    wherever a potential is not negative, and what it fires is never stored.

    Args:
        part: in machine order; its pooling is left out.
        inputs: [T, C, H, W], or [1, C, H, W] of an image.
        rows: of a strip; 1 of a fully connected layer.
    """
    potentials, spikes = (each[:, 0] for each in run_layer(replace(part, pool=1), inputs[:, None], timesteps))
    edge = [part.pool * (size // part.pool) for size in potentials.shape[2:]]
    potentials, spikes = (each[:, :, : edge[0], : edge[1]] for each in (potentials, spikes))
    filters = potentials.shape[1]
    maps = [spikes[:, first : first + filters] for first in range(0, spikes.shape[1], filters)]
    word = MACHINE.taps * lanes
    header = -(-2 * MACHINE.membrane_bits // word) * word
    if dual_machine and len(maps) == 1 and header >= CONSTANT_BITS:
        maps.append((potentials >= 0).astype(np.uint8))
    strengths = sum(neuron_changes(each, rows, part.levels.bit_length()) for each in maps)
    return neuron_changes(potentials, rows, MACHINE.membrane_bits), strengths


def read_address_changes(layer: LayerWorkload, place: MapPlace, strip_rows: int) -> float:
    """Bits of a bank's address, without the word of lanes, that change in a mean array cycle."""
    steps = 1 if layer.static_input else place.steps
    address = np.arange(steps)[:, None, None] * place.step_pitch + np.arange(layer.input_bits) * place.plane_pitch
    address = address + place.base + np.zeros((place.column_pitch, 1), int)
    if layer.kind == "conv":
        tops = np.arange(0, layer.pool * layer.stored_height, strip_rows) * layer.stride - layer.padding
        lefts = np.arange(layer.pool * layer.stored_width) * layer.stride - layer.padding
        corner = (tops // place.bank_rows * place.row_pitch)[
            :, None
        ] + lefts // MACHINE.window_edge * place.column_pitch
        address = address + corner[..., None, None, None]
    return changes(address.ravel(), ADDRESS_BITS)


def write_address_changes(place: MapPlace, timesteps: int) -> float:
    """Bits of a written element's address that change from one step to the next, on average."""
    return changes(place.base + np.arange(timesteps) * place.step_pitch, ADDRESS_BITS)
