"""Rows, halo and the one tiling rule, worked by hand from docs/cost-model.md, section 3."""

from dataclasses import replace

import numpy as np
from cost_workloads import conv, fc, mnist, network
from hypothesis import given, settings
from hypothesis import strategies as st

from costmodels.tiling import (
    Group,
    allocated_rows,
    groups,
    map_rows,
    membrane_demand_bits,
    spike_demand_bits,
    tile_rows,
    tiles,
)
from costmodels.workload import LayerWorkload


def one_group(*layers: LayerWorkload, timesteps: int = 1) -> Group:
    (group,) = groups(network(layers, timesteps), len(layers))
    return group


def test_groups_are_chunks_in_order() -> None:
    assert [group.name for group in groups(mnist(), 3)] == ["conv1..fc1", "fc2"]
    assert [(group.first, group.stop) for group in groups(mnist(), 2)] == [(0, 2), (2, 4)]
    assert len(groups(mnist(), 9)) == 1


def test_halo_rows_are_clipped_at_the_border() -> None:
    group = one_group(conv("a", 1, 8, 8, 1), conv("b", 1, 8, 8, 1))
    assert map_rows(group, 2).tolist() == [[4, 6, 6, 4], [3, 4, 4, 3], [2, 2, 2, 2]]


def test_pooling_and_stride_ask_for_more_rows() -> None:
    group = one_group(conv("a", 1, 16, 16, 1, pool=2), conv("b", 1, 8, 8, 1, stride=2))
    assert map_rows(group, 1).tolist() == [[5, 8, 8, 7], [2, 3, 3, 3], [1, 1, 1, 1]]
    assert allocated_rows(group, np.array([1, 4])).tolist() == [[8, 16], [3, 8], [1, 4]]


def test_ragged_last_tile_is_shorter() -> None:
    group = one_group(conv("a", 1, 7, 7, 1))
    assert map_rows(group, 3).tolist() == [[4, 5, 2], [3, 3, 1]]


def test_odd_rows_that_pooling_drops_are_not_computed() -> None:
    group = one_group(conv("a", 1, 7, 7, 1, pool=2))
    assert group.height == 3
    assert map_rows(group, 3).tolist() == [[7], [3]]


def test_fully_connected_layer_needs_the_whole_map() -> None:
    group = one_group(conv("a", 2, 8, 8, 4, pool=2), fc("f", 64, 5))
    assert map_rows(group, 1).tolist() == [[8], [4], [1]]


def test_equal_tiles_are_merged_and_counted() -> None:
    found = tiles(one_group(conv("a", 1, 12, 12, 1)), 2)
    assert found.count.sum() == 6
    assert sorted(found.count.tolist()) == [1, 1, 1, 3]
    assert found.last.sum() == 1


