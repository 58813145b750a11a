"""Membranes in plain torch, on any device: the equations, their gradient, and the twin of the compiled kernel."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor


@dataclass(frozen=True)
class Dynamics:
    """What the membranes of one layer do.

    With ``y`` the normalised input, ``u[t] = h[t-1] + y[t]`` is the potential before reset, ``s[t]`` the spike, 0 below
    the threshold 1 and ``min(floor(u[t]), levels)`` from there on, and ``h[t]`` what is left of the potential: 0 where
    there was a spike and the reset is hard, ``u[t] - s[t]`` after a soft one. A dual threshold adds a second map,
    whose unit is ``ratio``; the lower threshold alone resets. The reset is detached: its gradient reaches ``u`` but not
    ``s``, as usual in STBP.

    Pooling by a winner passes the spikes of one neuron of the window, the one of highest rank at that step (the first
    in row order of equals), and its gradient goes to that neuron.

    Attributes:
        timesteps: T.
        pool: edge and stride of the pooling window; 1 is none. Odd rows and columns at the far edge are dropped.
        levels: strengths of a spike.
        pooling: ``"average"``, the sum of the window, or the rank of a winner: ``u[t]`` (``"or"``: the window spikes as
            strongly as any of its neurons), ``y[1] + ... + y[t]`` (``"membrane"``: the potential as if never reset), or
            ``s[1] + ... + s[t]`` (``"count"``, of the lower threshold).
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
    levels: int
    pooling: Literal["or", "average", "membrane", "count"]
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


class Step(NamedTuple):
    """One step of a layer, maps [B, M, H, W]: potential before reset, strength of the spike, rank in its window."""

    u: Tensor
    s: Tensor
    rank: Tensor


def strength(u: Tensor, unit: Tensor | float, levels: int) -> Tensor:
    """How many of the thresholds ``unit``, ``2 unit``, ... ``levels unit`` are reached, of u's type."""
    reached = (u >= unit).to(u.dtype)
    for level in range(2, levels + 1):
        reached = reached + (u >= level * unit)
    return reached


def _steps(x: Tensor, norm: Norm, how: Dynamics) -> tuple[list[Step], Tensor]:
    """Every step, and a map that is 0 where all is finite, else NaN."""
    y = torch.addcmul(by_channel(norm.shift), x.float(), by_channel(norm.scale))
    inputs = [y] * how.timesteps if how.static else list(y.chunk(how.timesteps))
    steps: list[Step] = []
    left = gathered = torch.zeros_like(inputs[0])
    for step in inputs:
        u = left + step
        s = strength(u, 1.0, how.levels)
        left = torch.where(s > 0, 0.0, u) if how.reset == "hard" else u - s
        if how.pooling in ("membrane", "count"):
            gathered = gathered + (step if how.pooling == "membrane" else s)
        steps.append(Step(u, s, gathered if how.pooling in ("membrane", "count") else u))
    return steps, left * 0.0


def _winner(rank: Tensor, pool: int) -> Tensor:
    """Place (row * W + column) of the neuron that each window passes on, [B, M, H // pool, W // pool]."""
    _, place = F.max_pool2d(rank, pool, return_indices=True)
    return place


def _pool(spikes: Tensor, rank: Tensor, how: Dynamics) -> Tensor:
    if how.pool == 1:
        return spikes
    if how.pooling == "average":
        return F.avg_pool2d(spikes, how.pool, divisor_override=1)
    place = _winner(rank, how.pool)
    return spikes.flatten(2).gather(2, place.flatten(2)).view_as(place)


def forward(x: Tensor, norm: Norm, ratio: Tensor, how: Dynamics) -> Tensor:
    """The layer's spikes in plain torch: strengths or their sums, of x's type."""
    steps, poison = _steps(x, norm, how)
    poison = F.max_pool2d(poison, how.pool)
    maps = []
    for u, s, rank in steps:
        maps.append(_pool(s, rank, how) + poison)
        if how.dual_threshold:
            maps[-1] = torch.cat([maps[-1], _pool(strength(u, ratio, how.levels), rank, how) + poison], 1)
    return torch.cat(maps).to(x.dtype)


def _window(distance: Tensor, how: Dynamics) -> Tensor:
    """Surrogate gradient of a spike at a distance from its threshold."""
    if how.surrogate == "rectangular":
        return (distance.abs() < how.width / 2).to(distance.dtype) / how.width
    return 1 / (how.width * (1 + (torch.pi / how.width * distance).square()))


def _slopes(u: Tensor, unit: Tensor | float, how: Dynamics) -> tuple[Tensor, Tensor]:
    """Surrogate gradients of a strength by its potential and, negated, by its unit."""
    by_u = by_unit = _window(u - unit, how)
    for level in range(2, how.levels + 1):
        window = _window(u - level * unit, how)
        by_u, by_unit = by_u + window, by_unit + level * window
    return by_u, by_unit


def _unpool(grad: Tensor, rank: Tensor, how: Dynamics) -> Tensor:
    """Gradient of the pooled map carried back to the map under it, which has the shape of ``rank``."""
    if how.pool == 1:
        return grad
    if how.pooling != "average":
        place = _winner(rank, how.pool)
        return F.max_unpool2d(grad, place, (how.pool, how.pool), output_size=rank.shape[2:])
    spread = F.interpolate(grad, scale_factor=float(how.pool), mode="nearest")
    return F.pad(spread, (0, rank.shape[3] - spread.shape[3], 0, rank.shape[2] - spread.shape[2]))


def _backward_membrane(grad: Tensor, x: Tensor, norm: Norm, ratio: Tensor, how: Dynamics) -> tuple[Tensor, Tensor]:
    """Gradients of the normalised input ``y`` (float32, the shape of x) and of the ratio."""
    steps, _ = _steps(x, norm, how)
    grads = grad.float().chunk(how.timesteps)
    by_ratio = torch.zeros((), device=x.device)
    by_input: list[Tensor] = []
    carried: Tensor | None = None
    for (u, s, rank), g in zip(reversed(steps), reversed(grads), strict=True):
        lower, *upper = g.chunk(2, 1) if how.dual_threshold else (g,)
        du = _unpool(lower, rank, how) * _slopes(u, 1.0, how)[0]
        for second in upper:
            unpooled, (by_u, by_unit) = _unpool(second, rank, how), _slopes(u, ratio, how)
            by_ratio = by_ratio - (unpooled * by_unit).sum()
            du = du + unpooled * by_u
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
