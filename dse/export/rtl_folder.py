"""A trained network on one machine of its study as a folder to lint, simulate and synthesise."""

import re
from pathlib import Path

from costmodels.accelerator import AcceleratorBatch
from costmodels.features import Features
from costmodels.logic_area import synthesised, term_values
from costmodels.schedule import count
from costmodels.technology import Technology
from dse.costing import Breakdown, price_trained, technology_from
from dse.export.core_image import CoreImage, lay_out
from dse.export.golden_stores import stored_words
from dse.export.machine_order import UnsupportedNetworkError
from dse.export.rtl_design import Design, LayerDesign, write_design
from dse.export.rtl_export import write_core
from dse.export.rtl_parameters import parameters
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
    images = trained.dataset().validation.images[:IMAGES]
    write_core(image, images, folder, technology.dram_bytes_per_cycle)
    write_synthesis(folder, parameters(image, IMAGES, technology.dram_bytes_per_cycle))
    described = design(image, priced, technology)
    write_design(described, folder)
    (folder / "README.md").write_text(readme(described, priced, trained), encoding="utf-8")
    (folder / f"{described.name}.core").write_text(fusesoc_core(described, folder), encoding="utf-8")
    (folder / f"{described.name}.sdc").write_text(constraints(described), encoding="utf-8")


def design(image: CoreImage, priced: Breakdown, technology: Technology) -> Design:
    """What the folder says of itself."""
    batch = AcceleratorBatch.of([image.config])
    schedule = count(image.work, batch, technology.dram_bytes_per_cycle)
    modules = synthesised(term_values(batch, Features.of(image.work)), "ge", by="module")
    cycles = schedule.events.cycles[0]
    stored = stored_words(image)
    stored[-1] = (image.work.layers[-1].out_channels, 0)
    names = [layer.name for layer in image.work.layers]
    return Design(
        name=identifier(priced.title),
        title=priced.title,
        network=priced.network,
        machine=priced.machine,
        clock_mhz=technology.clock_mhz,
        images=IMAGES,
        layers=tuple(
            LayerDesign(name, words, spikes, int(c))
            for name, (words, spikes), c in zip(names, stored, cycles, strict=True)
        ),
        module_ge={module: round(float(ge[0]), 1) for module, ge in modules.items() if ge[0]},
    )


def identifier(title: str) -> str:
    """A name that no tool stumbles over: ``snn_`` and the letters, digits and underscores of ``title``."""
    return "snn_" + re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
