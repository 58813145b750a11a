"""Machines of the area benchmark: sizes, features, and which of them no model may be fitted to.

A machine is exported for an untrained network of the shape that `MACHINES` gives: areas do not depend on weights.
"""

from dataclasses import dataclass
from typing import Literal

import torch

from costmodels.accelerator import AcceleratorBatch, AcceleratorConfig
from costmodels.features import Features
from dse.export.core_image import CoreImage, lay_out
from dse.export.integer_network import IntegerNetwork
from dse.training.fold import fold
from dse.training.model import build_network
from searchspaces.genome import LayerGenome, NetworkGenome, Pooling
from searchspaces.recipe import Recipe

EDGE = 12  # of the image
AMPLE_KIB = 512


@dataclass(frozen=True)
class Machine:
    """One machine and the shape of its network: convolution, convolution, fully connected, classifier.

    Attributes:
        rows, lanes: V and L.
        held_out: for checks of a model, never to be fitted.
        timesteps, channels, pooling, levels, dual, pruned, pool, stride, input_bits: of the network.
        weight_bits: of its first layer; many need another fixed-point grid than the other layers have.
        depth: F.
        weight_kib: of the weight buffer; the smallest streams filters.
        time_order: under ``"outer"`` membranes wait in an ample buffer.
    """

    rows: int
    lanes: int
    held_out: bool = False
    timesteps: int = 4
    channels: int = 8
    pooling: Pooling = "or"
    levels: int = 1
    dual: bool = False
    pruned: float = 0.0
    pool: int = 2
    stride: int = 1
    input_bits: int = 4
    weight_bits: int = 1
    depth: int = 4
    weight_kib: int = AMPLE_KIB
    time_order: Literal["inner", "outer"] = "inner"


MACHINES = {
    "v2-l2": Machine(2, 2),
    "v2-l4": Machine(2, 4),
    "v3-l4": Machine(3, 4),
    "v4-l8": Machine(4, 8),
    "v8-l4": Machine(8, 4),
    "v2-l16": Machine(2, 16),
    "v4-l16": Machine(4, 16),
    "v8-l8": Machine(8, 8),
    "v2-l3": Machine(2, 3),
    "v2-l4-dual-t8": Machine(2, 4, timesteps=8, dual=True),
    "v4-l4-dual": Machine(4, 4, dual=True),
    "v3-l6-dual-average": Machine(3, 6, dual=True, pooling="average"),
    "v4-l4-stride2": Machine(4, 4, stride=2),
    "v8-l4-pool3-stride2-t1": Machine(8, 4, pool=3, stride=2, timesteps=1),
    "v4-l4-input8": Machine(4, 4, input_bits=8),
    "v2-l8-input1": Machine(2, 8, input_bits=1),
    "v4-l4-pruned": Machine(4, 4, pruned=0.5),
    "v2-l2-pruned-c32": Machine(2, 2, pruned=0.5, channels=32),
    "v8-l2-pruned": Machine(8, 2, pruned=0.5),
    "v4-l4-levels3": Machine(4, 4, levels=3),
    "v2-l4-levels7": Machine(2, 4, levels=7),
    "v4-l4-membrane": Machine(4, 4, pooling="membrane"),
    "v2-l4-membrane-dual-t2": Machine(2, 4, pooling="membrane", dual=True, timesteps=2),
    "v4-l4-count-t8": Machine(4, 4, pooling="count", timesteps=8),
    "v4-l4-grids": Machine(4, 4, weight_bits=8, input_bits=8),
    "v2-l4-outer": Machine(2, 4, time_order="outer"),
    "v8-l4-outer": Machine(8, 4, time_order="outer"),
    "v4-l16-outer": Machine(4, 16, time_order="outer"),
    "v3-l4-outer-dual": Machine(3, 4, dual=True, time_order="outer"),
    "v4-l4-outer-membrane": Machine(4, 4, pooling="membrane", time_order="outer"),
    "v2-l8-outer-count-t8": Machine(2, 8, pooling="count", timesteps=8, time_order="outer"),
    "v8-l2-outer-pruned": Machine(8, 2, pruned=0.5, time_order="outer"),
    "v4-l8-outer-levels3": Machine(4, 8, levels=3, time_order="outer"),
    "v6-l4-outer-membrane-levels3": Machine(6, 4, levels=3, pooling="membrane", time_order="outer"),
    "v5-l2-outer-average": Machine(5, 2, pooling="average", depth=2, time_order="outer"),
    "v8-l4-input8": Machine(8, 4, input_bits=8),
    "v16-l4-input8": Machine(16, 4, input_bits=8),
    "v16-l2-dual-t1": Machine(16, 2, dual=True, timesteps=1),
    "v32-l2-input8": Machine(32, 2, input_bits=8, timesteps=1),
    "v16-l2-outer-input8": Machine(16, 2, input_bits=8, time_order="outer"),
    "v8-l32": Machine(8, 32, held_out=True, timesteps=8, input_bits=8),
    "v6-l5": Machine(6, 5, held_out=True),
    "v3-l5-streamed": Machine(3, 5, held_out=True, depth=1, weight_kib=1, channels=32, input_bits=8),
    "v2-l6-dual-average": Machine(2, 6, held_out=True, dual=True, pooling="average", timesteps=2, depth=2),
    "v3-l4-pruned": Machine(3, 4, held_out=True, pruned=0.5, channels=16),
    "v3-l4-levels3-membrane": Machine(3, 4, held_out=True, levels=3, pooling="membrane", timesteps=2),
    "v2-l12-count": Machine(2, 12, held_out=True, pooling="count"),
    "v4-l2-levels7": Machine(4, 2, held_out=True, levels=7, timesteps=8),
    "v12-l6-input8": Machine(12, 6, held_out=True, input_bits=8),
    "v16-l8-dual-input8": Machine(16, 8, held_out=True, input_bits=8, dual=True, channels=16),
    "v32-l4-dual-input8-t1": Machine(32, 4, held_out=True, input_bits=8, dual=True, timesteps=1),
    "v16-l24-input8": Machine(16, 24, held_out=True, input_bits=8, timesteps=8),
    "v24-l3-outer-pruned-input8": Machine(
        24, 3, held_out=True, input_bits=8, pruned=0.5, channels=16, timesteps=2, time_order="outer"
    ),
    "v5-l3-outer-levels3": Machine(5, 3, held_out=True, levels=3, timesteps=8, time_order="outer"),
    "v3-l6-outer-membrane-dual": Machine(
        3, 6, held_out=True, pooling="membrane", dual=True, depth=2, time_order="outer"
    ),
    "v6-l3-outer-count-pruned": Machine(
        6, 3, held_out=True, pooling="count", pruned=0.5, channels=16, timesteps=2, time_order="outer"
    ),
    "v8-l8-outer-input8": Machine(8, 8, held_out=True, input_bits=8, depth=1, time_order="outer"),
    "v7-l5-outer-average": Machine(7, 5, held_out=True, pooling="average", depth=3, time_order="outer"),
}


