"""Random small networks and machines from a seed: every feature of the machine, maps small enough to be walked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from costmodels.accelerator import AcceleratorConfig
from costmodels.workload import LayerWorkload, Workload
from twin.machine import KIB_BITS, Machine
from twin.verdict import reasons

DRAM_BYTES_PER_CYCLE = (0.25, 0.3, 0.5, 0.7, 1.0, 1.6, 3.2, 6.4, 12.8, 16.0)
BUFFER_KIB = (1, 2, 2, 3, 4, 8, 32)
MEMBRANE_KIB = (0, 2, 4, 8, 16, 128)
SHARE_OF_TIGHT_MACHINES = 0.8
VECTOR_WIDTHS = (1, 2, 3, 4, 5, 8, 9, 12)


@dataclass(frozen=True)
class Configuration:
    """A workload, a machine and the DRAM's rate."""

    workload: Workload
    config: AcceleratorConfig
    dram_bytes_per_cycle: float


@dataclass(frozen=True)
class StoredMap:
    """What a layer leaves for the next one."""

    channels: int
    height: int
    width: int
    planes: int
    static: bool
    density: tuple[float, ...]


def configuration(seed: int) -> Configuration:
    """The configuration of ``seed``."""
    random = Random(seed)
    workload = random_workload(random, seed)
    config, rate = random_config(random, workload), random.choice(DRAM_BYTES_PER_CYCLE)
    if random.random() < SHARE_OF_TIGHT_MACHINES:
        config = tightened(random, workload, config)
    return Configuration(workload, config, rate)


def random_config(random: Random, workload: Workload) -> AcceleratorConfig:
    """A machine: mostly narrow, mostly with room for the pooling windows, buffers from too small to ample."""
    widest = max((layer.pool - 1) * layer.stride + 1 for layer in workload.layers)
    widths = [width for width in VECTOR_WIDTHS if width >= widest or random.random() < 0.1]
    order: Literal["inner", "outer"] = random.choice(("inner", "outer"))
    pairs = any(layer.dual_threshold for layer in workload.layers) and random.random() < 0.9
    return AcceleratorConfig(
        vector_width=random.choice(widths),
        channel_lanes=random.choice((2, 4, 6, 8, 16, 16) if pairs else (1, 2, 3, 4, 5, 8, 16, 16)),
        fusion_depth=random.randint(1, 4),
        spike_buffer_kib=random.choice(BUFFER_KIB),
        weight_buffer_kib=random.choice(BUFFER_KIB),
        time_order=order,
        membrane_buffer_kib=random.choice(MEMBRANE_KIB) if order == "outer" else 0,
    )


def tightened(random: Random, workload: Workload, config: AcceleratorConfig) -> AcceleratorConfig:
    """The machine with hardly larger buffers than one tile row and one filter need, sometimes 1 KiB too small."""
    needed = {"spike buffer": 1, "weight buffer": 1, "membrane buffer": 0}
    unbounded = replace(config, spike_buffer_kib=1, weight_buffer_kib=1, membrane_buffer_kib=0)
    for reason in reasons(workload, Machine.of(unbounded, 1.0)):
        if reason.what in needed:
            halves = 1 if reason.what == "membrane buffer" else 2
            needed[reason.what] = max(needed[reason.what], len(range(0, halves * reason.demand, KIB_BITS)))
    spikes, weights, membranes = (max(1, kib + random.choice((-1, 0, 0, 0, 0, 0, 1, 1))) for kib in needed.values())
    return replace(
        config,
        spike_buffer_kib=spikes,
        weight_buffer_kib=weights,
        membrane_buffer_kib=membranes if config.time_order == "outer" else 0,
    )


def random_workload(random: Random, seed: int) -> Workload:
    """One to four convolutions, then fully connected layers or a classifier that averages over space."""
    timesteps = random.randint(1, 4)
    static = random.random() < 0.6
    planes = random.choice((1, 2, 5, 8)) if static else random.choice((1, 1, 2))
    channels, height, width = random.randint(1, 6), random.randint(5, 26), random.randint(5, 16)
    stored = StoredMap(channels, height, width, planes, static, density(random, 1 if static else timesteps))
    layers: list[LayerWorkload] = []
    for index in range(random.choice((0, 1, 2, 2, 3, 3, 4))):
        layers.append(convolution(random, f"conv{index + 1}", stored, timesteps))
        stored = after(layers[-1])
    if random.random() < 0.4:
        layers.append(averaging_classifier(random, stored))
        return Workload(f"random{seed}", timesteps, tuple(layers))
    for index in range(random.choice((1, 1, 2, 3))):
        layers.append(fully_connected(random, f"fc{index + 1}", stored, timesteps))
        stored = after(layers[-1])
    layers[-1] = as_classifier(layers[-1])
    return Workload(f"random{seed}", timesteps, tuple(layers))


