"""The spiking neuron of training: batch norm, integrate-and-fire over T steps and pooling as one step."""

from dataclasses import replace
from types import ModuleType
from typing import Any, Literal

import torch
from torch import Tensor, nn

from dse.training import kernel, membrane
from dse.training.membrane import Dynamics, Norm


def _engine(x: Tensor) -> ModuleType:
    """The kernel where it takes this tensor, else plain torch: two modules with the same three functions."""
    return kernel if kernel.usable(x) else membrane


class _Neuron(torch.autograd.Function):
    """Forward saves its input alone; backward integrates the membranes again."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, ratio: Tensor, norm: Norm, how: Dynamics) -> Tensor:
        ctx.save_for_backward(x, ratio, *norm[:4])
        ctx.how, ctx.of_batch = how, norm.of_batch
        spikes: Tensor = _engine(x).forward(x, norm, ratio, how)
        return spikes

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, ratio, mean, inv_std, scale, shift = ctx.saved_tensors
        norm = Norm(mean, inv_std, scale, shift, ctx.of_batch)
        return *_engine(x).backward(grads[0], x, norm, ratio, ctx.how), None, None


class NormIF(nn.Module):
    """Batch norm, integrate-and-fire over T steps (see `Dynamics`) and pooling, differentiable.

    Fast where ``x`` is float32 or bfloat16 and channels_last, as `dse.training.convolution.convolve` makes it; any
    other layout is copied first. A NaN in the membrane makes every spike of its pooling window NaN.

    Args:
        channels: membrane maps M of the layer; it writes C = M maps, or C = 2 M under a dual threshold.
        timesteps, levels, pool, pooling, reset, dual_threshold, surrogate, surrogate_width: see `Dynamics`.
        momentum, eps: of the batch norm, as in `torch.nn.BatchNorm2d`.

    Attributes:
        weight, bias: scale and offset of the batch norm, [M].
        running_mean, running_var: [M]; the variance unbiased, as torch keeps it.
        log_gap: only under a dual threshold: log(ratio - 1), so that the ratio stays above 1.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(
        self,
        channels: int,
        timesteps: int,
        *,
        levels: int = 1,
        pool: int = 1,
        pooling: Literal["or", "average", "membrane", "count"] = "or",
        reset: Literal["hard", "soft"] = "hard",
        dual_threshold: bool = False,
        surrogate: Literal["rectangular", "arctan"] = "rectangular",
        surrogate_width: float = 1.0,
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.channels, self.momentum, self.eps = channels, momentum, eps
        self._how = Dynamics(
            timesteps, pool, levels, pooling, reset, dual_threshold, surrogate, surrogate_width, static=False
        )
        self._how_static = replace(self._how, static=True)
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.log_gap = nn.Parameter(torch.zeros(())) if dual_threshold else None
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    @property
    def ratio(self) -> Tensor:
        """Higher threshold over the lower one, a scalar above 1 that learns (1 + exp(log_gap), 2.0 at first)."""
        return torch.full((), torch.inf) if self.log_gap is None else 1 + self.log_gap.exp()

    def forward(self, x: Tensor, static: bool = False) -> Tensor:
        """Spikes of the layer: small whole numbers of x's type, [T*B, C, H // pool, W // pool] with the step slowest.

        Args:
            x: float32 or bfloat16, [T*B, M, H, W] or [T*B, M] with the step slowest, or without T where static.
            static: x is the same at every step. Batch statistics are over all that is in x.

        Raises:
            ValueError: x has other channels, or steps that do not divide its first dimension.
        """
        if x.ndim == 2:
            return self.forward(x[:, :, None, None], static).flatten(1)
        if x.shape[1] != self.channels:
            raise ValueError(f"neuron input must have {self.channels} channels, not {x.shape[1]}")
        if not static and x.shape[0] % self._how.timesteps:
            raise ValueError(f"neuron input must hold {self._how.timesteps} equal steps, not {x.shape[0]} maps")
        how = self._how_static if static else self._how
        norm, ratio = self._normalisation(x), self.ratio.to(x.device)
        if torch.is_grad_enabled():
            return _Neuron.apply(x, self.weight, self.bias, ratio, norm, how)  # type: ignore[no-any-return, no-untyped-call]
        spikes: Tensor = _engine(x).forward(x, norm, ratio, how)
        return spikes

    @torch.no_grad()
    def _normalisation(self, x: Tensor) -> Norm:
        """By the batch's mean and deviation in training, which move the running ones; else by those."""
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean, var = _engine(x).statistics(x)
            count = x.numel() // x.shape[1]
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(var * (count / max(count - 1, 1)), self.momentum)
        inv_std = torch.rsqrt(var + self.eps)
        scale = self.weight * inv_std
        return Norm(mean, inv_std, scale, self.bias - mean * scale, self.training)
