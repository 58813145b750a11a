"""The integer network on torch: the same numbers as `run_integer`, fast, with the activity that the cost model needs.

Multiples of 2^-f are exact in float32 as long as they are below 2^(24-f), so convolutions and membranes run in float32
where their widths prove that they fit, in float64 elsewhere. Integers would be as exact and slower.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from dse.export.integer_network import IntegerClassifier, IntegerLayer, IntegerNetwork, IntegerSynapses
from dse.training.frames import frames

EXACT_BITS = 25  # two's complement numbers of 25 bits reach -2^24, the last whole number that float32 counts to


@dataclass(frozen=True, eq=False)
class Activity:
    """What the network answered on some images.

    Attributes:
        scores: int64 [n, classes].
        set_bits: layer name to the set bits of its stored maps, one sum per step.
        bits: layer name to all bits of its stored maps of one step.
    """

    scores: Tensor
    set_bits: dict[str, tuple[int, ...]]
    bits: dict[str, int]


def exact_type(bits: int) -> torch.dtype:
    """The fastest type in which two's complement numbers of ``bits`` bits are exact."""
    return torch.float32 if bits <= EXACT_BITS else torch.float64


def convolve(synapses: IntegerSynapses, x: Tensor, kind: torch.dtype, bias: Tensor | None = None) -> Tensor:
    """Sums [n, M, H, W] of inputs [n, ...], plus a bias [M], in a type in which both are exact."""
    images = x.to(kind).reshape(-1, *synapses.input_shape).contiguous(memory_format=torch.channels_last)
    weights = torch.from_numpy(synapses.weights).to(x.device, kind).contiguous(memory_format=torch.channels_last)
    return F.conv2d(images, weights, bias, stride=synapses.stride, padding=synapses.padding)


def membrane_type(layer: IntegerLayer, timesteps: int) -> torch.dtype:
    """A type in which sums less c, their totals as ranks, and potentials are exact: whole multiples of 2^-f all."""
    largest_c = int(np.abs(layer.c.astype(np.int64)).max())
    driven_bits = 1 + max(layer.accumulator_bits + layer.fraction_bits, largest_c.bit_length() + 1)
    if layer.pooling == "membrane":
        driven_bits += (timesteps - 1).bit_length()
    return exact_type(max(driven_bits, layer.membrane_bits))


def strength(u: Tensor, theta: Tensor, levels: int, fraction_bits: int) -> Tensor:
    """How many of the thresholds theta, 2 theta, ... (int64 [M], in units of 2^-f) the potentials reach, uint8."""
    # A threshold that its type rounds is above 2^24, and every potential below: no comparison changes.
    units = [(level * theta).to(u)[:, None, None] / 2**fraction_bits for level in range(1, levels + 1)]
    reached: Tensor = (u >= units[0]).view(torch.uint8)
    for unit in units[1:]:
        reached = reached.add_((u >= unit).view(torch.uint8))
    return reached


def pool(layer: IntegerLayer, spikes: Tensor, rank: Tensor | None) -> Tensor:
    """The stored map, uint8 [n, M, H // pool, W // pool], of strengths [n, M, H, W] and the ranks of winners."""
    if rank is not None:
        _, place = F.max_pool2d(rank, layer.pool, return_indices=True)
        return spikes.flatten(2).gather(2, place.flatten(2)).view_as(place)
    edge = layer.pool
    height, width = spikes.shape[2] // edge * edge, spikes.shape[3] // edge * edge
    corners = [spikes[:, :, i:height:edge, j:width:edge] for i in range(edge) for j in range(edge)]
    stored = corners[0].clone()
    for corner in corners[1:]:
        stored = stored.add_(corner) if layer.pooling == "average" else torch.maximum(stored, corner, out=stored)
    return stored


def reset_(layer: IntegerLayer, u: Tensor, spikes: Tensor, theta: Tensor) -> Tensor:
    """What is left of the potentials, in their memory: new memory of this size costs more than the arithmetic."""
    if layer.reset == "soft":
        return u.sub_(spikes * theta)
    return torch.where(spikes > 0, u.new_zeros(()), u, out=u)


def integrate(layer: IntegerLayer, driven: Iterator[Tensor]) -> Iterator[Tensor]:
    """The stored map of every step; ``driven`` are sums less c, in units of 1."""
    v: Tensor | None = None
    rank: Tensor | None = None
    for drive in driven:
        u = drive.clone() if v is None else v.add_(drive)
        thetas = torch.from_numpy(layer.thetas).to(u.device, torch.int64)
        maps = [strength(u, theta, layer.levels, layer.fraction_bits) for theta in thetas]
        if layer.pool > 1 and layer.pooling in ("membrane", "count"):
            risen = drive if layer.pooling == "membrane" else maps[0].to(u)
            rank = risen if rank is None else rank + risen
        v = reset_(layer, u, maps[0], thetas[0].to(u)[:, None, None] / 2**layer.fraction_bits)
        yield torch.cat([pool(layer, spikes, rank) for spikes in maps], 1)


def run_layer(layer: IntegerLayer, x: Tensor, timesteps: int) -> Tensor:
    """The stored maps [T, n, C, H, W] of inputs [T, n, ...], or [1, n, ...] if static."""
    kind = membrane_type(layer, timesteps)
    c = torch.from_numpy(layer.c).to(x.device, kind) / 2**layer.fraction_bits
    if layer.static_input:
        driven = iter([convolve(layer, x[0], kind, -c)] * timesteps)
    else:
        driven = (convolve(layer, step, kind, -c) for step in x)
    return torch.stack(list(integrate(layer, driven)))


def classify(classifier: IntegerClassifier, x: Tensor, fraction_bits: int) -> Tensor:
    """Scores [n, classes], int64, of the last stored map [T, n, ...]."""
    kind = exact_type(classifier.accumulator_bits)
    sums = convolve(classifier, x.sum(0), kind).to(torch.int64).sum((2, 3))
    return (sums << fraction_bits) + torch.from_numpy(classifier.bias).to(sums)


def set_bits(x: Tensor, planes: int) -> tuple[int, ...]:
    """Set bits among the lowest ``planes`` of x, uint8 [T, ...], of every step."""
    return tuple(sum(int((step & (1 << plane)).count_nonzero()) for plane in range(planes)) for step in x)


@torch.inference_mode()
def run_deployed(network: IntegerNetwork, images: Tensor) -> Activity:
    """Scores and activity of the integer network on uint8 images [n, C, H, W], or on slices of events."""
    x = images[None] if network.static_input else frames(images, network.timesteps)
    counted, bits = {}, {}
    for layer in network.layers:
        x = run_layer(layer, x, network.timesteps)
        planes = layer.output_bits
        counted[layer.name] = set_bits(x, planes)
        bits[layer.name] = x[0].numel() * planes
    return Activity(classify(network.classifier, x, network.fraction_bits), counted, bits)
