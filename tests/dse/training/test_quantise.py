"""Weight codes, scales and straight-through gradients against numpy formulas written apart from them."""

import numpy as np
import pytest
import torch

from dse.training.quantise import STEP_PER_MEAN, codes, largest_code, mean_magnitude, scale


def weights(shape: tuple[int, ...], seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)


def gradient(
    w: torch.Tensor, kept: torch.Tensor | None, bits: int, whole_layer: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Gradient of sum(codes * upstream) by w, and that upstream."""
    upstream = torch.arange(1.0, w.numel() + 1, dtype=torch.float64).reshape(w.shape)
    (codes(w, kept, bits, whole_layer) * upstream).sum().backward()
    assert w.grad is not None
    return w.grad.numpy(), upstream.numpy()


def test_binary_codes_are_signs_and_zero_is_positive() -> None:
    w = torch.tensor([[-2.0, -0.0, 0.0, 1e-30, 0.5]])
    assert codes(w, None, 1).tolist() == [[-1, 1, 1, 1, 1]]


def test_binary_gradient_passes_within_one() -> None:
    w = torch.tensor([[-1.5, -1.0, -0.2, 0.0, 1.0, 1.01]], dtype=torch.float64, requires_grad=True)
    found, upstream = gradient(w, None, 1)
    assert found.tolist() == (upstream * [[0, 1, 1, 1, 1, 0]]).tolist()


def test_alpha_is_the_mean_magnitude_of_each_channel() -> None:
    w = weights((3, 4, 3, 3))
    expected = np.abs(w.detach().numpy()).mean((1, 2, 3))
    np.testing.assert_allclose(scale(w, None, 1).flatten().numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(scale(w, None, 1, True).item(), np.abs(w.detach().numpy()).mean(), rtol=1e-12)


def test_alpha_counts_kept_kernels_alone() -> None:
    w, kept = weights((2, 3, 3, 3)), torch.tensor([[True, False, True], [False, False, True]])
    values = np.abs(w.detach().numpy())
    expected = [(values[0, 0].sum() + values[0, 2].sum()) / 18, values[1, 2].mean()]
    np.testing.assert_allclose(scale(w, kept, 1).flatten().numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("whole_layer", [False, True])
def test_multi_bit_codes_and_gradient(bits: int, whole_layer: bool) -> None:
    w = weights((4, 5, 3, 3), seed=bits)
    found, upstream = gradient(w, None, bits, whole_layer)
    values = w.detach().numpy()
    largest = 2 ** (bits - 1) - 1
    magnitude = np.abs(values).mean() if whole_layer else np.abs(values).mean((1, 2, 3), keepdims=True)
    step = STEP_PER_MEAN[bits] * magnitude
    ratio = values / step
    expected = np.sign(ratio) * np.minimum(np.floor(np.abs(ratio) + 0.5), largest)
    assert codes(w, None, bits, whole_layer).detach().numpy().tolist() == expected.tolist()
    np.testing.assert_allclose(found, upstream * (np.abs(ratio) <= largest + 0.5) / step, rtol=1e-12)
    assert np.abs(ratio).max() > largest + 0.5  # some weights are beyond the range, so that case was seen


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 32])
def test_removed_kernels_have_no_code_and_no_gradient(bits: int) -> None:
    w, kept = weights((3, 4, 3, 3)), torch.rand(3, 4, generator=torch.Generator().manual_seed(1)) < 0.5
    found, _ = gradient(w, kept, bits)
    removed = ~kept.numpy()
    assert removed.any()
    assert (codes(w, kept, bits).detach().numpy()[removed] == 0).all()
    assert (found[removed] == 0).all()
    assert (found[~removed] != 0).any()


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_codes_fit_their_bits_and_can_be_negated(bits: int) -> None:
    found = codes(weights((2, 50)), None, bits).detach().numpy()
    low, high = (-1, 1) if bits == 1 else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    assert low <= -np.abs(found).max()
    assert np.abs(found).max() <= min(high, largest_code(bits))


def test_float_weights_are_themselves() -> None:
    w = weights((2, 3))
    assert codes(w, None, 32) is w
    assert scale(w, None, 32).flatten().tolist() == [1, 1]


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_channel_without_weights_stays_finite(bits: int) -> None:
    w = torch.zeros(2, 3, requires_grad=True)
    kept = torch.tensor([[True, True, True], [False, False, False]])
    total = codes(w, kept, bits).sum()
    total.backward()
    assert torch.isfinite(total)
    assert (scale(w, kept, bits) > 0).all()


def test_mean_magnitude_gives_no_gradient() -> None:
    assert not mean_magnitude(weights((2, 3)), None, False).requires_grad


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_step_loses_least_of_a_normal_variable(bits: int) -> None:
    x = np.linspace(-8, 8, 160_001)
    density = np.exp(-x * x / 2)
    density /= density.sum()
    mean = (density * np.abs(x)).sum()
    largest = 2 ** (bits - 1) - 1

    def loss(step: float) -> float:
        coded = step * mean * np.clip(np.round(x / (step * mean)), -largest, largest)
        return float((density * (x - coded) ** 2).sum())

    best = STEP_PER_MEAN[bits]
    assert loss(best) < min(loss(best * 0.98), loss(best * 1.02))
