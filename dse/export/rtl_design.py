"""What an exported RTL folder says of itself in ``design.json``: what it is, and what its simulation must show."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from costmodels.errors import InputError
from dse.results.typed import as_kind

FILE = "design.json"
FORMAT = 2


class RtlFolderError(InputError):
    """A folder that `dse export --to rtl` did not write, or that lacks something since."""


@dataclass(frozen=True)
class LayerDesign:
    """One layer, for one image.

    Attributes:
        name: as in the network.
        words: words that the testbench compares: stored strips, or the classifier's scores.
        spikes: stored spikes in these words; 0 for scores.
        cycles: that the cost model predicts.
    """

    name: str
    words: int
    spikes: int
    cycles: int


@dataclass(frozen=True)
class Design:
    """One network on one machine as RTL.

    Attributes:
        name: of the core, a Verilog identifier.
        title: study and point, for people.
        network, machine: in words.
        clock_mhz: of the technology.
        images: that the testbench runs.
        layers: in order.
        module_ge: gate equivalents that the cost model predicts for each module, without those inside it.
    """

    name: str
    title: str
    network: str
    machine: str
    clock_mhz: float
    images: int
    layers: tuple[LayerDesign, ...]
    module_ge: dict[str, float]

    @property
    def cycles(self) -> int:
        """Of one image."""
        return sum(layer.cycles for layer in self.layers)


def write_design(design: Design, folder: Path) -> None:
    """Write ``design.json``."""
    plain = {"format": FORMAT, "kind": "rtl", **asdict(design)}
    (folder / FILE).write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_design(folder: Path) -> Design:
    """The design of an exported folder.

    Raises:
        RtlFolderError: no folder, or none that `dse export --to rtl` wrote, or of another version.
    """
    path = folder / FILE
    try:
        return _design(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        what = "a folder without design.json" if folder.is_dir() else "missing"
        raise RtlFolderError(f"{folder} must be a folder written by dse export --to rtl, not {what}") from None
    except NotADirectoryError:
        raise RtlFolderError(f"{folder} must be a folder written by dse export --to rtl, not a file") from None
    except (OSError, ValueError, TypeError, LookupError, RecursionError) as error:
        raise RtlFolderError(f"{path} must be as dse export --to rtl wrote it, not damaged: {error!r}") from error


def _design(plain: Mapping[str, Any]) -> Design:
    if (plain["kind"], plain["format"]) != ("rtl", FORMAT):
        raise ValueError(f"kind and format must be rtl and {FORMAT}, not {plain['kind']} and {plain['format']}")
    return as_kind(plain, Design)
