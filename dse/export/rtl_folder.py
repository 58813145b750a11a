"""A trained network on one machine of its study as a folder to lint, simulate and synthesise."""

import re
from pathlib import Path

from costmodels.accelerator import AcceleratorBatch, AcceleratorConfig
from costmodels.occupancy import occupancies
from costmodels.schedule import count
from costmodels.technology import Technology
from costmodels.workload import Workload
from dse.costing import Breakdown, price_trained, technology_from
from dse.export.machine_order import UnsupportedNetworkError
from dse.export.rtl_design import Design, LayerDesign, write_design
from dse.export.rtl_export import CoreImage, lay_out, parameters, stores, write_core
from dse.export.rtl_synthesis import write_synthesis
from dse.export.rtl_texts import constraints, fusesoc_core, readme
from dse.export.trained import TrainedNetwork

IMAGES = 3
"""Real images whose every stored spike and score the testbench compares."""


def write_rtl(trained: TrainedNetwork, folder: Path) -> None:
    """Fill ``folder``.

    Raises:
        InputError: the machine cannot run the network, or not as RTL (all reasons at once); or data are missing.
    """
    assert trained.machine is not None  # the command asks for NETWORK-MACHINE
    technology = technology_from(trained.study.manifest.technology)
    title = f"{trained.study.name} {trained.point}"
    priced = price_trained(title, trained.record.genome, trained.score, trained.machine, technology)
    if not priced.report.feasible:
        raise UnsupportedNetworkError("\n".join(map(str, priced.report.reasons)))
    image = lay_out(trained.integer_network, trained.machine)
    reject_beyond_core(image.work, trained.machine)
    images = trained.dataset().validation.images[:IMAGES]
    write_core(image, images, folder)
    write_synthesis(folder, parameters(image, IMAGES))
    described = design(image, priced, technology)
    write_design(described, folder)
    (folder / "README.md").write_text(readme(described, priced, trained), encoding="utf-8")
    (folder / f"{described.name}.core").write_text(fusesoc_core(described, folder), encoding="utf-8")
    (folder / f"{described.name}.sdc").write_text(constraints(described), encoding="utf-8")


def reject_beyond_core(work: Workload, config: AcceleratorConfig) -> None:
    """Refuse what needs more than the compute core: everything lies on chip, in one tile.

    Raises:
        UnsupportedNetworkError: all reasons at once, each naming the feature.
    """
    groups = occupancies(work, config)
    reasons = []
    if len(groups) > 1:
        reasons.append(
            f"fusion_depth must be at least {len(work.layers)} in exported RTL, not {config.fusion_depth}: "
            "maps between groups of layers do not travel through DRAM there yet"
        )
    for group in groups:
        if group.tiles != 1:
            reasons.append(f"tiles must be 1 in exported RTL, not {group.tiles} (layers {group.group})")
        if not group.resident:
            reasons.append(
                f"weights must be resident in exported RTL, not streamed: {group.weight_demand_bits} bits, bound "
                f"{group.weight_bound_bits} (layers {group.group})"
            )
    if reasons:
        raise UnsupportedNetworkError("\n".join(reasons))


def design(image: CoreImage, priced: Breakdown, technology: Technology) -> Design:
    """What the folder says of itself."""
    schedule = count(image.work, AcceleratorBatch.of([image.config]), technology.dram_bytes_per_cycle)
    cycles = schedule.events.compute_cycles[0]
    words = [*stores(image), image.work.layers[-1].out_channels]
    spikes = [
        layer.out_channels * rows * layer.stored_width * image.network.timesteps if layer.spiking else 0
        for layer, rows in zip(image.work.layers, image.rows, strict=True)
    ]
    names = [layer.name for layer in image.work.layers]
    return Design(
        name=identifier(priced.title),
        title=priced.title,
        network=priced.network,
        machine=priced.machine,
        clock_mhz=technology.clock_mhz,
        images=IMAGES,
        layers=tuple(
            LayerDesign(name, int(w), int(s), int(c))
            for name, w, s, c in zip(names, words, spikes, cycles, strict=True)
        ),
    )


def identifier(title: str) -> str:
    """A name that no tool stumbles over: ``snn_`` and the letters, digits and underscores of ``title``."""
    return "snn_" + re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
