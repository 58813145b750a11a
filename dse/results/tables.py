"""The flat files of a study: front.csv, front.json and history.csv."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dse.objectives import COLUMNS, Constraint, Objective
from dse.results.front_points import FrontTable
from dse.results.lines import write_json, write_whole
from dse.results.records import FrontPoint, NetworkRecord


def front_rows(points: Sequence[FrontPoint]) -> list[dict[str, Any]]:
    """One flat row per point; machine fields and genes carry a prefix, since a gene may be called like a metric."""
    genes = list(dict.fromkeys(name for point in points for name in point.params))
    return [
        {
            "id": point.id,
            "fidelity": point.fidelity,
            **{column: point.metrics[column] for column in dict.fromkeys((*COLUMNS, *point.metrics))},
            "float_accuracy": point.float_accuracy,
            "network": point.network,
            "genome_digest": point.genome_digest,
            **{f"machine.{name}": value for name, value in asdict(point.machine).items()},
            **{f"network.{name}": point.params.get(name, "") for name in genes},
        }
        for point in points
    ]


def write_front(
    folder: Path,
    points: Sequence[FrontPoint],
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
    reference: Mapping[str, float],
    stem: str = "front",
) -> None:
    """Write ``front.csv`` and ``front.json`` (or those of another ``stem``) into ``folder``."""
    write_whole(folder / f"{stem}.csv", _csv(front_rows(points)))
    shown = ("name", "column", "label", "unit", "direction")
    content = {
        "format": 1,
        "objectives": [{name: getattr(objective, name) for name in shown} for objective in objectives],
        "constraints": [str(constraint) for constraint in constraints],
        "reference": dict(reference),
        "points": [point.to_dict() for point in points],
    }
    write_json(folder / f"{stem}.json", content)


def history_rows(networks: Iterable[NetworkRecord], objectives: Sequence[Objective]) -> list[dict[str, Any]]:
    """One row per training, in order: what the study knew after it."""
    rows, table, best = list[dict[str, Any]](), FrontTable.empty(), dict[str, float]()
    for record in networks:
        table = table.merged(record, objectives)
        best = best_so_far(best, record, objectives)
        rows.append(history_row(len(rows) + 1, record, len(table), best, objectives))
    return rows


def history_row(
    trainings: int, record: NetworkRecord, front_size: int, best: Mapping[str, float], objectives: Sequence[Objective]
) -> dict[str, Any]:
    """The row written after ``trainings`` networks, the last being ``record``."""
    return {
        "trainings": trainings,
        "network": record.number,
        "seconds": record.elapsed_s,
        "hypervolume": record.hypervolume,
        "front_size": front_size,
        "cached": record.cached,
        **{f"best_{o.column}": best.get(o.column, "") for o in objectives},
    }


def best_so_far(best: Mapping[str, float], record: NetworkRecord, objectives: Sequence[Objective]) -> dict[str, float]:
    """The best value of each objective's column, with this network taken in if any machine runs it."""
    if not record.feasible:
        return dict(best)
    here = {**record.metrics, **record.best}
    return {
        o.column: (max if o.maximise else min)(here[o.column], best.get(o.column, here[o.column])) for o in objectives
    }


def write_history(folder: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write ``history.csv`` whole."""
    write_whole(folder / "history.csv", _csv(rows))


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """CSV text with a header; empty without rows."""
    if not rows:
        return ""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
