"""Masks of kept kernels: how many, which, when."""

import numpy as np
import pytest
import torch

from dse.training.pruning import PRUNING_PART, kernel_norms, prune, scheduled_share, smallest_removed


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
