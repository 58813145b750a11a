"""Every candidate of a study as columns: what the dashboard draws, and what the importance of genes is taken from."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from costmodels.accelerator import TIME_ORDERS, AcceleratorBatch, AcceleratorConfig
from dse.front import nondominated
from dse.objectives import COLUMNS, Objective, matrix
from dse.reporting.report_data import TracePoint
from dse.results import FailureRecord, NetworkRecord, StudyFolder
from dse.results.records import Design
from dse.words import machine_words, network_words

Status = Literal["front", "dominated", "infeasible", "no machine", "failed"]
STATUSES: tuple[Status, ...] = ("front", "dominated", "infeasible", "no machine", "failed")
Floats = NDArray[np.float64]
MACHINE = "machine."
"""Prefix of a machine's gene, since a gene of the network may be called the same."""
MEMBRANE, TIME_ORDER = "machine.membrane_buffer_kib", "machine.time_order"


@dataclass(frozen=True, eq=False)
class Candidates:
    """``n`` networks on machines (or on none) of one study.

    Attributes:
        study: its name.
        objectives: of its search.
        ids: as `dse show STUDY ID` takes them; of a candidate without a page, what it is known by.
        status: ``front`` and ``dominated`` run within the constraints; ``infeasible`` does not keep to them,
            ``no machine`` is a network that no machine runs, ``failed`` a training without a score.
        metrics: every metric column, NaN where it is not known.
        float_accuracy: of the network before it was folded, NaN where it is not known.
        genes: gene to ``n`` values; None where it has no effect or there is no machine.
        networks, machines: in words; a machine's are empty where there is none.
        trace: hypervolume over the search.
    """

    study: str
    objectives: tuple[Objective, ...]
    ids: tuple[str, ...]
    status: tuple[Status, ...]
    metrics: dict[str, Floats]
    float_accuracy: Floats
    genes: dict[str, tuple[Any, ...]]
    networks: tuple[str, ...]
    machines: tuple[str, ...]
    trace: tuple[TracePoint, ...]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, eq=False)
class _Row:
    """One candidate on its way into the columns."""

    id: str
    status: Status
    metrics: dict[str, float]
    float_accuracy: float
    genes: dict[str, Any]
    network: str
    machine: str


def candidates(folder: StudyFolder, networks: Sequence[NetworkRecord] | None = None) -> Candidates:
    """Every candidate of the study, in the order they were found: those that run, then the others.

    ``networks`` are those of the folder, where they are read already.
    """
    networks, objectives = folder.networks() if networks is None else networks, folder.objectives
    words = {record.number: network_words(record.genome, record.score.binarised) for record in networks}
    rows = list(_running(networks, objectives, words))
    rows += [_without_machine(record, words) for record in networks if not len(record.own_front)]
    rows += _not_allowed(folder.designs(), {record.number: record for record in networks}, words)
    rows += map(_failed, folder.failures())
    trace = (TracePoint(i, record.elapsed_s, record.hypervolume) for i, record in enumerate(networks, start=1))
    return _columns(folder.name, objectives, rows, tuple(trace))


def _columns(
    study: str, objectives: tuple[Objective, ...], rows: Sequence[_Row], trace: tuple[TracePoint, ...]
) -> Candidates:
    names = list(dict.fromkeys(name for row in rows for name in row.genes))
    names.sort(key=lambda name: name.startswith(MACHINE))
    return Candidates(
        study=study,
        objectives=objectives,
        ids=tuple(row.id for row in rows),
        status=tuple(row.status for row in rows),
        metrics={
            c: np.array([row.metrics.get(c, math.nan) for row in rows], dtype=np.float64)
            for c in columns_of(objectives)
        },
        float_accuracy=np.array([row.float_accuracy for row in rows], dtype=np.float64),
        genes={name: tuple(row.genes.get(name) for row in rows) for name in names},
        networks=tuple(row.network for row in rows),
        machines=tuple(row.machine for row in rows),
        trace=trace,
    )


def columns_of(objectives: Sequence[Objective]) -> tuple[str, ...]:
    """Every metric column, and the formulas among the objectives."""
    return tuple(dict.fromkeys((*COLUMNS, *(objective.column for objective in objectives))))


