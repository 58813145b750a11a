"""Quantised weights with straight-through gradients: integer codes, and the scale that makes them weights.

A layer's weight is ``scale * code``. Binary codes are -1 and +1 (``sign``, with sign(0) = +1) and their scale is the
mean of |w| over the kept kernels of an output channel. Codes of 2, 4 and 8 bits use two's complement without its lowest
value, -(2^(b-1) - 1) to 2^(b-1) - 1, so that a channel can be negated when its batch norm is folded.
"""

from typing import Any

import torch
from torch import Tensor

FLOAT_BITS = 32

# Step of the uniform quantiser that loses least of a normal variable (smallest mean squared error), in units of the
# variable's mean magnitude, by number of bits. The optimum is computed again in tests/dse/training/test_quantise.py.
STEP_PER_MEAN = {2: 1.534080, 4: 0.442934, 8: 0.0386898}


def largest_code(bits: int) -> int:
    """Largest code of ``bits`` bits; the smallest is its negative."""
    return int(2 ** (bits - 1)) - 1 if bits > 1 else 1


class _StraightThrough(torch.autograd.Function):
    """Passes codes on, and their gradient back to the weights, multiplied by ``slope``."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, codes: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(slope)
        return codes

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (slope,) = ctx.saved_tensors
        return grads[0] * slope, None, None


def spread(kept: Tensor, weight: Tensor) -> Tensor:
    """``kept`` (filters x in_channels) shaped so that it multiplies ``weight`` (filters x in_channels [x k x k])."""
    return kept.view(*kept.shape, *([1] * (weight.ndim - kept.ndim)))


def mean_magnitude(weight: Tensor, kept: Tensor | None, whole_layer: bool) -> Tensor:
    """Mean |w| of kept kernels, per output channel or of the whole layer; shape filters (or 1) x 1 [x 1 x 1]."""
    over = tuple(range(weight.ndim)) if whole_layer else tuple(range(1, weight.ndim))
    magnitude = weight.detach().abs()
    if kept is None:
        return magnitude.mean(over, keepdim=True)
    mask = spread(kept, weight).to(weight.dtype).expand_as(weight)
    # A channel without a kept kernel has no magnitude; any positive scale serves it.
    return (magnitude * mask).sum(over, keepdim=True) / mask.sum(over, keepdim=True).clamp_min(1)


def scale(weight: Tensor, kept: Tensor | None, bits: int, whole_layer: bool = False) -> Tensor:
    """Factor from codes to weights, positive, shape filters (or 1) x 1 [x 1 x 1]; 1 for float weights."""
    if bits == FLOAT_BITS:
        return torch.ones_like(mean_magnitude(weight, kept, whole_layer))
    step = 1.0 if bits == 1 else STEP_PER_MEAN[bits]
    return (step * mean_magnitude(weight, kept, whole_layer)).clamp_min(torch.finfo(weight.dtype).tiny)


def codes(weight: Tensor, kept: Tensor | None, bits: int, whole_layer: bool = False) -> Tensor:
    """Whole numbers of ``weight``'s shape and type, 0 where a kernel is removed, with a straight-through gradient.

    The gradient of a binary code by its weight is 1 where |w| <= 1, else 0. That of a longer code is 1 / step where the
    weight is within the range of codes, half a step included, else 0. Removed kernels have none.
    """
    if bits == FLOAT_BITS:
        return weight if kept is None else weight * spread(kept, weight)
    value = weight.detach()
    if bits == 1:
        code = torch.where(value >= 0, 1.0, -1.0).to(value.dtype)
        slope = (value.abs() <= 1).to(value.dtype)
    else:
        step, largest = scale(weight, kept, bits, whole_layer), largest_code(bits)
        code = (value / step).round().clamp_(-largest, largest)
        slope = (value.abs() <= (largest + 0.5) * step).to(value.dtype) / step
    if kept is not None:
        mask = spread(kept, weight).to(value.dtype)
        code, slope = code * mask, slope * mask
    return _StraightThrough.apply(weight, code, slope)  # type: ignore[no-any-return, no-untyped-call]
