"""The integer network as a graph of the Neuromorphic Intermediate Representation (NIR): the same spikes at every step.

A step lasts 1 and every resistance is 1, so that NIR's integrate-and-fire ``dv/dt = R I`` adds a layer's sums once a
step. Sums are those of the integer network, its constants c and thresholds divided by 2^f. NIR fires where v is above
the threshold, some simulators where v reaches it: a threshold half a grid step lower means the same to both.

A pooling window that passes any spike becomes a sum and a second neuron, which one spike fires and which resets at
once. At one time step a dual threshold becomes filters that stand twice, each with a threshold of its own.

The image goes in unchanged (whole pixels) at every step, of events the step's frame; the sum of the outputs over all
steps is the class score.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from costmodels.errors import InputError
from dse.export.integer_network import IntegerClassifier, IntegerLayer, IntegerNetwork, IntegerSynapses

if TYPE_CHECKING:
    import nir

Nodes = Iterator[tuple[str, Any]]

FILE = "network.nir"
IMAGE, FRAMES = "whole pixels, the same image at every step", "the frame of each step, 1 where it has an event, else 0"
READING = "Steps have length 1. Feed {}. Sum the output over all steps: class scores."


class NirError(InputError):
    """NIR has no word for what the network does, or the package is not here."""


def unsayable(network: IntegerNetwork) -> list[str]:
    """Why NIR cannot say what the network does; empty where it can."""
    levels = max(layer.levels for layer in network.layers)
    reasons = [f"levels must be 1 in a NIR graph, not {levels}: its spikes have no strengths"] * (levels > 1)
    if network.timesteps > 1:
        if any(layer.reset == "soft" for layer in network.layers):
            reasons.append(
                "reset must be hard in a NIR graph, not soft: its neurons are set to a value, never lessened"
            )
        reasons += [
            f"dual_threshold must be false in a NIR graph of several steps, not true (layer {layer.name}): its neurons "
            "have one threshold"
            for layer in network.layers
            if len(layer.thetas) > 1
        ]
    reasons += [
        f"pooling must be or or average in NIR, not {layer.pooling} (layer {layer.name}): it compares no neurons"
        for layer in network.layers
        if layer.pool > 1 and layer.pooling in ("membrane", "count")
    ]
    return reasons


def to_nir(network: IntegerNetwork) -> "nir.NIRGraph":
    """The graph.

    Raises:
        NirError: NIR cannot say it, for all reasons at once; or the package ``nir`` is missing.
    """
    reasons = unsayable(network)
    if reasons:
        raise NirError("\n".join(reasons))
    try:
        import nir
    except ImportError:
        raise NirError("nir must be installed, not missing; run: pip install 'snn-dse[nir]'") from None
    first = network.layers[0]
    nodes: dict[str, Any] = {"input": nir.Input({"input": np.array(first.input_shape)})}
    shape: tuple[int, ...] = first.input_shape
    for layer in network.layers:
        nodes.update(_spiking(layer, shape))
        shape = _stored_shape(layer)
    nodes.update(_classifier(network, shape))
    nodes["output"] = nir.Output({"output": np.array([len(network.classifier.weights)])})
    names = list(nodes)
    reading = READING.format(IMAGE if first.static_input else FRAMES)
    metadata = {"reading": reading, "timesteps": network.timesteps, "dt": 1.0}
    return nir.NIRGraph(nodes, list(pairwise(names)), metadata=metadata)


def write_nir(network: IntegerNetwork, path: Path) -> None:
    """Write the graph as HDF5. Raises as `to_nir`."""
    graph = to_nir(network)
    import nir

    nir.write(path, graph)


def _computed_shape(layer: IntegerLayer) -> tuple[int, ...]:
    """Maps, rows and columns before pooling, a dual threshold's two maps of a membrane apart; neurons alone if fc."""
    maps = len(layer.weights) * len(layer.thetas)
    if layer.kind == "fc":
        return (maps,)
    rows, columns = ((edge - 1) // layer.stride + 1 for edge in layer.input_shape[1:])
    return maps, rows, columns


def _stored_shape(layer: IntegerLayer) -> tuple[int, ...]:
    maps, *edges = _computed_shape(layer)
    return maps, *(edge // layer.pool for edge in edges)


def _spiking(layer: IntegerLayer, shape: tuple[int, ...]) -> Nodes:
    """Nodes of a layer that reads maps of ``shape``."""
    import nir

    grid, twice = 2**layer.fraction_bits, len(layer.thetas)
    weights = np.concatenate([layer.weights] * twice)
    yield from _synapses(layer, shape, weights, np.concatenate([-layer.c] * twice) / grid)
    thresholds = (layer.thetas.reshape(-1).astype(np.float64) - 1 / 2) / grid
    yield f"{layer.name}_neurons", _neurons(thresholds, _computed_shape(layer))
    if layer.pool > 1:
        window, none = np.array([layer.pool, layer.pool]), np.array([0, 0])
        yield f"{layer.name}_windows", nir.SumPool2d(window, window, none)
        if layer.pooling == "or":
            stored = _stored_shape(layer)
            yield f"{layer.name}_pooled", _neurons(np.full(stored[0], 1 / 2), stored)


def _neurons(thresholds: NDArray[np.float64], shape: tuple[int, ...]) -> Any:
    """Neurons of maps of ``shape``, one threshold a map, reset to 0."""
    import nir

    every = np.broadcast_to(thresholds.reshape(-1, *[1] * (len(shape) - 1)), shape).astype(np.float32)
    return nir.IF(r=np.ones_like(every), v_threshold=every, v_reset=np.zeros_like(every))


def _synapses(
    part: IntegerSynapses, shape: tuple[int, ...], weights: NDArray[np.int8], bias: NDArray[np.float64]
) -> Nodes:
    """A convolution, or a matrix behind flattened maps."""
    import nir

    reals, bias = weights.astype(np.float32), bias.astype(np.float32)
    if part.kind == "conv":
        pair = {name: (getattr(part, name),) * 2 for name in ("stride", "padding")}
        yield part.name, nir.Conv2d(part.input_shape[1:], reals, **pair, dilation=(1, 1), groups=1, bias=bias)
        return
    if len(shape) > 1:
        yield f"{part.name}_inputs", nir.Flatten({"input": np.array(shape)}, start_dim=0, end_dim=-1)
    yield part.name, nir.Affine(reals.reshape(len(reals), -1), bias)


def _classifier(network: IntegerNetwork, shape: tuple[int, ...]) -> Nodes:
    """Class scores of one step, each with its share of the bias."""
    import nir

    part: IntegerClassifier = network.classifier
    rows, columns = part.input_shape[1:]
    share = network.timesteps * rows * columns * 2**network.fraction_bits
    yield from _synapses(part, shape, part.weights, part.bias.astype(np.float64) / share)
    if part.kind == "conv":
        window = np.array([rows, columns])
        yield f"{part.name}_positions", nir.SumPool2d(window, window, np.array([0, 0]))
        yield f"{part.name}_sums", nir.Flatten({"input": np.array([len(part.weights), 1, 1])}, start_dim=0, end_dim=-1)