def density(random: Random, values: int) -> tuple[float, ...]:
    """Shares of set bits."""
    return tuple(random.random() for _ in range(values))


def after(layer: LayerWorkload) -> StoredMap:
    """The map a layer stores."""
    size = (layer.out_channels, layer.stored_height, layer.stored_width)
    return StoredMap(*size, layer.output_bits, False, layer.output_density)


def stored_planes(levels: int, pool: int, pooling: str) -> int:
    """Bit planes of a stored element: the sum over the window under average pooling."""
    return (levels * pool**2 if pooling == "average" else levels).bit_length()


def mask(random: Random, filters: int, channels: int) -> NDArray[np.bool_] | None:
    """No mask, a mask with all kept, or a random one; sometimes a whole filter or every second channel is gone."""
    share = random.choice((None, None, 1.0, 0.7, 0.4, 0.1))
    if share is None:
        return None
    kept = np.array([[random.random() < share for _ in range(channels)] for _ in range(filters)], dtype=np.bool_)
    if random.random() < 0.3:
        kept[random.randrange(filters)] = False
    if random.random() < 0.3:
        kept[:, random.randrange(2) :: 2] = False
    return kept


def convolution(random: Random, name: str, stored: StoredMap, timesteps: int) -> LayerWorkload:
    """A spiking convolution behind ``stored``, with or without pooling."""
    kernel = random.choice((1, 2, 3, 3, 3, 3, 3, 4, 5, 5, 7))
    padding = kernel // 2 if random.random() < 0.8 or kernel > min(stored.height, stored.width) else 0
    stride = random.choice((1, 1, 1, 1, 2, 2, 3))
    height, width = ((size + 2 * padding - kernel) // stride + 1 for size in (stored.height, stored.width))
    pool = random.choice([p for p in (1, 1, 2, 2, 3, 4) if p <= min(height, width)])
    pooling: Literal["or", "average", "membrane", "count"] = random.choice(("or", "average", "membrane", "count"))
    dual, levels = random.random() < 0.25, random.choice((1, 1, 1, 3, 3, 7, 7))
    filters = random.randint(1, 12)
    return LayerWorkload(
        name=name,
        kind="conv",
        in_channels=stored.channels,
        in_height=stored.height,
        in_width=stored.width,
        out_channels=2 * filters if dual else filters,
        out_height=height,
        out_width=width,
        kernel=kernel,
        stride=stride,
        padding=padding,
        weight_bits=random.choice((1, 1, 2, 4, 8)),
        input_bits=stored.planes,
        static_input=stored.static,
        dual_threshold=dual,
        spiking=True,
        levels=levels,
        pool=pool,
        pooling=pooling,
        output_bits=stored_planes(levels, pool, pooling if pool > 1 else "or"),
        input_density=stored.density,
        output_density=density(random, timesteps),
        kept=mask(random, filters, stored.channels),
    )


def averaging_classifier(random: Random, stored: StoredMap) -> LayerWorkload:
    """A classifier that is a convolution: a score is the sum over all positions and steps."""
    layer = replace(convolution(random, "classifier", stored, 1), pool=1, dual_threshold=False)
    out_channels = random.randint(2, 5)
    return as_classifier(replace(layer, out_channels=out_channels, kept=mask(random, out_channels, stored.channels)))


def fully_connected(random: Random, name: str, stored: StoredMap, timesteps: int) -> LayerWorkload:
    """A spiking fully connected layer that reads all of ``stored``."""
    inputs = stored.channels * stored.height * stored.width
    flat = replace(stored, channels=inputs, height=1, width=1)
    layer = convolution(random, name, flat, timesteps)
    filters = random.randint(2, 6)
    kept = mask(random, filters, inputs)
    return replace(
        layer,
        kind="fc",
        weight_bits=layer.weight_bits if kept is None else max(2, layer.weight_bits),
        kernel=1,
        stride=1,
        padding=0,
        out_channels=2 * filters if layer.dual_threshold else filters,
        out_height=1,
        out_width=1,
        pool=1,
        output_bits=stored_planes(layer.levels, 1, "or"),
        kept=kept,
    )


def as_classifier(layer: LayerWorkload) -> LayerWorkload:
    """The same layer without neurons: plain sums, nothing stored but scores."""
    filters = layer.filters
    return replace(
        layer, spiking=False, dual_threshold=False, out_channels=filters, levels=1, output_bits=1, output_density=()
    )


def configurations(count: int) -> Sequence[Configuration]:
    """The configurations of the seeds 0 .. ``count``."""
    return [configuration(seed) for seed in range(count)]
