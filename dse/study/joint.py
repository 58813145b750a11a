"""Joint search: one proposal is a network on a machine, as a plain use of Optuna would have it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from optuna.distributions import BaseDistribution

from costmodels.accelerator import AcceleratorBatch, AcceleratorConfig
from dse.results.folder import StudyFolder
from dse.results.records import NetworkRecord
from dse.study.encoding import decoded, distributions, encoded
from dse.study.mode import Answer
from dse.study.pricing import Priced, Pricer
from dse.study.told import Told
from searchspaces.space import SearchSpace

NETWORK, MACHINE = "network.", "machine."


@dataclass(frozen=True, eq=False)
class Joint:
    """See `dse.study.mode.Mode`. The tried designs are kept in ``designs.jsonl``.

    Every trained network is priced on the whole accelerator space all the same, since that costs a millisecond; what
    differs is what the sampler proposes and is told.
    """

    space: SearchSpace
    told: Told
    pricer: Pricer
    folder: StudyFolder

    @property
    def distributions(self) -> dict[str, BaseDistribution]:
        """Of network and machine, prefixed since their genes may be called alike."""
        return {
            **distributions(self.space.network.genes, NETWORK),
            **distributions(self.space.accelerator.genes, MACHINE),
        }

    def network(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Active genes of the proposed network."""
        return decoded(self.space.network.genes, params, NETWORK)

    def with_network(self, params: Mapping[str, Any], network: Mapping[str, Any]) -> dict[str, Any]:
        """That network on the machine of the proposal."""
        return {**params, **encoded(self.space.network.genes, network, NETWORK)}

    def answer(self, trial: int, params: Mapping[str, Any], record: NetworkRecord) -> Answer:
        """The design's metrics; the reference point where the machine cannot run the network."""
        machine = self._machine(params)
        score = replace(record.score, masks=self.folder.masks(record)) if not record.score.masks else record.score
        priced = self._alone(machine).price(record.genome, score)
        allowed = bool(priced.allowed[0])
        metrics = {column: float(values[0]) for column, values in priced.metrics.items()} if priced.runs[0] else None
        self.folder.add_design(trial, record.number, machine, metrics, allowed)
        return Answer(self.told.of_design(metrics, priced.network), priced.violation)

    def answer_untrained(self, params: Mapping[str, Any], priced: Priced) -> Answer:
        """The reference point."""
        return Answer(self.told.of_design(None, priced.network), priced.violation)

    def _machine(self, params: Mapping[str, Any]) -> AcceleratorConfig:
        genes: Sequence[Any] = self.space.accelerator.genes
        return self.space.accelerator.config(decoded(genes, params, MACHINE))

    def _alone(self, machine: AcceleratorConfig) -> Pricer:
        """The pricer of that one machine."""
        return replace(self.pricer, machines=AcceleratorBatch.of([machine]))
