"""Pooling by a winner: which layers keep a rank for each neuron, and how wide it is (section 5)."""

from costmodels.machine import MACHINE
from costmodels.workload import LayerWorkload


def ranked(layer: LayerWorkload) -> bool:
    """The layer's pooling windows pass the spikes of one winner, so each neuron has a rank beside its membrane."""
    return layer.spiking and layer.pool > 1 and layer.pooling in ("membrane", "count")


def rank_bits(layer: LayerWorkload, timesteps: int) -> int:
    """Bits of one rank: a membrane's, or a counter of all strengths of ``timesteps`` steps; 0 where there is none."""
    if not ranked(layer):
        return 0
    return MACHINE.membrane_bits if layer.pooling == "membrane" else (timesteps * layer.levels).bit_length()
