"""The folded integer network: what every sum, membrane, spike and class score of the machine must be. Numpy alone.

Arithmetic of a spiking layer with its fraction bits f, for output map m, at each step t = 1..T:

    z[t]     = sum over kept kernels of weight code * input          (input: pixel, spike, or spike count of a window)
    u[t]     = v[t-1] + (z[t] << f) - c[m]                           (potential before reset; v[0] = 0)
    s[t]     = min(floor(u[t] / theta1[m]), levels), 0 below the threshold
    s2[t]    = the same by theta2[m] >= theta1[m], under a dual threshold only
    v[t]     = 0 where s[t] > 0 else u[t]    (hard reset)       or       u[t] - s[t] theta1[m]    (soft reset)

A dual-threshold layer with M membranes writes 2 M maps, s2 of membrane m as map M + m. Each pooling window (edge and
stride ``pool``, odd far edges dropped) then writes the largest of its strengths (``or``), their sum (``average``), or
those of one winner, the neuron of highest rank so far, the first in row order of equals: its rank is z[1] + ... + z[t]
(``membrane``: the potential as if never reset, without c, which all neurons of a map share) or s[1] + ... + s[t]
(``count``). Both maps of a dual threshold pass the winner's spikes.
The classifier adds its sums over all steps and positions; class k scores ``(sum[k] << f) + bias[k]`` with the network's
f, and the largest score wins, the lowest class of equals.

Input is an image, the same at every step, or a frame of events at each step (`frames`), whose pixels are bits.
A fully connected layer reads the map before it flattened channel by channel (C, then rows, then columns).

Widths are two's complement and exact: no sum and no potential can leave them, whatever the input, so nothing saturates.
"""

import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from costmodels.errors import InputError
from dse.data.npz import NPZ_ERRORS, read_plain
from searchspaces.genome import SLICES

Integers = NDArray[np.int64]


class IntegerNetworkError(InputError):
    """A file that is no integer network."""


@dataclass(frozen=True, eq=False)
class IntegerSynapses:
    """Weights of one layer and where they apply.

    Attributes:
        name, kind: as in the genome.
        weights: int8 codes, M x in_channels x kernel x kernel; 0 where pruned. Kernel 1 for ``"fc"``.
        kept: M x in_channels booleans; None when nothing is pruned.
        weight_bits: bits of a code; 1 means {-1, +1}.
        stride, padding: of the convolution in pixels.
        input_shape: channels, rows, columns; an ``"fc"`` layer reads features x 1 x 1.
        input_bits: bits of one input element, unsigned.
        largest_input: largest value of one input element.
        accumulator_bits: hold every partial sum of one output (of all steps and positions for the classifier).
    """

    name: str
    kind: Literal["conv", "fc"]
    weights: NDArray[np.int8]
    kept: NDArray[np.bool_] | None
    weight_bits: int
    stride: int
    padding: int
    input_shape: tuple[int, int, int]
    input_bits: int
    largest_input: int
    accumulator_bits: int


@dataclass(frozen=True, eq=False)
class IntegerLayer(IntegerSynapses):
    """A spiking layer.

    Attributes:
        static_input: the input is the same at every step.
        fraction_bits: f, position of the binary point of c and thetas.
        c: int32 [M], subtracted from the membrane at every step, in units of 2^-f.
        thetas: int32 [1, M], or [2, M] under a dual threshold, lower first, in units of 2^-f, at least 1.
        reset: ``"hard"`` or ``"soft"``.
        pool, pooling: of the window behind the neurons.
        membrane_bits: hold every potential before and after reset.
        levels: strengths of a spike; a map element has the bits of the largest.
    """

    static_input: bool
    fraction_bits: int
    c: NDArray[np.int32]
    thetas: NDArray[np.int32]
    reset: Literal["hard", "soft"]
    pool: int
    pooling: Literal["or", "average", "membrane", "count"]
    membrane_bits: int
    levels: int = 1

    @property
    def largest_output(self) -> int:
        """Largest element of the stored map."""
        return self.levels * (self.pool**2 if self.pooling == "average" else 1)

    @property
    def output_bits(self) -> int:
        """Bits of one element of the stored map."""
        return self.largest_output.bit_length()


@dataclass(frozen=True, eq=False)
class IntegerClassifier(IntegerSynapses):
    """The last layer.

    Attributes:
        bias: int32 [classes], in units of 2^-f.
        score_bits: hold every score.
    """

    bias: NDArray[np.int32]
    score_bits: int


@dataclass(frozen=True, eq=False)
class IntegerNetwork:
    """Layers in order, the number of steps, and the position of the binary point of the classifier's bias."""

    timesteps: int
    fraction_bits: int
    layers: tuple[IntegerLayer, ...]
    classifier: IntegerClassifier

    @property
    def static_input(self) -> bool:
        """The network reads images, the same at every step, not events."""
        return not self.layers or self.layers[0].static_input


