"""The folder of one study on disk: results/<study>/."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from costmodels.accelerator import AcceleratorConfig
from dse.errors import StudyError
from dse.objectives import Constraint, Objective, parse_constraint, parse_objectives
from dse.results.front_points import front_points
from dse.results.lines import append_line, cut_torn_line, read_as, read_lines
from dse.results.manifest import Manifest, read_manifest
from dse.results.records import Counts, Design, FailureRecord, FrontPoint, NetworkRecord, Points, Tested
from dse.results.reference import Reference
from dse.results.scores import Masks, read_masks, write_masks
from dse.results.soundness import check_manifest, check_record
from dse.results.tables import write_front, write_history
from searchspaces.space import SearchSpace

NETWORKS, POINTS, FAILURES, REFINED = "networks.jsonl", "points.jsonl", "failures.jsonl", "refined.jsonl"
DESIGNS, TESTS = "designs.jsonl", "test.jsonl"


@dataclass(frozen=True)
class StudyFolder:
    """Reading and writing one study.

    ``manifest.json`` says what it is; ``study.db`` is Optuna's; a network is written to ``masks/`` and ``points.jsonl``
    first and to ``networks.jsonl`` last, and counts from then on.

    Attributes:
        path: the folder.
    """

    path: Path

    @property
    def name(self) -> str:
        """Last part of the path."""
        return self.path.name

    @property
    def database(self) -> Path:
        """Optuna's storage."""
        return self.path / "study.db"

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest as it was when first asked for.

        Raises:
            StudyError: there is none that can be used.
        """
        path = self.path / "manifest.json"
        manifest = read_manifest(path)
        try:
            check_manifest(manifest)
        except ValueError as error:
            raise StudyError(f"{path} must be whole, not damaged ({error}); restore it from a copy") from error
        return manifest

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """Of the search."""
        return parse_objectives(self.manifest.settings["objectives"])

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        """Of the search."""
        return tuple(parse_constraint(text) for text in self.manifest.settings["constraints"])

    @property
    def reference(self) -> Reference:
        """The frozen reference point."""
        return Reference(self.manifest.reference)

    def networks(self, masks: bool = False) -> list[NetworkRecord]:
        """Every network that was trained, in order; with their pruning masks if asked."""
        return self._records(NETWORKS, POINTS, masks)

    def refined(self, masks: bool = False) -> list[NetworkRecord]:
        """Every network that was trained again at length, in order."""
        return self._records(REFINED, f"refined-{POINTS}", masks)

    def record(self, number: str, refined: bool = False) -> NetworkRecord:
        """The network of that number, with its masks.

        Raises:
            StudyError: there is none.
        """
        records = self.refined(masks=True) if refined else self.networks(masks=True)
        found = next((record for record in records if str(record.number) == number), None)
        if found is None:
            what = "refined network" if refined else "network"
            known = ", ".join(str(record.number) for record in records[:12]) + (", ..." if len(records) > 12 else "")
            raise StudyError(f"{what} must be one of {known or 'none'}, not {number!r} ({self.path})")
        return found

    def machine(self, point: str) -> AcceleratorConfig:
        """The machine of an id ``NETWORK-MACHINE``: its position in the study's accelerator space.

        Raises:
            StudyError: there is none.
        """
        machines = SearchSpace.from_dict(self.manifest.space, str(self.path / "manifest.json")).accelerator.enumerate()
        index = point.partition("-")[2]
        if not index.isdecimal() or int(index) >= len(machines):
            raise StudyError(f"machine must be a number from 0 to {len(machines) - 1}, not {index!r} (point {point})")
        return machines[int(index)]

    def test_scores(self) -> dict[int, Counts]:
        """Number of the network to ``correct``, ``deployed_correct`` and ``samples`` on the test set."""
        return {line["number"]: line["test"] for line in read_as(self.path / TESTS, Tested)}

    def failures(self) -> list[FailureRecord]:
        """Every proposal that came to nothing, in order."""
        return list(read_as(self.path / FAILURES, FailureRecord))

    def front(self) -> tuple[FrontPoint, ...]:
        """The front of the search (short runs), best in the first objective first; also while the search runs."""
        return front_points(self.networks(), self.objectives)

    def refined_front(self) -> tuple[FrontPoint, ...]:
        """The front of the refined networks alone."""
        return front_points(self.refined(), self.objectives)

    def repair(self) -> None:
        """Cut the torn last lines a killed writer left behind."""
        for name in (NETWORKS, POINTS, FAILURES, REFINED, f"refined-{POINTS}", DESIGNS, TESTS):
            cut_torn_line(self.path / name)

    def add_network(self, record: NetworkRecord) -> None:
        """Keep one network for good."""
        self._add(record, NETWORKS, POINTS, f"{record.digest}.json")

    def add_refined(self, record: NetworkRecord) -> None:
        """Keep one refined network for good."""
        self._add(record, REFINED, f"refined-{POINTS}", f"{record.digest}-refined.json")

    def add_failure(self, record: FailureRecord) -> None:
        """Keep one failure for good."""
        append_line(self.path / FAILURES, record.to_dict())

    def add_test(self, number: int, test: dict[str, int]) -> None:
        """Keep the test scores of one refined network; they are never taken twice."""
        append_line(self.path / TESTS, {"number": number, "test": test})

    def masks(self, record: NetworkRecord) -> Masks:
        """The pruning masks of one network of the search.

        They are kept under the digest of their time: what a genome says may have grown since.
        """
        return read_masks(self.path / "masks" / f"{record.score.genome_digest}.json")

    def add_design(
        self, trial: int, network: int, machine: AcceleratorConfig, metrics: dict[str, float] | None, allowed: bool
    ) -> None:
        """Keep one design that a joint search tried; without metrics where the machine cannot run the network."""
        line = {"trial": trial, "network": network, "machine": asdict(machine), "metrics": metrics, "allowed": allowed}
        append_line(self.path / DESIGNS, line)

    def designs(self) -> list[Design]:
        """Every design that a joint search tried, in order."""
        return list(read_as(self.path / DESIGNS, Design))

    def write_manifest(self, manifest: Manifest) -> None:
        """Write ``manifest.json``; `manifest` says the new one from now on."""
        manifest.write(self.path / "manifest.json")
        self.__dict__["manifest"] = manifest

    def write_tables(self, points: Sequence[FrontPoint], history: Sequence[Mapping[str, Any]]) -> None:
        """Write ``front.csv``, ``front.json`` and ``history.csv``."""
        write_front(self.path, points, self.objectives, self.constraints, self.manifest.reference)
        write_history(self.path, history)

    def _records(self, networks: str, points: str, masks: bool) -> list[NetworkRecord]:
        lines = list(read_lines(self.path / networks))  # before the points: they are written first, so none is missing
        fronts = {line["number"]: line["own_front"] for line in read_as(self.path / points, Points)}
        suffix, objectives = "-refined" if networks == REFINED else "", self.objectives
        records = [self._record(line, fronts, suffix, masks, networks, objectives) for line in lines]
        if len({frozenset(record.own_front.metrics) for record in records}) > 1:
            raise StudyError(f"{self.path / points} must have the same metrics in every line, not others; restore it")
        return records

    def _record(
        self,
        line: dict[str, Any],
        fronts: dict[int, dict[str, Any]],
        suffix: str,
        masks: bool,
        file: str,
        objectives: Sequence[Objective],
    ) -> NetworkRecord:
        try:
            own_front = fronts[line["number"]]
            found = read_masks(self.path / "masks" / f"{line['digest']}{suffix}.json") if masks else {}
            record = NetworkRecord.from_dict(line, own_front, found)
            check_record(record, objectives)
        except (KeyError, TypeError, ValueError) as error:
            number = line.get("number", "?")
            raise StudyError(
                f"network {number} must be complete, not damaged ({self.path / file}: {error}); delete its line"
            ) from error
        return record

    def _add(self, record: NetworkRecord, networks: str, points: str, masks: str) -> None:
        if record.score.masks:
            write_masks(self.path / "masks" / masks, record.score.masks)
        append_line(self.path / points, {"number": record.number, "own_front": record.own_front.to_dict()})
        append_line(self.path / networks, record.to_dict())


def open_study(path: Path) -> StudyFolder:
    """The study in the folder ``path``.

    Raises:
        StudyError: no folder, no study, damaged, or newer than this version.
    """
    if not path.is_dir():
        near = sorted(p.name for p in path.parent.iterdir() if is_study(p)) if path.parent.is_dir() else []
        known = f"; {path.parent} holds {', '.join(near)}" if near else ""
        raise StudyError(f"{path} must be the folder of a study, not {'a file' if path.exists() else 'missing'}{known}")
    folder = StudyFolder(path)
    _ = folder.manifest
    return folder


def is_study(path: Path) -> bool:
    """Whether ``path`` looks like the folder of a study."""
    try:
        return "study" in json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return False


def list_studies(results: Path) -> list[StudyFolder]:
    """The studies under ``results``, by name."""
    return [StudyFolder(path) for path in sorted(results.iterdir()) if is_study(path)] if results.is_dir() else []
