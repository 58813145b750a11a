"""Toggles of a layer foretold, block by block: events of the cost model, times wires and the bits that turn on them.

A window bit turns as often as the spikes do (`turnover`), a product, a count and a sum of lanes as often as the joint
distribution of a tap now and next says: taps of a lane, and lanes of a row, are taken as independent. No wire of the
array or the trees has a coefficient of its own; fitted are one number for the array, and few for each other block.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from costmodels.gates import lane_cells
from costmodels.machine import MACHINE
from costmodels.workload import LayerWorkload

EDGE, TAPS, HALO = MACHINE.window_edge, MACHINE.taps, MACHINE.window_halo
COUNT_BITS, LANE_BITS = TAPS.bit_length(), lane_cells().subtractor_bits
Reals = NDArray[np.float64]


@dataclass(frozen=True)
class LayerRun:
    """One layer of one image on a machine.

    Attributes:
        layer: with the densities of the image.
        rows, lanes: V and L.
        strip_rows: rows that a full strip uses.
        maps, planes: of the machine: spike maps of a membrane, bits of the largest element stored.
        timesteps: of the network.
        turnover: share of the bits of a word of lanes that change from one read to the next (`turnover`).
        step_turnover: the same from a read to the one of the next sum.
        events: of the cost model, by name.
    """

    layer: LayerWorkload
    rows: int
    lanes: int
    strip_rows: int
    maps: int
    planes: int
    timesteps: int
    turnover: float
    step_turnover: float
    events: dict[str, float]

    @property
    def inputs_of_lane(self) -> int:
        """Inputs that a lane takes from one word of the spike buffer."""
        return TAPS if self.layer.kind == "fc" else 1

    @property
    def groups(self) -> int:
        """G: words of lanes at a place."""
        return ceil(self.layer.in_channels / (self.lanes * self.inputs_of_lane))

    @property
    def live_lanes(self) -> int:
        """Lanes that ever have an input."""
        return min(self.lanes, self.layer.in_channels)

    @property
    def density(self) -> float:
        """Share of set bits in the words of lanes, lanes without an input among them."""
        filled = self.layer.in_channels / (self.groups * self.lanes * self.inputs_of_lane)
        return float(np.mean(self.layer.input_density)) * filled

    @property
    def additions(self) -> int:
        """Array cycles of one sum."""
        return self.groups * self.layer.weight_bits * self.layer.input_bits

    @property
    def turning(self) -> float:
        """Share of array cycles that bring other weights."""
        return (self.groups * self.layer.weight_bits > 1) / self.layer.input_bits

    @property
    def array_cycles(self) -> float:
        """In which the array works."""
        return self.events["pe_cycles"]

    @property
    def header_reads(self) -> float:
        """Words of constants among the weights."""
        return self.events["weight_reads"] - self.array_cycles

    @property
    def sums(self) -> float:
        """Handed over by each row, used or not."""
        return self.array_cycles / self.additions

    @property
    def used_sums(self) -> float:
        """Handed over by rows with an output, all together."""
        return self.events["row_cycles"] / self.additions

    @property
    def neuron_steps(self) -> float:
        """Steps of the neurons, all rows at once."""
        return self.sums * (self.timesteps if self.layer.static_input else 1) * self.layer.spiking


def turnover(bits: NDArray[np.uint8], lanes: int, of_sums: bool = False) -> float:
    """Share of the bits of a word of lanes that change from one read to the next, lanes without an input among them.

    Args:
        bits: inputs in machine order: [T, H, W, C, planes], of a fully connected layer [T, inputs, planes].
        lanes: of the machine.
        of_sums: from a read to the like one of the next sum instead.
    """
    fully_connected = bits.ndim == 3
    width = lanes * (TAPS if fully_connected else 1)
    padded = np.pad(bits, [(0, 0)] * (bits.ndim - 2) + [(0, -bits.shape[-2] % width), (0, 0)])
    words = padded.reshape(*padded.shape[:-2], -1, width, bits.shape[-1]).swapaxes(-1, -2)
    if not fully_connected:  # rows, then columns, all steps of a place, its words, their planes
        words = words.transpose(1, 2, 0, 3, 4, 5)
    reads = words.reshape(1 if fully_connected else len(words), -1, width)
    apart = words.shape[-3] * words.shape[-2] if of_sums else 1
    return float(np.mean(reads != np.roll(reads, apart, axis=1)))


def rows_seen(run: LayerRun) -> tuple[float, float]:
    """Rows of a window that see the map, and rows of the array, by their taps; both fewer at its edges."""
    layer = run.layer
    if layer.kind == "fc":
        return EDGE, sum(range(EDGE, max(EDGE - run.rows, 0), -1)) / EDGE
    columns = layer.pool * layer.stored_width
    places = range(-layer.padding, columns * layer.stride - layer.padding, layer.stride)
    seen = sum(0 <= x + j < layer.in_width for x in places for j in range(EDGE)) / (EDGE * columns)
    tops = range(0, layer.pool * layer.stored_height, run.strip_rows)
    inside = np.array(
        [
            [0 <= top * layer.stride - layer.padding + k < layer.in_height for k in range(run.rows + HALO)]
            for top in tops
        ]
    )
    of_rows = sum(inside[:, i : i + run.rows].sum(axis=1) for i in range(EDGE)) / EDGE
    return float(inside.sum(axis=1).mean()) * seen, float(np.mean(of_rows)) * seen


def tap_pairs(run: LayerRun) -> Reals:
    """Distribution of what a tap of a live lane adds now and next, -1, 0 or 1 each: [3, 3]."""
    live = run.lanes / run.live_lanes
    return weighed_pairs(run.density * live, run.turnover * live, run.turning)


def weighed_pairs(chance: float, change: float, turning: float) -> Reals:
    """The like of an input that is set with a chance, changes with another, and meets another weight with a third."""
    both = max(chance - change / 2, 0.0)
    same, other = both * (2 - turning) / 4, both * turning / 4  # a weight that comes anew is as good as a coin
    return np.array(
        [[same, change / 4, other], [change / 4, max(1 - both - change, 0.0), change / 4], [other, change / 4, same]]
    )


def bit_pairs(chance: float, change: float) -> Reals:
    """The like of a bit that is set with a chance, and changes with another."""
    stays = max(chance - change / 2, 0.0)
    return np.array([[0, 0, 0], [0, 1 - stays - change, change / 2], [0, change / 2, stays]])


def turned_bits(pairs: Reals, terms: int, bits: int) -> float:
    """Bits of a signed number that change when so many terms, all of one distribution of pairs, are added anew."""
    edge = 2 * terms + 1
    joint = np.fft.ifft2(np.fft.fft2(pairs, (edge, edge)) ** terms).real
    values = (np.arange(edge) - terms) & (2**bits - 1)
    return float((joint * np.bitwise_count(values[:, None] ^ values)).sum())


def weight_bits(run: LayerRun) -> float:
    """Toggles of a word of weights: of those that come anew, and of headers, every other bit."""
    return (run.turning * run.array_cycles + run.header_reads) * TAPS * run.lanes / 2


def array_wires(run: LayerRun) -> float:
    """Toggles of all wires from the banks to the sums of the lanes."""
    pairs, cycles = tap_pairs(run), run.array_cycles
    window_rows, seen = rows_seen(run)
    agreeing_turn, active_turn = 2 * (pairs[2, 1] + pairs[2, 0]), 4 * pairs[0, 1]
    agreeing, active = pairs[2].sum(), 2 * pairs[2].sum()
    counts = sum(
        turned_bits(bit_pairs(chance, turn), TAPS, COUNT_BITS)
        for chance, turn in ((agreeing, agreeing_turn), (active, active_turn))
    )
    flat = (16 + TAPS) / (EDGE * (run.rows + HALO))  # of fully connected layers: two wires of some banks
    turned = 1 + ceil(np.log2(run.rows + HALO))  # layers of the rotator
    spikes = run.turnover * run.lanes * (EDGE * window_rows * (9 + flat + turned) + 4 * TAPS * seen)
    products = run.live_lanes * seen * (TAPS * agreeing_turn + 3 * counts)
    sums = 3 * run.live_lanes * turned_bits(pairs, TAPS, LANE_BITS)
    root = turned_bits(pairs, TAPS * run.live_lanes, LANE_BITS + (run.lanes - 1).bit_length())
    weights = weight_bits(run) * (3 * run.rows + 1)  # array; row, lane and PE of each row
    return weights + cycles * (spikes + products) + run.events["row_cycles"] * (sums + root)


def tree_wires(run: LayerRun) -> float:
    """Toggles of operands, sums and registers of the trees: a number passes three wires of its level."""
    pairs, operands, width = tap_pairs(run), run.lanes, LANE_BITS
    live, found = run.live_lanes, run.live_lanes * turned_bits(pairs, TAPS, LANE_BITS)
    lanes = 1
    while operands > 1:
        operands, live, lanes, width = (operands + 1) // 2, (live + 1) // 2, 2 * lanes, width + 1
        found += live * turned_bits(pairs, TAPS * min(lanes, run.live_lanes), width)
    return 3 * run.events["row_cycles"] * found


def widened_sums(run: LayerRun) -> float:
    """Toggles of the rows' sums with the sign of a membrane's width, once."""
    bits = turned_bits(tap_pairs(run), TAPS * run.live_lanes, MACHINE.membrane_bits)
    return run.events["row_cycles"] * bits


def handed_sums(run: LayerRun) -> float:
    """Toggles of the sums that rows hand over, each with the next one: the same weights, at the next step or column."""
    real = run.groups * run.lanes * run.inputs_of_lane / run.layer.in_channels
    pairs = weighed_pairs(run.density * real, run.step_turnover * real, 0.0)
    inputs = run.layer.in_channels * (1 if run.layer.kind == "fc" else TAPS)
    return run.used_sums * run.layer.spiking * turned_bits(pairs, inputs, MACHINE.membrane_bits)


def idle_neurons(run: LayerRun) -> float:
    """Neurons of rows without an output: at the first step of each position their membranes are read as 0."""
    steps = 1 if run.layer.static_input else run.timesteps
    return (run.sums * run.rows - run.used_sums) * run.layer.spiking / steps


def steps_counted(run: LayerRun) -> float:
    """Toggles of the step's number in each map's windows: bit k turns every 2^k steps, all that are set at the last."""
    around = sum((step ^ (step + 1) % run.timesteps).bit_count() for step in range(run.timesteps))
    return run.neuron_steps * run.maps * around / run.timesteps


def strengths(run: LayerRun) -> float:
    """Spikes that enter windows: each may turn from step to step, and once more to the next column."""
    return run.events["if_updates"] * (1 + 1 / run.timesteps)


def read_addresses(run: LayerRun) -> float:
    """Addresses of banks that change: with each plane and step; of a fully connected layer the banks read are half."""
    banks = EDGE * (run.rows + HALO) / (2 if run.layer.kind == "fc" else 1)
    return run.array_cycles / run.groups * banks


def buffer_words(run: LayerRun) -> float:
    """Toggles of spikes and weights on their way from the buffers: seven wires, and six."""
    window_rows, _ = rows_seen(run)
    spikes = run.array_cycles * run.lanes * EDGE * window_rows * run.turnover
    return 7 * spikes + 6 * weight_bits(run)


Quantity = Callable[[LayerRun], float]
QUANTITIES: dict[str, tuple[Quantity, ...]] = {
    "pe_array": (array_wires,),
    "adders": (
        lambda run: tree_wires(run) + widened_sums(run) * (3 if run.additions == 1 else 2),  # shifted; stored if alone
        lambda run: widened_sums(run) * (run.additions > 1),  # stored, and read for the next one
    ),
    "if_unit": (
        lambda run: run.events["if_updates"],
        idle_neurons,
        lambda run: 5 * handed_sums(run),  # handed over, signed, widened, passed on, held
        widened_sums,
    ),
    "pooling": (
        steps_counted,
        strengths,
        lambda run: strengths(run) * (run.maps - 1),  # of the upper map, which fires less
    ),
    "clock_control": (
        lambda run: sum(run.events[f"{cause}_cycles"] for cause in ("compute", "stall", "fill")),
        read_addresses,
        buffer_words,
        lambda run: run.neuron_steps / run.layer.pool * (run.rows + HALO) * run.planes,  # banks of columns written
    ),
}
