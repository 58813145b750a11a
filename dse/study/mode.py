"""What a nested and a joint search do differently."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from optuna.distributions import BaseDistribution

from dse.results.records import NetworkRecord
from dse.study.pricing import Priced
from dse.study.told import Told

Params = Mapping[str, Any]


class Answer(NamedTuple):
    """What a sampler is told of one proposal: values, and how far outside the constraints (None if nobody asked)."""

    values: list[float]
    violation: float | None


class Mode(Protocol):
    """One way to search; ``params`` are Optuna's."""

    @property
    def told(self) -> Told:
        """What the values mean."""

    @property
    def distributions(self) -> dict[str, BaseDistribution]:
        """Every parameter of a proposal."""

    def network(self, params: Params) -> dict[str, Any]:
        """Active genes of the proposed network. Raises KeyError where the proposal is not complete."""

    def with_network(self, params: Params, network: Params) -> dict[str, Any]:
        """The proposal with another network."""

    def answer(self, trial: int, params: Params, record: NetworkRecord) -> Answer:
        """For a network that is trained."""

    def answer_untrained(self, params: Params, priced: Priced) -> Answer:
        """For a network that constraints forbid before the training: the reference point stands for what is unknown."""
