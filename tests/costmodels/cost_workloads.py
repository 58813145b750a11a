"""Small workloads for the tests of the cost model."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from costmodels.workload import LayerWorkload, Workload


def conv(
    name: str, channels: int, height: int, width: int, out_channels: int, timesteps: int = 1, **fields: Any
) -> LayerWorkload:
    """A 3 x 3 convolution with equal padding; ``fields`` overrides and output sizes follow from the rest."""
    given: dict[str, Any] = {"kernel": 3, "stride": 1, "padding": fields.get("kernel", 3) // 2, "pool": 1} | fields
    size = [(n + 2 * given["padding"] - given["kernel"]) // given["stride"] + 1 for n in (height, width)]
    steps = 1 if given.get("static_input") else timesteps
    base: dict[str, Any] = {
        "name": name,
        "kind": "conv",
        "in_channels": channels,
        "in_height": height,
        "in_width": width,
        "out_channels": out_channels,
        "out_height": size[0],
        "out_width": size[1],
        "weight_bits": 1,
        "input_bits": 1,
        "static_input": False,
        "dual_threshold": False,
        "spiking": True,
        "levels": 1,
        "pooling": "or",
        "output_bits": 1,
        "input_density": (0.25,) * steps,
        "output_density": (0.25,) * timesteps,
        "kept": None,
    }
    return LayerWorkload(**(base | given))


def fc(name: str, inputs: int, outputs: int, timesteps: int = 1, **fields: Any) -> LayerWorkload:
    """A fully connected layer."""
    return conv(name, inputs, 1, 1, outputs, timesteps, kind="fc", kernel=1, **fields)


def network(layers: Sequence[LayerWorkload], timesteps: int = 1, name: str = "test") -> Workload:
    """The layers in order."""
    return Workload(name, timesteps, tuple(layers))


def mnist(timesteps: int = 8) -> Workload:
    """64C3-MP2-64C3-MP2-128FC-10FC on 28 x 28 pixels of 8 bits."""
    return network(
        [
            conv("conv1", 1, 28, 28, 64, timesteps, input_bits=8, static_input=True, pool=2),
            conv("conv2", 64, 14, 14, 64, timesteps, pool=2),
            fc("fc1", 3136, 128, timesteps),
            fc("fc2", 128, 10, timesteps, spiking=False),
        ],
        timesteps,
        "mnist",
    )


def cifar(timesteps: int = 4) -> Workload:
    """Seven convolutions and a classifier over maps, on 3 x 32 x 32 pixels of 8 bits; 8 layers."""
    shapes = [(3, 32, 64, 1), (64, 32, 64, 2), (64, 16, 128, 1), (128, 16, 128, 2), (128, 8, 256, 1), (256, 8, 256, 1)]
    layers = [conv(f"conv{i + 1}", c, n, n, o, timesteps, pool=p) for i, (c, n, o, p) in enumerate(shapes)]
    layers[0] = replace(layers[0], input_bits=8, static_input=True, input_density=(0.5,))
    layers.append(conv("conv7", 256, 8, 8, 256, timesteps, pool=2))
    layers.append(conv("head", 256, 4, 4, 10, timesteps, kernel=1, spiking=False))
    return network(layers, timesteps, "cifar")


def pruned(layer: LayerWorkload, ratio: float, seed: int = 0) -> LayerWorkload:
    """``layer`` without a random ``ratio`` of its kernels."""
    kept = np.random.default_rng(seed).random((layer.filters, layer.in_channels)) >= ratio
    return replace(layer, kept=kept)
