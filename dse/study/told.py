"""What a sampler is told of a network or of a design, and under which names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dse.objectives import Objective
from dse.results.records import NetworkRecord
from dse.results.reference import Reference


@dataclass(frozen=True)
class Told:
    """The values of one study.

    With two objectives or more, those that depend on the machine become one: the hypervolume of the network's own front
    above the frozen reference point. So the sampler's problem keeps its size whatever the number of machine objectives.
    Beside it stand the network's own objectives on the axes of that hypervolume, decades below the reference, since a
    model of accuracy itself would see little between 95 and 98 %. Without a folded one, they are told as they are.

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
        if self.folded:
            return ["maximize"] * (len(self.plain) + 1)
        return ["maximize" if o.maximise else "minimize" for o in self.plain]

    @property
    def titles(self) -> list[str]:
        """Names of the values."""
        if not self.folded:
            return [o.column for o in self.plain]
        decades = [f"decades of {'error' if o.maximise else o.column} below the reference" for o in self.plain]
        return [*decades, f"own-front hypervolume over {', '.join(o.name for o in self.folded)}"]

    def gains(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Told values, ``n x m``, on axes whose hypervolume counts from 0: larger is better."""
        if self.folded:
            return values
        return self.reference.gains({o.column: values[:, i] for i, o in enumerate(self.plain)}, self.plain)

    def of_network(self, record: NetworkRecord) -> list[float]:
        """Values of a trained network; the own front of one that no allowed machine runs covers 0."""
        plain = self._plain({**self.reference.values, **record.best, **record.metrics})
        return plain + ([self.reference.volume(record.own_front.metrics, self.folded)] if self.folded else [])

    def of_design(self, metrics: dict[str, float] | None, network: dict[str, float]) -> list[float]:
        """Values of one network on one machine; the reference point's where the machine is not allowed (None)."""
        known = {**self.reference.values, **{k: v for k, v in network.items() if np.isfinite(v)}, **(metrics or {})}
        plain = self._plain(known)
        if not self.folded:
            return plain
        point = {o.column: np.array([known[o.column]]) for o in self.folded}
        return [*plain, self.reference.volume(point, self.folded) if metrics else 0.0]

    def _plain(self, metrics: Mapping[str, float]) -> list[float]:
        """The network's objectives as the sampler sees them."""
        if not self.folded or not self.plain:
            return [metrics[objective.column] for objective in self.plain]
        column = {o.column: np.array([metrics[o.column]]) for o in self.plain}
        return [float(gain) for gain in self.reference.gains(column, self.plain)[0]]


def told_of(objectives: Sequence[Objective], nested: bool, reference: Reference) -> Told:
    """What is told for these objectives: folded in a nested search of several, plain in a joint one."""
    if not nested or len(objectives) == 1:
        return Told(tuple(objectives), (), reference)
    folded = tuple(o for o in objectives if o.needs_machine)
    return Told(tuple(o for o in objectives if not o.needs_machine), folded, reference)
