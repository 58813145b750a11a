"""Cycles of layers and passes, worked by hand from docs/cost-model.md, sections 2 and 4."""

from dataclasses import fields, replace

import numpy as np
import pytest
from cost_workloads import cifar, conv, fc, mnist, network, pruned
from hypothesis import given
from hypothesis import strategies as st

from costmodels.accelerator import AcceleratorBatch, AcceleratorConfig
from costmodels.cycles import overlapped
from costmodels.events import EventCounts
from costmodels.machine import MACHINE
from costmodels.schedule import count
from costmodels.workload import Workload

VSA = AcceleratorConfig(8, 32, 1, 256, 256)
FAST = 1e6  # bytes a cycle: a transfer takes one cycle


def events(workload: Workload, config: AcceleratorConfig = VSA, dram: float = FAST) -> EventCounts:
    schedule = count(workload, AcceleratorBatch.of([config]), dram)
    assert schedule.feasible[0], schedule.reasons(0)
    return schedule.events


@pytest.mark.parametrize(("lanes", "depth"), [(1, 6), (2, 7), (4, 7), (8, 8), (16, 8), (32, 9), (64, 9)])
def test_pipeline_depth_grows_with_the_adder_tree(lanes: int, depth: int) -> None:
    assert MACHINE.pipeline_depth(lanes) == depth


def test_vsa_point_dense_layer() -> None:
    layer = conv("c", 64, 32, 20, 48, 4)
    cycles = events(network([layer], 4)).compute_cycles[0, 0]
    assert cycles == 4 * 48 * 4 * 20 * 2 + 48 * 1 + 9  # T Cout strips columns lane groups + headers + pipeline


def test_multi_bit_operands_are_bit_serial() -> None:
    layer = conv("c", 32, 8, 8, 4, weight_bits=4, input_bits=3)
    assert events(network([layer])).pe_cycles[0, 0] == 4 * 3 * 4 * 8


def test_ragged_strip_costs_a_whole_one() -> None:
    assert events(network([conv("c", 32, 9, 8, 1)])).pe_cycles[0, 0] == 2 * 8
    assert events(network([conv("c", 32, 9, 8, 1)])).accumulator_updates[0, 0] == 9 * 8


@pytest.mark.parametrize(("bits", "slot"), [(8, 8), (2, 4)])
def test_encoding_layer_sums_once_while_the_neuron_takes_all_steps(bits: int, slot: int) -> None:
    layer = conv("c", 1, 8, 8, 4, 4, input_bits=bits, static_input=True)
    found = events(network([layer], 4))
    assert found.compute_cycles[0, 0] == 4 * 8 * slot + 4 * 1 + 9 + 3
    assert found.pe_cycles[0, 0] == 4 * 8 * bits
    assert found.if_updates[0, 0] == 4 * 64 * 4


def test_encoding_layer_under_outer_reads_its_sum_back() -> None:
    layer = conv("c", 1, 8, 8, 4, 4, input_bits=8, static_input=True)
    found = events(network([layer], 4), AcceleratorConfig(8, 32, 1, 64, 64, "outer", 128))
    assert found.compute_cycles[0, 0] == 4 * 8 * (8 + 3 * 2) + 4 * (4 * 1 + 9 + 1)  # sum and membrane are two words
    assert found.pe_cycles[0, 0] == 4 * 8 * 8
    assert (found.membrane_reads[0, 0], found.membrane_writes[0, 0]) == (4 * 8 * 6, 4 * 8 * 4)


def test_classifier_of_a_static_input_adds_its_sum_once_in_either_order() -> None:
    layer = replace(fc("f", 300, 4, 4), static_input=True, input_density=(0.5,), spiking=False)
    inner, outer = (
        events(network([layer], 4), AcceleratorConfig(8, 8, 1, 64, 64, order, kib))
        for order, kib in (("inner", 0), ("outer", 1))
    )
    assert all(np.array_equal(getattr(inner, field.name), getattr(outer, field.name)) for field in fields(inner))
    assert inner.weight_reads[0, 0] == 4 * (5 + 1)


def test_a_slot_lasts_as_long_as_the_membrane_buffer_needs_for_its_words() -> None:
    for pooling, static, words in (("or", False, 1), ("count", False, 2), ("or", True, 2), ("membrane", True, 3)):
        layer = conv("c", 1, 8, 8, 4, 2, pool=2, pooling=pooling, static_input=static)
        found = events(network([layer], 2), AcceleratorConfig(8, 32, 1, 64, 64, "outer", 128))
        assert found.compute_cycles[0, 0] == 2 * (4 * (8 * words + 1) + 9 + words - 1), (pooling, static)
        assert found.membrane_reads[0, 0] == 4 * 8 * words


