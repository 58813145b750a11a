"""Machines of the activity benchmark, the network that each runs on one digit, and what its layers do on it.

The networks are untrained, but their batch norms have seen digits, so that neurons fire.
"""

from dataclasses import fields, replace

import numpy as np
import torch
from activity_terms import LayerRun, turnover
from area_machines import Machine, genome
from numpy.typing import NDArray

from costmodels.accelerator import AcceleratorBatch, AcceleratorConfig
from costmodels.events import EventCounts
from costmodels.features import Features
from costmodels.schedule import count
from costmodels.slots import strip_rows
from costmodels.workload import Workload
from dse.data.digits import read_digits
from dse.export.core_image import CoreImage, lay_out
from dse.export.integer_network import IntegerNetwork, run_integer
from dse.export.machine_order import OrderedPart
from dse.training.fold import fold
from dse.training.model import build_network
from searchspaces.recipe import Recipe

BYTES_PER_CYCLE = 12.8
SEEN, PASSES = 256, 12  # digits that batch norms see, and how often
DIGIT, DIGIT_BITS = 1700, 5  # that the machine runs, and bits of its pixels

MACHINES = {
    "v4-l4": Machine(4, 4),
    "v2-l8": Machine(2, 8),
    "v8-l4": Machine(8, 4),
    "v4-l8-c16": Machine(4, 8, channels=16),
    "v4-l4-dual": Machine(4, 4, dual=True),
    "v4-l8-average-t8": Machine(4, 8, pooling="average", timesteps=8),
    "v8-l8-c16-t2": Machine(8, 8, channels=16, timesteps=2),
    "v3-l4": Machine(3, 4),
    "v2-l16": Machine(2, 16),
    "v5-l8-average": Machine(5, 8, pooling="average"),
    "v6-l4": Machine(6, 4),
    "v5-l5": Machine(5, 5),
    "v4-l8-t8": Machine(4, 8, timesteps=8),
    "v3-l8-c16": Machine(3, 8, channels=16),
    "v2-l4-c16-dual": Machine(2, 4, channels=16, dual=True),
    "v8-l4-dual": Machine(8, 4, held_out=True, dual=True),
    "v4-l16-c16": Machine(4, 16, held_out=True, channels=16),
    "v6-l5": Machine(6, 5, held_out=True),
    "v4-l4-average": Machine(4, 4, held_out=True, pooling="average"),
    "v7-l4-t8": Machine(7, 4, held_out=True, timesteps=8),
    "v2-l5-average": Machine(2, 5, held_out=True, pooling="average"),
    "v3-l6-c16-dual": Machine(3, 6, held_out=True, channels=16, dual=True),
    "v5-l16-c16-t2": Machine(5, 16, held_out=True, channels=16, timesteps=2),
    "v6-l8-c32": Machine(6, 8, held_out=True, channels=32),
}


def digit() -> NDArray[np.uint8]:
    """The image that machines run, [1, C, H, W]."""
    return read_digits().images[DIGIT : DIGIT + 1]


def network(machine: Machine) -> IntegerNetwork:
    """An untrained network that has seen digits, folded."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        built = build_network(genome(replace(machine, input_bits=DIGIT_BITS), 8, 16), Recipe(epochs=1)).train()
        for _ in range(PASSES):
            built(torch.from_numpy(read_digits().images[:SEEN]))
    return fold(built.eval())


def image(machine: Machine) -> CoreImage:
    """The machine with ample buffers."""
    return lay_out(network(machine), AcceleratorConfig(machine.rows, machine.lanes, 4, 64, 64))


def layer_inputs(laid_out: CoreImage) -> list[NDArray[np.uint8]]:
    """What each layer reads of the digit, bit by bit in machine order, as `turnover` takes it."""
    stored = run_integer(laid_out.network, digit(), keep=True).stored
    maps = [digit()[None], *(stored[layer.name] for layer in laid_out.network.layers)]
    return [in_order(part, each[:, 0]) for part, each in zip(laid_out.parts, maps, strict=True)]


def in_order(part: OrderedPart, maps: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Elements [T, C, H, W] as their bits: [T, H, W, C, planes], of a fully connected layer [T, inputs, planes]."""
    if part.part.kind == "fc":
        ordered = maps.reshape(len(maps), -1)[:, part.order]
    else:
        ordered = maps[:, part.order].transpose(0, 2, 3, 1)
    planes = np.arange(part.part.largest_input.bit_length(), dtype=np.uint8)
    return np.asarray(ordered[..., None] >> planes & 1, dtype=np.uint8)


def measured(laid_out: CoreImage, inputs: list[NDArray[np.uint8]]) -> Workload:
    """The workload with the densities of these inputs."""
    layers = (
        replace(layer, input_density=tuple(float(step.mean()) for step in bits))
        for layer, bits in zip(laid_out.work.layers, inputs, strict=True)
    )
    return replace(laid_out.work, layers=tuple(layers))


def layer_runs(laid_out: CoreImage) -> list[LayerRun]:
    """The digit on each layer of the machine."""
    inputs, config = layer_inputs(laid_out), laid_out.config
    work, features = measured(laid_out, inputs), Features.of(laid_out.work)
    events = count(work, AcceleratorBatch.of([config]), BYTES_PER_CYCLE).events
    return [
        LayerRun(
            layer=layer,
            rows=config.vector_width,
            lanes=config.channel_lanes,
            strip_rows=int(strip_rows(layer, np.array(config.vector_width))),
            maps=1 + features.dual_threshold,
            planes=features.planes,
            timesteps=work.timesteps,
            turnover=turnover(bits, config.channel_lanes),
            step_turnover=turnover(bits, config.channel_lanes, of_sums=True),
            events={item.name: float(getattr(events, item.name)[0, number]) for item in fields(EventCounts)},
        )
        for number, (layer, bits) in enumerate(zip(work.layers, inputs, strict=True))
    ]
