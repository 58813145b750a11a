"""Off-chip bits and on-chip words, worked by hand from docs/cost-model.md, sections 4 and 5."""

from fractions import Fraction

import numpy as np
import pytest
from cost_workloads import conv, fc, network
from hypothesis import given
from hypothesis import strategies as st

from costmodels.accelerator import AcceleratorBatch, AcceleratorConfig
from costmodels.events import EventCounts
from costmodels.schedule import count
from costmodels.traffic import bit_cycles, map_cycles, word_cycles
from costmodels.workload import Workload


def events(workload: Workload, config: AcceleratorConfig) -> EventCounts:
    schedule = count(workload, AcceleratorBatch.of([config]), 8.0)
    assert schedule.feasible[0], schedule.reasons(0)
    return schedule.events


@pytest.mark.parametrize(
    ("bits", "rate", "cycles"), [(0, 8, 0), (1, 8, 1), (64, 8, 1), (65, 8, 2), (9, 0.5, 3), (84, 0.7, 15)]
)
def test_a_transfer_takes_whole_cycles(bits: int, rate: float, cycles: int) -> None:
    assert bit_cycles(np.array([bits]), rate).tolist() == [cycles]


def test_words_cross_one_a_cycle_however_fast_the_memory_is() -> None:
    assert word_cycles(np.array([0, 1, 7]), 72, 1e4).tolist() == [0, 1, 7]
    assert word_cycles(np.array([0, 1, 7]), 72, 3.0).tolist() == [0, 3, 21]


@given(
    places=st.integers(0, 7),
    channels=st.integers(1, 20),
    planes=st.integers(1, 8),
    lanes=st.integers(1, 8),
    rate=st.sampled_from([0.1, 0.5, 0.7, 1.0, 1.3, 2.0, 5.5, 12.8, 1e4]),
)
def test_map_cycles_equal_a_loop_over_words(places: int, channels: int, planes: int, lanes: int, rate: float) -> None:
    clock, bits = 0, 0
    for _ in range(places):
        for first in range(0, channels, lanes):
            bits += min(lanes, channels - first) * planes
            clock = max(clock + 1, -(-bits // (8 * Fraction(str(rate)))))
    assert map_cycles(np.array([places]), channels, planes, np.array([lanes]), rate).tolist() == [clock]


def test_one_tile_reads_and_writes_each_map_once() -> None:
    layer = conv("c", 5, 8, 6, 7, 3, input_bits=2, pool=2, output_bits=3)
    found = events(network([layer], 3), AcceleratorConfig(8, 4, 1, 64, 64))
    assert found.dram_input_bits[0, 0] == 8 * 6 * 5 * 2 * 3
    assert found.dram_output_bits[0, 0] == 4 * 3 * 7 * 3 * 3
    assert found.dram_weight_bits[0, 0] == 7 * (2 + 2) * 36
    assert found.spike_reads[0, 0] == 3 * (8 + 2) * found.pe_cycles[0, 0] + 4 * 3 * 2 * 3 * 3
    assert found.spike_writes[0, 0] == 4 * 3 * 7 * 3 * 3 + 8 * 6 * 2 * 2 * 3
    assert found.weight_reads[0, 0] == found.pe_cycles[0, 0] + 7 * 2
    assert found.weight_writes[0, 0] == 7 * (2 + 2)


def test_static_input_is_read_once_for_all_steps() -> None:
    layer = conv("c", 1, 8, 8, 4, 5, input_bits=8, static_input=True)
    for config in (AcceleratorConfig(8, 4, 1, 64, 64), AcceleratorConfig(8, 4, 1, 64, 64, "outer", 128)):
        assert events(network([layer], 5), config).dram_input_bits[0, 0] == 64 * 8


def test_halo_rows_are_read_and_computed_again() -> None:
    layers = [conv("a", 4, 16, 48, 4), conv("b", 4, 16, 48, 4)]
    schedule = count(network(layers), AcceleratorBatch.of([AcceleratorConfig(4, 4, 2, 1, 64)]), 8.0)
    assert schedule.rows_per_tile.tolist() == [[4, 4]]  # 8 and 6 rows take three banks' worth of 6 rows, 1152 bits each
    assert schedule.events.dram_input_bits[0, 0] == (6 + 8 + 8 + 6) * 192
    assert schedule.events.if_updates.tolist() == [[(5 + 6 + 6 + 5) * 192, 16 * 192]]


def test_layers_of_a_group_exchange_maps_on_chip() -> None:
    layers = [conv("a", 4, 8, 8, 4), conv("b", 4, 8, 8, 4)]
    apart, fused = (events(network(layers), AcceleratorConfig(8, 4, depth, 64, 64)) for depth in (1, 2))
    assert apart.dram_input_bits.tolist() == [[256, 256]]
    assert apart.dram_output_bits.tolist() == [[256, 256]]
    assert fused.dram_input_bits.tolist() == [[256, 0]]
    assert fused.dram_output_bits.tolist() == [[0, 256]]


def test_streamed_weights_are_read_in_each_pass() -> None:
    layer = fc("f", 2000, 3, 4)
    inner, outer = AcceleratorConfig(1, 8, 1, 8, 1), AcceleratorConfig(1, 8, 1, 8, 1, "outer", 1)
    for config, passes in ((inner, 1), (outer, 4)):
        found = events(network([layer], 4), config)
        assert found.dram_weight_bits[0, 0] == passes * 3 * 29 * 72
        assert found.weight_writes[0, 0] == passes * 3 * 29


def test_membranes_travel_only_under_outer() -> None:
    layer = conv("c", 4, 8, 8, 6, 4)
    inner = events(network([layer], 4), AcceleratorConfig(4, 4, 1, 64, 64))
    outer = events(network([layer], 4), AcceleratorConfig(4, 4, 1, 64, 64, "outer", 64))
    assert inner.membrane_reads[0, 0] == inner.membrane_writes[0, 0] == 0
    assert outer.membrane_reads[0, 0] == outer.membrane_writes[0, 0] == 6 * 2 * 8 * 3


def test_scores_leave_at_the_end() -> None:
    found = events(network([fc("f", 90, 10, 2, spiking=False)], 2), AcceleratorConfig(4, 4, 1, 4, 4))
    assert found.dram_output_bits[0, 0] == 10 * 32
    assert found.dram_input_bits[0, 0] == 90 * 2
    assert found.spike_reads[0, 0] == 9 * found.pe_cycles[0, 0]


def test_additions_follow_density_kept_kernels_and_bits() -> None:
    layer = conv("c", 4, 8, 8, 6, 2, weight_bits=2, input_density=(0.25, 0.5))
    found = events(network([layer], 2), AcceleratorConfig(8, 4, 1, 64, 64))
    assert found.pe_adds[0, 0] == pytest.approx(64 * 6 * 4 * 9 * 2 * 0.75)