@dataclass(frozen=True, eq=False)
class IntegerRun:
    """What `run_integer` found for n images.

    Attributes:
        scores: int64 [n, classes].
        predictions: int64 [n].
        stored: layer name to the map it stores (after pooling), uint8 [T, n, C, H, W]; empty unless asked for.
        potentials: layer name to u, int64 [T, n, M, H, W], before pooling; empty unless asked for.
    """

    scores: Integers
    predictions: Integers
    stored: dict[str, NDArray[np.uint8]]
    potentials: dict[str, Integers]


def signed_bits(low: int, high: int) -> int:
    """Bits of the narrowest two's complement number that holds ``low`` (at most 0) to ``high`` (at least 0)."""
    return 1 + max((-low - 1).bit_length() if low < 0 else 0, high.bit_length())


def sum_range(weights: NDArray[np.int8], largest_input: int) -> tuple[Integers, Integers]:
    """Lowest and highest sum of each output over all inputs 0..largest_input; every partial sum lies between them."""
    flat = weights.reshape(len(weights), -1).astype(np.int64)
    return np.minimum(flat, 0).sum(1) * largest_input, np.maximum(flat, 0).sum(1) * largest_input


def potential_range(
    sums: tuple[Integers, Integers], c: Integers, theta: Integers, timesteps: int, fraction_bits: int, reset: str
) -> tuple[int, int]:
    """Lowest and highest potential before or after reset of any neuron, whatever the input.

    A silent neuron falls at most T times by its lowest step. It rises at most T times by its highest step; under a hard
    reset it starts each step below its threshold as well.
    """
    step_low, step_high = ((total << fraction_bits) - c for total in sums)
    lowest = timesteps * np.minimum(step_low, 0)
    highest = timesteps * np.maximum(step_high, 0)
    if reset == "hard":
        highest = np.minimum(highest, theta - 1 + np.maximum(step_high, 0))
    return int(lowest.min()), int(highest.max())


def convolve(synapses: IntegerSynapses, x: NDArray[Any]) -> Integers:
    """Sums [n, M, H, W] of inputs [n, ...] (any shape of the layer's size)."""
    images = x.reshape(-1, *synapses.input_shape)
    edge, stride = synapses.weights.shape[-1], synapses.stride
    pad = (synapses.padding, synapses.padding)
    # Whole numbers of float64 are exact below 2^53, and its matrix product is fast; int64's is not.
    padded = np.pad(images.astype(np.float64), ((0, 0), (0, 0), pad, pad))
    windows = sliding_window_view(padded, (edge, edge), (2, 3))[:, :, ::stride, ::stride]
    return (
        np.tensordot(windows, synapses.weights.astype(np.float64), ((1, 4, 5), (1, 2, 3)))
        .transpose(0, 3, 1, 2)
        .astype(np.int64)
    )


