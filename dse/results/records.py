"""What a study remembers: its networks with their own fronts, its failures, and the points of a front."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from costmodels.accelerator import AcceleratorBatch, AcceleratorConfig
from dse.results.scores import Masks, score_from_dict, score_to_dict
from dse.score import NetworkScore
from searchspaces.genome import NetworkGenome

Fidelity = Literal["short", "refined"]
Metrics = dict[str, NDArray[np.float64]]


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
        """Plain data that `from_dict` reads back; nothing is rounded."""
        return {
            "machine_index": self.machine_index.tolist(),
            "machines": {f.name: getattr(self.machines, f.name).tolist() for f in fields(self.machines)},
            "metrics": {column: values.tolist() for column, values in self.metrics.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "OwnFront":
        """The own front that `to_dict` describes."""
        kinds = {f.name: np.bool_ if f.name == "outer" else np.int64 for f in fields(AcceleratorBatch)}
        return cls(
            machine_index=np.array(data["machine_index"], dtype=np.int64),
            machines=AcceleratorBatch(**{n: np.array(data["machines"][n], dtype=kind) for n, kind in kinds.items()}),
            metrics={column: np.array(values, dtype=np.float64) for column, values in data["metrics"].items()},
        )


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
    params: dict[str, Any]
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
    def from_dict(cls, data: Mapping[str, Any], own_front: OwnFront, masks: Masks) -> "NetworkRecord":
        """The record of that line."""
        rest = {name: value for name, value in data.items() if name not in ("digest", "genome", "score", "infeasible")}
        return cls(
            **rest,
            genome=NetworkGenome.from_dict(data["genome"]),
            score=score_from_dict(data["score"], masks),
            infeasible=tuple(data["infeasible"]),
            own_front=own_front,
        )


@dataclass(frozen=True)
class FailureRecord:
    """A proposal that came to nothing.

    Attributes:
        trial: number of the Optuna trial.
        digest: of the genome.
        genome: the network, as plain data.
        params: its active genes.
        reason: a reason of `dse.score.Failed`, or ``infeasible`` where a constraint that needs no training forbids it.
        message: one line for the report.
        seconds: what the attempt took.
        elapsed_s: search time of the study, all its sessions added.
    """

    trial: int
    digest: str
    genome: dict[str, Any]
    params: dict[str, Any]
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
    params: dict[str, Any]
    machine: AcceleratorConfig
    metrics: dict[str, float]
    float_accuracy: float
    fidelity: Fidelity

    def to_dict(self) -> dict[str, Any]:
        """Plain data that `from_dict` reads back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "FrontPoint":
        """The point that `to_dict` describes."""
        return cls(**{**data, "machine": AcceleratorConfig(**data["machine"])})


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