def test_stride_keeps_every_second_row_of_a_strip() -> None:
    layer = conv("c", 32, 16, 16, 1, stride=2)
    for width in (7, 8):
        found = events(network([layer]), replace(VSA, vector_width=width))
        assert found.pe_cycles[0, 0] == 2 * 8  # 4 rows a strip, 8 columns


def test_pooling_window_of_three_leaves_rows_of_the_array_idle() -> None:
    layer = conv("c", 32, 12, 12, 1, pool=3)
    assert events(network([layer])).pe_cycles[0, 0] == 2 * 12  # 6 rows a strip


def test_pooling_costs_no_cycle() -> None:
    plain, pooled = (events(network([conv("c", 8, 8, 8, 4, pool=pool)])) for pool in (1, 2))
    assert plain.compute_cycles[0, 0] == pooled.compute_cycles[0, 0]


def test_fully_connected_layer_and_classifier() -> None:
    hidden, scores = (events(network([fc("f", 600, 10, 8, spiking=spiking)], 8)) for spiking in (True, False))
    assert hidden.compute_cycles[0, 0] == 8 * 10 * 3 + 10 + 9
    assert scores.compute_cycles[0, 0] == 8 * 10 * 3 + 10 + 9 + 10
    assert scores.if_updates[0, 0] == 0


def test_classifier_over_maps_adds_its_rows_at_the_end_of_each_filter() -> None:
    layer = conv("head", 32, 8, 8, 10, kernel=1, spiking=False)
    assert events(network([layer])).compute_cycles[0, 0] == 10 * 8 + 10 * (1 + 8) + 9


def test_pruning_skips_kernels() -> None:
    layer = conv("c", 64, 8, 8, 16)
    kept = np.zeros((16, 64), dtype=bool)
    kept[:, :4] = True
    dense, sparse = events(network([layer])), events(network([replace(layer, kept=kept)]))
    assert sparse.pe_cycles[0, 0] * 2 == dense.pe_cycles[0, 0]
    assert sparse.pe_adds[0, 0] * 16 == dense.pe_adds[0, 0]


def test_dual_threshold_halves_cycles_but_not_spikes() -> None:
    layer = conv("c", 32, 8, 8, 16)
    plain, dual = (events(network([replace(layer, dual_threshold=dual)])) for dual in (False, True))
    assert dual.pe_cycles[0, 0] * 2 == plain.pe_cycles[0, 0]
    assert dual.if_updates[0, 0] * 2 == plain.if_updates[0, 0]
    assert dual.threshold_compares[0, 0] == plain.threshold_compares[0, 0]
    assert dual.spike_writes[0, 0] == plain.spike_writes[0, 0]


def test_resident_tile_takes_the_longer_of_compute_and_transfer() -> None:
    layer = conv("c", 8, 8, 8, 2)
    config = AcceleratorConfig(8, 8, 1, 1, 64)  # half: 4096 bits, a row of input and output 64 bits each: one tile
    found = events(network([layer]), config, dram=0.125)  # one bit a cycle
    weights, map_in, map_out = 2 * 2 * 72, 8 * 8 * 8, 8 * 8 * 2
    assert found.compute_cycles[0, 0] == 2 * (8 + 1) + 8
    assert found.stall_cycles[0, 0] == 0
    assert found.fill_cycles[0, 0] == weights + map_in + map_out


def test_tiles_hide_neighbours_transfers() -> None:
    layer = conv("c", 8, 64, 8, 1)
    # Half 4096 bits: banks of 10 rows and 9 columns of 8 bits; (R + 2) and R rows take at most 5 of them up to R = 20.
    config = AcceleratorConfig(8, 8, 1, 1, 64)
    schedule = count(network([layer]), AcceleratorBatch.of([config]), 1.0)
    assert schedule.rows_per_tile.tolist() == [[16]]  # whole strips
    found = schedule.events
    steps = [2 * 8 + 1 + 8] * 4  # strips x 8 columns, header, pipeline
    port = [18 * 8, 18 * 8 + 16 * 8, 17 * 8 + 16 * 8, 16 * 8]  # words: next input rows, output rows before, one a cycle
    assert found.compute_cycles[0, 0] == sum(steps)
    assert found.stall_cycles[0, 0] == sum(max(0, p - c) for p, c in zip(port, steps, strict=True))
    assert found.fill_cycles[0, 0] == 18 + 17 * 8 + 16 * 8  # 144 weight bits, first input, last output
    assert found.dram_weight_bits[0, 0] == 144


