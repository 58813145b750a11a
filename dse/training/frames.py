"""The frames of event recordings on torch: the twin of `dse.export.integer_network.frames`."""

import torch
from torch import Tensor

from searchspaces.genome import SLICES


def frames(slices: Tensor, timesteps: int) -> Tensor:
    """Bits, uint8 [T, n, 2, H, W], of slices, uint8 [n, 2, H, W]: where an event fell into any slice of the step."""
    width = SLICES // timesteps
    steps = [(slices >> step * width) & ((1 << width) - 1) for step in range(timesteps)]
    return torch.stack(steps).ne_(0)
