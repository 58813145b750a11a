"""Settings of adaptive binarisation and of conversion that cannot be had together with others."""

from collections.abc import Iterator

from searchspaces.document import Document
from searchspaces.errors import Problem, shown
from searchspaces.network import EXPLICIT, WEIGHT_BITS, NetworkSpace


def binarisation_contradictions(document: Document, network: NetworkSpace) -> Iterator[Problem]:
    """Nothing that the accuracy loss estimator could make binary, or too little for the share to be saved."""
    if network.binarize == (EXPLICIT,):
        return
    widest = max((WEIGHT_BITS[choice] for layer in network.layers[1:] for choice in layer.weights), default=1)
    if widest == 1:
        where = document.where("network", "binarize")
        rule = f"be {EXPLICIT} where no layer between the first and the classifier has more than one weight bit"
        fix = "drop it or give such a layer weights = 4"
        yield Problem("network.binarize", rule, shown(network.binarize), where, fix)
    elif "ale" in network.binarize and max(network.ale_saving) >= 1 - 1 / widest:
        where = document.where("network", "ale_saving")
        rule = f"be below {1 - 1 / widest:g}, what binary instead of {widest}-bit weights save"
        fix = "save less or give layers more weight bits"
        yield Problem("network.ale_saving", rule, shown(max(network.ale_saving)), where, fix)


def conversion_contradictions(document: Document, network: NetworkSpace, indices: tuple[int, ...]) -> Iterator[Problem]:
    """A rectified unit has one threshold, needs the soft reset, and is trained without time steps."""
    if network.route == ("stbp",):
        return
    alone = "stbp" not in network.route
    if not network.images.static_input:
        where = document.where("network", "route")
        rule = "be stbp on event data: a CNN sees one frame where the network sees several"
        yield Problem("network.route", rule, shown(network.route), where, "drop it")
    for layer, index in zip(network.layers, indices, strict=True):
        if layer.dual_threshold == (True,) or (alone and True in layer.dual_threshold):
            where = document.where("network", "layers", index, "dual_threshold")
            rule = f"{'be' if alone else 'allow'} false under route conversion: a rectified unit has one threshold"
            value = shown(layer.dual_threshold)
            yield Problem(f"{layer.name}.dual_threshold", rule, value, where, 'drop it or write route = "stbp"')
    if alone and max(network.first_stage_timesteps) > 1:
        where = document.where("network", "first_stage_timesteps")
        rule = "be left out under route conversion, which trains without time steps"
        value = shown(network.first_stage_timesteps)
        yield Problem("network.first_stage_timesteps", rule, value, where, "drop it")
    if max(network.timesteps) > 1 and "soft" not in network.reset:
        where = document.where("network", "reset")
        rule = "allow soft under route conversion: what a hard reset throws away is activation"
        yield Problem("network.reset", rule, shown(network.reset), where, 'write reset = "soft"')
    elif alone and len(network.reset) > 1:
        where = document.where("network", "reset")
        rule = "be soft alone under route conversion"
        yield Problem("network.reset", rule, shown(network.reset), where, 'write reset = "soft"')
