"""Events of a group of layers: arithmetic, on-chip words, DRAM bits (section 5)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from costmodels.filters import Integers, window_passes
from costmodels.machine import MACHINE
from costmodels.ranking import rank_bits
from costmodels.slots import positions, score_cycles, words_between_steps
from costmodels.tiling import Group
from costmodels.traffic import input_bits, output_bits, score_bits
from costmodels.variants import Banks, Variants, VariantTiles
from costmodels.workload import LayerWorkload

Events = dict[str, NDArray[np.int64] | NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class LayerTotals:
    """One layer on ``k`` variants, summed over the tiles of the group.

    Attributes:
        neurons: computed rows x columns, without filters and steps.
        positions: strips x columns, without filters and steps.
        stored: stored rows, halo included.
        passes: passes of the group, N.
        loads: loads of each filter.
        array_cycles, words, dram_bits: sums over the filters.
        header_words: h.
        steps: time steps of the workload.
        array_steps: steps in which the array computes, 1 for a static input.
    """

    neurons: Integers
    positions: Integers
    stored: Integers
    passes: Integers
    loads: Integers
    array_cycles: Integers
    words: Integers
    dram_bits: Integers
    header_words: Integers
    steps: int
    array_steps: int


def group_events(group: Group, banks: Banks, variants: Variants, spread: VariantTiles) -> list[Events]:
    """Events of each layer of ``group``, by the names of `EventCounts` without cycles; those it leaves out are 0."""
    rows = spread.total(spread.tiles.rows)
    passes = spread.total(np.ones_like(spread.variant)) * np.where(variants.outer, group.timesteps, 1)
    events = []
    for index, layer in enumerate(group.layers):
        total = _totals(group, index, banks, variants, spread, rows[index + 1], passes)
        of_layer = _arithmetic(layer, variants, total) | _words(layer, variants, total)
        if variants.outer.any():
            of_layer |= _membranes(layer, variants, total)
        events.append(of_layer)
    _maps_in(group, variants, rows[0], events[0])
    _maps_out(group, variants, rows[-1], events[-1])
    return events


def _totals(
    group: Group,
    index: int,
    banks: Banks,
    variants: Variants,
    spread: VariantTiles,
    stored: Integers,
    passes: Integers,
) -> LayerTotals:
    layer = group.layers[index]
    computed = layer.pool * spread.tiles.rows[index + 1]
    by_lanes = [layers[index] for layers in banks.by_lanes]
    return LayerTotals(
        neurons=layer.pool * stored * layer.pool * layer.stored_width,
        positions=spread.total(positions(layer, computed, variants.vector_width[spread.variant])),
        stored=stored,
        passes=passes,
        loads=np.where(variants.resident, 1, passes),
        array_cycles=np.array([bank.array_cycles.sum() for bank in by_lanes])[variants.lanes],
        words=np.array([bank.words.sum() for bank in by_lanes])[variants.lanes],
        dram_bits=np.array([bank.dram_bits.sum() for bank in by_lanes])[variants.lanes],
        header_words=np.array([bank.header_words for bank in by_lanes])[variants.lanes],
        steps=group.timesteps,
        array_steps=1 if layer.static_input else group.timesteps,
    )


def _arithmetic(layer: LayerWorkload, variants: Variants, total: LayerTotals) -> Events:
    neuron_steps = total.neurons * layer.filters * total.steps * layer.spiking
    compares = layer.levels.bit_length() * (1 + layer.dual_threshold)
    weights = layer.kept_kernels * layer.kernel**2 * layer.weight_bits * layer.input_bits
    added_scores = score_cycles(layer, variants.vector_width) * layer.filters * total.passes
    row_cycles = total.neurons * total.array_cycles * total.array_steps
    kernel_cycles = window_passes(layer) * layer.weight_bits * layer.input_bits
    pe_cycles = total.positions * total.array_cycles * total.array_steps
    pooled = layer.out_channels * total.steps * (layer.pool > 1) * layer.spiking
    return {
        "pe_cycles": pe_cycles,
        "row_cycles": row_cycles,
        "pe_adds": total.neurons * float(weights) * float(sum(layer.input_density)),
        "accumulator_updates": row_cycles + added_scores,
        "if_updates": neuron_steps,
        "threshold_compares": neuron_steps * compares,
        "pool_updates": total.neurons * pooled,
        "pool_rank_bits": neuron_steps * rank_bits(layer, total.steps),
        "list_steps": pe_cycles // kernel_cycles * (layer.kept is not None),
    }


def _words(layer: LayerWorkload, variants: Variants, total: LayerTotals) -> Events:
    array = total.positions * total.array_cycles * total.array_steps
    window = MACHINE.window_edge * (variants.vector_width + MACHINE.window_halo)
    stored_bits = layer.stored_width * layer.out_channels * layer.output_bits * total.steps * layer.spiking
    return {
        "spike_reads": array * (MACHINE.taps if layer.kind == "fc" else window),
        "spike_writes": total.stored * stored_bits,
        "weight_reads": array + total.header_words * layer.filters * total.passes,
        "weight_writes": total.words * total.loads,
        "dram_weight_bits": total.dram_bits * total.loads,
    }


def _membranes(layer: LayerWorkload, variants: Variants, total: LayerTotals) -> Events:
    words = np.where(variants.outer, total.positions * layer.filters, 0)
    later, between = total.steps - 1, words_between_steps(layer)
    kept_sums = layer.static_input * max(later - 1, 0)
    return {"membrane_reads": words * later * between, "membrane_writes": words * (later * between - kept_sums)}


def _maps_in(group: Group, variants: Variants, rows: Integers, events: Events) -> None:
    """Add the group's input to the events of its first layer."""
    layer = group.layers[0]
    steps = 1 if layer.static_input else group.timesteps
    pixels = 1 if layer.kind == "fc" else rows * layer.in_width
    words = pixels * -(-layer.in_channels // variants.channel_lanes) * layer.input_bits * steps
    events["spike_writes"] = events["spike_writes"] + words
    events["dram_input_bits"] = input_bits(group, rows) * steps


def _maps_out(group: Group, variants: Variants, rows: Integers, events: Events) -> None:
    """Add the group's output to the events of its last layer."""
    layer = group.layers[-1]
    words = -(-layer.out_channels // variants.channel_lanes) * layer.output_bits * group.timesteps * layer.spiking
    events["spike_reads"] = events["spike_reads"] + rows * layer.stored_width * words
    events["dram_output_bits"] = output_bits(group, rows) * group.timesteps + score_bits(group)
