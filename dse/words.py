"""Networks, machines and shares in words, as tables and pages show them."""

from collections.abc import Collection

from costmodels.accelerator import AcceleratorConfig
from dse.results.interval import wilson_interval
from searchspaces.genome import LayerGenome, NetworkGenome


def network_words(genome: NetworkGenome, binarised: Collection[str] = ()) -> str:
    """``conv1 8b 32ch, conv2 binary dual 64ch pool2, T=2, or-pool, fc binary``.

    Args:
        binarised: layers that the accuracy loss estimator (ALE) made binary.
    """
    *hidden, classifier = genome.layers
    pooled = any(layer.pool > 1 for layer in hidden)
    parts = [_layer_words(layer, layer.name in binarised) for layer in hidden]
    first = f" after T={genome.first_stage_timesteps}" if genome.first_stage_timesteps > 1 else ""
    parts += [f"T={genome.timesteps}{first}"] + [f"{genome.pooling}-pool"] * pooled
    parts += [f"levels={genome.levels}"] * (genome.levels > 1)
    parts += ["dynamic pruning"] * genome.dynamic_pruning + ["BWO"] * genome.bwo
    parts += [f"ALE saves {100 * genome.ale_saving:g}%"] * (genome.ale_saving > 0)
    parts += [f"ALE within {genome.ale_loss:g} nats"] * (genome.ale_loss > 0)
    parts += ["rounded"] * (genome.route == "rounded-conversion") + ["converted"] * genome.converted
    return ", ".join([*parts, f"{genome.head} {_weight_words(classifier)}"])


def _layer_words(layer: LayerGenome, binarised: bool) -> str:
    words = [layer.name, "binary (ALE)" if binarised else _weight_words(layer)]
    words += ["dual"] * layer.dual_threshold
    words += [f"{layer.channels}ch"]
    words += [f"{layer.kernel}x{layer.kernel}"] * (layer.kind == "conv" and layer.kernel != 3)
    words += [f"stride{layer.stride}"] * (layer.stride > 1)
    words += [f"pruned {100 * layer.prune_ratio:g}%"] * (layer.prune_ratio > 0)
    words += [f"pool{layer.pool}"] * (layer.pool > 1)
    return " ".join(words)


def _weight_words(layer: LayerGenome) -> str:
    return "binary" if layer.weight_bits == 1 else f"{layer.weight_bits}b"


def machine_words(machine: AcceleratorConfig) -> str:
    """``V=8 L=32 F=2 spike 64 KiB weight 32 KiB inner``; ``outer`` names its membrane buffer."""
    size = f"V={machine.vector_width} L={machine.channel_lanes} F={machine.fusion_depth}"
    buffers = f"spike {machine.spike_buffer_kib} KiB weight {machine.weight_buffer_kib} KiB"
    membranes = f" membrane {machine.membrane_buffer_kib} KiB" if machine.time_order == "outer" else ""
    return f"{size} {buffers}{membranes} {machine.time_order}"


def share_words(correct: int, samples: int) -> str:
    """``96.4 % (94.9 to 97.5)``: a share of samples with its 95 % interval (Wilson)."""
    low, high = wilson_interval(correct, samples)
    return f"{100 * correct / samples:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def amount(value: float, digits: int = 3) -> str:
    """``value`` to ``digits`` significant figures, thousands apart: 0, 0.0123, 4.50, 456, 12,345."""
    if value == 0:
        return "0"
    if abs(value) >= 10**digits - 0.5:
        return f"{value:,.0f}"
    return f"{value:#.{digits}g}".rstrip(".")


def part_words(part: str) -> str:
    """The name of an energy term or area block as a reader knows it: ``spike_sram`` is ``spike SRAM``."""
    words = part.replace("_", " ")
    for plain, proper in (("sram", "SRAM"), ("dram", "DRAM"), ("pe ", "PE "), ("if unit", "IF unit")):
        words = words.replace(plain, proper)
    return words
