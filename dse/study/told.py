"""What a sampler is told of a network or of a design, and under which names."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dse.objectives import Objective
from dse.results.records import NetworkRecord
from dse.results.reference import Reference


@dataclass(frozen=True)
class Told:
    """The values of one study.

    With two objectives or more, those that depend on the machine become one: the hypervolume of the network's own front
    above the frozen reference point. So the sampler's problem keeps its size whatever the number of machine objectives.
    A single objective, and those of the network, are told as they are.

    Attributes:
        plain: objectives told directly.
        folded: objectives told as the own front's hypervolume; empty for none.
        reference: frozen.
    """

    plain: tuple[Objective, ...]
    folded: tuple[Objective, ...]
    reference: Reference

    @property
    def directions(self) -> list[Literal["minimize", "maximize"]]:
        """In Optuna's words."""
        plain: list[Literal["minimize", "maximize"]] = ["maximize" if o.maximise else "minimize" for o in self.plain]
        return [*plain, "maximize"] if self.folded else plain

    @property
    def titles(self) -> list[str]:
        """Names of the values."""
        volume = [f"own-front hypervolume over {', '.join(o.name for o in self.folded)}"] if self.folded else []
        return [o.column for o in self.plain] + volume

    def of_network(self, record: NetworkRecord) -> list[float]:
        """Values of a trained network; the own front of one that no allowed machine runs covers 0."""
        best = {**self.reference.values, **record.best, **record.metrics}
        plain = [best[objective.column] for objective in self.plain]
        return plain + ([self.reference.volume(record.own_front.metrics, self.folded)] if self.folded else [])

    def of_design(self, metrics: dict[str, float] | None, network: dict[str, float]) -> list[float]:
        """Values of one network on one machine; the reference point's where the machine is not allowed (None)."""
        known = {**self.reference.values, **{k: v for k, v in network.items() if np.isfinite(v)}, **(metrics or {})}
        plain = [known[objective.column] for objective in self.plain]
        if not self.folded:
            return plain
        point = {o.column: np.array([known[o.column]]) for o in self.folded}
        return [*plain, self.reference.volume(point, self.folded) if metrics else 0.0]


def told_of(objectives: Sequence[Objective], nested: bool, reference: Reference) -> Told:
    """What is told for these objectives: folded in a nested search of several, plain in a joint one."""
    if not nested or len(objectives) == 1:
        return Told(tuple(objectives), (), reference)
    folded = tuple(o for o in objectives if o.needs_machine)
    return Told(tuple(o for o in objectives if not o.needs_machine), folded, reference)
