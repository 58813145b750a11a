"""Random integer networks, made without training, and the same machine written as naive loops over Python integers."""

from typing import Any, Literal

import numpy as np

from dse.export.integer_network import IntegerClassifier, IntegerLayer, IntegerNetwork

Nested = dict[tuple[int, ...], int]


def random_weights(rng: np.random.Generator, shape: tuple[int, int, int, int], bits: int) -> np.ndarray:
    if bits == 1:
        return rng.choice(np.array([-1, 1], np.int8), shape)
    largest = 2 ** (bits - 1) - 1
    return rng.integers(-largest, largest + 1, shape).astype(np.int8)


def random_layer(
    rng: np.random.Generator,
    name: str,
    kind: Literal["conv", "fc"],
    shape: tuple[int, int, int],
    largest: int,
    how: dict[str, Any],
) -> IntegerLayer:
    """A spiking layer of 2 to 4 membranes whose thresholds suit its sums."""
    bits, kernel = int(rng.choice([1, 2, 4, 8])), int(rng.choice([1, 3, 5])) if kind == "conv" else 1
    membranes = int(rng.integers(2, 5))
    weights = random_weights(rng, (membranes, shape[0], kernel, kernel), bits)
    kept = rng.random((membranes, shape[0])) < 0.6 if rng.random() < 0.5 else None
    if kept is not None:
        weights = weights * kept[:, :, None, None]
    fraction_bits = int(rng.choice([0, 4, 8]))
    spread = max(1.0, float(np.abs(weights).sum()) * largest / membranes / 4) * 2**fraction_bits
    theta = rng.integers(1, int(spread) + 2, membranes)
    thetas = np.stack([theta, theta + rng.integers(0, int(spread) + 2, membranes)])[: 1 + int(how["dual"])]
    pool = int(rng.choice([1, 2, 3])) if kind == "conv" and min(shape[1:]) >= 6 else 1
    return IntegerLayer(
        name=name,
        kind=kind,
        weights=weights,
        kept=kept,
        weight_bits=bits,
        stride=int(rng.choice([1, 2])) if kind == "conv" else 1,
        padding=kernel // 2,
        input_shape=shape,
        input_bits=largest.bit_length(),
        largest_input=largest,
        accumulator_bits=32,
        static_input=name == "l0",
        fraction_bits=fraction_bits,
        c=rng.integers(-int(spread) // 4 - 1, int(spread) // 4 + 2, membranes).astype(np.int32),
        thetas=thetas.astype(np.int32),
        reset=how["reset"],
        pool=pool if pool * 2 <= min(shape[1:]) else 1,
        pooling=how["pooling"],
        membrane_bits=48,
        levels=how["levels"],
    )


def stored_shape(layer: IntegerLayer) -> tuple[int, int, int]:
    rows, columns = ((edge - 1) // layer.stride + 1 for edge in layer.input_shape[1:])
    return len(layer.weights) * len(layer.thetas), rows // layer.pool, columns // layer.pool


def random_network(seed: int) -> IntegerNetwork:
    """One to three spiking layers and a classifier, of any combination of genes."""
    rng = np.random.default_rng(seed)
    how = {
        "fraction_bits": int(rng.choice([0, 4, 8])),
        "dual": rng.random() < 0.5,
        "reset": str(rng.choice(["hard", "soft"])),
        "pooling": str(rng.choice(["or", "average", "membrane", "count"])),
    }
    how["levels"] = int(rng.choice([1, 3, 7])) if how["reset"] == "soft" else 1
    largest = int(rng.choice([31, 255]))
    shape: tuple[int, ...] = (int(rng.integers(1, 4)), int(rng.integers(6, 10)), int(rng.integers(6, 10)))
    layers: list[IntegerLayer] = []
    for number in range(int(rng.integers(1, 4))):
        layers.append(random_layer(rng, f"l{number}", "conv", shape, largest, how))
        shape, largest = stored_shape(layers[-1]), layers[-1].largest_output
    gap = rng.random() < 0.5
    if not gap:
        layers.append(random_layer(rng, "fc", "fc", (int(np.prod(shape)), 1, 1), largest, how))
        shape, largest = stored_shape(layers[-1]), layers[-1].largest_output
    bits = int(rng.choice([1, 2, 4, 8]))
    features = shape if gap else (int(np.prod(shape)), 1, 1)
    weights = random_weights(rng, (3, features[0], 3 if gap else 1, 3 if gap else 1), bits)
    classifier = IntegerClassifier(
        name="out",
        kind="conv" if gap else "fc",
        weights=weights,
        kept=None,
        weight_bits=bits,
        stride=1,
        padding=1 if gap else 0,
        input_shape=features,
        input_bits=largest.bit_length(),
        largest_input=largest,
        accumulator_bits=32,
        bias=rng.integers(-500, 500, 3).astype(np.int32),
        score_bits=48,
    )
    return IntegerNetwork(int(rng.integers(1, 5)), how["fraction_bits"], tuple(layers), classifier)


def random_images(network: IntegerNetwork, n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    first = network.layers[0]
    return rng.integers(0, first.largest_input + 1, (n, *first.input_shape)).astype(np.uint8)


def loop_sum(part: Any, x: Nested, m: int, row: int, column: int) -> int:
    """One output of a convolution, product by product."""
    total = 0
    channels, height, width = part.input_shape
    edge = part.weights.shape[-1]
    for channel in range(channels):
        for i in range(edge):
            for j in range(edge):
                y, z = row * part.stride + i - part.padding, column * part.stride + j - part.padding
                if 0 <= y < height and 0 <= z < width:
                    total += int(part.weights[m, channel, i, j]) * x[channel, y, z]
    return total


def reshaped(x: Nested, shape: tuple[int, int, int]) -> Nested:
    """The same elements in the same order, channel by channel, under another shape."""
    values = [x[place] for place in sorted(x)]
    return dict(zip(np.ndindex(*shape), values, strict=True))


def loop_layer(layer: IntegerLayer, steps: list[Nested], timesteps: int) -> list[Nested]:
    """The stored map of every step, neuron by neuron."""
    membranes, (maps, rows, columns) = len(layer.weights), stored_shape(layer)
    height, width = ((edge - 1) // layer.stride + 1 for edge in layer.input_shape[1:])
    stored: list[Nested] = [{} for _ in range(timesteps)]
    spikes: list[Nested] = [{} for _ in range(timesteps)]
    ranks: list[Nested] = [{} for _ in range(timesteps)]
    for m in range(membranes):
        for row in range(height):
            for column in range(width):
                v = gathered = 0
                for t in range(timesteps):
                    x = reshaped(steps[0 if layer.static_input else t], layer.input_shape)
                    z = loop_sum(layer, x, m, row, column)
                    u = v + z * 2**layer.fraction_bits - int(layer.c[m])
                    v = u
                    for which, theta in enumerate(layer.thetas[:, m]):
                        fired = 0
                        while fired < layer.levels and u >= (fired + 1) * int(theta):
                            fired += 1
                            if which == 0:
                                v = 0 if layer.reset == "hard" else v - int(theta)
                        spikes[t][which * membranes + m, row, column] = fired
                    gathered += z if layer.pooling == "membrane" else spikes[t][m, row, column]
                    ranks[t][m, row, column] = gathered
    for t in range(timesteps):
        for channel, row, column in np.ndindex(maps, rows, columns):
            places = [
                (row * layer.pool + i, column * layer.pool + j) for i in range(layer.pool) for j in range(layer.pool)
            ]
            window = [spikes[t][channel, *place] for place in places]
            rank = [ranks[t][channel % membranes, *place] for place in places]
            rules = {"or": max(window), "average": sum(window)}
            stored[t][channel, row, column] = rules.get(layer.pooling, window[rank.index(max(rank))])
    return stored


def loop_network(network: IntegerNetwork, image: np.ndarray) -> tuple[list[int], dict[str, list[Nested]]]:
    """Scores of one image and every layer's stored maps."""
    steps: list[Nested] = [{place: int(image[place]) for place in np.ndindex(*image.shape)}]
    if not network.layers[0].static_input:
        width = 8 // network.timesteps
        steps = [
            {
                place: int(any(value >> s & 1 for s in range(width * t, width * t + width)))
                for place, value in steps[0].items()
            }
            for t in range(network.timesteps)
        ]
    stored = {}
    for layer in network.layers:
        steps = stored[layer.name] = loop_layer(layer, steps, network.timesteps)
    last = network.classifier
    _, height, width = last.input_shape
    scores = []
    for k in range(len(last.weights)):
        total = 0
        for x in steps:
            for row, column in np.ndindex(height, width):
                total += loop_sum(last, reshaped(x, last.input_shape), k, row, column)
        scores.append(total * 2**network.fraction_bits + int(last.bias[k]))
    return scores, stored
