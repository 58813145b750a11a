"""The compiled kernel on torch tensors: the three functions of membrane.py, for float32 and bfloat16 on the CPU."""

import ctypes

import torch
from torch import Tensor

from dse.training import native
from dse.training.membrane import Dynamics, Norm


def usable(x: Tensor) -> bool:
    """Whether the kernel exists here and takes this tensor."""
    return x.device.type == "cpu" and x.dtype in (torch.float32, torch.bfloat16) and native.library() is not None


def _loaded() -> ctypes.CDLL:
    loaded = native.library()
    assert loaded is not None, "ask usable() first"
    return loaded


def _pixels_first(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)


def _like(x: Tensor, *shape: int) -> Tensor:
    return torch.empty(shape, dtype=x.dtype, memory_format=torch.channels_last)


def _layer(x: Tensor, ratio: float, how: Dynamics) -> native.Layer:
    return native.Layer(
        steps=how.timesteps,
        batch=x.shape[0] if how.static else x.shape[0] // how.timesteps,
        rows=x.shape[2],
        columns=x.shape[3],
        channels=x.shape[1],
        pool=how.pool,
        pooling=native.POOLINGS.index(how.pooling),
        levels=how.levels,
        soft=how.reset == "soft",
        dual=how.dual_threshold,
        arctan=how.surrogate == "arctan",
        is_static=how.static,
        threads=torch.get_num_threads(),
        ratio=ratio,
        width=how.width,
    )


def statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of every channel of [N, M, H, W], float32."""
    x = _pixels_first(x)
    mean, var = (torch.empty(x.shape[1], dtype=torch.float64) for _ in range(2))
    half, pixels = x.dtype == torch.bfloat16, x.numel() // x.shape[1]
    _loaded().neuron_moments(
        half, pixels, x.shape[1], torch.get_num_threads(), x.data_ptr(), mean.data_ptr(), var.data_ptr()
    )
    return mean.float(), var.float()


def forward(x: Tensor, norm: Norm, ratio: Tensor, how: Dynamics) -> Tensor:
    """The layer's spikes, see `membrane.forward`."""
    x = _pixels_first(x)
    layer = _layer(x, float(ratio), how)
    maps = layer.channels * (2 if how.dual_threshold else 1)
    out = _like(x, layer.steps * layer.batch, maps, layer.rows // how.pool, layer.columns // how.pool)
    pointers = [tensor.data_ptr() for tensor in (x, norm.scale, norm.shift, out)]
    _loaded().neuron_forward(x.dtype == torch.bfloat16, layer, *pointers)
    return out


def backward(
    grad: Tensor, x: Tensor, norm: Norm, ratio: Tensor, how: Dynamics
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gradients of x, weight, bias and ratio, see `membrane.backward`."""
    x, grad = _pixels_first(x), _pixels_first(grad.to(x.dtype))
    half, pixels, maps = x.dtype == torch.bfloat16, x.numel() // x.shape[1], x.shape[1]
    by_x = torch.empty_like(x)
    sums = torch.empty(3, maps, dtype=torch.float64)
    layer = _layer(x, float(ratio), how)
    pointers = [tensor.data_ptr() for tensor in (x, grad, norm.scale, norm.shift, norm.mean, by_x, sums)]
    _loaded().neuron_backward(half, layer, *pointers)
    by_bias, by_weight = sums[0].float(), (sums[1] * norm.inv_std).float()
    nothing = torch.zeros(maps)
    offset = by_bias / pixels if norm.of_batch else nothing
    slope = by_weight * norm.inv_std / pixels if norm.of_batch else nothing
    pointers = [tensor.data_ptr() for tensor in (x, norm.scale, offset, slope, norm.mean, by_x)]
    _loaded().neuron_finish(half, pixels, maps, layer.threads, *pointers)
    return by_x, by_weight, by_bias, sums[2].sum().float()
