"""The work one inference asks of the machine: layers in order, with measured activity and exact masks."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from costmodels.errors import ConfigurationError
from costmodels.machine import MACHINE


def stored_weight_bits(kind: str, weight_bits: int, pruned: bool) -> int:
    """Bits of a stored weight: a pruned fully connected layer keeps blocks of nine inputs, the pruned of them as 0.

    One bit is -1 or +1, so such a layer takes two.
    """
    return max(weight_bits, 2) if kind == "fc" and pruned else weight_bits


@dataclass(frozen=True, eq=False)
class LayerWorkload:
    """One convolution or fully connected layer with the neuron and pooling behind it.

    A fully connected layer is a 1 x 1 map: ``in_channels`` inputs, ``out_channels`` outputs, kernel 1.

    Attributes:
        name: unique in its workload.
        kind: ``"conv"`` or ``"fc"``.
        in_channels, in_height, in_width: input map.
        out_channels: maps written, both halves of a dual-threshold layer counted.
        out_height, out_width: map before pooling.
        kernel, stride, padding: of the convolution, square, in pixels.
        weight_bits: as stored; 1 is binary {-1, +1}; more is two's complement.
        input_bits: bit planes of one input element (1 for spikes, 8 for 8-bit images).
        static_input: the input is the same at every step, so its sum is computed once (encoding layer).
        dual_threshold: two spike maps from each membrane map; half as many filters as ``out_channels``.
        spiking: an IF unit follows; False for the classifier, whose sums are accumulated over space and time.
        levels: strengths of one spike (1 is a plain spike).
        pool: window edge and stride of the pooling behind the neuron; 1 is none.
        pooling: rule of that window, without meaning when ``pool`` is 1: the largest strength (``"or"``), the sum
            (``"average"``), or the spikes of the neuron with the largest potential gathered, never reset
            (``"membrane"``), or with most spikes (``"count"``) so far.
        output_bits: bit planes of one element of the map that is stored for the next layer.
        input_density: share of set bits among all bits of the input map, one value per time step
            (a single value when ``static_input``).
        output_density: the same for the stored output map, one value per time step; empty for the classifier.
        kept: ``filters x in_channels`` booleans, True where the kernel is kept; None when nothing is pruned.
    """

    name: str
    kind: Literal["conv", "fc"]
    in_channels: int
    in_height: int
    in_width: int
    out_channels: int
    out_height: int
    out_width: int
    kernel: int
    stride: int
    padding: int
    weight_bits: int
    input_bits: int
    static_input: bool
    dual_threshold: bool
    spiking: bool
    levels: int
    pool: int
    pooling: Literal["or", "average", "membrane", "count"]
    output_bits: int
    input_density: tuple[float, ...]
    output_density: tuple[float, ...]
    kept: NDArray[np.bool_] | None = None

    @property
    def filters(self) -> int:
        """Filters (and membrane maps) of the layer: half of ``out_channels`` under a dual threshold."""
        return self.out_channels // 2 if self.dual_threshold else self.out_channels

    @property
    def stored_height(self) -> int:
        """Rows of the map after pooling."""
        return self.out_height // self.pool

    @property
    def stored_width(self) -> int:
        """Columns of the map after pooling."""
        return self.out_width // self.pool

    @property
    def kept_kernels(self) -> int:
        """Number of kernels (output-input channel pairs) that are stored and computed."""
        return self.filters * self.in_channels if self.kept is None else int(self.kept.sum())

    @property
    def constants_bits(self) -> int:
        """Bits of the constant c and the thresholds of one filter."""
        thresholds = (1 + self.dual_threshold) if self.spiking else 0
        return MACHINE.membrane_bits * (1 + thresholds)

    @property
    def stored_bits(self) -> int:
        """Bits of the kept kernels, of one list bit for each kernel where any is pruned, and of the constants.

        A pruned fully connected layer is listed by blocks of nine inputs of one lane; here inputs count one by one,
        since the number of lanes is the machine's.
        """
        listed = 0 if self.kept is None else self.filters * self.in_channels
        return self.kept_kernels * self.kernel**2 * self.weight_bits + listed + self.filters * self.constants_bits


@dataclass(frozen=True, eq=False)
class Workload:
    """Layers in the order they run, and the number of time steps."""

    name: str
    timesteps: int
    layers: tuple[LayerWorkload, ...]

    def __post_init__(self) -> None:
        if self.timesteps < 1:
            raise ConfigurationError(f"timesteps must be at least 1, not {self.timesteps} (workload {self.name})")
        for before, after in zip(self.layers, self.layers[1:], strict=False):
            stored = before.out_channels * before.stored_height * before.stored_width
            wanted = after.in_channels * after.in_height * after.in_width
            if stored != wanted:
                raise ConfigurationError(
                    f"layer {after.name} must read the {stored} elements that {before.name} stores, "
                    f"not {wanted} (workload {self.name})"
                )

    @property
    def storage_bits(self) -> int:
        """Bits of weights, lists of kept kernels and constants, without what fills the words of a machine."""
        return sum(layer.stored_bits for layer in self.layers)

    @property
    def operations(self) -> int:
        """Synaptic operations of one inference on a machine that skips pruned kernels but not silent inputs.

        One operation is one add of a weight bit plane under an input bit plane; every step of a spiking input counts, a
        static input counts once.
        """
        return sum(
            layer.kept_kernels
            * layer.kernel**2
            * layer.out_height
            * layer.out_width
            * layer.weight_bits
            * layer.input_bits
            * (1 if layer.static_input else self.timesteps)
            for layer in self.layers
        )
