"""The compiled convolution against torch's in float64."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from dse.training import convolution, native
from dse.training.convolution import convolve

# images, in, out, rows, columns: odd and even edges, one pixel, several panels and rests, more tiles than one block
SHAPES = [
    (3, 16, 16, 4, 4),
    (2, 48, 80, 9, 3),
    (3, 16, 48, 5, 7),
    (1, 16, 32, 1, 1),
    (5, 32, 64, 14, 14),
    (40, 16, 16, 8, 6),
]


@pytest.fixture(autouse=True)
def compiled() -> None:
    if native.library() is None:
        pytest.skip("no compiler here")


def relative(ours: Tensor, theirs: Tensor) -> float:
    return float((ours.double() - theirs).abs().max() / theirs.abs().max())


def both(shape: tuple[int, ...], dtype: torch.dtype, seed: int = 0):
    """Output and gradients of ours, and torch's in float64 on the same numbers."""
    images, inputs, outputs, rows, columns = shape
    torch.manual_seed(seed)
    x = (torch.rand(images, inputs, rows, columns) < 0.4).to(dtype).requires_grad_()
    weight = torch.randn(outputs, inputs, 3, 3).requires_grad_()
    out = convolve(x, weight, 1, 1)
    grad = torch.randn(out.shape).to(dtype)
    mine = (out.detach(), *torch.autograd.grad(out, (x, weight), grad))
    wide_x, wide_weight = x.detach().double().requires_grad_(), weight.detach().double().requires_grad_()
    expected = F.conv2d(wide_x, wide_weight, padding=1)
    theirs = (expected.detach(), *torch.autograd.grad(expected, (wide_x, wide_weight), grad.double()))
    return mine, theirs


@pytest.mark.parametrize("shape", SHAPES)
def test_float32_equals_torch_s(shape: tuple[int, ...]) -> None:
    for ours, theirs in zip(*both(shape, torch.float32), strict=True):
        assert relative(ours, theirs) < 2e-6


@pytest.mark.parametrize("shape", SHAPES)
def test_bfloat16_loses_what_bfloat16_loses(shape: tuple[int, ...]) -> None:
    mine, theirs = both(shape, torch.bfloat16)
    assert [tensor.dtype for tensor in mine] == [torch.bfloat16, torch.bfloat16, torch.float32]
    for ours, expected in zip(mine, theirs, strict=True):
        assert relative(ours, expected) < 2**-7


@pytest.mark.parametrize("largest", [1, 7])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_spike_counts_times_small_integer_weights_are_exact(dtype: torch.dtype, largest: int) -> None:
    torch.manual_seed(0)
    x = torch.randint(0, 5, (4, 16, 6, 6)).to(dtype)
    weight = torch.randint(-largest, largest + 1, (16, 16, 3, 3)).float()
    expected = F.conv2d(x.float(), weight, padding=1)
    assert torch.equal(convolve(x, weight, 1, 1), expected.to(dtype))


def test_the_kernel_takes_what_it_should(monkeypatch: pytest.MonkeyPatch) -> None:
    called = []
    monkeypatch.setattr(
        convolution._Convolution, "apply", lambda x, w: called.append(w.shape) or F.conv2d(x, w, padding=1)
    )
    for filters, channels, kernel, stride in [
        (16, 16, 3, 1),
        (17, 16, 3, 1),
        (16, 1, 3, 1),
        (16, 16, 1, 1),
        (16, 16, 3, 2),
    ]:
        convolve(torch.ones(1, channels, 4, 4), torch.ones(filters, channels, kernel, kernel), stride, kernel // 2)
    assert called == [(16, 16, 3, 3)]


@pytest.mark.parametrize("channels", [1, 3, 16])
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_every_convolution_comes_back_with_channels_innermost(channels: int, kernel: int) -> None:
    x, weight = torch.rand(2, channels, 6, 6), torch.rand(8, channels, kernel, kernel).requires_grad_()
    out = convolve(x, weight, 1, kernel // 2)
    assert out.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(out, F.conv2d(x, weight, padding=kernel // 2))
    out.sum().backward()
    assert weight.grad is not None


def test_nan_in_is_nan_out() -> None:
    for dtype in (torch.float32, torch.bfloat16):
        x = torch.zeros(1, 16, 4, 4, dtype=dtype)
        x[0, 3, 1, 1] = torch.nan
        assert convolve(x, torch.ones(16, 16, 3, 3), 1, 1)[0, :, 1, 1].isnan().all()
