"""The rectified unit of the CNN behind a conversion: batch norm, ReLU and pooling, under the names of `NormIF`."""

from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


class NormReLU(nn.Module):
    """``relu(batch norm(x))``, then the sum of each window (average pooling) or its largest activation.

    Answers may be rounded to 0 or the nearest of ``rounded_to`` equal steps up to ``peak``, which is what T steps of a
    spiking neuron can say (clip, floor and shift of Bu et al., ICLR 2022). The gradient is that of clipping alone.

    Attributes:
        peak: activation that full strength at every step stands for; a buffer, so that a checkpoint has it.
        rounded_to: values above 0; 0 where any activation is answered.
        weight, bias, running_mean, running_var: as in `dse.training.neuron.NormIF`.
    """

    running_mean: Tensor
    running_var: Tensor
    peak: Tensor

    def __init__(
        self,
        channels: int,
        *,
        pool: int = 1,
        pooling: Literal["or", "average", "membrane", "count"] = "or",
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.pool, self.pooling, self.momentum, self.eps = pool, pooling, momentum, eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.register_buffer("peak", torch.ones(()))
        self.rounded_to = 0

    def activations(self, x: Tensor) -> Tensor:
        """What the units answer, of x's shape [B, M] or [B, M, H, W], before pooling."""
        norm = self.running_mean, self.running_var, self.weight, self.bias
        exact = F.batch_norm(x, *norm, self.training, self.momentum, self.eps).relu()
        return self._rounded(exact) if self.rounded_to else exact

    def _rounded(self, exact: Tensor) -> Tensor:
        clipped = exact.minimum(self.peak)
        step = self.peak / self.rounded_to
        return clipped + ((clipped / step + 1 / 2).floor() * step - clipped).detach()

    def pooled(self, activations: Tensor) -> Tensor:
        """The stored map."""
        if self.pool == 1:
            return activations
        if self.pooling == "average":
            return F.avg_pool2d(activations, self.pool, divisor_override=1)
        return F.max_pool2d(activations, self.pool)

    def forward(self, x: Tensor, static: bool = False) -> Tensor:
        """The stored map of sums ``x``; without time steps, ``static`` makes no difference."""
        return self.pooled(self.activations(x))
