"""One network on one machine, priced layer by layer: for `dse cost`, `dse show` and the report."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from costmodels.accelerator import AcceleratorBatch, AcceleratorConfig
from costmodels.report import CostReport
from costmodels.technology import NodeScaling, Technology
from costmodels.workload import LayerWorkload, Workload
from dse.errors import StudyError
from dse.results.typed import as_kind
from dse.score import NetworkScore, lowered
from dse.words import machine_words, network_words
from searchspaces.genome import NetworkGenome

PJ_PER_UJ = 1e6
BITS_PER_KIB = 8 * 1024
TAPS = 9
"""Weights that a lane holds at once: a window of 3 x 3."""


@dataclass(frozen=True)
class PricedLayer:
    """One layer; ``utilisation`` is the share of the array's adders and cycles that had a weight to add."""

    name: str
    compute_cycles: float
    stall_cycles: float
    fill_cycles: float
    energy_uj: float
    dram_kib: float
    utilisation: float

    @property
    def cycles(self) -> float:
        """All cycles."""
        return self.compute_cycles + self.stall_cycles + self.fill_cycles


@dataclass(frozen=True)
class Breakdown:
    """One network on one machine.

    Attributes:
        title, network, machine: in words.
        activity: where firing rates and masks come from.
        report: of the cost model.
        layers: in order.
    """

    title: str
    network: str
    machine: str
    activity: str
    report: CostReport
    layers: tuple[PricedLayer, ...]

    @property
    def energy_uj(self) -> dict[str, float]:
        """Term to energy of one inference."""
        return {term: sum(layers) / PJ_PER_UJ for term, layers in self.report.energy_pj.items()}

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; what an infeasible machine has no value of is null."""
        report = {**self.report.to_dict(), "utilisation": [layer.utilisation for layer in self.layers]}
        words = {"title": self.title, "network": self.network, "machine": self.machine, "activity": self.activity}
        plain: dict[str, Any] = _without_nan({**words, **report})
        return plain


def _without_nan(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _without_nan(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_without_nan(value) for value in data]
    return None if isinstance(data, float) and math.isnan(data) else data


def price_file(path: Path, technology: str | None, dram_pj_per_bit: float | None) -> Breakdown:
    """The candidate of a TOML file, priced under its own technology unless another is named.

    Raises:
        InputError: the file, the technology or a value cannot be used.
    """
    from dse.study.pricing import technology_of
    from searchspaces.candidate import load_candidate, workload

    candidate = load_candidate(path)
    settings = technology_of(candidate.technology, technology, dram_pj_per_bit)
    source = candidate.activity.source if candidate.activity else "none"
    return price(candidate.name, candidate.network, workload(candidate), candidate.accelerator, settings, source)


def price_trained(
    title: str, genome: NetworkGenome, score: NetworkScore, machine: AcceleratorConfig, technology: Technology
) -> Breakdown:
    """A trained network on a machine, with its measured activity and exact masks."""
    return price(title, genome, lowered(genome, score, title), machine, technology, "measured in the training run")


def price(
    title: str, genome: NetworkGenome, work: Workload, machine: AcceleratorConfig, technology: Technology, activity: str
) -> Breakdown:
    """A workload on one machine."""
    from costmodels.evaluate import evaluate

    report = evaluate(work, AcceleratorBatch.of([machine]), technology).row(0)
    layers = tuple(_layer(report, work, index) for index in range(len(work.layers)))
    words = network_words(genome, _binarised(genome, work))
    return Breakdown(title, words, machine_words(machine), activity, report, layers)


def _binarised(genome: NetworkGenome, work: Workload) -> list[str]:
    """Layers whose weights have fewer bits in the workload than the genome gives them."""
    return [
        layer.name
        for layer, done in zip(genome.layers, work.layers, strict=True)
        if done.weight_bits < layer.weight_bits
    ]


def _layer(report: CostReport, work: Workload, index: int) -> PricedLayer:
    layer = work.layers[index]
    compute, stall, fill = (report.cycles[cause][index] for cause in ("compute", "stall", "fill"))
    adders = report.config.vector_width * report.config.channel_lanes * TAPS
    capacity = adders * (compute + stall + fill)
    return PricedLayer(
        name=layer.name,
        compute_cycles=compute,
        stall_cycles=stall,
        fill_cycles=fill,
        energy_uj=sum(term[index] for term in report.energy_pj.values()) / PJ_PER_UJ,
        dram_kib=report.dram_bits[index] / BITS_PER_KIB,
        utilisation=additions(layer, work.timesteps) / capacity if capacity else 0.0,
    )


def additions(layer: LayerWorkload, timesteps: int) -> float:
    """Additions of a kept weight bit under an input bit, set or not, for the outputs that are stored."""
    positions = layer.stored_height * layer.stored_width * layer.pool**2
    steps = 1 if layer.static_input else timesteps
    return layer.kept_kernels * layer.kernel**2 * positions * layer.weight_bits * layer.input_bits * steps


def technology_from(data: dict[str, Any]) -> Technology:
    """The technology that a study's manifest holds, every constant as it was then.

    Older studies hold ``widths`` of small parts, which a machine now has from its network, and areas of cells and
    blocks of a drawn machine, whose factor says nothing of the synthesised one: these take today's factor.
    """
    default = Technology.default()
    settings = {name: value for name, value in data.items() if name not in ("nodes", "widths")}
    today = asdict(default)
    settings |= {part: today[part] for part in ("cells", "area") if set(data[part]) != set(today[part])}
    try:
        nodes = as_kind(data.get("nodes"), tuple[NodeScaling, ...])
    except ValueError as error:
        raise StudyError(f"nodes of the study's technology must be as they were written ({error})") from error
    return default.override({**settings, "nodes": nodes})
