"""From a network and its measured activity to the work that the machine is asked to do."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from costmodels.errors import ConfigurationError
from costmodels.workload import LayerWorkload, Workload, stored_weight_bits
from searchspaces.genome import LayerGenome, NetworkGenome
from searchspaces.machine_order import channel_order, flat_order
from searchspaces.shapes import LayerShape, layer_shapes

FiringRates = Mapping[str, tuple[float, ...]]
Masks = Mapping[str, NDArray[np.bool_]]


def lower(
    genome: NetworkGenome,
    input_density: Sequence[float],
    firing_rates: FiringRates,
    masks: Masks,
    name: str = "network",
) -> Workload:
    """The workload of one inference.

    The first layer reads the image, the same at every step, or a frame of events a step; each further layer reads what
    the one before it stores: one bit a spike, or the binary count of an average-pooling window. A fully connected layer
    reads the flattened map. Columns of the masks come to lie in the machine's order of channels and inputs, on which
    the lists of lanes depend.

    Args:
        input_density: share of set bits among all bits of the input pixels; one value, or one a time step for events.
        firing_rates: spiking layer to the share of set bits of its stored map, one value per time step.
        masks: pruned layer to ``filters x in_channels`` booleans, True where the kernel is kept.

    Raises:
        ConfigurationError: rates or masks do not belong to this genome; all reasons at once.
    """
    problems = [
        *_input_problems(genome, input_density),
        *_rate_problems(genome, firing_rates),
        *_mask_problems(genome, masks),
    ]
    if problems:
        raise ConfigurationError("\n".join(problems))
    layers: list[LayerWorkload] = []
    density = tuple(input_density)
    for layer, shape in layer_shapes(genome):
        stored = tuple(firing_rates[layer.name]) if layer.spiking else ()
        kept = _machine_columns(masks.get(layer.name), layer, layers[-1] if layers else None)
        layers.append(_lowered(genome, layer, shape, density, stored, kept, first=not layers))
        density = stored
    return Workload(name, genome.timesteps, tuple(layers))


def _machine_columns(
    kept: NDArray[np.bool_] | None, layer: LayerGenome, before: LayerWorkload | None
) -> NDArray[np.bool_] | None:
    """``kept`` with its input channels (or inputs, in fc) as the machine numbers them."""
    if kept is None or before is None:
        return kept
    maps = 1 + before.dual_threshold
    if layer.kind == "fc":
        return kept[:, flat_order(maps, before.filters, before.stored_height, before.stored_width)]
    return kept[:, channel_order(maps, before.filters)]


def _lowered(
    genome: NetworkGenome,
    layer: LayerGenome,
    shape: LayerShape,
    input_density: tuple[float, ...],
    output_density: tuple[float, ...],
    kept: NDArray[np.bool_] | None,
    first: bool,
) -> LayerWorkload:
    return LayerWorkload(
        name=layer.name,
        kind=layer.kind,
        in_channels=shape.in_channels,
        in_height=shape.in_height,
        in_width=shape.in_width,
        out_channels=layer.channels,
        out_height=shape.out_height,
        out_width=shape.out_width,
        kernel=layer.kernel,
        stride=layer.stride,
        padding=layer.kernel // 2,
        weight_bits=stored_weight_bits(layer.kind, layer.weight_bits, kept is not None),
        input_bits=shape.input_bits,
        static_input=first and genome.static_input,
        dual_threshold=layer.dual_threshold,
        spiking=layer.spiking,
        levels=genome.levels,
        pool=layer.pool,
        pooling=genome.pooling,
        output_bits=shape.output_bits,
        input_density=input_density,
        output_density=output_density,
        kept=kept,
    )


def _input_problems(genome: NetworkGenome, input_density: Sequence[float]) -> list[str]:
    steps = 1 if genome.static_input else genome.timesteps
    if len(input_density) != steps:
        return [f"input_density must have {steps} values, not {len(input_density)}"]
    return _density_problems("input_density", input_density)


def _rate_problems(genome: NetworkGenome, firing_rates: FiringRates) -> list[str]:
    spiking = [layer.name for layer in genome.layers if layer.spiking]
    problems = _key_problems("firing_rates", spiking, firing_rates)
    for name in spiking:
        rates = tuple(firing_rates.get(name, ()))
        if name in firing_rates and len(rates) != genome.timesteps:
            problems.append(f"firing rates of {name} must be one per time step ({genome.timesteps}), not {len(rates)}")
        problems += _density_problems(f"firing rates of {name}", rates)
    return problems


def _mask_problems(genome: NetworkGenome, masks: Masks) -> list[str]:
    pruned = {layer.name: (layer, shape) for layer, shape in layer_shapes(genome) if layer.prune_ratio > 0}
    problems = _key_problems("masks", list(pruned), masks)
    for name, (layer, shape) in pruned.items():
        mask = masks.get(name)
        wanted = (layer.filters, shape.in_channels)
        if mask is not None and (mask.shape != wanted or mask.dtype != np.bool_):
            problems.append(
                f"mask of {name} must be {wanted[0]} x {wanted[1]} booleans (filters x input channels), "
                f"not {' x '.join(map(str, mask.shape))} of {mask.dtype}"
            )
    return problems


def _key_problems(subject: str, wanted: list[str], given: Mapping[str, object]) -> list[str]:
    if set(given) == set(wanted):
        return []
    return [f"{subject} must name the layers {', '.join(wanted) or 'none'}, not {', '.join(given) or 'none'}"]


def _density_problems(subject: str, densities: Sequence[float]) -> list[str]:
    return [f"{subject} must be from 0 to 1, not {density}" for density in densities if not 0 <= density <= 1]
