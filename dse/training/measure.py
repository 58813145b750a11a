"""What a trained network does on given samples: right answers in float and in integers, and activity."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor

from dse.data.dataset import Split
from dse.export.integer_network import IntegerNetwork, frames
from dse.training.deployed import run_deployed
from dse.training.model import SpikingNetwork
from searchspaces.genome import NetworkGenome

BATCH = 32  # samples at once: maps of one step stay in the processor's cache


@dataclass(frozen=True)
class Measured:
    """Outcome on ``samples`` samples; rates as in `dse.score.NetworkScore`."""

    correct: int
    deployed_correct: int
    samples: int
    firing_rates: dict[str, tuple[float, ...]]


def input_density(images: NDArray[np.uint8], genome: NetworkGenome) -> tuple[float, ...]:
    """Share of set bits in images, or in the frame of each step of events."""
    if genome.static_input:
        return (bit_density(images, genome.input_bits),)
    return tuple(bit_density(frame, genome.input_bits) for frame in frames(images, genome.timesteps))


def bit_density(images: NDArray[np.uint8], bits: int) -> float:
    """Share of set bits among the ``bits`` bits of every pixel."""
    return float(np.bitwise_count(images).sum(dtype=np.int64) / (images.size * bits))


@contextmanager
def evaluating(network: SpikingNetwork) -> Iterator[None]:
    """Eval mode in float32, where sums of codes are exact: answers do not depend on what a processor multiplies."""
    before = network.training, network.precision
    network.eval()
    network.precision = torch.float32
    try:
        yield
    finally:
        network.train(before[0])
        network.precision = before[1]


def batches(split: Split, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    """Images and labels, `BATCH` at a time."""
    for start in range(0, len(split), BATCH):
        part = slice(start, start + BATCH)
        yield torch.from_numpy(split.images[part]).to(device), torch.from_numpy(split.labels[part]).to(device)


@torch.inference_mode()
def right_answers(network: SpikingNetwork, split: Split, device: torch.device) -> int:
    """How many samples the float network classifies rightly."""
    with evaluating(network):
        return sum(int((network(images).argmax(1) == labels).sum()) for images, labels in batches(split, device))


@torch.inference_mode()
def measure(network: SpikingNetwork, folded: IntegerNetwork, split: Split, device: torch.device) -> Measured:
    """Classify every sample twice, by the float network and by the folded one."""
    deployed_correct = 0
    set_bits = {layer.name: np.zeros(folded.timesteps, np.int64) for layer in folded.layers}
    bits = dict.fromkeys(set_bits, 0)
    for images, labels in batches(split, device):
        answer = run_deployed(folded, images)
        deployed_correct += int((answer.scores.argmax(1) == labels).sum())
        for name in set_bits:
            set_bits[name] += answer.set_bits[name]
            bits[name] += answer.bits[name]
    rates = {name: tuple((set_bits[name] / bits[name]).tolist()) for name in set_bits}
    return Measured(right_answers(network, split, device), deployed_correct, len(split), rates)


@torch.inference_mode()
def mean_loss(network: SpikingNetwork, split: Split, device: torch.device) -> float:
    """Mean cross entropy of the float network over all samples."""
    with evaluating(network):
        losses = [float(F.cross_entropy(network(x), labels, reduction="sum")) for x, labels in batches(split, device)]
    return sum(losses) / len(split)