def test_streamed_filters_wait_at_a_barrier_each() -> None:
    layer = fc("f", 2000, 3)
    config = AcceleratorConfig(1, 8, 1, 8, 1)  # half 4096 bits; a filter takes (28 + 1) words of 72 bits
    found = events(network([layer]), config, dram=1.0)
    load = 29 * 72 // 8
    assert found.dram_weight_bits[0, 0] == 3 * 29 * 72
    assert found.compute_cycles[0, 0] == 3 * (28 + 1) + 8
    assert found.stall_cycles[0, 0] == 2 * (load - 29)
    assert found.fill_cycles[0, 0] == load + 250 + 1


@pytest.mark.parametrize("steps", [1, 2])
def test_the_next_filter_is_loaded_across_layers_and_passes(steps: int) -> None:
    layers = [fc("f", 2000, 2, steps), fc("g", 2, 3, steps)]  # a filter: 261 and 18 cycles to load, 29 and 2 to compute
    found = events(network(layers, steps), AcceleratorConfig(1, 8, 2, 8, 1, "outer", 1), dram=1.0)
    assert found.compute_cycles[0].tolist() == [steps * (2 * 29 + 8), steps * (3 * 2 + 8)]
    between = (261 - 10) + (826 - 595)  # the first filter again; the port is busy for 826 cycles, filters for 595
    assert found.stall_cycles[0].tolist() == [steps * (261 - 29), steps * 2 * (18 - 2) + (steps - 1) * between]
    assert found.fill_cycles[0].tolist() == [261 + 250, 1]


def test_nothing_is_loaded_ahead_while_both_halves_stream() -> None:
    layers = [fc("f", 2000, 3), fc("g", 3, 2)]
    found = events(network(layers), AcceleratorConfig(1, 8, 1, 8, 1), dram=1.0)
    assert found.fill_cycles[0, 1] == 36 + 1 + 1  # 288 weight bits, a word of 3 spikes, one of 2


def test_next_groups_weights_load_while_the_port_is_idle() -> None:
    layers = [conv("a", 8, 8, 8, 8), conv("b", 8, 8, 8, 8)]
    found = events(network(layers), AcceleratorConfig(8, 8, 1, 64, 64), dram=1.0)
    map_bytes, weight_bytes = 64, 8 * 2 * 72 // 8
    passes = 8 * (8 + 1) + 8  # one tile whose port has nothing else to do
    assert found.fill_cycles[0].tolist() == [
        weight_bytes + 2 * map_bytes,
        max(0, weight_bytes - passes) + 2 * map_bytes,
    ]


def test_cifar_layers_follow_the_dense_formula() -> None:
    found = events(cifar(), AcceleratorConfig(8, 32, 1, 256, 512))
    for index, layer in enumerate(cifar().layers[1:-1], 1):
        product = 4 * layer.out_channels * -(-layer.out_height // 8) * layer.out_width * -(-layer.in_channels // 32)
        assert found.pe_cycles[0, index] == product


def test_latency_is_the_sum_of_causes() -> None:
    found = events(mnist(), AcceleratorConfig(8, 16, 2, 64, 16), dram=1.5)
    assert (found.cycles == found.compute_cycles + found.stall_cycles + found.fill_cycles).all()
    assert found.stall_cycles.sum() > 0


def test_streaming_pruned_layers_never_takes_less_than_compute_or_port() -> None:
    layer = pruned(conv("a", 32, 8, 8, 32), 0.7)
    found = events(network([layer]), AcceleratorConfig(8, 4, 1, 16, 1), dram=0.5)
    assert found.cycles.sum() >= max(found.compute_cycles.sum(), np.ceil(found.dram_bits.sum() / 4))


@given(
    filters=st.lists(st.tuples(st.integers(1, 50), st.integers(0, 500)), max_size=12),
    tiles=st.lists(st.tuples(st.integers(1, 30), st.integers(0, 3)), min_size=1, max_size=8),
)
def test_overlap_equals_a_loop_over_filters(filters: list[tuple[int, int]], tiles: list[tuple[int, int]]) -> None:
    slots, waits = (np.array([pair[i] for pair in filters], dtype=np.int64) for i in (0, 1))
    places, fixed = (np.array([pair[i] for pair in tiles], dtype=np.int64) for i in (0, 1))
    wanted = [sum(max(p * s + f, w) for s, w in filters) for p, f in tiles]
    assert overlapped(places, slots, fixed, waits).tolist() == wanted
