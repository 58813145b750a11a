"""Machines of the activity benchmark, the network that each runs on one digit, and what its layers do on it.

The networks are untrained, but their batch norms have seen digits, so that neurons fire.
"""

from dataclasses import fields, replace

import numpy as np
import torch
from activity_array import array_turns, reads
from activity_neurons import neurons, read_address_changes, write_address_changes
from activity_terms import LayerRun
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
from dse.export.integer_network import IntegerLayer, IntegerNetwork, run_integer
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
    "v3-l5-average-t8": Machine(3, 5, held_out=True, pooling="average", timesteps=8),
    "v7-l6-c16-dual-t2": Machine(7, 6, held_out=True, channels=16, dual=True, timesteps=2),
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


def layer_maps(laid_out: CoreImage) -> list[NDArray[np.uint8]]:
    """What each layer reads of the digit: elements [T, C, H, W], T = 1 of the image."""
    stored = run_integer(laid_out.network, digit(), keep=True).stored
    return [digit(), *(stored[layer.name][:, 0] for layer in laid_out.network.layers)]


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
    """The digit on each layer of the machine, which holds all maps at once."""
    maps = layer_maps(laid_out)
    inputs = [in_order(part, each) for part, each in zip(laid_out.parts, maps, strict=True)]
    work = measured(laid_out, inputs)
    events = count(work, AcceleratorBatch.of([laid_out.config]), BYTES_PER_CYCLE).events
    return [
        layer_run(laid_out, work, number, maps[number], inputs[number], layer_events(events, number))
        for number in range(len(work.layers))
    ]


def layer_events(events: EventCounts, number: int) -> dict[str, float]:
    """Of one layer, by name."""
    return {item.name: float(getattr(events, item.name)[0, number]) for item in fields(EventCounts)}


def layer_run(
    laid_out: CoreImage,
    work: Workload,
    number: int,
    maps: NDArray[np.uint8],
    bits: NDArray[np.uint8],
    events: dict[str, float],
) -> LayerRun:
    """The digit on one layer, whose elements and bits are ``maps`` and ``bits``."""
    config, features, layer = laid_out.config, Features.of(laid_out.work), work.layers[number]
    rows, lanes, part = config.vector_width, config.channel_lanes, laid_out.parts[number].part
    strip = int(strip_rows(layer, np.array(rows)))
    read, written = laid_out.groups[0].maps[number : number + 2]
    assert read is not None
    fired = (0, 0)
    if isinstance(part, IntegerLayer):
        whole = laid_out.network.layers[number]  # channels of a map in the network's order, as `maps` has them
        fired = neurons(whole, maps, work.timesteps, strip, features.dual_threshold, lanes)
    return LayerRun(
        layer=layer,
        rows=rows,
        lanes=lanes,
        strip_rows=strip,
        maps=1 + features.dual_threshold,
        planes=features.planes,
        timesteps=work.timesteps,
        array=array_turns(layer, reads(layer, bits, rows, lanes, strip), part.weights, lanes),
        potentials=fired[0],
        strengths=fired[1],
        read_address=read_address_changes(layer, read, strip),
        write_address=write_address_changes(written, work.timesteps) if written else 0.0,
        events=events,
    )
