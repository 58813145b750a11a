"""Rows, halo and the one tiling rule, worked by hand from docs/cost-model.md, section 3."""

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
    row = 8 * 8 * 2  # 8 columns, two words of 4 lanes, 2 steps
    both_ends = max(5 * 8 * 4 * 2, 1 * row)  # input: 5 rows, one word
    assert spike_demand_bits(group, np.array([1]), 4, outer=False).tolist() == [both_ends + 3 * row]
    assert spike_demand_bits(group, np.array([1]), 4, outer=True).tolist() == [(both_ends + 3 * row) // 2]


def test_static_input_is_held_once_and_scores_not_at_all() -> None:
    group = one_group(conv("a", 1, 4, 4, 2, 3, input_bits=8, static_input=True, spiking=False), timesteps=3)
    assert spike_demand_bits(group, np.array([4]), 1, outer=False).tolist() == [4 * 4 * 8]


def test_vector_read_by_a_fully_connected_layer_is_padded_to_windows() -> None:
    group = one_group(fc("f", 40, 6), fc("g", 6, 3))
    assert spike_demand_bits(group, np.array([1]), 2, outer=False).tolist() == [54 + 18]


def test_membranes_count_neurons_and_static_sums() -> None:
    first = conv("a", 1, 8, 8, 4, static_input=True, pool=2)
    group = one_group(first, conv("b", 4, 4, 4, 6, dual_threshold=True))
    assert membrane_demand_bits(group, np.array([1])).tolist() == [24 * (2 * 3 * 8 * 4 * 2 + 1 * 4 * 3)]


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
    for demand in (spike_demand_bits(group, every, lanes, outer=False), membrane_demand_bits(group, every)):
        assert (np.diff(demand) >= 0).all()
    for size in every:
        each = map_rows(group, int(size))
        assert each[-1].sum() == group.height
        assert (each <= allocated_rows(group, np.array([size]))).all()
        assert (each > 0).all()
