"""The training loop: AdamW under a one-cycle schedule, pruning and binarisation on the way, and how it can fail."""

import math
import time
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from dse.data.dataset import Split
from dse.training.ale import Binarisation
from dse.training.augment import augmented
from dse.training.bwo import PHASE_LEARNING_RATE, BinaryPhase, phase_begins
from dse.training.model import SpikingNetwork
from dse.training.pruning import PRUNING_PART, UPDATES, exchange, prune
from dse.training.sampling import Index, balanced_subset, batch_count, batches
from searchspaces.binarisation import savings
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


@dataclass(frozen=True, eq=False)
class Loop:
    """What the loop of one stage changes, all in place.

    Attributes:
        network: with its parameters, buffers and masks.
        optimise: with its moments.
        flips: of binary weight optimisation, if any.
        ale: picks the layers that become binary, where it is asked to.
        rng: draws samples, their order and their augmentation.
        chosen: positions of the samples that are trained on.
    """

    network: SpikingNetwork
    optimise: torch.optim.AdamW
    flips: BinaryPhase | None
    ale: Binarisation | None
    rng: np.random.Generator
    chosen: Index


class Watch(Protocol):
    """Who looks on while a network is trained, and may stop it or set it back to where it was."""

    @property
    def first_stage(self) -> int:
        """Stages before this one are over."""

    def begin(self, stage: int, loop: Loop) -> int:
        """Epochs of the stage that are over; the loop is then as it was after them."""

    def step(self) -> None:
        """Called before every step."""

    def epoch_over(self, stage: int, loop: Loop, epochs: int, loss: float) -> None:
        """Called when ``epochs`` of the stage are over, with the mean loss of the last."""


class Unwatched:
    """Nobody looks on."""

    first_stage = 0

    def begin(self, stage: int, loop: Loop) -> int:
        """Nothing is over."""
        return 0

    def step(self) -> None:
        """Nothing to do."""

    def epoch_over(self, stage: int, loop: Loop, epochs: int, loss: float) -> None:
        """Nothing to do."""


UNWATCHED = Unwatched()


def half_cosine(progress: float) -> float:
    """From 1 down to 0 as ``progress`` goes from 0 to 1."""
    return (1 + math.cos(math.pi * progress)) / 2


def learning_rate_factor(step: int, steps: int) -> float:
    """Share of the peak learning rate after ``step`` of ``steps``: up in a line, then down in half a cosine to 0."""
    progress = step / steps
    return progress / WARM_UP if progress < WARM_UP else half_cosine((progress - WARM_UP) / (1 - WARM_UP))


def learning_rate_factor_of_phases(step: int, steps: int) -> float:
    """The same of a run whose last phase flips binary weights: down to 0 where it begins, and once more in it."""
    begins = phase_begins(steps)
    if step <= begins:
        return learning_rate_factor(step, begins)
    return PHASE_LEARNING_RATE * half_cosine((step - begins) / (steps - begins))


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
    stage: int = 0,
    watch: Watch = UNWATCHED,
) -> None:
    """Train the network in place; where it is ``settled``, masks and weight bits stay as they are.

    Raises:
        DivergedError, OverBudgetError: see there.
    """
    genome = network.genome
    flips = BinaryPhase.of(network.all_synapses(), savings(genome) if genome.ale else ()) if genome.bwo else None
    chosen_index = balanced_subset(split.labels, recipe.train_samples, rng)
    ale = None if settled else Binarisation.of(network, split.take(chosen_index), recipe.batch_size)
    loop = Loop(network, optimiser(network, recipe), flips, ale, rng, chosen_index)
    epochs_over = watch.begin(stage, loop)
    chosen = split.take(loop.chosen)
    per_epoch = batch_count(len(chosen), recipe.batch_size, 1)
    steps, losses = recipe.epochs * per_epoch, 0.0
    factor = learning_rate_factor if flips is None else learning_rate_factor_of_phases
    network.train()
    order = batches(len(chosen), recipe.batch_size, recipe.epochs - epochs_over, rng)
    for step, index in enumerate(order, start=epochs_over * per_epoch):
        deadline.check()
        watch.step()
        if prune_is_due(step, steps) and not settled:
            prune_network(network, step / steps)
        for group in loop.optimise.param_groups:
            group["lr"] = recipe.learning_rate * factor(step + 1, steps)
        images = torch.from_numpy(augmented(chosen.images[index], recipe.augment, rng)).to(device)
        labels = torch.from_numpy(chosen.labels[index]).to(device)
        loop.optimise.zero_grad()
        loss = step_loss(network, images, labels, recipe.label_smoothing)
        loss.backward()  # type: ignore[no-untyped-call]
        if flips is not None and step >= phase_begins(steps):
            flips.step(step - phase_begins(steps))
        loop.optimise.step()
        if ale is not None:
            ale.advance((step + 1) / steps)
        clip_weights(network)
        losses += loss.item()
        if (step + 1) % per_epoch == 0:
            watch.epoch_over(stage, loop, (step + 1) // per_epoch, losses / per_epoch)
            losses = 0.0
    prune_network(network, 1.0)
    check_finite(network)
