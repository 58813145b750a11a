"""Toggles of a layer foretold, block by block: events of the cost model, times the wires that each value passes.

What the events do not say is how many bits turn: of the array `activity_array.py` says it, of neurons and addresses
`activity_neurons.py`, both from the integer reference. No wire has a coefficient of its own; fitted are one number for
the array, one for the adders, and few for each other block.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import numpy as np
from activity_array import ArrayTurns

from costmodels.machine import MACHINE
from costmodels.workload import LayerWorkload

EDGE, TAPS, HALO = MACHINE.window_edge, MACHINE.taps, MACHINE.window_halo


@dataclass(frozen=True)
class LayerRun:
    """One layer of one image on a machine.

    Attributes:
        layer: with the densities of the image.
        rows, lanes: V and L.
        strip_rows: rows that a full strip uses.
        maps, planes: of the machine: spike maps of a membrane, bits of the largest element stored.
        timesteps: of the network.
        array: bits that change in a mean array cycle.
        potentials, strengths: bits that change in neurons, and in what they hand to pooling, over the whole layer.
        read_address: bits of a bank's address that change in a mean array cycle.
        write_address: bits of a written address that change in a mean step of the neurons.
        events: of the cost model, by name.
    """

    layer: LayerWorkload
    rows: int
    lanes: int
    strip_rows: int
    maps: int
    planes: int
    timesteps: int
    array: ArrayTurns
    potentials: int
    strengths: int
    read_address: float
    write_address: float
    events: dict[str, float]

    @property
    def groups(self) -> int:
        """G: words of lanes at a place."""
        return ceil(self.layer.in_channels / (self.lanes * (TAPS if self.layer.kind == "fc" else 1)))

    @property
    def banks(self) -> int:
        """Of a half of the spike buffer."""
        return EDGE * (self.rows + HALO)

    @property
    def array_cycles(self) -> float:
        """In which the array works."""
        return self.events["pe_cycles"]

    @property
    def sums(self) -> float:
        """Handed over by each row, used or not."""
        return self.array_cycles / (self.groups * self.layer.weight_bits * self.layer.input_bits)

    @property
    def neuron_steps(self) -> float:
        """Steps of the neurons, all rows at once."""
        return self.sums * (self.timesteps if self.layer.static_input else 1) * self.layer.spiking


def weight_turns(run: LayerRun) -> float:
    """Bits of the words of weights that change: every other one of those that come anew, and of headers."""
    turning = (run.groups * run.layer.weight_bits > 1) / run.layer.input_bits
    headers = run.events["weight_reads"] - run.array_cycles
    return (turning * run.array_cycles + headers) * TAPS * run.lanes / 2


def array_wires(run: LayerRun) -> float:
    """Toggles of all wires from the banks to the sums of the lanes."""
    turned = ceil(np.log2(run.rows + HALO))  # layers of the rotator
    flat = (16 + TAPS) / run.banks  # of fully connected layers: two wires of some banks
    turns = run.array
    passed = turns.banks * (5 + turned + flat) + turns.words + 3 * turns.window + 4 * turns.spikes
    passed += turns.products + 3 * turns.counts + 3 * turns.lane_sums + turns.row_sums
    return run.array_cycles * passed + weight_turns(run) * (3 * run.rows + 1)  # array; row, lane and PE of each row


def adder_wires(run: LayerRun) -> float:
    """Toggles of trees and accumulators: a number passes three wires of its level, a row's sum two."""
    turns = run.array
    return run.array_cycles * (3 * turns.tree + 2 * turns.terms + turns.totals + turns.previous)


def idle_neurons(run: LayerRun) -> float:
    """Neurons of rows without an output: at the first step of each position their membranes are read as 0."""
    steps = 1 if run.layer.static_input else run.timesteps
    used = run.events["row_cycles"] * run.sums / run.array_cycles
    return (run.sums * run.rows - used) * run.layer.spiking / steps


def steps_counted(run: LayerRun) -> float:
    """Toggles of the step's number in each map's windows: bit k turns every 2^k steps, all that are set at the last."""
    around = sum((step ^ (step + 1) % run.timesteps).bit_count() for step in range(run.timesteps))
    return run.neuron_steps * run.maps * around / run.timesteps


def buffer_words(run: LayerRun) -> float:
    """Toggles of spikes and weights on their way from the buffers, seven and six wires, and of sums on theirs."""
    turns = run.array
    passed = 5 * turns.banks + 2 * turns.window + 2 * turns.totals + turns.row_sums
    return run.array_cycles * passed + 6 * weight_turns(run)


Quantity = Callable[[LayerRun], float]
QUANTITIES: dict[str, tuple[Quantity, ...]] = {
    "pe_array": (array_wires,),
    "adders": (adder_wires,),
    "if_unit": (
        lambda run: run.potentials,
        idle_neurons,
        lambda run: run.array_cycles * run.array.handed * run.layer.spiking,
        lambda run: run.array_cycles * run.array.totals,
    ),
    "pooling": (steps_counted, lambda run: run.strengths),
    "clock_control": (
        lambda run: sum(run.events[f"{cause}_cycles"] for cause in ("compute", "stall", "fill")),
        lambda run: run.array_cycles * run.banks * run.read_address,
        buffer_words,
        lambda run: run.neuron_steps * run.planes * (run.banks + TAPS) * run.write_address,
    ),
}