def test_spike_demand_alternates_two_regions() -> None:
    group = one_group(conv("a", 3, 8, 8, 6, 2), conv("b", 6, 8, 8, 5, 2), timesteps=2)
    row = 9 * 4 * 2  # 8 columns in 3 banks, words of 4 lanes, 2 steps
    both_ends = max(6 * row, 3 * 2 * row)  # 5 rows of one word and 1 row of two, in banks of 3 rows
    width = np.array(1)
    assert spike_demand_bits(group, np.array([1]), width, 4, outer=False).tolist() == [both_ends + 3 * 2 * row]
    assert spike_demand_bits(group, np.array([1]), width, 4, outer=True).tolist() == [(both_ends + 3 * 2 * row) // 2]


def test_every_bank_is_as_deep_as_the_fullest() -> None:
    """Rows in turn over V + 2 banks, columns over three: 28 x 28 places fill 30 x 30 at V = 8."""
    widths = np.array([[1], [8], [32]])
    group = one_group(conv("a", 1, 28, 28, 1, spiking=False))
    found = spike_demand_bits(group, np.array([1, 8, 28]), widths, 1, outer=True)
    assert found.tolist() == [[3 * 30, 12 * 30, 30 * 30], [10 * 30, 10 * 30, 30 * 30], [34 * 30] * 3]


def test_a_tile_ends_where_a_strip_ends() -> None:
    layer = conv("a", 1, 40, 8, 1, pool=2)  # strips of 4 stored rows at V = 8, of 3 at V = 6
    group = one_group(layer)
    fitting = np.array([0, 1, 3, 4, 7, 19, 20])
    assert tile_rows(group, fitting, np.array(8)).tolist() == [0, 1, 3, 4, 4, 16, 20]
    assert tile_rows(group, fitting, np.array(6)).tolist() == [0, 1, 3, 3, 6, 18, 20]


def test_static_input_is_held_once_and_scores_not_at_all() -> None:
    group = one_group(conv("a", 1, 4, 4, 2, 3, input_bits=8, static_input=True, spiking=False), timesteps=3)
    assert spike_demand_bits(group, np.array([4]), np.array(2), 1, outer=False).tolist() == [4 * 6 * 8]


def test_vector_read_by_a_fully_connected_layer_fills_nine_banks_of_all() -> None:
    group = one_group(fc("f", 40, 6), fc("g", 6, 3))
    found = spike_demand_bits(group, np.array([1]), np.array([[1], [4]]), 2, outer=False)
    assert found.tolist() == [[54 + 18], [108 + 36]]


def test_membranes_take_words_of_a_strip_and_so_do_static_sums() -> None:
    first = conv("a", 1, 8, 8, 4, static_input=True, pool=2)
    layers = (first, conv("b", 4, 4, 4, 6, dual_threshold=True))
    group = one_group(*layers, timesteps=2)
    width = np.array(4)
    assert membrane_demand_bits(one_group(*layers), np.array([1]), width).tolist() == [0]  # one step leaves nothing
    found = membrane_demand_bits(group, np.array([1]), width)
    assert found.tolist() == [4 * 24 * (2 * 8 * 4 * 2 + 1 * 4 * 3)]  # two strips of a, one of b


def test_a_word_of_membranes_holds_as_many_fully_connected_neurons_as_rows() -> None:
    group = one_group(fc("f", 40, 9, 2), fc("g", 9, 4, 2), timesteps=2)
    found = membrane_demand_bits(group, np.array([1]), np.array([[1], [4]]))
    assert found.tolist() == [[24 * (9 + 4)], [4 * 24 * (3 + 1)]]


@settings(max_examples=60, deadline=None)
@given(
    shape=st.lists(st.tuples(st.sampled_from([1, 3, 5]), st.integers(1, 2), st.integers(1, 2)), min_size=1, max_size=4),
    height=st.integers(20, 40),
    lanes=st.sampled_from([1, 4, 8]),
)
def test_demand_never_falls_with_rows_and_tiles_cover_the_map(
    shape: list[tuple[int, int, int]], height: int, lanes: int
) -> None:
    layers, rows, columns = [], height, height + 3
    for index, (kernel, stride, pool) in enumerate(shape):
        pool = pool if rows >= 2 * stride else 1
        layers.append(conv(f"c{index}", 4, rows, columns, 4, kernel=kernel, stride=stride, pool=pool))
        rows, columns = layers[-1].stored_height, layers[-1].stored_width
    group = one_group(*layers)
    every = np.arange(1, group.height + 1)
    widths = np.array([[2], [8]])
    group = replace(group, timesteps=2)
    spikes, membranes = (
        spike_demand_bits(group, every, widths, lanes, False),
        membrane_demand_bits(group, every, widths),
    )
    for demand in (spikes, membranes):
        assert (np.diff(demand) >= 0).all()
    for size in every:
        each = map_rows(group, int(size))
        assert each[-1].sum() == group.height
        assert (each <= allocated_rows(group, np.array([size]))).all()
        assert (each > 0).all()
