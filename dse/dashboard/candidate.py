"""One candidate in full: its network layer by layer, its machine block by block, and where cycles and energy go."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from costmodels.accelerator import AcceleratorConfig
from costmodels.workload import LayerWorkload, Workload
from dse.costing import TAPS, Breakdown, additions, price, technology_from
from dse.errors import StudyError
from dse.reporting.from_study import Study
from dse.reporting.report_data import Accuracies, Fidelity, LayerCycles, Point
from dse.results import NetworkRecord, StudyFolder
from dse.score import lowered
from searchspaces.genome import LayerGenome
from searchspaces.space import SearchSpace

BITS_PER_BYTE = 8
MEGA_PER_GIGA = 1e3


class LayerView(NamedTuple):
    """One layer of a network.

    Attributes:
        maps_in, maps_out: channels, rows, columns; the output as it is stored, after pooling.
        thresholds: comparisons of a membrane; 0 in the classifier.
        kept: share of kernels left, 1 where nothing is pruned.
        firing_rates: share of set bits of the stored map at each time step; empty in the classifier.
    """

    name: str
    kind: str
    kernel: int
    pool: int
    weight_bits: int
    thresholds: int
    maps_in: tuple[int, int, int]
    maps_out: tuple[int, int, int]
    kept: float
    firing_rates: tuple[float, ...]


class RooflinePoint(NamedTuple):
    """One layer, or the whole network: additions per DRAM byte, and billion additions per second that it reaches."""

    name: str
    additions_per_byte: float
    giga_additions_per_s: float


class Roofline(NamedTuple):
    """What the machine allows, and what each layer reaches.

    Attributes:
        peak_giga_additions_per_s: every adder busy in every cycle.
        gigabytes_per_s: of the DRAM port.
        points: the whole network first.
    """

    peak_giga_additions_per_s: float
    gigabytes_per_s: float
    points: tuple[RooflinePoint, ...]


@dataclass(frozen=True, eq=False)
class Trained:
    """A network of a study with its masks, on one machine, at one fidelity."""

    study: Study
    record: NetworkRecord
    machine: AcceleratorConfig
    point_id: str

    @property
    def workload(self) -> Workload:
        """Of one inference, with measured activity."""
        return lowered(self.record.genome, self.record.score, self.point_id)

    def priced(self, machine: AcceleratorConfig | None = None) -> Breakdown:
        """On its own machine, or on another one."""
        on = machine or self.machine
        words = "measured in the training run"
        return price(self.point_id, self.record.genome, self.workload, on, self.study.technology, words)


@dataclass(frozen=True, eq=False)
class CandidateView:
    """Everything the page of a candidate shows.

    Attributes:
        study, id: as `dse show` takes them.
        fidelity, fidelities: of the training behind the costs, and those there are.
        breakdown: layer by layer, by today's cost model.
        layers, roofline: see there.
        accuracies: what was measured at each fidelity.
        commands: what to run next, with its purpose.
    """

    study: str
    id: str
    fidelity: str
    fidelities: tuple[str, ...]
    breakdown: Breakdown
    layers: tuple[LayerView, ...]
    roofline: Roofline
    accuracies: Mapping[Fidelity, Accuracies]
    commands: tuple[tuple[str, str], ...]

    @property
    def totals(self) -> dict[str, float]:
        """Metric column to its value, of those that the cost model gives."""
        report = self.breakdown.report
        return {
            "energy_uj": report.energy_uj,
            "latency_ms": report.latency_ms,
            "area_mm2": report.total_area_mm2,
            "edp_uj_ms": report.edp_uj_ms,
            "dram_kib": report.dram_kib,
        }

    @property
    def point(self) -> Point:
        """The candidate as the figures of the report take it."""
        found = self.breakdown
        layers = tuple(LayerCycles(x.name, x.compute_cycles, x.stall_cycles, x.fill_cycles) for x in found.layers)
        parts = {"energy_uj": found.energy_uj, "area_mm2": found.report.area_mm2, "layers": layers}
        return Point(self.id, found.network, found.machine, self.totals, self.accuracies, **parts)  # type: ignore[arg-type]


def study_of(folder: StudyFolder) -> Study:
    """The study without the masks of its short runs, which `trained` reads where they are needed."""
    return Study(
        folder=folder,
        networks={record.number: record for record in folder.networks()},
        refined={record.number: record for record in folder.refined(masks=True)},
        tests=folder.test_scores(),
        failures=folder.failures(),
        technology=technology_from(folder.manifest.technology),
    )


def trained(study: Study, point_id: str, fidelity: str = "short") -> Trained:
    """The network and machine of the id ``NETWORK-MACHINE``.

    Raises:
        StudyError: no such network, machine or fidelity.
    """
    number, _, index = point_id.partition("-")
    machines = SearchSpace.from_dict(study.folder.manifest.space).accelerator.enumerate()
    records = study.refined if fidelity == "refined" else study.networks
    if fidelity not in ("short", "refined") or not number.isdecimal() or int(number) not in records:
        what = "a refined network" if fidelity == "refined" else "a trained network"
        raise StudyError(
            f"candidate must be {what} on a machine, such as 3-120, not {point_id!r} ({study.folder.name})"
        )
    if not index.isdecimal() or int(index) >= len(machines):
        raise StudyError(f"machine must be a number from 0 to {len(machines) - 1}, not {index!r} ({point_id})")
    record = records[int(number)]
    if fidelity == "short":
        record = replace(record, score=replace(record.score, masks=study.folder.masks(record)))
    return Trained(study, record, machines[int(index)], f"{int(number)}-{int(index)}")


def candidate_view(study: Study, point_id: str, fidelity: str = "short") -> CandidateView:
    """The page of one candidate.

    Raises:
        StudyError: no such network, machine or fidelity.
    """
    found = trained(study, point_id, fidelity)
    work, breakdown = found.workload, found.priced()
    fidelities = ("short", "refined") if found.record.number in study.refined else ("short",)
    layers = zip(found.record.genome.layers, work.layers, strict=True)
    rates = found.record.score.firing_rates
    return CandidateView(
        study=study.folder.name,
        id=found.point_id,
        fidelity=fidelity,
        fidelities=fidelities,
        breakdown=breakdown,
        layers=tuple(_layer(genome, layer, rates) for genome, layer in layers),
        roofline=roofline(breakdown, work),
        accuracies=study.accuracies(found.record.number),
        commands=commands(study, found.point_id, fidelities),
    )


def _layer(genome: LayerGenome, work: LayerWorkload, rates: Mapping[str, tuple[float, ...]]) -> LayerView:
    kernels = work.filters * work.in_channels
    return LayerView(
        name=genome.name,
        kind=genome.kind,
        kernel=genome.kernel,
        pool=genome.pool,
        weight_bits=work.weight_bits,
        thresholds=(1 + genome.dual_threshold) * genome.spiking,
        maps_in=(work.in_channels, work.in_height, work.in_width),
        maps_out=(work.out_channels, work.stored_height, work.stored_width),
        kept=work.kept_kernels / kernels,
        firing_rates=tuple(rates.get(genome.name, ())),
    )


def roofline(breakdown: Breakdown, work: Workload) -> Roofline:
    """Limits of the machine, and what the network and each layer with DRAM traffic reaches; none if infeasible."""
    report = breakdown.report
    technology, config = report.technology, report.config
    giga_per_cycle = technology.clock_mhz / MEGA_PER_GIGA
    peak = config.vector_width * config.channel_lanes * TAPS * giga_per_cycle
    done = [float(additions(layer, work.timesteps)) for layer in work.layers]
    rows = [("whole network", sum(done), report.total_cycles, sum(report.dram_bits))]
    cycles = (layer.cycles for layer in breakdown.layers)
    rows += zip(report.layers, done, cycles, report.dram_bits, strict=True)
    points = tuple(
        RooflinePoint(name, adds * BITS_PER_BYTE / bits, adds / spent * giga_per_cycle)
        for name, adds, spent, bits in rows
        if bits and spent
    )
    return Roofline(peak, technology.dram_bytes_per_cycle * giga_per_cycle, points)


def commands(study: Study, point_id: str, fidelities: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Commands of this program that say more of the candidate, or go on from it."""
    path = shlex.quote(str(study.folder.path))
    refined = [(f"dse show {path} {point_id} --refined", "the same after the longer training")]
    longest = " --refined" * ("refined" in fidelities)
    export = f"dse export {path} {point_id}{longest} --to"
    return (
        (f"dse show {path} {point_id}", "this candidate, layer by layer, on the terminal"),
        *(refined * ("refined" in fidelities)),
        (f"dse show {path} {point_id} --json", "the same for a script"),
        (f"dse recost {path} --dram 4.6", "every network of the study under another DRAM, without training"),
        (f"dse report {path}", "the report of the study as one page"),
        (f"{export} training -o {point_id}-training", "its weights, a model in plain torch, samples and configuration"),
        (f"dse train {point_id}-training/config.toml", "that training again, or another after a change of the file"),
        (f"{export} nir -o {point_id}-nir", "a NIR graph with its spikes, where NIR has words for the network"),
        (f"{export} rtl -o {point_id}-rtl", "SystemVerilog of network and machine, where the core runs them"),
        (f"dse verify {point_id}-rtl", "that SystemVerilog simulated against the integer network"),
    )


def machine_axes(study: Study) -> dict[str, tuple[Any, ...]]:
    """Field of a machine to the choices that the study's space gives it."""
    space = SearchSpace.from_dict(study.folder.manifest.space).accelerator
    return {gene.name: gene.choices for gene in space.genes}
