"""Whether the layers of a workload can be one network on the machine: all contradictions at once."""

from collections.abc import Iterator

from costmodels.errors import ConfigurationError
from costmodels.workload import LayerWorkload, Workload, stored_weight_bits


def reject_inconsistent(workload: Workload) -> None:
    """Raise `ConfigurationError` with every contradiction between the fields of the layers, a line each."""
    layers = workload.layers
    reasons = [] if layers else ["layers must be at least 1, not 0"]
    for index, layer in enumerate(layers):
        before = layers[index - 1] if index else None
        reasons += [f"{text} (layer {layer.name})" for text in _shape(layer)]
        reasons += [f"{text} (layer {layer.name})" for text in _activity(layer, workload.timesteps)]
        reasons += [f"{text} (layer {layer.name})" for text in _place(layer, before, index + 1 == len(layers))]
    if reasons:
        raise ConfigurationError("\n".join(f"{reason}, workload {workload.name}" for reason in reasons))


def _shape(layer: LayerWorkload) -> Iterator[str]:
    if layer.kind == "fc":
        fixed = {"kernel": 1, "stride": 1, "padding": 0, "pool": 1, "out_height": 1, "out_width": 1}
        for name, value in fixed.items():
            if getattr(layer, name) != value:
                yield f"{name} must be {value} in a fully connected layer, not {getattr(layer, name)}"
        if layer.weight_bits != (bits := stored_weight_bits("fc", layer.weight_bits, layer.kept is not None)):
            yield f"weight_bits must be at least {bits} in a pruned fully connected layer, not {layer.weight_bits}"
        return
    for axis in ("height", "width"):
        size = (getattr(layer, f"in_{axis}") + 2 * layer.padding - layer.kernel) // layer.stride + 1
        if getattr(layer, f"out_{axis}") != size:
            yield f"out_{axis} must be {size} by kernel, stride and padding, not {getattr(layer, f'out_{axis}')}"
        if getattr(layer, f"stored_{axis}") < 1:
            yield f"pool must be at most out_{axis} {getattr(layer, f'out_{axis}')}, not {layer.pool}"
    if layer.padding >= layer.kernel:
        yield f"padding must be less than kernel {layer.kernel}, not {layer.padding}"


def _activity(layer: LayerWorkload, timesteps: int) -> Iterator[str]:
    steps = 1 if layer.static_input else timesteps
    if len(layer.input_density) != steps:
        yield f"input_density must have {steps} values, not {len(layer.input_density)}"
    if layer.kept is not None and layer.kept.shape != (layer.filters, layer.in_channels):
        yield f"kept must be {layer.filters} x {layer.in_channels}, not {' x '.join(map(str, layer.kept.shape))}"
    if (layer.levels + 1).bit_count() > 1:
        yield f"levels must be a power of two less one, which fills its bit planes, not {layer.levels}"
    if layer.dual_threshold and layer.out_channels % 2:
        yield f"out_channels must be even under a dual threshold, not {layer.out_channels}"
    if layer.dual_threshold and not layer.spiking:
        yield "dual_threshold must be False in a layer without neurons, not True"


def _place(layer: LayerWorkload, before: LayerWorkload | None, last: bool) -> Iterator[str]:
    if not layer.spiking and not last:
        yield "spiking must be True before the last layer, not False"
    if before is None:
        return
    if layer.static_input:
        yield "static_input must be False after the first layer, not True"
    if layer.input_bits != before.output_bits:
        yield f"input_bits must be {before.output_bits} as {before.name} stores, not {layer.input_bits}"
    stored = (before.out_channels, before.stored_height, before.stored_width)
    read = (layer.in_channels, layer.in_height, layer.in_width)
    if layer.kind == "conv" and stored != read:
        yield f"input must be {stored} channels, rows, columns as {before.name} stores, not {read}"