def _running(
    networks: Sequence[NetworkRecord], objectives: Sequence[Objective], words: dict[int, str]
) -> Iterable[_Row]:
    """The own fronts of all networks; those that no other candidate dominates are the front of the study."""
    whole = [record for record in networks if len(record.own_front)]
    if not whole:
        return
    columns = columns_of(objectives)
    metrics = {c: np.concatenate([record.own_front.metrics[c] for record in whole]) for c in columns}
    on_front = iter(nondominated(matrix(metrics, objectives), [o.maximise for o in objectives]).tolist())
    rows = iter(zip(*(metrics[c].tolist() for c in columns), strict=True))
    known: dict[int, tuple[dict[str, Any], str]] = {}
    for record in whole:
        for place, index in enumerate(record.own_front.machine_index.tolist()):
            if index not in known:
                known[index] = _machine(record.own_front.machines, place)
            genes, machine = known[index]
            yield _Row(
                id=f"{record.number}-{index}",
                status="front" if next(on_front) else "dominated",
                metrics=dict(zip(columns, next(rows), strict=True)),
                float_accuracy=record.score.accuracy,
                genes=record.params | genes,
                network=words[record.number],
                machine=machine,
            )


def _machine(batch: AcceleratorBatch, place: int) -> tuple[dict[str, Any], str]:
    machine = batch[place]
    return machine_genes(machine), machine_words(machine)


def machine_genes(machine: AcceleratorConfig) -> dict[str, Any]:
    """Genes of a machine by their prefixed names; the membrane buffer where it has an effect."""
    genes = {f"{MACHINE}{f.name}": getattr(machine, f.name) for f in fields(AcceleratorConfig)}
    if genes[TIME_ORDER] == TIME_ORDERS[0]:
        del genes[MEMBRANE]
    return genes


def _without_machine(record: NetworkRecord, words: dict[int, str]) -> _Row:
    return _Row(
        id=str(record.number),
        status="no machine",
        metrics=record.metrics,
        float_accuracy=record.score.accuracy,
        genes=record.params,
        network=words[record.number],
        machine="",
    )


def _not_allowed(
    designs: Iterable[Design], networks: dict[int, NetworkRecord], words: dict[int, str]
) -> Iterable[_Row]:
    """Designs that a joint search tried and that break a constraint; of one that cannot run nothing was measured."""
    for design in designs:
        record = networks.get(design["network"])
        if design["allowed"] or record is None:
            continue
        machine = design["machine"]
        yield _Row(
            id=f"trial {design['trial']}",
            status="infeasible",
            metrics=record.metrics | (design["metrics"] or {}),
            float_accuracy=record.score.accuracy,
            genes=record.params | machine_genes(machine),
            network=words[record.number],
            machine=machine_words(machine),
        )


def _failed(failure: FailureRecord) -> _Row:
    words = network_words(failure.genome)
    return _Row(f"trial {failure.trial}", "failed", {}, math.nan, failure.params, f"{words} ({failure.reason})", "")


def columns_dict(table: Candidates) -> dict[str, Any]:
    """The columns as plain data for the browser: texts and genes as ``values`` and codes, unknown numbers as None."""
    return {
        "study": table.study,
        "objectives": [asdict(o) | {"maximise": o.maximise, "title": o.title} for o in table.objectives],
        "ids": list(table.ids),
        "status": [STATUSES.index(status) for status in table.status],
        "metrics": {column: _plain(values) for column, values in table.metrics.items()},
        "float_accuracy": _plain(table.float_accuracy),
        "genes": {name: _coded(values) for name, values in table.genes.items()},
        "networks": _coded(table.networks),
        "machines": _coded(table.machines),
        "trace": [list(step) for step in table.trace],
    }


def pooled(tables: Sequence[Candidates]) -> Candidates:
    """The candidates of several studies as one, without a trace; a gene or column that a study lacks is not known."""
    columns = dict.fromkeys(column for table in tables for column in table.metrics)
    genes = dict.fromkeys(name for table in tables for name in table.genes)
    return Candidates(
        study=", ".join(table.study for table in tables),
        objectives=tuple(dict.fromkeys(o for table in tables for o in table.objectives)),
        ids=tuple(id for table in tables for id in table.ids),
        status=tuple(status for table in tables for status in table.status),
        metrics={c: np.concatenate([t.metrics.get(c, np.full(len(t), math.nan)) for t in tables]) for c in columns},
        float_accuracy=np.concatenate([table.float_accuracy for table in tables]),
        genes={name: tuple(v for t in tables for v in t.genes.get(name, (None,) * len(t))) for name in genes},
        networks=tuple(words for table in tables for words in table.networks),
        machines=tuple(words for table in tables for words in table.machines),
        trace=(),
    )


def _plain(values: Floats) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values.tolist()]


def _coded(values: Sequence[Any]) -> dict[str, Any]:
    """Distinct values, amounts in rising order, and the place of each value among them; None is -1."""
    distinct = list(dict.fromkeys(value for value in values if value is not None))
    if all(isinstance(value, int | float) for value in distinct):
        distinct.sort()
    places: dict[Any, int] = {value: place for place, value in enumerate(distinct)}
    return {"values": distinct, "codes": [-1 if value is None else places[value] for value in values]}
