"""Non-dominated points and hypervolume against slow twins."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dse.front import hypervolume, nondominated

Points = NDArray[np.float64]


def slow_nondominated(points: Points, maximise: list[bool]) -> list[bool]:
    """All pairs; of equal points the first stays."""
    signed = [[-v if up else v for v, up in zip(row, maximise, strict=True)] for row in points.tolist()]

    def loses(i: int, j: int) -> bool:
        a, b = signed[i], signed[j]
        return all(y <= x for x, y in zip(a, b, strict=True)) and (a != b or j < i)

    return [not any(loses(i, j) for j in range(len(signed)) if j != i) for i in range(len(signed))]


def slow_hypervolume(points: Points, reference: list[float]) -> float:
    """Inclusion and exclusion of the boxes between each point (minimised) and the reference."""
    total = 0.0
    for size in range(1, len(points) + 1):
        for subset in combinations(points.tolist(), size):
            corner = [max(values) for values in zip(*subset, strict=True)]
            edges = [max(0.0, r - c) for r, c in zip(reference, corner, strict=True)]
            total += (-1) ** (size + 1) * float(np.prod(edges))
    return total


grids = st.integers(1, 4).flatmap(
    lambda m: st.tuples(
        st.lists(st.lists(st.integers(0, 4), min_size=m, max_size=m), min_size=1, max_size=24),
        st.lists(st.booleans(), min_size=m, max_size=m),
    )
)


@given(grids)
def test_the_filter_equals_all_pairs_with_ties_and_duplicates(case: tuple[list[list[int]], list[bool]]) -> None:
    points, maximise = np.array(case[0], dtype=np.float64), case[1]
    assert nondominated(points, maximise).tolist() == slow_nondominated(points, maximise)


@settings(max_examples=60)
@given(
    st.integers(1, 4).flatmap(
        lambda m: st.lists(st.lists(st.integers(0, 6), min_size=m, max_size=m), min_size=1, max_size=7)
    )
)
def test_the_volume_equals_inclusion_and_exclusion(case: list[list[int]]) -> None:
    points = np.array(case, dtype=np.float64)
    columns = points.shape[1]
    expected = slow_hypervolume(points, [5.0] * columns)
    assert hypervolume(points, [5.0] * columns, [False] * columns) == pytest.approx(expected)
    assert hypervolume(-points, [-5.0] * columns, [True] * columns) == pytest.approx(expected)


def test_the_volume_equals_a_count_of_random_points() -> None:
    draw = np.random.default_rng(0)
    points = draw.random((30, 3))
    probes = draw.random((200_000, 3))
    covered = np.zeros(len(probes), dtype=bool)
    for point in points:
        covered |= (probes >= point).all(axis=1)
    assert hypervolume(points, np.ones(3), [False] * 3) == pytest.approx(covered.mean(), abs=0.005)


def test_mixed_directions() -> None:
    points = np.array([[0.9, 10.0], [0.8, 5.0], [0.7, 6.0], [0.9, 10.0]])
    assert nondominated(points, [True, False]).tolist() == [True, True, False, False]
    assert hypervolume(points, [0.5, 20.0], [True, False]) == pytest.approx(0.4 * 10 + 0.3 * 5)


@pytest.mark.parametrize("row", [0, 1, 2])
@pytest.mark.parametrize("column", [0, 1])
def test_not_a_number_is_refused_in_every_place(row: int, column: int) -> None:
    points = np.ones((3, 2))
    points[row, column] = np.nan
    with pytest.raises(ValueError, match=f"not NaN \\(row {row} of 3\\)"):
        nondominated(points, [False, False])
    with pytest.raises(ValueError, match="not NaN"):
        hypervolume(points, [2.0, 2.0], [False, False])
    with pytest.raises(ValueError, match="not NaN"):
        hypervolume(np.ones((1, 2)), [np.nan, 2.0], [False, False])


def test_one_point_and_none() -> None:
    assert nondominated(np.zeros((0, 2)), [True, False]).tolist() == []
    assert nondominated(np.ones((1, 2)), [True, False]).tolist() == [True]
    assert hypervolume(np.zeros((0, 2)), [1.0, 1.0], [False, False]) == 0.0


def test_points_beyond_the_reference_add_nothing() -> None:
    points = np.array([[0.5, 0.5], [2.0, -100.0], [1.0, 0.0]])
    assert hypervolume(points, [1.0, 1.0], [False, False]) == pytest.approx(0.25)


@pytest.mark.parametrize("points", [np.ones(3), np.ones((2, 3)), np.ones((2, 2, 2))])
def test_the_shape_must_fit_the_directions(points: Points) -> None:
    with pytest.raises(ValueError, match="n x 2 array, not of shape"):
        nondominated(points, [True, False])
