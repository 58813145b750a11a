"""Which kernels a layer keeps: the smallest removed first, more and more of them until the mask is exact.

Dynamic pruning (ours, after Evci et al. 2020, arXiv 1911.11134) gives a removed kernel a second chance: it takes the
place of the weakest kept one where its gradient outgrows that one's norm, each in units of its mean over kept kernels.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from searchspaces.shapes import removed_kernels

# The removed share rises over this part of a run as 1 - (1 - t)^3 (the cubic schedule of Zhu and Gupta 2017, arXiv
# 1710.01878) and then stays, so that the kept kernels have the rest of the run to settle.
PRUNING_PART = 0.6

UPDATES = 20  # masks chosen on the way; more of them cost time and change little

EXCHANGED_SHARE = 0.1  # of the kept kernels, at the first exchange of dynamic pruning; falls to 0 with the schedule


def scheduled_share(progress: float) -> float:
    """Share of the final removals that is due at ``progress``, the part of the run that is over (0 to 1)."""
    return float(1 - (1 - min(1.0, progress / PRUNING_PART)) ** 3)


def largest_of_filters(norms: NDArray[np.float64], kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """True at the kept kernel of largest norm of each filter that keeps any."""
    largest = np.zeros_like(kept)
    np.put_along_axis(largest, np.where(kept, norms, -np.inf).argmax(axis=1)[:, None], True, axis=1)
    return largest & kept


def smallest_removed(norms: NDArray[np.float64], removed: int, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask without the ``removed`` kernels of smallest norm.

    A kernel that ``kept`` lacks stays removed. A filter's largest kernel goes only when no other kernels are left.

    Args:
        norms: filters x in_channels.
        removed: kernels that the result lacks, at least as many as ``kept`` does.
        kept: the mask so far.
    """
    present = np.where(kept, norms, -np.inf)
    # lexsort orders by its last key first; ties go to the earlier kernel.
    order = np.lexsort((present.ravel(), largest_of_filters(norms, kept).ravel(), kept.ravel()))
    mask = np.ones(norms.size, dtype=np.bool_)
    mask[order[:removed]] = False
    return mask.reshape(norms.shape)


def exchanged(
    norms: NDArray[np.float64], gradients: NDArray[np.float64], kept: NDArray[np.bool_], most: int
) -> NDArray[np.bool_]:
    """The mask after up to ``most`` weak kernels have made way for removed ones with larger gradients.

    The strongest of the removed meets the weakest of the kept, the second strongest the second weakest, and so on. A
    filter's largest kernel stays.

    Args:
        norms, gradients: sums of magnitudes of each kernel, filters x in_channels.
        kept: the mask so far, with at least one kernel kept.
    """
    mean_norm, mean_gradient = norms[kept].mean(), gradients[kept].mean()
    if mean_norm == 0 or mean_gradient == 0:
        return kept.copy()
    weakness = np.where(kept & ~largest_of_filters(norms, kept), norms / mean_norm, np.inf).ravel()
    promise = np.where(kept, -np.inf, gradients / mean_gradient).ravel()
    going = np.argsort(weakness, kind="stable")[:most]
    coming = np.argsort(-promise, kind="stable")[:most]
    swap = promise[coming] > weakness[going]
    mask = kept.copy().ravel()
    mask[going[swap]], mask[coming[swap]] = False, True
    return mask.reshape(kept.shape)


def exchange(weight: Tensor, kept: Tensor, gradient: Tensor, progress: float) -> None:
    """Exchange kernels of ``kept`` in place; fewer and fewer, and none from `PRUNING_PART` on."""
    most = int(EXCHANGED_SHARE * max(0.0, 1 - progress / PRUNING_PART) * int(kept.sum()))
    mask = exchanged(kernel_norms(weight), kernel_norms(gradient), kept.cpu().numpy(), most)
    kept.copy_(torch.from_numpy(mask))


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
