"""The training loop: AdamW under a one-cycle schedule, pruning and binarisation on the way, and how it can fail."""

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from dse.data.dataset import Split
from dse.training.ale import Binarisation
from dse.training.augment import augmented
from dse.training.bwo import BinaryPhase, phase_begins
from dse.training.model import SpikingNetwork
from dse.training.pruning import PRUNING_PART, UPDATES, exchange, prune
from dse.training.sampling import balanced_subset, batch_count, batches
from searchspaces.recipe import Recipe

WARM_UP = 0.15  # part of the run in which the learning rate rises


class DivergedError(Exception):
    """The loss or a parameter is not a finite number."""


class OverBudgetError(Exception):
    """The run took longer than its recipe allows."""


@dataclass(frozen=True)
class Deadline:
    """When a run must be over, on the clock of `time.perf_counter`; None is never."""

    start: float
    budget_s: float | None

    def check(self) -> None:
        """Raise OverBudgetError when the budget is spent."""
        spent = time.perf_counter() - self.start
        if self.budget_s is not None and spent > self.budget_s:
            raise OverBudgetError(f"the run took longer than its budget of {self.budget_s:g} s")


def learning_rate_factor(progress: float) -> float:
    """Share of the peak learning rate at ``progress`` (0 to 1): up in a line, then down in half a cosine to 0."""
    if progress < WARM_UP:
        return progress / WARM_UP
    return (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP))) / 2


def optimiser(network: SpikingNetwork, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW that decays weights alone: a batch norm's scale, a bias and a gain have no reason to be small."""
    weights = [synapses.weight for synapses in network.all_synapses()]
    known = {id(weight) for weight in weights}
    others = [parameter for parameter in network.parameters() if id(parameter) not in known]
    groups: list[dict[str, Any]] = [{"params": weights}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True)


def prune_network(network: SpikingNetwork, progress: float) -> None:
    """Bring every pruned layer's mask to what is due at ``progress``, then exchange kernels where that is dynamic."""
    for synapses in network.all_synapses():
        if synapses.kept is not None:
            prune(synapses.weight, synapses.kept, synapses.layer.prune_ratio, progress)
            if synapses.gradient is not None:
                exchange(synapses.weight, synapses.kept, synapses.gradient, progress)


def prune_is_due(step: int, steps: int) -> bool:
    """True at `UPDATES` + 1 steps spread over the pruning part of the run, and at the first step after it."""
    last = math.ceil(PRUNING_PART * steps)
    return step == last or (step < last and step % max(1, last // UPDATES) == 0)


@torch.no_grad()
def clip_weights(network: SpikingNetwork) -> None:
    """Keep binary layers' weights within -1..1: outside, the straight-through gradient could not bring them back."""
    for synapses in network.all_synapses():
        if synapses.weight_bits == 1:
            synapses.weight.clamp_(-1, 1)


def step_loss(network: nn.Module, images: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    """Cross entropy of a batch.

    Raises:
        DivergedError: it is not finite.
    """
    loss = F.cross_entropy(network(images), labels, label_smoothing=smoothing)
    if not torch.isfinite(loss):
        raise DivergedError(f"the loss became {loss.item()}")
    return loss


def check_finite(network: nn.Module) -> None:
    """Raise DivergedError where a parameter or a running statistic is not a number."""
    for name, tensor in network.state_dict().items():
        if not torch.isfinite(tensor).all():
            raise DivergedError(f"{name} is not finite after training")


def fit(
    network: SpikingNetwork,
    split: Split,
    recipe: Recipe,
    rng: np.random.Generator,
    device: torch.device,
    deadline: Deadline,
    settled: bool = False,
) -> None:
    """Train the network in place; where it is ``settled``, masks and weight bits stay as they are.

    Raises:
        DivergedError, OverBudgetError: see there.
    """
    chosen = split.take(balanced_subset(split.labels, recipe.train_samples, rng))
    steps = batch_count(len(chosen), recipe.batch_size, recipe.epochs)
    optimise = optimiser(network, recipe)
    flips: BinaryPhase | None = None
    ale = None if settled else Binarisation.of(network)
    network.train()
    for step, index in enumerate(batches(len(chosen), recipe.batch_size, recipe.epochs, rng)):
        deadline.check()
        if prune_is_due(step, steps) and not settled:
            prune_network(network, step / steps)
        if network.genome.bwo and step == phase_begins(steps):
            flips = BinaryPhase.of(network.all_synapses())
        for group in optimise.param_groups:
            group["lr"] = recipe.learning_rate * learning_rate_factor((step + 1) / steps)
        images = torch.from_numpy(augmented(chosen.images[index], recipe.augment, rng)).to(device)
        labels = torch.from_numpy(chosen.labels[index]).to(device)
        optimise.zero_grad()
        step_loss(network, images, labels, recipe.label_smoothing).backward()  # type: ignore[no-untyped-call]
        if flips is not None:
            flips.step(step - phase_begins(steps))
        optimise.step()
        if ale is not None:
            ale.advance((step + 1) / steps, images, labels)
        clip_weights(network)
    prune_network(network, 1.0)
    check_finite(network)
