"""The rectified unit of the CNN behind a conversion: batch norm, ReLU and pooling, under the names of `NormIF`."""

from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


class NormReLU(nn.Module):
    """``relu(batch norm(x))``, then the sum of each window (average pooling) or its largest activation.

    Attributes:
        weight, bias, running_mean, running_var: as in `dse.training.neuron.NormIF`.
    """

    running_mean: Tensor
    running_var: Tensor

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

    def activations(self, x: Tensor) -> Tensor:
        """What the units answer, of x's shape [B, M] or [B, M, H, W], before pooling."""
        norm = self.running_mean, self.running_var, self.weight, self.bias
        return F.batch_norm(x, *norm, self.training, self.momentum, self.eps).relu()

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
