"""A network laid out on a machine: its programs, its filters as words, its maps in buffers and DRAM."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from costmodels.accelerator import AcceleratorConfig
from costmodels.feasibility import infeasibilities
from costmodels.occupancy import occupancies
from costmodels.tiling import Group, groups, raster_order
from costmodels.workload import Workload
from dse.export.integer_network import IntegerNetwork
from dse.export.machine_filters import layer_words
from dse.export.machine_maps import place_maps
from dse.export.machine_order import (
    OrderedPart,
    UnsupportedNetworkError,
    ordered_parts,
    reject_unsupported,
    workload,
)
from dse.export.machine_passes import DramMap, PlacedGroup, filter_words, programs


@dataclass(frozen=True, eq=False)
class CoreImage:
    """All that the machine holds for one network.

    Attributes:
        network, config: what was laid out.
        work: its workload, in machine order.
        parts: its layers, in machine order.
        groups: its groups of layers with their places in buffers and DRAM.
        weights: words of all filters in DRAM.
        program, passes: words of the layer program and of the pass program.
    """

    network: IntegerNetwork
    config: AcceleratorConfig
    work: Workload
    parts: tuple[OrderedPart, ...]
    groups: tuple[PlacedGroup, ...]
    weights: tuple[int, ...]
    program: tuple[int, ...]
    passes: tuple[int, ...]

    @property
    def planes(self) -> int:
        """Bits of the widest stored element."""
        return max((layer.output_bits for layer in self.network.layers), default=1)

    @property
    def port_planes(self) -> int:
        """Bits of the widest element that crosses the port."""
        return max(dram.planes for one in self.groups for dram in (one.source, one.target) if dram)

    @property
    def dual(self) -> bool:
        """Some layer has two thresholds."""
        return any(one.maps == 2 for one in self.parts)

    @property
    def outer(self) -> bool:
        """A tile takes a pass for each of several steps."""
        return any(one.passes_of_tile > 1 for one in self.groups)

    @property
    def elements(self) -> int:
        """Elements of all maps in DRAM, every step of each but of an image."""
        last = self.groups[-1]
        return last.source.start + last.source_elements

    @property
    def input_elements(self) -> int:
        """Elements of one image, or of one recording's frames of all steps."""
        return self.groups[0].source_elements


def lay_out(network: IntegerNetwork, config: AcceleratorConfig) -> CoreImage:
    """The network in the words of the machine.

    Raises:
        UnsupportedNetworkError: the machine cannot hold it; all reasons at once.
    """
    reject_unsupported(network)
    parts, work = ordered_parts(network), workload(network)
    reject_unsuited(work, config)
    placed: list[PlacedGroup] = []
    weights: list[int] = []
    for group, occupancy in zip(groups(work, config.fusion_depth), occupancies(work, config), strict=True):
        placed.append(_placed(group, occupancy.rows_per_tile, occupancy.resident, parts, config, placed))
        for one, layer in zip(placed[-1].parts, group.layers, strict=True):
            weights += layer_words(one, layer, config.channel_lanes)
    program, passes = programs(placed)
    return CoreImage(network, config, work, parts, tuple(placed), tuple(weights), tuple(program), tuple(passes))


def _placed(
    group: Group,
    rows: int,
    resident: bool,
    parts: Sequence[OrderedPart],
    config: AcceleratorConfig,
    before: Sequence[PlacedGroup],
) -> PlacedGroup:
    own = parts[group.first : group.stop]
    last = group.layers[-1]
    source = before[-1].target if before else None
    first = group.layers[0]
    if source is None:
        source = DramMap(0, first.in_height, first.in_width, first.in_channels, first.input_bits)
    end = source.start + source.step_elements * (1 if first.static_input else group.timesteps)
    shape = (last.stored_height, last.stored_width, last.out_channels, last.output_bits)
    return PlacedGroup(
        group=group,
        parts=(_leading(own[0], parts[group.first - 1] if before else None, before), *own[1:]),
        rows=rows,
        resident=resident,
        steps=1 if config.time_order == "outer" else group.timesteps,
        maps=place_maps(group, rows, config),
        source=_flattened(source) if first.kind == "fc" else source,
        target=DramMap(end, *shape) if last.spiking else None,
        first_word=sum(one.words for one in before),
        first_filter=sum(one.filters for one in before),
        lengths=tuple(filter_words(group, config.channel_lanes)),
    )


def _flattened(source: DramMap) -> DramMap:
    """A map as the input of a fully connected layer: one long place."""
    return replace(source, rows=1, columns=1, channels=source.step_elements)


def _leading(one: OrderedPart, before: OrderedPart | None, placed: Sequence[PlacedGroup]) -> OrderedPart:
    """A layer that begins a group: a fully connected one reads its map in raster order."""
    if one.part.kind != "fc" or before is None:
        return one
    order = raster_order(placed[-1].group.layers[-1])
    part = replace(one.part, weights=one.part.weights[:, order])
    return replace(one, part=part, order=one.order[order])


def reject_unsuited(work: Workload, config: AcceleratorConfig) -> None:
    """Refuse a machine that cannot run the network.

    Raises:
        UnsupportedNetworkError: all reasons at once.
    """
    reasons = [str(reason) for reason in infeasibilities(work, config)]
    if reasons:
        raise UnsupportedNetworkError("\n".join(reasons))
