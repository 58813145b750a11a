"""Genes that contradict each other: what no single key can tell."""

from collections.abc import Iterator

from searchspaces.document import Document
from searchspaces.errors import Problem, shown
from searchspaces.genome import SLICES
from searchspaces.machines import AcceleratorSpace
from searchspaces.method_contradictions import binarisation_contradictions, conversion_contradictions
from searchspaces.network import EXPLICIT, LayerSpace, NetworkSpace, smallest_maps
from searchspaces.shapes import removed_kernels


def contradictions(document: Document, network: NetworkSpace, indices: tuple[int, ...]) -> Iterator[Problem]:
    """Problems between the genes of a network; layer ``i`` of the space is layer ``indices[i]`` of the document."""
    yield from _rule_without_effect(document, network)
    yield from _uneven_frames(document, network)
    yield from _levels(document, network)
    yield from _nothing_to_readmit(document, network)
    yield from _nothing_to_flip(document, network)
    yield from _membrane_pooling(document, network)
    yield from binarisation_contradictions(document, network)
    yield from conversion_contradictions(document, network, indices)
    yield from _order_of_layers(document, network, indices)
    yield from _pools(document, network, indices)
    in_channels: tuple[int, ...] = network.images.input_shape[:1]
    for layer, index in zip(network.layers, indices, strict=True):
        yield from _dual_threshold(document, layer, index)
        yield from _prune_ratio(document, layer, index, max(in_channels))
        in_channels = layer.channels


def machine_contradictions(document: Document, accelerator: AcceleratorSpace) -> Iterator[Problem]:
    """Problems between the genes of an accelerator."""
    kib = accelerator.membrane_buffer_kib
    where = document.where("accelerator", "membrane_buffer_kib")
    subject = "accelerator.membrane_buffer_kib"
    if "outer" in accelerator.time_order and max(kib) == 0:
        fix = 'give it a size, or take "outer" out of accelerator.time_order'
        yield Problem(subject, 'have a choice above 0 under time_order "outer"', shown(kib), where, fix)
    if "outer" not in accelerator.time_order and kib != (0,):
        fix = 'leave it out, or add "outer" to accelerator.time_order'
        yield Problem(subject, 'be 0 without time_order "outer"', shown(kib), where, fix)


def _rule_without_effect(document: Document, network: NetworkSpace) -> Iterator[Problem]:
    pools = any(max(layer.pool) > 1 for layer in network.layers)
    cases = {
        "pooling": (pools, "where no layer pools", "give a layer pool = 2"),
        "reset": (max(network.timesteps) > 1, "at one time step, which never uses the membrane again", "allow more"),
        "ale_saving": ("ale" in network.binarize, 'without binarize = "ale"', 'add "ale" to network.binarize'),
        "ale_loss": (
            "ale-loss" in network.binarize,
            'without binarize = "ale-loss"',
            'add "ale-loss" to network.binarize',
        ),
    }
    for key, (used, condition, other) in cases.items():
        choices = getattr(network, key)
        if len(choices) > 1 and not used:
            where = document.where("network", key)
            yield Problem(f"network.{key}", f"be left out {condition}", shown(choices), where, f"drop it or {other}")
    if len(network.classifier.kernel) > 1 and "gap" not in network.head:
        where = document.where("network", "classifier", "kernel")
        rule = 'be left out under head "fc" alone'
        fix = 'drop it or add "gap" to network.head'
        yield Problem("classifier.kernel", rule, shown(network.classifier.kernel), where, fix)


def _uneven_frames(document: Document, network: NetworkSpace) -> Iterator[Problem]:
    """A frame of events is made of whole time slices."""
    for key in () if network.images.static_input else ("timesteps", "first_stage_timesteps"):
        uneven = [steps for steps in getattr(network, key) if SLICES % steps]
        if uneven:
            where = document.where("network", key)
            rule = f"divide the {SLICES} time slices of an event recording"
            yield Problem(f"network.{key}", rule, shown(uneven), where, "take 1, 2, 4 or 8")


