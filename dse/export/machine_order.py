"""The integer network in the order in which the machine numbers things, and the workload that the cost model reads.

The machine numbers channels so that both maps of a dual threshold are neighbours (2 m and 2 m + 1 for membrane m), and
the inputs of a fully connected layer channel first, then column, then row of the map before it, again with both maps of
a membrane side by side. Only the order of weights changes, no sum.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from costmodels.errors import InputError
from costmodels.workload import LayerWorkload, Workload, stored_weight_bits
from dse.export.integer_network import (
    IntegerClassifier,
    IntegerLayer,
    IntegerNetwork,
    Integers,
    signed_bits,
    sum_range,
)
from searchspaces.machine_order import channel_order, flat_order

MEMBRANE_BITS = 24  # one word of a membrane, constant or threshold: `words` of costmodels/machine.toml
SCORE_BITS = 32

Part = IntegerLayer | IntegerClassifier


class UnsupportedNetworkError(InputError):
    """A network that the machine cannot hold, with the reason."""


@dataclass(frozen=True, eq=False)
class OrderedPart:
    """A layer whose input channels (or inputs, in fc) are in machine order, and the maps around it.

    Attributes:
        part: the layer, its ``weights`` and ``kept`` reordered, its ``weight_bits`` as stored.
        order: for each input channel (or input) of the machine, its number in the integer network.
        out_height, out_width: before pooling; stored_height, stored_width: after it.
        static_input: the input is the same at every step.
    """

    part: Part
    order: Integers
    out_height: int
    out_width: int
    stored_height: int
    stored_width: int
    static_input: bool

    @property
    def spiking(self) -> bool:
        """An IF unit follows."""
        return isinstance(self.part, IntegerLayer)

    @property
    def maps(self) -> int:
        """Spike maps of one membrane: 2 under a dual threshold."""
        return len(self.part.thetas) if isinstance(self.part, IntegerLayer) else 1

    @property
    def pool(self) -> int:
        """Edge of the pooling window."""
        return self.part.pool if isinstance(self.part, IntegerLayer) else 1


def every_part(network: IntegerNetwork) -> list[Part]:
    """Spiking layers, then the classifier."""
    return [*network.layers, network.classifier]


def ordered_parts(network: IntegerNetwork) -> tuple[OrderedPart, ...]:
    """All layers of ``network`` in machine order."""
    parts: list[OrderedPart] = []
    for part in every_part(network):
        parts.append(_ordered(part, parts[-1] if parts else None))
    return tuple(parts)


def _ordered(part: Part, before: OrderedPart | None) -> OrderedPart:
    order = np.arange(part.input_shape[0])
    if before is not None:
        order = _order(part.kind, before)
    kept = None if part.kept is None else part.kept[:, order]
    rows, columns = (
        (edge + 2 * part.padding - part.weights.shape[-1]) // part.stride + 1 for edge in part.input_shape[1:]
    )
    pool = part.pool if isinstance(part, IntegerLayer) else 1
    static = part.static_input if isinstance(part, IntegerLayer) else before is None
    bits = stored_weight_bits(part.kind, part.weight_bits, part.kept is not None)
    ordered = replace(part, weights=part.weights[:, order], kept=kept, weight_bits=bits)
    return OrderedPart(ordered, order, rows, columns, rows // pool, columns // pool, static)


def _order(kind: str, before: OrderedPart) -> Integers:
    membranes = len(before.part.weights)
    if kind == "fc":
        return flat_order(before.maps, membranes, before.stored_height, before.stored_width)
    return channel_order(before.maps, membranes)


def reject_unsupported(network: IntegerNetwork) -> None:
    """Refuse what the machine cannot hold.

    Raises:
        UnsupportedNetworkError: all reasons at once.
    """
    reasons = [reason for layer in network.layers for reason in _neuron_reasons(layer, network.timesteps)]
    reasons += [reason for part in every_part(network) for reason in _reasons(part)]
    if reasons:
        raise UnsupportedNetworkError("\n".join(reasons))


def _neuron_reasons(layer: IntegerLayer, timesteps: int) -> Iterator[str]:
    where = f"(layer {layer.name})"
    if (layer.levels + 1).bit_count() > 1:
        yield f"levels must be a power of two less one, not {layer.levels} {where}"
    if layer.pool > 1 and layer.pooling == "membrane":
        sums = sum_range(layer.weights, layer.largest_input)
        bits = signed_bits(timesteps * int(sums[0].min()), timesteps * int(sums[1].max()))
        if bits > MEMBRANE_BITS:
            yield f"ranks of pooling must fit {MEMBRANE_BITS} bits, not {bits} {where}; fold with fewer weight bits"


def _reasons(part: Part) -> list[str]:
    where, reasons = f"(layer {part.name})", list[str]()
    half = 2 ** (MEMBRANE_BITS - 1)
    constants = part.c if isinstance(part, IntegerLayer) else part.bias
    if isinstance(part, IntegerLayer) and part.membrane_bits > MEMBRANE_BITS:
        reasons.append(
            f"membrane bits must be at most {MEMBRANE_BITS}, not {part.membrane_bits} {where}; "
            "fold with fewer fraction bits or weight bits"
        )
    if part.accumulator_bits > MEMBRANE_BITS:
        reasons.append(
            f"accumulator bits must be at most {MEMBRANE_BITS}, not {part.accumulator_bits} {where}; "
            "choose fewer weight bits or channels"
        )
    if len(constants) and not (-half <= constants.min() and constants.max() < half):
        reasons.append(
            f"constants must fit {MEMBRANE_BITS} bits, not {constants.min()} to {constants.max()} {where}; "
            "fold with fewer fraction bits"
        )
    if isinstance(part, IntegerClassifier) and part.score_bits > SCORE_BITS:
        reasons.append(
            f"score bits must be at most {SCORE_BITS}, not {part.score_bits} {where}; fold with fewer fraction bits"
        )
    return reasons


def workload(network: IntegerNetwork) -> Workload:
    """The work of one inference for the cost model, with every input bit set (cycles do not depend on activity)."""
    parts = ordered_parts(network)
    layers = tuple(_lowered(one, network.timesteps) for one in parts)
    return Workload("network", network.timesteps, layers)


def _lowered(one: OrderedPart, timesteps: int) -> LayerWorkload:
    part, neurons = one.part, one.part if isinstance(one.part, IntegerLayer) else None
    return LayerWorkload(
        name=part.name,
        kind=part.kind,
        in_channels=part.input_shape[0],
        in_height=part.input_shape[1],
        in_width=part.input_shape[2],
        out_channels=len(part.weights) * one.maps,
        out_height=one.out_height,
        out_width=one.out_width,
        kernel=part.weights.shape[-1],
        stride=part.stride,
        padding=part.padding,
        weight_bits=part.weight_bits,
        input_bits=part.input_bits,
        static_input=one.static_input,
        dual_threshold=one.maps == 2,
        spiking=one.spiking,
        levels=neurons.levels if neurons else 1,
        pool=one.pool,
        pooling=neurons.pooling if neurons else "or",
        output_bits=neurons.output_bits if neurons else 0,
        input_density=(1.0,) * (1 if one.static_input else timesteps),
        output_density=(1.0,) * timesteps if one.spiking else (),
        kept=part.kept,
    )


def bit_plane(values: NDArray[np.int8], plane: int) -> NDArray[np.int64]:
    """Bit ``plane`` of two's complement numbers."""
    return (values.astype(np.int64) >> plane) & 1