def genome(machine: Machine, edge: int, hidden: int) -> NetworkGenome:
    """The network that a machine is built for: square images of one channel, ``hidden`` filters in fc1."""
    channels = machine.channels
    layers = (
        LayerGenome(
            "conv1",
            "conv",
            channels,
            stride=machine.stride,
            weight_bits=machine.weight_bits,
            dual_threshold=machine.dual,
        ),
        LayerGenome("conv2", "conv", channels, pool=machine.pool, prune_ratio=machine.pruned),
        LayerGenome("fc1", "fc", hidden, kernel=1),
        LayerGenome("classifier", "fc", 10, kernel=1, spiking=False),
    )
    return NetworkGenome(
        input_shape=(1, edge, edge),
        input_bits=machine.input_bits,
        classes=10,
        timesteps=machine.timesteps,
        levels=machine.levels,
        pooling=machine.pooling,
        head="fc",
        reset="soft",
        layers=layers,
    )


def network(machine: Machine) -> IntegerNetwork:
    """An untrained network of the machine's shape, folded."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        built = build_network(genome(machine, EDGE, 8), Recipe(epochs=1))
    return fold(built.eval())


def image(machine: Machine) -> CoreImage:
    """The machine with ample buffers of spikes and membranes."""
    membrane_kib = AMPLE_KIB if machine.time_order == "outer" else 0
    config = AcceleratorConfig(
        machine.rows, machine.lanes, machine.depth, AMPLE_KIB, machine.weight_kib, machine.time_order, membrane_kib
    )
    return lay_out(network(machine), config)


def shape(machine: Machine) -> tuple[AcceleratorBatch, Features]:
    """What the area model is told of a machine."""
    laid_out = image(machine)
    return AcceleratorBatch.of([laid_out.config]), Features.of(laid_out.work)