def strength(u: Integers, theta: Integers, levels: int) -> NDArray[np.uint8]:
    """Strengths of spikes at potentials u [n, M, H, W]: how often theta [M] fits, at most ``levels`` times."""
    fits: NDArray[np.uint8] = np.clip(u // theta[:, None, None], 0, levels).astype(np.uint8)
    return fits


def integrate(layer: IntegerLayer, sums: Iterable[Integers]) -> Iterator[tuple[Integers, NDArray[np.uint8]]]:
    """For every step, potentials before reset [n, M, H, W] and strengths [n, C, H, W] of the sums [n, M, H, W]."""
    c = layer.c.astype(np.int64)[:, None, None]
    thetas = layer.thetas.astype(np.int64)
    v: Integers | int = 0
    for z in sums:
        u = v + (z << layer.fraction_bits) - c
        spikes = [strength(u, theta, layer.levels) for theta in thetas]
        v = np.where(spikes[0] > 0, 0, u) if layer.reset == "hard" else u - spikes[0] * thetas[0, :, None, None]
        yield u, np.concatenate(spikes, axis=1)


def windows(maps: NDArray[Any], edge: int) -> NDArray[Any]:
    """Pooling windows [n, C, H // edge, W // edge, edge * edge] of maps [n, C, H, W], in row order."""
    n, channels, height, width = maps.shape
    rows, columns = height // edge, width // edge
    cut = maps[:, :, : rows * edge, : columns * edge].reshape(n, channels, rows, edge, columns, edge)
    return cut.transpose(0, 1, 2, 4, 3, 5).reshape(n, channels, rows, columns, edge * edge)


def pool(layer: IntegerLayer, spikes: NDArray[np.uint8], rank: Integers) -> NDArray[np.uint8]:
    """The stored map uint8 [n, C, H // pool, W // pool] of one step's strengths [n, C, H, W] and ranks [n, M, H, W]."""
    cells = windows(spikes, layer.pool)
    if layer.pooling == "average":
        summed: NDArray[np.uint8] = cells.sum(4, dtype=np.uint8)
        return summed
    if layer.pooling == "or":
        largest: NDArray[np.uint8] = cells.max(4)
        return largest
    winner = windows(rank, layer.pool).argmax(4)
    return np.take_along_axis(cells, np.concatenate([winner] * len(layer.thetas), 1)[..., None], 4)[..., 0]


def rise(layer: IntegerLayer, z: Integers, spikes: NDArray[np.uint8]) -> Integers:
    """What one step adds to the ranks [n, M, H, W]."""
    return z if layer.pooling == "membrane" else spikes[:, : len(layer.c)].astype(np.int64)


def run_layer(layer: IntegerLayer, x: NDArray[np.uint8], timesteps: int) -> tuple[Integers, NDArray[np.uint8]]:
    """Potentials [T, n, M, H, W] and stored maps [T, n, C, H, W] of inputs [T, n, ...], or [1, n, ...] if static."""
    sums = [convolve(layer, x[0])] * timesteps if layer.static_input else [convolve(layer, step) for step in x]
    rank = np.zeros_like(sums[0])
    potentials, stored = [], []
    for z, (u, spikes) in zip(sums, integrate(layer, sums), strict=True):
        rank = rank + rise(layer, z, spikes)
        potentials.append(u)
        stored.append(pool(layer, spikes, rank))
    return np.stack(potentials), np.stack(stored)


def classify(classifier: IntegerClassifier, x: NDArray[np.uint8], fraction_bits: int) -> Integers:
    """Scores [n, classes] of the last stored map [T, n, ...]."""
    total = convolve(classifier, x.sum(0, dtype=np.int64)).sum((2, 3))
    scores: Integers = (total << fraction_bits) + classifier.bias
    return scores


def frames(slices: NDArray[np.uint8], timesteps: int) -> NDArray[np.uint8]:
    """Frames of events, bits [T, n, C, H, W], of slices, uint8 [n, C, H, W], whose bit s tells of an event in slice s.

    Step t is the union of the slices from ``8 t / T`` up to ``8 (t + 1) / T``; T divides 8.
    """
    happened = np.unpackbits(slices[None], axis=0, bitorder="little")
    steps = happened.reshape(timesteps, SLICES // timesteps, *slices.shape)
    united: NDArray[np.uint8] = steps.max(1)
    return united


def run_integer(network: IntegerNetwork, images: NDArray[np.uint8], keep: bool = False) -> IntegerRun:
    """Classes of uint8 images [n, C, H, W], or of slices of events; with ``keep`` every stored map and potential."""
    x = images[None] if network.static_input else frames(images, network.timesteps)
    stored: dict[str, NDArray[np.uint8]] = {}
    potentials: dict[str, Integers] = {}
    for layer in network.layers:
        u, x = run_layer(layer, x, network.timesteps)
        if keep:
            potentials[layer.name], stored[layer.name] = u, x
    scores = classify(network.classifier, x, network.fraction_bits)
    return IntegerRun(scores, scores.argmax(1), stored, potentials)


def _split(synapses: IntegerSynapses) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Plain fields and arrays of a layer."""
    values = {field.name: getattr(synapses, field.name) for field in fields(synapses)}
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    return {name: value for name, value in values.items() if name not in arrays}, arrays


def to_npz(network: IntegerNetwork, path: Path) -> None:
    """Write the network as an uncompressed npz: a JSON text and one array per field, no pickle."""
    parts = [_split(part) for part in (*network.layers, network.classifier)]
    plain = {"timesteps": network.timesteps, "fraction_bits": network.fraction_bits, "layers": [p for p, _ in parts]}
    arrays = {f"{i}.{name}": array for i, (_, found) in enumerate(parts) for name, array in found.items()}
    everything: dict[str, Any] = {"network": np.frombuffer(json.dumps(plain).encode(), np.uint8), **arrays}
    np.savez(path, **everything)


def from_npz(path: Path) -> IntegerNetwork:
    """The network that `to_npz` wrote.

    Raises:
        IntegerNetworkError: the file is missing or holds no integer network.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            data = {name: read_plain(archive, name) for name in map(_array_name, archive.namelist())}
        plain = json.loads(data.pop("network").tobytes())
        parts = [
            {**part, "input_shape": tuple(part["input_shape"])}
            | {name.split(".")[1]: array for name, array in data.items() if name.split(".")[0] == str(i)}
            for i, part in enumerate(plain["layers"])
        ]
        layers = tuple(IntegerLayer(**part) for part in parts[:-1])
        return IntegerNetwork(plain["timesteps"], plain["fraction_bits"], layers, IntegerClassifier(**parts[-1]))
    except (*NPZ_ERRORS, AttributeError) as error:
        raise IntegerNetworkError(
            f"an integer network must be an npz written by this program, not {path}: {error}"
        ) from error


def _array_name(member: str) -> str:
    return member.removesuffix(".npy")
