"""Nested search: networks are proposed, and every machine is priced for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optuna.distributions import BaseDistribution

from dse.results.records import NetworkRecord
from dse.study.encoding import decoded, distributions, encoded
from dse.study.mode import Answer
from dse.study.pricing import Priced
from dse.study.told import Told
from searchspaces.network import NetworkSpace


@dataclass(frozen=True, eq=False)
class Nested:
    """See `dse.study.mode.Mode`; ``constrained`` says whether the user set any bound."""

    space: NetworkSpace
    told: Told
    constrained: bool

    @property
    def distributions(self) -> dict[str, BaseDistribution]:
        """Of the network alone."""
        return distributions(self.space.genes)

    def network(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Active genes of the proposed network."""
        return decoded(self.space.genes, params)

    def with_network(self, params: Mapping[str, Any], network: Mapping[str, Any]) -> dict[str, Any]:
        """The proposal of that network."""
        return encoded(self.space.genes, network)

    def answer(self, trial: int, params: Mapping[str, Any], record: NetworkRecord) -> Answer:
        """Its own metrics and what its own front covers.

        One that no machine runs is worth the reference point, however accurate; with constraints, its violation tells.
        """
        if not record.feasible and not self.constrained:
            return Answer(self.told.of_design(None, {}), None)
        return Answer(self.told.of_network(record), self._violation(record.violation))

    def answer_untrained(self, params: Mapping[str, Any], priced: Priced) -> Answer:
        """The reference point."""
        return Answer(self.told.of_design(None, priced.network), self._violation(priced.violation))

    def _violation(self, violation: float) -> float | None:
        """Samplers want it from every trial or from none."""
        return violation if self.constrained else None
