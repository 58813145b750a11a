"""Random small networks and machines for the compute core, from a seed: every feature, maps small enough to run."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from costmodels.accelerator import AcceleratorConfig
from dse.export.integer_network import (
    IntegerClassifier,
    IntegerLayer,
    IntegerNetwork,
    potential_range,
    signed_bits,
    sum_range,
)

Shape = tuple[int, int, int]
KERNELS = (1, 3, 3, 3, 5, 7)
VECTOR_WIDTHS = (1, 2, 3, 4, 5, 6, 8)
CHANNEL_LANES = (1, 2, 2, 3, 4, 4, 5, 6, 8)


def weights_of(rng: np.random.Generator, shape: tuple[int, ...], bits: int) -> NDArray[np.int8]:
    if bits == 1:
        return rng.choice(np.array([-1, 1], np.int8), shape)
    return rng.integers(-(2 ** (bits - 1)) + 1, 2 ** (bits - 1), shape).astype(np.int8)


def mask(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.bool_] | None:
    """No mask, or a random one; sometimes a whole filter is gone."""
    if rng.random() < 0.5:
        return None
    kept = rng.random(shape) < rng.choice([0.2, 0.6, 1.0])
    if rng.random() < 0.3:
        kept[rng.integers(shape[0])] = False
    return kept


def synapses(rng: np.random.Generator, kind: str, shape: Shape, largest: int, filters: int) -> dict[str, Any]:
    """The fields that spiking layers and classifiers share."""
    kernel = int(rng.choice(KERNELS)) if kind == "conv" else 1
    kept = mask(rng, (filters, shape[0]))
    bits = int(rng.choice([1, 1, 2, 4]))
    weights = weights_of(rng, (filters, shape[0], kernel, kernel), bits)
    if kept is not None:
        weights = weights * kept[:, :, None, None]
    return {
        "kind": kind,
        "weights": weights,
        "kept": kept,
        "weight_bits": bits,
        "stride": int(rng.choice([1, 1, 1, 2, 3])) if kind == "conv" else 1,
        "padding": kernel // 2,
        "input_shape": shape,
        "input_bits": largest.bit_length(),
        "largest_input": largest,
    }


def stored_shape(layer: IntegerLayer) -> Shape:
    rows, columns = ((edge - 1) // layer.stride + 1 for edge in layer.input_shape[1:])
    return len(layer.weights) * len(layer.thetas), rows // layer.pool, columns // layer.pool


def spiking(rng: np.random.Generator, name: str, kind: str, shape: Shape, largest: int, how: Any) -> IntegerLayer:
    """A layer whose thresholds suit its sums."""
    filters = int(rng.integers(1, 5))
    fields = synapses(rng, kind, shape, largest, filters)
    weights = fields["weights"]
    fraction_bits = how["fraction_bits"] if rng.random() < 0.7 else int(rng.choice([1, 3, 6]))
    grid = 2**fraction_bits
    spread = max(1, int(np.abs(weights).sum()) * largest // filters // 4) * grid
    theta = rng.integers(1, spread + 2, filters)
    dual = rng.random() < 0.5 and not how["odd_lanes"]
    thetas = np.stack([theta, theta + rng.integers(0, spread + 2, filters)])[: 1 + int(dual)]
    c = rng.integers(-spread // 4 - 1, spread // 4 + 2, filters)
    sums = sum_range(weights, largest)
    reset: Literal["hard", "soft"] = "hard" if rng.random() < 0.5 else "soft"
    pooling: Literal["or", "average", "membrane", "count"] = rng.choice(
        np.array(["or", "average", "membrane", "count"])
    ).item()
    levels = int(rng.choice([1, 1, 3, 3, 7, 7]))
    rows, columns = ((edge - 1) // fields["stride"] + 1 for edge in shape[1:])
    strip = -(-how["vector_width"] // fields["stride"])
    pools = [p for p in (1, 2, 2, 3, 3) if p <= min(rows, columns, strip)] if kind == "conv" else [1]
    return IntegerLayer(
        **fields,
        name=name,
        accumulator_bits=signed_bits(int(sums[0].min()), int(sums[1].max())),
        static_input=name == "l0",
        fraction_bits=fraction_bits,
        c=c.astype(np.int32),
        thetas=thetas.astype(np.int32),
        reset=reset,
        pool=int(rng.choice(pools)),
        pooling=pooling,
        levels=levels,
        membrane_bits=signed_bits(*potential_range(sums, c, theta, how["timesteps"], fraction_bits, reset)),
    )


def classifier(rng: np.random.Generator, shape: Shape, largest: int, how: Any) -> IntegerClassifier:
    gap = rng.random() < 0.5
    features = shape if gap else (int(np.prod(shape)), 1, 1)
    fields = synapses(rng, "conv" if gap else "fc", features, largest, int(rng.integers(1, 5)))
    rows, columns = ((edge - 1) // fields["stride"] + 1 for edge in features[1:])
    low, high = (int(x) * how["timesteps"] * rows * columns for x in map(np.sum, sum_range(fields["weights"], largest)))
    return IntegerClassifier(
        **fields,
        name="out",
        accumulator_bits=signed_bits(low, high),
        bias=rng.integers(-500, 500, len(fields["weights"])).astype(np.int32),
        score_bits=32,
    )


def random_core(seed: int) -> tuple[IntegerNetwork, AcceleratorConfig]:
    """A network of up to four layers and a machine with ample buffers."""
    rng = np.random.default_rng(seed)
    config = AcceleratorConfig(int(rng.choice(VECTOR_WIDTHS)), int(rng.choice(CHANNEL_LANES)), 4, 4096, 4096)
    how = {
        "timesteps": int(rng.integers(1, 5)),
        "fraction_bits": int(rng.choice([0, 2, 4])),
        "vector_width": config.vector_width,
        "odd_lanes": config.channel_lanes % 2 == 1,
    }
    largest = int(rng.choice([1, 15, 255]))
    shape = (int(rng.integers(1, 5)), int(rng.integers(4, 11)), int(rng.integers(3, 8)))
    layers: list[IntegerLayer] = []
    for number in range(int(rng.choice([0, 1, 1, 1, 1, 2, 2, 2]))):
        layers.append(spiking(rng, f"l{number}", "conv", shape, largest, how))
        shape, largest = stored_shape(layers[-1]), layers[-1].largest_output
    if layers and rng.random() < 0.4:
        features = (int(np.prod(shape)), 1, 1)
        layers.append(spiking(rng, f"l{len(layers)}", "fc", features, largest, how))
        shape, largest = stored_shape(layers[-1]), layers[-1].largest_output
    network = IntegerNetwork(
        how["timesteps"], how["fraction_bits"], tuple(layers), classifier(rng, shape, largest, how)
    )
    return network, config


def random_images(network: IntegerNetwork, n: int, seed: int) -> NDArray[np.uint8]:
    first = (*network.layers, network.classifier)[0]
    rng = np.random.default_rng(seed)
    return rng.integers(0, first.largest_input + 1, (n, *first.input_shape)).astype(np.uint8)


def connected_core(seed: int) -> tuple[IntegerNetwork, AcceleratorConfig]:
    """A network of fully connected layers alone, the first on the image, and a machine with ample buffers."""
    rng = np.random.default_rng([seed, 2])
    config = AcceleratorConfig(int(rng.choice([2, 3, 4])), int(rng.choice([2, 4])), 4, 4096, 4096, "outer", 4096)
    how = {"timesteps": int(rng.integers(2, 5)), "fraction_bits": 2, "vector_width": config.vector_width}
    shape, largest = (int(rng.integers(5, 40)), 1, 1), 15
    layers: list[IntegerLayer] = []
    for number in range(3):
        layers.append(spiking(rng, f"l{number}", "fc", shape, largest, how | {"odd_lanes": False}))
        shape, largest = stored_shape(layers[-1]), layers[-1].largest_output
    network = IntegerNetwork(
        how["timesteps"], how["fraction_bits"], tuple(layers), classifier(rng, shape, largest, how)
    )
    return network, config
