"""Binary weight optimisation (BWO): a last phase in which binary weights change by flips alone.

Ours, after BSO (binary spiking online optimisation, ICML 2025): a moving average M of the gradient by a binary weight
``Wb``, and a flip where ``Wb * M > gamma``, that is, where the loss has asked for the other sign for a while. BSO's
gamma is 5e-7, in the units of its gradients; here it is in units of the layer's root mean square of M, because the size
of a gradient follows batch norm and loss (with 5e-7 a third of all weights flip in 80 steps on the digits, and accuracy
is lost). Magnitudes stay, so a channel's scale does not move.

The phase is for a loss that has stalled: the learning rate has run out where it begins. Layers of more bits, batch
norms and biases then train on at a small one of their own. Why these values: docs/decisions/0019.
"""

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from dse.training.model import Synapses

PHASE = 0.2  # part of the run, at its end
PHASE_LEARNING_RATE = 0.1  # of the recipe's, at the beginning of the phase, of what is not binary
MOMENTUM = 0.99  # of the gradient's moving average; BSO's 0.999 outlasts the phase of a short run
GAMMA = 4.0  # root mean squares of the layer's average
SETTLING_STEPS = 10  # before the average of a few batches is worth a flip


@dataclass(frozen=True)
class BinaryPhase:
    """The binary layers of a network and the average gradient of each, moved in place; gamma as above."""

    layers: tuple[Synapses, ...]
    averages: tuple[Tensor, ...]
    gamma: float = GAMMA

    @classmethod
    def of(cls, synapses: list[Synapses], may_become: Collection[str] = ()) -> "BinaryPhase":
        """A phase before its beginning, for those of ``synapses`` that are binary, or are named and binary by then."""
        layers = tuple(layer for layer in synapses if layer.weight_bits == 1 or layer.layer.name in may_become)
        return cls(layers, tuple(torch.zeros_like(layer.weight) for layer in layers))

    @torch.no_grad()
    def step(self, steps_done: int) -> int:
        """Flip what is due after a backward pass, and take the gradients from the optimiser; returns the flips."""
        flipped = 0
        for layer, average in zip(self.layers, self.averages, strict=True):
            if layer.weight_bits > 1:
                continue
            assert layer.weight.grad is not None, "call step() after backward()"
            average.lerp_(layer.weight.grad, 1 - MOMENTUM)
            layer.weight.grad = None
            if steps_done >= SETTLING_STEPS:
                flipped += flip_(layer.weight, average, self.gamma)
        return flipped


def flip_(weight: Tensor, average: Tensor, gamma: float = GAMMA) -> int:
    """Flip the weights (sign(0) is +1) whose average gradient is due, and forget their average; returns how many."""
    due = torch.where(weight >= 0, average, -average) > gamma * average.square().mean().sqrt()
    # A weight of 0 would keep its sign.
    weight.copy_(torch.where(due, -torch.where(weight == 0, torch.finfo(weight.dtype).tiny, weight), weight))
    average.masked_fill_(due, 0.0)
    return int(due.sum())


def phase_begins(steps: int) -> int:
    """First step of the phase in a run of ``steps``."""
    return steps - int(PHASE * steps)
