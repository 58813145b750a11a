"""A simulation of an exported folder beside what its design says: spikes, mismatches, cycles of each layer."""

import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dse.export.rtl_design import Design, LayerDesign, RtlFolderError, read_design
from dse.export.rtl_export import MEMORY_MODEL, TESTBENCH
from dse.export.rtl_simulate import LayerResult, SimulationResult, Simulator, simulate

TIMEOUT_S = 3600.0


@dataclass(frozen=True)
class LayerVerdict:
    """One layer over all images.

    Attributes:
        name: of the layer.
        words: compared, strips of spikes or scores; ``expected_words`` should have been.
        spikes: compared; 0 for scores.
        mismatches: words that differ.
        measured, predicted: cycles.
    """

    name: str
    words: int
    expected_words: int
    spikes: int
    mismatches: int
    measured: int
    predicted: int

    @property
    def difference(self) -> int:
        """Cycles measured beyond those predicted."""
        return self.measured - self.predicted


@dataclass(frozen=True)
class Verdict:
    """What `verify` found.

    Attributes:
        title: of the design.
        simulator: that ran it.
        images: that it ran.
        errors: of the testbench: mismatches, and one for missing or surplus words.
        layers: in order.
    """

    title: str
    simulator: Simulator
    images: int
    errors: int
    layers: tuple[LayerVerdict, ...]

    @property
    def sound(self) -> bool:
        """Every spike, score and cycle is as predicted, and something was compared at all."""
        compared = all(layer.words == layer.expected_words > 0 for layer in self.layers)
        return compared and self.errors == 0 and not any(layer.difference for layer in self.layers)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        layers = [{**vars(layer), "difference": layer.difference} for layer in self.layers]
        return {**vars(self), "layers": layers, "sound": self.sound}


def verify(folder: Path, simulator: Simulator) -> Verdict:
    """Simulate a copy of ``folder``, which stays as it is.

    Raises:
        InputError: it is no exported folder, lacks a file, or the simulator fails.
    """
    design = read_design(folder)
    reject_incomplete(folder)
    with tempfile.TemporaryDirectory(prefix="dse-verify-") as copy:
        for path in folder.iterdir():
            if path.is_file():
                shutil.copy(path, copy)
        return judge(design, simulate(Path(copy), simulator, TIMEOUT_S), simulator)


def reject_incomplete(folder: Path) -> None:
    """Refuse a folder without one of its sources.

    Raises:
        RtlFolderError: all missing files at once.
    """
    try:
        sources = (folder / "core.f").read_text(encoding="utf-8").split()
    except OSError:
        sources = []
    wanted = ["core.f", *sources, f"{MEMORY_MODEL}.sv", f"{TESTBENCH}.sv"]
    missing = [name for name in wanted if not (folder / name).is_file()]
    if missing:
        raise RtlFolderError(f"{folder} must have all its files, but lacks {', '.join(missing)}; export it again")


def judge(design: Design, result: SimulationResult, simulator: Simulator) -> Verdict:
    """The verdict on a simulation.

    Raises:
        RtlFolderError: the testbench ran other layers or images than the design has.
    """
    found, wanted = (result.images, len(result.layers)), (design.images, len(design.layers))
    if found != wanted:
        raise RtlFolderError(
            f"the testbench must run {wanted[0]} images through {wanted[1]} layers, not {found[0]} through {found[1]}; "
            "export the folder again"
        )
    layers = tuple(_judged(*pair, design.images) for pair in zip(design.layers, result.layers, strict=True))
    return Verdict(design.title, simulator, result.images, result.errors, layers)


def _judged(wanted: LayerDesign, found: LayerResult, images: int) -> LayerVerdict:
    expected = wanted.words * images
    return LayerVerdict(
        name=wanted.name,
        words=found.compared,
        expected_words=expected,
        spikes=wanted.spikes * images * found.compared // expected if expected else 0,
        mismatches=found.mismatches,
        measured=found.cycles,
        predicted=wanted.cycles * images,
    )


def totals(layers: Iterable[LayerVerdict]) -> LayerVerdict:
    """All layers together."""
    columns = zip(*(list(vars(layer).values())[1:] for layer in layers), strict=True)
    return LayerVerdict("in all", *map(sum, columns))
