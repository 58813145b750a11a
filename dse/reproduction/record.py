"""What a reproduction leaves behind: a manifest, one line for each trained network, and the table."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from dse.reproduction.plan import Training
from dse.reproduction.quantities import Outcome
from dse.reproduction.table import Line, Outcomes, markdown
from dse.results.lines import append_line, cut_torn_line, read_json, read_lines, write_json, write_whole

RUNS, MANIFEST = "runs.jsonl", "manifest.json"


@dataclass(frozen=True)
class Identity:
    """What changes an outcome besides the seed: compared before a stored one is taken."""

    genome: str
    recipe: str
    data: str
    code: str

    @classmethod
    def of(cls, training: Training, data: str, code: str) -> "Identity":
        """Of a training on data of this digest under this code."""
        return cls(training.genome.digest(), training.recipe.digest(), data, code)


@dataclass(frozen=True)
class Record:
    """The folder of one budget's reproduction, ``results/reproduction/small``."""

    folder: Path

    def repair(self) -> None:
        """Cut what a killed writer left behind."""
        cut_torn_line(self.folder / RUNS)

    def add(self, training: Training, identity: Identity, outcome: Outcome) -> None:
        """Keep one outcome for good."""
        told = {"network": training.network, "dataset": training.dataset}
        append_line(self.folder / RUNS, {**told, **asdict(identity), **asdict(outcome)})

    def has(self, identity: Identity, dataset: str, seed: int) -> bool:
        """Whether the outcome of this very training is stored."""
        return any(outcome.seed == seed for outcome in self._outcomes().get((identity, dataset), ()))

    def outcomes(self, identities: Mapping[tuple[str, str], Identity]) -> Outcomes:
        """Of each (network, data set), what its seeds brought so far."""
        stored = self._outcomes()
        return {(name, dataset): stored.get((one, dataset), ()) for (name, dataset), one in identities.items()}

    def write(self, lines: tuple[Line, ...]) -> None:
        """Write the table, as data and in Markdown."""
        write_json(self.folder / "table.json", {"format": 1, "lines": [line.to_dict() for line in lines]})
        write_whole(self.folder / "table.md", markdown(lines))

    def note_session(self, session: dict[str, Any]) -> None:
        """Add to the manifest when, where and with what was worked, or bring that session up to date."""
        path = self.folder / MANIFEST
        before: dict[str, Any] = read_json(path) if path.exists() else {"format": 1, "sessions": []}
        others = [other for other in before["sessions"] if other["started"] != session["started"]]
        write_json(path, {**before, "sessions": [*others, session]})

    def _outcomes(self) -> dict[tuple[Identity, str], tuple[Outcome, ...]]:
        found: dict[tuple[Identity, str], tuple[Outcome, ...]] = {}
        for line in read_lines(self.folder / RUNS):
            identity = Identity(**{field.name: line[field.name] for field in fields(Identity)})
            outcome = Outcome(**{field.name: _as_tuple(line[field.name]) for field in fields(Outcome)})
            key = identity, line["dataset"]
            found[key] = (*found.get(key, ()), outcome)
        return found


def _as_tuple(value: Any) -> Any:
    """JSON's lists as an outcome has them."""
    return tuple(map(_as_tuple, value)) if isinstance(value, list) else value
