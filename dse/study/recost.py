"""Price every trained network of a study again, under other constants, machines or objectives, without any training."""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from dse.objectives import Constraint, Objective
from dse.results.folder import StudyFolder, open_study
from dse.results.front_points import FrontTable, table_points
from dse.results.lines import write_json
from dse.results.records import FrontPoint, NetworkRecord
from dse.results.tables import write_front
from dse.study.ledger import priced_record
from dse.study.pricing import Evaluate, Pricer, technology_of
from dse.study.settings import SearchSettings
from searchspaces.machines import AcceleratorSpace
from searchspaces.space import SearchSpace, load_space


@dataclass(frozen=True)
class RecostResult:
    """A front under other assumptions.

    Attributes:
        folder: ``results/<study>/recost-<digest>/``, with ``front.csv``, ``front.json`` and ``recost.json``.
        front: the new one, best in the first objective first.
        before: the study's own front.
        networks, machines: priced.
        left_out: numbers of the networks that no allowed machine runs any more.
        seconds: what it took.
    """

    folder: Path
    front: tuple[FrontPoint, ...]
    before: tuple[FrontPoint, ...]
    networks: int
    machines: int
    left_out: tuple[int, ...]
    seconds: float


def recost(
    study: Path,
    *,
    technology: str | None = None,
    dram_pj_per_bit: float | None = None,
    space: str | None = None,
    objectives: Sequence[str] | None = None,
    constraints: Sequence[str] | None = None,
    evaluate: Evaluate | None = None,
) -> RecostResult:
    """A study's networks, with their measured activity and exact masks, under other assumptions; None keeps the old.

    Args:
        study: its folder; nothing in it changes but for the new ``recost-<digest>``.
        technology: preset or TOML file.
        dram_pj_per_bit: energy of one DRAM bit.
        space: preset or TOML file whose machines are priced (its networks do not matter).
        objectives, constraints: of the new front.

    Raises:
        InputError: no study, or something named here cannot be used; then nothing was written.
    """
    begin = time.monotonic()
    folder = open_study(study)
    settings = SearchSettings.from_dict(folder.manifest.settings, study)
    changes = {
        "technology": technology,
        "dram_pj_per_bit": dram_pj_per_bit,
        "objectives": None if objectives is None else tuple(objectives),
        "constraints": None if constraints is None else tuple(constraints),
    }
    settings = replace(settings, **{name: value for name, value in changes.items() if value is not None})  # type: ignore[arg-type]
    accelerators = _accelerators(folder, space)
    pricer = _pricer(folder, settings, accelerators, evaluate)
    networks, table = _repriced(folder.networks(masks=True), pricer)
    points = table_points(table, networks, pricer.objectives)
    target = study / f"recost-{_digest(pricer, accelerators)}"
    result = RecostResult(
        folder=target,
        front=points,
        before=folder.front(),
        networks=len(networks),
        machines=len(pricer.machines),
        left_out=tuple(record.number for record in networks if not record.feasible),
        seconds=time.monotonic() - begin,
    )
    _write(result, folder, pricer, accelerators)
    return result


def _accelerators(folder: StudyFolder, space: str | None) -> AcceleratorSpace:
    """The machines of another space, or the study's."""
    if space is not None:
        return load_space(space).accelerator
    return SearchSpace.from_dict(folder.manifest.space, str(folder.path / "manifest.json")).accelerator


def _pricer(
    folder: StudyFolder, settings: SearchSettings, accelerators: AcceleratorSpace, evaluate: Evaluate | None
) -> Pricer:
    constants = technology_of(folder.manifest.space["technology"], settings.technology, settings.dram_pj_per_bit)
    objectives, constraints = settings.parsed_objectives, settings.parsed_constraints
    return Pricer(accelerators.enumerate(), constants, objectives, constraints, evaluate)


def _repriced(records: Sequence[NetworkRecord], pricer: Pricer) -> tuple[list[NetworkRecord], FrontTable]:
    """Every network anew, and the front they make."""
    table, networks = FrontTable.empty(), []
    for old in records:
        new = priced_record(pricer, old.number, old.trial, old.genome, old.params, old.score, old.cached, old.elapsed_s)
        table = table.merged(new, pricer.objectives)
        networks.append(new)
    return networks, table


def _assumptions(objectives: Sequence[Objective], constraints: Sequence[Constraint]) -> dict[str, Any]:
    return {"objectives": [o.name for o in objectives], "constraints": [str(c) for c in constraints]}


def _digest(pricer: Pricer, accelerators: AcceleratorSpace) -> str:
    """12 hexadecimal digits that differ where an assumption differs."""
    text = json.dumps(
        [
            pricer.technology.digest(),
            accelerators.to_dict(),
            _assumptions(pricer.objectives, pricer.constraints),
        ],
        sort_keys=True,
    )
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _write(result: RecostResult, folder: StudyFolder, pricer: Pricer, accelerators: AcceleratorSpace) -> None:
    result.folder.mkdir(exist_ok=True)
    write_front(result.folder, result.front, pricer.objectives, pricer.constraints, folder.manifest.reference)
    content = {
        "format": 1,
        "study": folder.name,
        **_assumptions(pricer.objectives, pricer.constraints),
        "technology": asdict(pricer.technology),
        "accelerator": accelerators.to_dict(),
        "networks": result.networks,
        "machines": result.machines,
        "left_out": list(result.left_out),
        "seconds": result.seconds,
    }
    write_json(result.folder / "recost.json", content)
