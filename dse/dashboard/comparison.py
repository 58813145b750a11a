"""Up to four candidates side by side, and where they differ."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import NamedTuple

from dse.dashboard.candidate import CandidateView
from dse.objectives import BY_COLUMN
from dse.reporting.report_data import percent
from dse.reporting.theme import FIDELITY_WORDS
from dse.words import amount

MOST = 4


class ComparedRow(NamedTuple):
    """One property: its value in each candidate, in words, and whether they differ."""

    name: str
    values: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether the candidates are not all alike in this."""
        return len(set(self.values)) > 1


def compared(views: Sequence[CandidateView]) -> tuple[tuple[str, tuple[ComparedRow, ...]], ...]:
    """Groups of rows: accuracies, costs, machine, layers."""
    return (
        ("Accuracy, deployed", _accuracies(views)),
        ("Costs of one inference", _costs(views)),
        ("Machine", _machines(views)),
        ("Layers", _layers(views)),
    )


def _accuracies(views: Sequence[CandidateView]) -> tuple[ComparedRow, ...]:
    kinds = [kind for kind in FIDELITY_WORDS if any(kind in view.accuracies for view in views)]
    return tuple(
        ComparedRow(
            FIDELITY_WORDS[kind],
            tuple(
                percent(view.accuracies[kind].deployed) if kind in view.accuracies else "not measured"  # type: ignore[index]
                for view in views
            ),
        )
        for kind in kinds
    )


def _costs(views: Sequence[CandidateView]) -> tuple[ComparedRow, ...]:
    columns = list(views[0].totals)
    return tuple(ComparedRow(BY_COLUMN[c].title, tuple(amount(view.totals[c]) for view in views)) for c in columns)


def _machines(views: Sequence[CandidateView]) -> tuple[ComparedRow, ...]:
    machines = [asdict(view.breakdown.report.config) for view in views]
    return tuple(
        ComparedRow(name.replace("_kib", " (KiB)").replace("_", " "), tuple(str(machine[name]) for machine in machines))
        for name in machines[0]
    )


def _layers(views: Sequence[CandidateView]) -> tuple[ComparedRow, ...]:
    names = list(dict.fromkeys(layer.name for view in views for layer in view.layers))
    return tuple(ComparedRow(name, tuple(_layer_words(view, name) for view in views)) for name in names)


def _layer_words(view: CandidateView, name: str) -> str:
    layer = next((layer for layer in view.layers if layer.name == name), None)
    if layer is None:
        return "none"
    words = ["binary" if layer.weight_bits == 1 else f"{layer.weight_bits} bit"]
    words += ["dual threshold"] * (layer.thresholds > 1)
    words += [" x ".join(map(str, layer.maps_out))]
    words += [f"{100 * (1 - layer.kept):.3g} % pruned"] * (layer.kept < 1)
    if layer.firing_rates:
        words.append(f"fires {100 * sum(layer.firing_rates) / len(layer.firing_rates):.1f} %")
    return ", ".join(words)
