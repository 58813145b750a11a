"""Convolution of spike maps: compiled Winograd F(2x2, 3x3) where it applies, torch's otherwise."""

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from dse.training import native

GROUP = 16  # channels the kernel takes at a time


def _takes(x: Tensor, weight: Tensor, stride: int, padding: int) -> bool:
    """Whether the kernel exists here and convolves these."""
    filters, channels, rows, columns = weight.shape
    fits = (rows, columns, stride, padding) == (3, 3, 1, 1) and filters % GROUP == 0 and channels % GROUP == 0
    if not fits or x.device.type != "cpu" or x.dtype not in (torch.float32, torch.bfloat16):
        return False
    library = native.library()
    return library is not None and (x.dtype == torch.float32 or library.convolution_takes_half() == 1)


def _describe(x: Tensor, outputs: int) -> native.Convolution:
    images, inputs, rows, columns = x.shape
    return native.Convolution(images, rows, columns, inputs, outputs, torch.get_num_threads())


def _run(x: Tensor, weight: Tensor) -> Tensor:
    """Convolution of x by a weight laid out [3, 3, in, out]."""
    library, outputs = native.library(), weight.shape[3]
    assert library is not None, "ask _takes() first"
    images, _, rows, columns = x.shape
    out = torch.empty((images, outputs, rows, columns), dtype=x.dtype, memory_format=torch.channels_last)
    pointers = [tensor.data_ptr() for tensor in (x, weight, out)]
    library.convolution_forward(x.dtype == torch.bfloat16, _describe(x, outputs), *pointers)
    return out


class _Convolution(torch.autograd.Function):
    """3x3, stride 1, padding 1; x is channels_last, the weight float32 whatever x is."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _run(x, weight.permute(2, 3, 1, 0).contiguous())

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        grad = grads[0].to(x.dtype).contiguous(memory_format=torch.channels_last)
        by_x = by_weight = None
        if ctx.needs_input_grad[0]:
            by_x = _run(grad, weight.flip(2, 3).permute(2, 3, 0, 1).contiguous())
        if ctx.needs_input_grad[1]:
            by_weight = _weight_gradient(x, grad)
        return by_x, by_weight


def _weight_gradient(x: Tensor, grad: Tensor) -> Tensor:
    library = native.library()
    assert library is not None, "ask _takes() first"
    by_weight = torch.empty(3, 3, x.shape[1], grad.shape[1])
    pointers = [tensor.data_ptr() for tensor in (x, grad, by_weight)]
    library.convolution_weights(x.dtype == torch.bfloat16, _describe(x, grad.shape[1]), *pointers)
    return by_weight.permute(3, 2, 0, 1)


def convolve(x: Tensor, weight: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    """`torch.nn.functional.conv2d` without bias, channels_last, of x's type.

    Args:
        x: [N, in, H, W], float32 or bfloat16.
        weight: [out, in, rows, columns], float32. Its gradient is float32 whatever x is.
    """
    if _takes(x, weight, stride, padding):
        return _Convolution.apply(_channels_last(x), weight)  # type: ignore[no-any-return, no-untyped-call]
    return F.conv2d(_channels_last(x), _channels_last(weight.to(x.dtype)), stride=stride, padding=padding)


def _channels_last(x: Tensor) -> Tensor:
    """x with channels innermost, strides included: torch leaves those of a single channel as they are, and then
    convolves to a map with channels outermost."""
    strides = (x.shape[2] * x.shape[3] * x.shape[1], 1, x.shape[3] * x.shape[1], x.shape[1])
    if x.stride() == strides:
        return x
    if x.shape[1] == 1:
        return x.contiguous().as_strided(x.shape, strides)
    return x.contiguous(memory_format=torch.channels_last)