def _levels(document: Document, network: NetworkSpace) -> Iterator[Problem]:
    """A strength is what is subtracted, so there is nothing but the soft reset."""
    several = [levels for levels in network.levels if levels > 1]
    where = document.where("network", "reset")
    if several and max(network.timesteps) > 1 and "soft" not in network.reset:
        rule = f"allow soft where levels may be {', '.join(map(str, several))}: a strength is what is subtracted"
        yield Problem("network.reset", rule, shown(network.reset), where, 'write reset = "soft"')
    if several and 1 not in network.levels and len(network.reset) > 1:
        rule = "be soft alone where levels are never 1: a strength is what is subtracted"
        yield Problem("network.reset", rule, shown(network.reset), where, 'write reset = "soft"')


def _nothing_to_readmit(document: Document, network: NetworkSpace) -> Iterator[Problem]:
    if True in network.dynamic_pruning and not any(max(layer.prune_ratio) for layer in network.layers):
        where = document.where("network", "dynamic_pruning")
        rule = "be left out where no layer is pruned"
        yield Problem(
            "network.dynamic_pruning",
            rule,
            shown(network.dynamic_pruning),
            where,
            "drop it or give a layer a prune_ratio",
        )


def _nothing_to_flip(document: Document, network: NetworkSpace) -> Iterator[Problem]:
    weights = [*network.classifier.weights, *(choice for layer in network.layers for choice in layer.weights)]
    if True in network.bwo and "binary" not in weights and network.binarize == (EXPLICIT,):
        where = document.where("network", "bwo")
        fix = 'drop it or give a layer weights = "binary"'
        yield Problem("network.bwo", "be left out where no layer is binary", shown(network.bwo), where, fix)


def _membrane_pooling(document: Document, network: NetworkSpace) -> Iterator[Problem]:
    if "membrane" in network.pooling and max(network.timesteps) == 1:
        where = document.where("network", "pooling")
        rule = 'be "or" instead of "membrane" at one time step, where both pass the same spikes'
        yield Problem("network.pooling", rule, shown(network.pooling), where, 'write "or" or allow more steps')


def _order_of_layers(document: Document, network: NetworkSpace, indices: tuple[int, ...]) -> Iterator[Problem]:
    kinds = [layer.kind for layer in network.layers]
    for position, (layer, index) in enumerate(zip(network.layers, indices, strict=True)):
        where = document.where("network", "layers", index)
        if layer.kind == "conv" and "fc" in kinds[:position]:
            yield Problem(layer.name, "stand before every fc layer", "", where, "move it up")
        if layer.kind == "fc" and "fc" not in network.head:
            fix = 'add "fc" to network.head or drop the layer'
            yield Problem(layer.name, 'be left out under head "gap" alone', '"fc"', where, fix)
    if kinds and "conv" not in kinds and "gap" in network.head:
        fix = 'add a conv layer or take "gap" out of network.head'
        yield Problem(
            "network.layers", 'have a conv layer under head "gap"', "", document.where("network", "head"), fix
        )


def _pools(document: Document, network: NetworkSpace, indices: tuple[int, ...]) -> Iterator[Problem]:
    maps = smallest_maps(network.images, network.layers)
    for layer, index, (height, width) in zip(network.layers, indices, maps, strict=True):
        edge = min(height, width)
        if max(layer.pool) > edge:
            where = document.where("network", "layers", index, "pool")
            rule = f"be at most {edge} on the {height} x {width} map that earlier strides and pools may leave"
            fix = "pool or stride less in this layer or before"
            yield Problem(f"{layer.name}.pool", rule, shown(max(layer.pool)), where, fix)


def _dual_threshold(document: Document, layer: LayerSpace, index: int) -> Iterator[Problem]:
    odd = [channels for channels in layer.channels if channels % 2]
    forced = layer.dual_threshold == (True,)
    if True in layer.dual_threshold and odd and (forced or not layer.even_channels):
        where = document.where("network", "layers", index, "dual_threshold")
        rule = f"be false where {layer.name}.channels is odd ({', '.join(map(str, odd))})"
        yield Problem(f"{layer.name}.dual_threshold", rule, "true", where, "make the channels even or drop it")


def _prune_ratio(document: Document, layer: LayerSpace, index: int, in_channels: int) -> Iterator[Problem]:
    kernels = max(layer.channels) * in_channels
    for ratio in layer.prune_ratio:
        if ratio and not removed_kernels(ratio, kernels):
            where = document.where("network", "layers", index, "prune_ratio")
            rule = f"be 0 or remove at least one of at most {kernels} kernels"
            yield Problem(
                f"{layer.name}.prune_ratio", rule, shown(ratio), where, f"use 0 or {1 / kernels:.3g} and more"
            )
