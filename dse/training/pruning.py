"""Which kernels a layer keeps: the smallest removed first, more and more of them until the mask is exact."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from searchspaces.shapes import removed_kernels

# The removed share rises over this part of a run as 1 - (1 - t)^3 (the cubic schedule of Zhu and Gupta 2017, arXiv
# 1710.01878) and then stays, so that the kept kernels have the rest of the run to settle.
PRUNING_PART = 0.6

UPDATES = 20  # masks chosen on the way; more of them cost time and change little


def scheduled_share(progress: float) -> float:
    """Share of the final removals that is due at ``progress``, the part of the run that is over (0 to 1)."""
    return float(1 - (1 - min(1.0, progress / PRUNING_PART)) ** 3)


def smallest_removed(norms: NDArray[np.float64], removed: int, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask without the ``removed`` kernels of smallest norm.

    A kernel that ``kept`` lacks stays removed. A filter's largest kernel goes only when no other kernels are left.

    Args:
        norms: filters x in_channels.
        removed: kernels that the result lacks, at least as many as ``kept`` does.
        kept: the mask so far.
    """
    present = np.where(kept, norms, -np.inf)
    largest = np.zeros_like(kept)
    np.put_along_axis(largest, present.argmax(axis=1)[:, None], True, axis=1)
    # lexsort orders by its last key first; ties go to the earlier kernel.
    order = np.lexsort((present.ravel(), (largest & kept).ravel(), kept.ravel()))
    mask = np.ones(norms.size, dtype=np.bool_)
    mask[order[:removed]] = False
    return mask.reshape(norms.shape)


def kernel_norms(weight: Tensor) -> NDArray[np.float64]:
    """Sum of |w| of each kernel, filters x in_channels."""
    magnitude = weight.detach().abs()
    norms: NDArray[np.float64] = (magnitude.sum((2, 3)) if weight.ndim == 4 else magnitude).double().cpu().numpy()
    return norms


def prune(weight: Tensor, kept: Tensor, prune_ratio: float, progress: float) -> None:
    """Update ``kept`` (filters x in_channels) in place to what is due at ``progress``: all, from `PRUNING_PART` on."""
    due = removed_kernels(prune_ratio * scheduled_share(progress), kept.numel())
    mask = smallest_removed(kernel_norms(weight), due, kept.cpu().numpy())
    kept.copy_(torch.from_numpy(mask))
