"""What a study remembers: its networks with their own fronts, its failures, and the points of a front."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from costmodels.accelerator import AcceleratorBatch, AcceleratorConfig
from dse.results.scores import Masks, score_fields, score_to_dict
from dse.results.typed import as_kind
from dse.score import NetworkScore
from searchspaces.genome import NetworkGenome

Fidelity = Literal["short", "refined"]
Metrics = dict[str, NDArray[np.float64]]
Params = dict[str, str | int | float | bool]
"""Active genes by name."""


@dataclass(frozen=True, eq=False)
class OwnFront:
    """The machines of one network that no other machine of that network dominates, ``k`` of them.

    Attributes:
        machine_index: their positions in the accelerator space of the study.
        machines: the same, as machines.
        metrics: every metric column, ``k`` values each; a network's column repeats its value.
    """

    machine_index: NDArray[np.int64]
    machines: AcceleratorBatch
    metrics: Metrics

    def __len__(self) -> int:
        return len(self.machine_index)

    def to_dict(self) -> dict[str, Any]:
        """Plain data that `dse.results.typed.as_kind` reads back; nothing is rounded."""
        return {
            "machine_index": self.machine_index.tolist(),
            "machines": {f.name: getattr(self.machines, f.name).tolist() for f in fields(self.machines)},
            "metrics": {column: values.tolist() for column, values in self.metrics.items()},
        }


@dataclass(frozen=True, eq=False)
class NetworkRecord:
    """One network that was trained, and what the accelerator space makes of it.

    Attributes:
        number: from 0, in the order the study learnt of it.
        trial: number of the Optuna trial that asked for it.
        genome: the network.
        params: its active genes by name.
        score: of the training run; masks are empty unless they were asked for.
        metrics: accuracy (deployed), storage_kib and operations.
        best: best value of each machine's column over the machines that run it within the constraints; empty if none.
        machines, feasible: machines priced, and those of them that run it within the constraints.
        infeasible: why no machine is left, in words; empty where one is.
        violation: of the constraints by the machine nearest to them, in shares of the bound; at most 0 if it meets all.
        cached: the score came from the cache.
        elapsed_s: search time of the study when it was recorded, all its sessions added.
        hypervolume: of the front of the study with this network in it (see `dse.results.reference`).
        own_front: the machines that are not dominated for this network.
        fidelity: ``short`` in the search, ``refined`` after the longer training.
    """

    number: int
    trial: int
    genome: NetworkGenome
    params: Params
    score: NetworkScore
    metrics: dict[str, float]
    best: dict[str, float]
    machines: int
    feasible: int
    infeasible: tuple[str, ...]
    violation: float
    cached: bool
    elapsed_s: float
    hypervolume: float
    own_front: OwnFront
    fidelity: Fidelity = "short"

    @property
    def digest(self) -> str:
        """Of the genome."""
        return self.genome.digest()

    def to_dict(self) -> dict[str, Any]:
        """One line of ``networks.jsonl``: everything but the own front and the masks."""
        plain = {name: value for name, value in vars(self).items() if name != "own_front"}
        return {
            **plain,
            "digest": self.digest,
            "genome": self.genome.to_dict(),
            "score": score_to_dict(self.score, masks=False),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], own_front: Any, masks: Masks) -> "NetworkRecord":
        """The record of that line, and of the plain data of its own front.

        Raises:
            KeyError, ValueError: they are others.
        """
        score = score_fields(as_kind(data["score"], dict[str, Any]), masks)
        return as_kind({**data, "score": score, "own_front": own_front}, NetworkRecord)


class Points(TypedDict):
    """One line of ``points.jsonl``: the own front of a network, as plain data."""

    number: int
    own_front: dict[str, Any]


class Counts(TypedDict):
    """Right answers of the float and of the integer network, and how many were asked."""

    correct: int
    deployed_correct: int
    samples: int


class Tested(TypedDict):
    """One line of ``test.jsonl``: what a refined network answered on the test set."""

    number: int
    test: Counts


class Design(TypedDict):
    """One line of ``designs.jsonl``: what a joint search tried; without metrics where the machine cannot run it."""

    trial: int
    network: int
    machine: AcceleratorConfig
    metrics: dict[str, float] | None
    allowed: bool


@dataclass(frozen=True)
class FailureRecord:
    """A proposal that came to nothing.

    Attributes:
        trial: number of the Optuna trial.
        digest: of the genome.
        genome: the network.
        params: its active genes.
        reason: a reason of `dse.score.Failed`, or ``infeasible`` where a constraint that needs no training forbids it.
        message: one line for the report.
        seconds: what the attempt took.
        elapsed_s: search time of the study, all its sessions added.
    """

    trial: int
    digest: str
    genome: NetworkGenome
    params: Params
    reason: str
    message: str
    seconds: float
    elapsed_s: float

    def to_dict(self) -> dict[str, Any]:
        """One line of ``failures.jsonl``."""
        return asdict(self)


@dataclass(frozen=True)
class FrontPoint:
    """One network on one machine.

    Attributes:
        id: ``"NETWORK-MACHINE"``, number of the network and position of the machine in the accelerator space.
        network: number of its `NetworkRecord`.
        machine_index: position in the accelerator space.
        genome_digest: of the network.
        params: active genes of the network.
        machine: the configuration.
        metrics: every metric column.
        float_accuracy: of the network before it was folded to integers, validation samples.
        fidelity: of the training behind it.
    """

    id: str
    network: int
    machine_index: int
    genome_digest: str
    params: Params
    machine: AcceleratorConfig
    metrics: dict[str, float]
    float_accuracy: float
    fidelity: Fidelity

    def to_dict(self) -> dict[str, Any]:
        """For ``front.json``."""
        return asdict(self)


def points_of(record: NetworkRecord) -> tuple[FrontPoint, ...]:
    """The own front of one network as points, in the order of the machines."""
    return tuple(point_of(record, row) for row in range(len(record.own_front)))


def point_of(record: NetworkRecord, row: int) -> FrontPoint:
    """One machine of the own front of a network."""
    own = record.own_front
    index = int(own.machine_index[row])
    return FrontPoint(
        id=f"{record.number}-{index}",
        network=record.number,
        machine_index=index,
        genome_digest=record.digest,
        params=record.params,
        machine=own.machines[row],
        metrics={column: float(values[row]) for column, values in own.metrics.items()},
        float_accuracy=record.score.accuracy,
        fidelity=record.fidelity,
    )
