"""What a search knows: every network and failure so far, the front they make, and their files."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dse.objectives import Objective
from dse.results.folder import StudyFolder
from dse.results.front_points import FrontTable, table_points
from dse.results.records import FailureRecord, FrontPoint, NetworkRecord
from dse.results.reference import Reference
from dse.results.tables import best_so_far, history_row
from dse.score import Failed, NetworkScore
from dse.study.pricing import Pricer
from searchspaces.genome import NetworkGenome

FORBIDDEN = "infeasible"
"""Reason of a failure that a constraint caused before the training."""

WRITE_EVERY_S = 1.0
"""Front and history are written this often while networks come in; the records themselves at once."""


@dataclass(eq=False)
class Ledger:
    """Networks in the order they came, and what follows from them.

    Attributes:
        folder: where everything is kept.
        pricer: prices each network on the whole accelerator space.
        reference: frozen.
        networks, failures: in order.
        repeats: proposals of known networks, of this session.
    """

    folder: StudyFolder
    pricer: Pricer
    reference: Reference
    networks: list[NetworkRecord] = field(default_factory=list)
    failures: list[FailureRecord] = field(default_factory=list)
    repeats: int = 0
    best: dict[str, float] = field(default_factory=dict)
    table: FrontTable = field(default_factory=FrontTable.empty)
    _by_digest: dict[str, NetworkRecord] = field(default_factory=dict)
    _failed_by_digest: dict[str, FailureRecord] = field(default_factory=dict)
    _history: list[dict[str, Any]] = field(default_factory=list)
    _written: float = float("-inf")

    @classmethod
    def opened(cls, folder: StudyFolder, pricer: Pricer) -> "Ledger":
        """The ledger of what the folder holds."""
        ledger = cls(folder, pricer, folder.reference)
        for record in folder.networks():
            ledger._take(record)
        for failure in folder.failures():
            ledger._take_failure(failure)
        return ledger

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """Of the search."""
        return tuple(self.pricer.objectives)

    @property
    def failed(self) -> list[FailureRecord]:
        """Networks whose training came to nothing."""
        return [failure for failure in self.failures if failure.reason != FORBIDDEN]

    @property
    def forbidden(self) -> list[FailureRecord]:
        """Networks that a constraint ruled out before the training."""
        return [failure for failure in self.failures if failure.reason == FORBIDDEN]

    @property
    def spent(self) -> int:
        """Networks that count against the budget."""
        return len(self.networks) + len(self.failed)

    def network(self, digest: str) -> NetworkRecord | None:
        """The record of that genome."""
        return self._by_digest.get(digest)

    def failure(self, digest: str) -> FailureRecord | None:
        """The failure of that genome."""
        return self._failed_by_digest.get(digest)

    def knows(self, digest: str) -> bool:
        """Whether the study is through with that genome."""
        return digest in self._by_digest or digest in self._failed_by_digest

    def hypervolume(self) -> float:
        """Of the front so far."""
        return self.networks[-1].hypervolume if self.networks else 0.0

    def front(self) -> tuple[FrontPoint, ...]:
        """Best in the first objective first."""
        return table_points(self.table, self.networks, self.objectives)

    def add(
        self,
        trial: int,
        genome: NetworkGenome,
        params: Mapping[str, Any],
        score: NetworkScore,
        cached: bool,
        elapsed_s: float,
    ) -> NetworkRecord:
        """Price a trained network, keep it on disk, and let it into the front."""
        draft = priced_record(self.pricer, len(self.networks), trial, genome, params, score, cached, elapsed_s)
        volume = self.table.merged(draft, self.objectives).volume(self.reference, self.objectives)
        record = replace(draft, hypervolume=volume)
        self.folder.add_network(record)
        self._take(replace(record, score=replace(record.score, masks={})))
        self.write_tables(at_most_every_s=WRITE_EVERY_S)
        return self.networks[-1]

    def add_failure(
        self, trial: int, genome: NetworkGenome, params: Mapping[str, Any], failed: Failed | str, elapsed_s: float
    ) -> FailureRecord:
        """Keep a failure; a text is why constraints forbid the network."""
        reason, message = (FORBIDDEN, failed) if isinstance(failed, str) else (failed.reason, failed.message)
        seconds = 0.0 if isinstance(failed, str) else failed.seconds
        record = FailureRecord(trial, genome.digest(), genome, dict(params), reason, message, seconds, elapsed_s)
        self.folder.add_failure(record)
        self._take_failure(record)
        return record

    def write_tables(self, at_most_every_s: float = 0.0) -> None:
        """Write front and history, unless that was done just now."""
        now = time.monotonic()
        if now - self._written >= at_most_every_s:
            self.folder.write_tables(self.front(), self._history)
            self._written = now

    def _take_failure(self, failure: FailureRecord) -> None:
        self.failures.append(failure)
        self._failed_by_digest[failure.digest] = failure

    def _take(self, record: NetworkRecord) -> None:
        self.networks.append(record)
        self._by_digest[record.digest] = record
        self.table = self.table.merged(record, self.objectives)
        self.best = best_so_far(self.best, record, self.objectives)
        row = history_row(len(self.networks), record, len(self.table), self.best, self.objectives)
        self._history.append(row)


def priced_record(
    pricer: Pricer,
    number: int,
    trial: int,
    genome: NetworkGenome,
    params: Mapping[str, Any],
    score: NetworkScore,
    cached: bool,
    elapsed_s: float,
) -> NetworkRecord:
    """The record of a trained network, without the study's hypervolume."""
    priced = pricer.price(genome, score)
    return NetworkRecord(
        number=number,
        trial=trial,
        genome=genome,
        params=dict(params),
        score=score,
        metrics=priced.network,
        best=priced.best(),
        machines=len(priced.allowed),
        feasible=int(priced.allowed.sum()),
        infeasible=priced.reasons,
        violation=priced.violation,
        cached=cached,
        elapsed_s=elapsed_s,
        hypervolume=0.0,
        own_front=pricer.own_front(priced),
    )
