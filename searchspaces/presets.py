"""The spaces shipped with the package, in one line each."""

from dataclasses import dataclass

from searchspaces.document import preset_names
from searchspaces.space import load_space


@dataclass(frozen=True)
class PresetSummary:
    """One preset: ``networks`` and ``machines`` are numbers of different ones."""

    name: str
    dataset: str
    description: str
    networks: int
    machines: int


def presets() -> list[PresetSummary]:
    """Every preset, sorted by name."""
    spaces = [load_space(name) for name in preset_names()]
    return [
        PresetSummary(s.name, s.dataset, s.description, s.network.combinations(), s.accelerator.combinations())
        for s in spaces
    ]
