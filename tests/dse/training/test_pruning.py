"""Masks of kept kernels: how many, which, when."""

import numpy as np
import pytest
import torch

from dse.training.pruning import (
    PRUNING_PART,
    exchange,
    exchanged,
    kernel_norms,
    prune,
    scheduled_share,
    smallest_removed,
)


def test_the_smallest_go_first() -> None:
    norms = np.array([[5.0, 1.0, 4.0], [2.0, 6.0, 3.0]])
    mask = smallest_removed(norms, 2, np.ones((2, 3), bool))
    assert mask.tolist() == [[True, False, True], [False, True, True]]


def test_a_filter_keeps_its_largest_kernel_while_others_are_left() -> None:
    norms = np.array([[0.1, 0.2, 0.3], [7.0, 8.0, 9.0]])
    four = smallest_removed(norms, 4, np.ones((2, 3), bool))
    assert four.tolist() == [[False, False, True], [False, False, True]]
    five = smallest_removed(norms, 5, np.ones((2, 3), bool))
    assert five.tolist() == [[False, False, False], [False, False, True]]


def test_what_is_removed_stays_removed() -> None:
    kept = np.array([[False, True, True], [True, True, True]])
    norms = np.array([[9.0, 1.0, 4.0], [2.0, 6.0, 3.0]])
    assert smallest_removed(norms, 2, kept).tolist() == [[False, False, True], [True, True, True]]


def test_ties_are_broken_the_same_way_each_time() -> None:
    mask = smallest_removed(np.ones((2, 4)), 3, np.ones((2, 4), bool))
    assert mask.sum() == 5
    assert mask.any(axis=1).all()
    assert mask.tolist() == smallest_removed(np.ones((2, 4)), 3, np.ones((2, 4), bool)).tolist()


@pytest.mark.parametrize("shape", [(4, 3, 3, 3), (5, 7), (6, 1, 3, 3)])
@pytest.mark.parametrize("ratio", [0.0, 0.29, 0.3, 0.5, 0.9])
def test_the_end_is_exact(shape: tuple[int, ...], ratio: float) -> None:
    torch.manual_seed(0)
    weight, kept = torch.randn(shape), torch.ones(shape[:2], dtype=torch.bool)
    counts = []
    for progress in np.linspace(0, 1, 11):
        prune(weight, kept, ratio, float(progress))
        counts.append(int((~kept).sum()))
    hundredths = round(ratio * 100)
    assert counts[-1] == hundredths * kept.numel() // 100
    assert counts == sorted(counts)
    assert counts[6:] == [counts[-1]] * 5


KEPT = np.array([[True, True, True, False], [True, True, False, False]])
NORMS = np.array([[1.0, 4.0, 2.0, 9.0], [3.0, 5.0, 9.0, 9.0]])  # kept: mean 3; what removed kernels weigh is no matter
GRADIENTS = np.array([[1.0, 1.0, 1.0, 0.9], [1.0, 1.0, 0.6, 0.2]])  # kept: mean 1


def test_removed_kernels_of_large_gradient_take_the_place_of_weak_ones() -> None:
    # 0.9 meets 1 / 3 (the weakest) and wins, 0.6 meets 2 / 3 and loses
    mask = exchanged(NORMS, GRADIENTS, KEPT, 5)
    assert mask.tolist() == [[False, True, True, True], [True, True, False, False]]


def test_no_more_are_exchanged_than_asked() -> None:
    gradients = np.where(KEPT, 1.0, 100.0)
    for most in range(6):
        mask = exchanged(NORMS, gradients, KEPT, most)
        assert mask.sum() == KEPT.sum()
        assert (mask & ~KEPT).sum() == min(most, 3)
        assert mask[0, 1]  # the largest kernels of their filters
        assert mask[1, 1]


def test_without_a_gradient_nothing_comes_back() -> None:
    assert np.array_equal(exchanged(NORMS, np.zeros_like(NORMS), KEPT, 5), KEPT)
    assert np.array_equal(exchanged(np.zeros_like(NORMS), GRADIENTS, KEPT, 5), KEPT)


def test_exchanges_get_fewer_and_end_with_the_schedule() -> None:
    torch.manual_seed(0)
    weight, gradient = torch.rand(10, 40, 3, 3), torch.rand(10, 40, 3, 3)
    before = torch.rand(10, 40) < 0.5
    gradient[~before] += 100
    came_back = []
    for progress in (0.0, PRUNING_PART / 2, PRUNING_PART, 1.0):
        kept = before.clone()
        exchange(weight, kept, gradient, progress)
        assert kept.sum() == before.sum()
        came_back.append(int((kept & ~before).sum()))
    tenth = int(before.sum()) // 10
    assert came_back == [tenth, int(before.sum()) // 20, 0, 0]


def test_schedule_is_cubic() -> None:
    assert scheduled_share(0.0) == 0
    assert scheduled_share(PRUNING_PART / 2) == pytest.approx(7 / 8)
    assert scheduled_share(PRUNING_PART) == 1
    assert scheduled_share(1.0) == 1


def test_norm_of_a_kernel_is_its_sum_of_magnitudes() -> None:
    weight = torch.randn(2, 3, 3, 3)
    expected = [[sum(abs(float(v)) for v in kernel.flatten()) for kernel in row] for row in weight]
    np.testing.assert_allclose(kernel_norms(weight), expected, rtol=1e-6)
    assert kernel_norms(weight[:, :, 0, 0]).shape == (2, 3)
