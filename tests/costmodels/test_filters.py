"""Lane lists, buffer words and DRAM bits of filters, worked by hand from docs/cost-model.md, section 2."""

from dataclasses import replace

import numpy as np
import pytest
from cost_workloads import conv, fc

from costmodels.filters import filter_bank


def test_dense_filter_reads_each_group_of_lanes_once() -> None:
    bank = filter_bank(conv("c", 64, 8, 8, 5, weight_bits=2, input_bits=3), 32)
    assert bank.array_cycles.tolist() == [2 * 3 * 2] * 5
    assert bank.header_words == 1
    assert bank.words.tolist() == [1 + 2 * 2] * 5
    assert bank.dram_bits.tolist() == [5 * 288] * 5
    assert bank.buffer_bits == 5 * 5 * 288


@pytest.mark.parametrize(("kernel", "passes"), [(1, 1), (3, 1), (5, 4), (7, 9)])
def test_larger_kernels_are_tiled_by_windows(kernel: int, passes: int) -> None:
    bank = filter_bank(conv("c", 4, 8, 8, 1, kernel=kernel), 4)
    assert bank.array_cycles.tolist() == [passes]
    assert bank.dram_bits.tolist() == [(2 + passes) * 36]


def test_fully_connected_layer_reads_nine_inputs_a_lane() -> None:
    bank = filter_bank(fc("f", 3136, 2), 32)
    assert bank.array_cycles.tolist() == [11, 11]
    assert bank.dram_bits.tolist() == [(1 + 11) * 288] * 2


def test_pruned_filter_takes_as_long_as_its_longest_lane() -> None:
    kept = np.array(
        [
            [1, 0, 0, 0, 1, 0, 0, 0, 1, 0],  # channels 0, 4, 8: all in lane 0
            [1, 1, 1, 1, 0, 0, 0, 0, 0, 0],  # one kernel in each lane
            [0] * 10,  # nothing left: one cycle all the same
        ],
        dtype=bool,
    )
    bank = filter_bank(conv("c", 10, 8, 8, 3, kept=kept), 4)
    assert bank.array_cycles.tolist() == [3, 1, 1]
    assert bank.header_words == 2 + 1
    assert bank.words.tolist() == [6, 4, 4]
    assert bank.dram_bits.tolist() == [6 * 36, 4 * 36, 4 * 36]


def test_pruned_fully_connected_layer_skips_blocks_of_nine_inputs() -> None:
    kept = np.zeros((2, 40), dtype=bool)
    kept[0, [0, 2, 16]] = True  # two lanes: inputs 0, 2 .. 16 are the block of lane 0, word 0
    kept[1, [0, 18, 37]] = True  # word 0, word 1 (both lane 0) and word 2 (lane 1)
    bank = filter_bank(fc("f", 40, 2, kept=kept), 2)
    assert bank.array_cycles.tolist() == [1, 2]
    assert bank.dram_bits.tolist() == [(4 + 1) * 18, (4 + 2) * 18]


def test_header_holds_constant_thresholds_and_list() -> None:
    spiking = conv("c", 9, 8, 8, 4)
    heads = [
        filter_bank(spiking, 1).header_words,
        filter_bank(replace(spiking, dual_threshold=True), 1).header_words,
        filter_bank(replace(spiking, spiking=False), 1).header_words,
        filter_bank(replace(spiking, kept=np.ones((4, 9), dtype=bool)), 1).header_words,
    ]
    assert heads == [6, 8, 3, 7]


def test_dense_lists_equal_a_mask_that_keeps_all_but_for_the_list() -> None:
    layer = conv("c", 13, 8, 8, 4)
    dense, full = (filter_bank(each, 4) for each in (layer, replace(layer, kept=np.ones((4, 13), dtype=bool))))
    assert (dense.array_cycles == full.array_cycles).all()
    assert (full.dram_bits - dense.dram_bits).tolist() == [36] * 4  # a word for the list


def test_storage_is_what_a_load_moves_less_what_fills_the_last_words() -> None:
    """Kernels, lists and constants: all that the words of 4 lanes and 9 taps hold where channels fill the lanes."""
    random = np.random.default_rng(3)
    for kept in (None, random.random((8, 16)) < 0.3):
        layer = replace(conv("c", 16, 8, 8, 8, weight_bits=2, dual_threshold=False), kept=kept)
        listed = 0 if kept is None else 8 * 16
        kernels = 8 * 16 if kept is None else int(kept.sum())
        assert layer.stored_bits == kernels * 9 * 2 + listed + 8 * 48
        unused = 8 * (2 * 36 - 48) if kept is None else 0  # constants of a filter leave the rest of two words
        assert layer.stored_bits + unused <= filter_bank(layer, 4).dram_bits.sum()
