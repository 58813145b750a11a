"""Cycles of one position and of the pipeline's end, by what a pass holds (section 2)."""

from enum import IntEnum

import numpy as np

from costmodels.filters import FilterBank, Integers
from costmodels.machine import MACHINE
from costmodels.ranking import ranked
from costmodels.workload import LayerWorkload


class Pass(IntEnum):
    """What one pass over a tile holds: all steps (`inner`), the first step, or a later one (`outer`)."""

    ALL_STEPS = 0
    FIRST_STEP = 1
    LATER_STEP = 2


def strip_rows(layer: LayerWorkload, vector_width: Integers) -> Integers:
    """U: computed rows of one strip; 0 where a pooling window is taller than the strip."""
    if layer.kind == "fc":
        return np.ones_like(vector_width)
    return layer.pool * (-(-vector_width // layer.stride) // layer.pool)


def positions(layer: LayerWorkload, computed_rows: Integers, vector_width: Integers) -> Integers:
    """Strips x columns of ``computed_rows`` rows."""
    width = layer.pool * layer.stored_width
    return -(-computed_rows // strip_rows(layer, vector_width)) * width


def score_cycles(layer: LayerWorkload, vector_width: Integers) -> Integers:
    """s: cycles that add a classifier's row accumulators into the score of one filter."""
    return np.zeros_like(vector_width) if layer.spiking else strip_rows(layer, vector_width)


def words_between_steps(layer: LayerWorkload) -> int:
    """Words of the membrane buffer that a strip of neurons leaves for its next step: membranes, sums, ranks."""
    return layer.spiking * (1 + layer.static_input + ranked(layer))


def neuron_cycles(layer: LayerWorkload, timesteps: int, kind: Pass) -> int:
    """f: cycles of the neuron unit for one slot; the membrane buffer reads and writes a word in each."""
    if not layer.spiking:
        return 0
    bits = layer.levels.bit_length()
    if kind is Pass.ALL_STEPS:
        return bits * (timesteps if layer.static_input else 1)
    return max(bits, words_between_steps(layer)) if timesteps > 1 else bits


def position_cycles(layer: LayerWorkload, bank: FilterBank, timesteps: int, kind: Pass) -> Integers:
    """Cycles of all slots that one position of each filter takes in a pass, length ``filters``."""
    neuron = neuron_cycles(layer, timesteps, kind)
    if layer.static_input and kind is Pass.LATER_STEP:
        return np.full_like(bank.array_cycles, neuron)
    slots = 1 if layer.static_input or kind is not Pass.ALL_STEPS else timesteps
    return slots * np.maximum(bank.array_cycles, neuron)


def tail_cycles(layer: LayerWorkload, timesteps: int, channel_lanes: int, kind: Pass) -> int:
    """Cycles from the last array cycle of a layer in a pass to its last stored spike."""
    return MACHINE.pipeline_depth(channel_lanes) + max(neuron_cycles(layer, timesteps, kind), 1) - 1
