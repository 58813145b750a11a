"""The accuracy loss estimator (ALE, of ALBSNN): which layers become binary while a network is trained.

Ours where not published. The estimate of a layer is how much higher the loss of a few batches is where that layer alone
is binary. (The first-order change ``|<dL/dW, Wb - W>|`` needs no further pass over them, but does not order
layers: docs/decisions/0013.)

One layer after the other becomes binary, that of the least estimate for each bit saved first, until the budget is met:
a share of the bits of all weights, or a sum of estimates. A few decisions are spread over the first part of the run,
each by fresh estimates, since the layers that are left learn to live with those that are binary. The rest of the run
lets them settle. The first layer and the classifier keep their bits.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from dse.data.dataset import Split
from dse.training.model import SpikingLayer, SpikingNetwork
from searchspaces.binarisation import ROUNDING, savings, total_bits

PART = 0.5  # of the run, in which layers are picked
DECISIONS = 4  # at most; each tries every layer that is left
BATCHES = 16  # that an estimate rests on; a forward pass over one is about a third of a training step

Batch = tuple[Tensor, Tensor]
"""Images and labels."""


def spread_batches(samples: Split, batch_size: int, device: torch.device) -> list[Batch]:
    """`BATCHES` batches, each spread over all samples, so that an order by class does no harm."""
    size = min(batch_size, len(samples))
    starts = np.linspace(0, len(samples) // size, BATCHES, endpoint=False).astype(np.int64)
    few = [samples.take(start + np.arange(size) * (len(samples) // size)) for start in starts]
    return [(torch.from_numpy(one.images).to(device), torch.from_numpy(one.labels).to(device)) for one in few]


@contextmanager
def still_statistics(network: SpikingNetwork) -> Iterator[None]:
    """Batch norms use a batch's statistics without moving their own."""
    neurons = [layer.neuron for layer in network.layers.values() if isinstance(layer, SpikingLayer)]
    momenta = [neuron.momentum for neuron in neurons]
    for neuron in neurons:
        neuron.momentum = 0.0
    try:
        yield
    finally:
        for neuron, momentum in zip(neurons, momenta, strict=True):
            neuron.momentum = momentum


@torch.no_grad()
def mean_loss(network: SpikingNetwork, batches: Iterable[Batch]) -> float:
    """Cross entropy, in nats, of the network as it is in training; it stays as it is."""
    with still_statistics(network):
        losses = [F.cross_entropy(network(images), labels) for images, labels in batches]
    return float(torch.stack(losses).mean())


def rises(network: SpikingNetwork, names: Iterable[str], batches: Iterable[Batch]) -> dict[str, float]:
    """Name of each layer to how much higher the loss is, in nats, where it alone is binary; the network stays."""
    batches, found = list(batches), {}
    before = mean_loss(network, batches)
    for name in names:
        layer = network.layers[name]
        assert isinstance(layer, SpikingLayer)
        bits, layer.synapses.weight_bits = layer.synapses.weight_bits, 1
        found[name] = mean_loss(network, batches) - before
        layer.synapses.weight_bits = bits
    return found


@dataclass(eq=False)
class Binarisation:
    """Layers that may still become binary, and what the budget has left.

    Attributes:
        network: whose layers change in place.
        left: name of a layer to the bits that it would save.
        decisions: to be taken in all, and ``taken`` so far.
        bits: still to be saved; None where they are not the budget.
        loss: that may still be spent; None where it is not the budget.
        batches: of the training samples, always the same.
    """

    network: SpikingNetwork
    left: dict[str, int]
    decisions: int
    bits: float | None
    loss: float | None
    batches: Sequence[Batch]
    taken: int = 0

    @classmethod
    def of(cls, network: SpikingNetwork, samples: Split, batch_size: int) -> "Binarisation | None":
        """A fresh one for a network that asks for ALE, else None."""
        genome = network.genome
        if not genome.ale:
            return None
        left = savings(genome)
        decisions = min(len(left), DECISIONS)
        bits = genome.ale_saving * total_bits(genome) * (1 - ROUNDING) if genome.ale_saving else None
        device = network.classifier.bias.device
        return cls(network, left, decisions, bits, genome.ale_loss or None, spread_batches(samples, batch_size, device))

    def resume(self, taken: int, loss: float | None) -> None:
        """Go on after so many decisions with so much loss left, in a network whose picked layers are binary."""
        self.taken, self.loss = taken, loss
        for name in self.network.binarised:
            saving = self.left.pop(name)
            self.bits = None if self.bits is None else self.bits - saving

    def advance(self, progress: float) -> None:
        """Take the decisions that are due at ``progress``, the part of the run that is over (0 to 1)."""
        while self.taken < min(1.0, progress / PART) * self.decisions - ROUNDING:
            if self.left and not self._saved_enough:
                self._decide(math.ceil(len(self.left) / (self.decisions - self.taken)))
            self.taken += 1

    @property
    def _saved_enough(self) -> bool:
        return self.bits is not None and self.bits <= 0

    def _decide(self, most: int) -> None:
        """Make up to ``most`` layers binary, in order, as long as the budget has room for the next."""
        rise = rises(self.network, self.left, self.batches)
        for name in sorted(self.left, key=lambda each: rise[each] / self.left[each])[:most]:
            spent = max(0.0, rise[name])
            if self._saved_enough or (self.loss is not None and spent > self.loss):
                return
            saving = self.left.pop(name)
            self.bits = None if self.bits is None else self.bits - saving
            self.loss = None if self.loss is None else self.loss - spent
            layer = self.network.layers[name]
            assert isinstance(layer, SpikingLayer)
            layer.binarise()
