"""Membranes in plain torch, on any device: the equations, their gradient, and the twin of the compiled kernel."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor


@dataclass(frozen=True)
class Dynamics:
    """What the membranes of one layer do.

    With ``y`` the normalised input, ``u[t] = h[t-1] + y[t]`` is the potential before reset, ``s[t] = [u[t] >= 1]`` the
    spike, and ``h[t]`` what is left of it: ``u[t] (1 - s[t])`` after a hard reset, ``u[t] - s[t]`` after a soft one.
    A dual threshold adds ``[u[t] >= ratio]``; the lower threshold alone resets. The reset is detached: its gradient
    reaches ``u`` but not ``s``, as usual in STBP.

    Attributes:
        timesteps: T.
        pool: edge and stride of the pooling window; 1 is none. Odd rows and columns at the far edge are dropped.
        pooling: ``"or"``, whose gradient goes to the neuron of the window with the largest ``u[t]`` (the one that
            decides whether the window spikes; the first in row order of equals), or ``"average"``, which emits the
            window's spike count, 0 to pool * pool.
        reset: ``"hard"`` or ``"soft"``.
        dual_threshold: two maps from each membrane.
        surrogate: gradient of a spike by its potential at distance d from its threshold: ``"rectangular"`` is 1/width
            where |d| < width/2, ``"arctan"`` is (1/width) / (1 + (pi d / width)^2), which is SpikingJelly's ATan at
            alpha = 2/width.
        width: of the surrogate, in thresholds.
        static: the input is the same at every step and is given once.
    """

    timesteps: int
    pool: int
    pooling: Literal["or", "average"]
    reset: Literal["hard", "soft"]
    dual_threshold: bool
    surrogate: Literal["rectangular", "arctan"]
    width: float
    static: bool


class Norm(NamedTuple):
    """The batch norm of every channel, each [M] float32: ``y = scale x + shift``.

    Attributes:
        mean, inv_std: of the input.
        scale, shift: weight * inv_std, and bias - mean * scale.
        of_batch: the mean and deviation are those of x itself, so their gradient counts.
    """

    mean: Tensor
    inv_std: Tensor
    scale: Tensor
    shift: Tensor
    of_batch: bool


def by_channel(vector: Tensor) -> Tensor:
    return vector.view(1, -1, 1, 1)


def _potentials(x: Tensor, norm: Norm, how: Dynamics) -> tuple[list[Tensor], list[Tensor], Tensor]:
    """``u[t]`` and ``s[t]`` for every step, and a map that is 0 where all is finite, else NaN."""
    y = torch.addcmul(by_channel(norm.shift), x.float(), by_channel(norm.scale))
    inputs = [y] * how.timesteps if how.static else list(y.chunk(how.timesteps))
    potentials, spikes = [], []
    left: Tensor | None = None
    for step in inputs:
        u = step if left is None else left + step
        s = (u >= 1.0).to(u.dtype)
        left = torch.where(s > 0, 0.0, u) if how.reset == "hard" else u - s
        potentials.append(u)
        spikes.append(s)
    assert left is not None
    return potentials, spikes, left * 0.0


def _pool(spikes: Tensor, how: Dynamics) -> Tensor:
    if how.pool == 1:
        return spikes
    if how.pooling == "or":
        return F.max_pool2d(spikes, how.pool)
    return F.avg_pool2d(spikes, how.pool, divisor_override=1)


def forward(x: Tensor, norm: Norm, ratio: Tensor, how: Dynamics) -> Tensor:
    """The layer's spikes in plain torch: 0, 1 or counts, of x's type."""
    potentials, spikes, poison = _potentials(x, norm, how)
    maps = []
    for u, s in zip(potentials, spikes, strict=True):
        both = torch.cat([s + poison, (u >= ratio).to(u.dtype) + poison], 1) if how.dual_threshold else s + poison
        maps.append(_pool(both, how))
    return torch.cat(maps).to(x.dtype)


def _window(distance: Tensor, how: Dynamics) -> Tensor:
    """Surrogate gradient of a spike at a distance from its threshold."""
    if how.surrogate == "rectangular":
        return (distance.abs() < how.width / 2).to(distance.dtype) / how.width
    return 1 / (how.width * (1 + (torch.pi / how.width * distance).square()))


def _unpool(grad: Tensor, u: Tensor, how: Dynamics) -> Tensor:
    """Gradient of the pooled map carried back to the map under it, which has the shape of ``u``."""
    if how.pool == 1:
        return grad
    if how.pooling == "or":
        _, winner = F.max_pool2d(u, how.pool, return_indices=True)
        return F.max_unpool2d(grad, winner, (how.pool, how.pool), output_size=u.shape[2:])
    spread = F.interpolate(grad, scale_factor=float(how.pool), mode="nearest")
    return F.pad(spread, (0, u.shape[3] - spread.shape[3], 0, u.shape[2] - spread.shape[2]))


def _backward_membrane(grad: Tensor, x: Tensor, norm: Norm, ratio: Tensor, how: Dynamics) -> tuple[Tensor, Tensor]:
    """Gradients of the normalised input ``y`` (float32, the shape of x) and of the ratio."""
    potentials, spikes, _ = _potentials(x, norm, how)
    grads = grad.float().chunk(how.timesteps)
    by_ratio = torch.zeros((), device=x.device)
    by_input: list[Tensor] = []
    carried: Tensor | None = None
    for u, s, g in zip(reversed(potentials), reversed(spikes), reversed(grads), strict=True):
        lower, *upper = g.chunk(2, 1) if how.dual_threshold else (g,)
        du = _unpool(lower, u, how) * _window(u - 1.0, how)
        for g2 in upper:
            du2 = _unpool(g2, u, how) * _window(u - ratio, how)
            by_ratio = by_ratio - du2.sum()
            du = du + du2
        if carried is not None:
            du = du + (torch.where(s > 0, 0.0, carried) if how.reset == "hard" else carried)
        carried = du
        by_input.append(du)
    return sum(by_input[1:], by_input[0]) if how.static else torch.cat(by_input[::-1]), by_ratio


def backward(
    grad: Tensor, x: Tensor, norm: Norm, ratio: Tensor, how: Dynamics
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gradients of x (its type), and of the weight, bias and ratio (float32), given that of the spikes."""
    by_y, by_ratio = _backward_membrane(grad, x, norm, ratio, how)
    normal = (x.float() - by_channel(norm.mean)) * by_channel(norm.inv_std)
    by_bias = by_y.sum((0, 2, 3))
    by_weight = (by_y * normal).sum((0, 2, 3))
    if norm.of_batch:
        count = x.numel() // x.shape[1]
        by_y = by_y - by_channel(by_bias / count) - normal * by_channel(by_weight / count)
    return (by_y * by_channel(norm.scale)).to(x.dtype), by_weight, by_bias, by_ratio


def statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of every channel, float32."""
    var, mean = torch.var_mean(x.float(), (0, 2, 3), correction=0)
    return mean, var
