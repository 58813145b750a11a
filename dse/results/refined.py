"""Short run, refined run and test of the same networks, side by side."""

from dataclasses import asdict, dataclass
from typing import Any

from dse.errors import StudyError
from dse.results.folder import StudyFolder
from dse.results.interval import wilson_interval
from dse.results.records import Counts
from dse.score import NetworkScore


@dataclass(frozen=True)
class Counted:
    """Samples classified rightly, and how many were asked."""

    correct: int
    samples: int

    @property
    def share(self) -> float:
        """The accuracy."""
        return self.correct / self.samples

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the accuracy."""
        return wilson_interval(self.correct, self.samples)

    def to_dict(self) -> dict[str, Any]:
        """Counts, share and interval."""
        return {**asdict(self), "share": self.share, "interval": list(self.interval)}


@dataclass(frozen=True)
class RefinedRow:
    """One network at every fidelity; ``float`` is the network as trained, ``deployed`` the folded integer network.

    Attributes:
        number: of the network in the study.
        genome_digest: of the network.
        short_float, short_deployed: short run, validation samples.
        refined_float, refined_deployed: refined run, validation samples.
        test_float, test_deployed: refined run, test samples; None before the test.
    """

    number: int
    genome_digest: str
    short_float: Counted
    short_deployed: Counted
    refined_float: Counted
    refined_deployed: Counted
    test_float: Counted | None
    test_deployed: Counted | None

    def to_dict(self) -> dict[str, Any]:
        """For ``refined.json``."""
        return {k: v.to_dict() if isinstance(v, Counted) else v for k, v in vars(self).items()}


def refined_rows(folder: StudyFolder) -> tuple[RefinedRow, ...]:
    """Every refined network, in the order of their numbers.

    Raises:
        StudyError: the study is damaged.
    """
    short = {record.number: record.score for record in folder.networks()}
    refined, tests = folder.refined(), folder.test_scores()
    unknown = [str(record.number) for record in refined if record.number not in short]
    if unknown:
        raise StudyError(f"refined networks must be networks of {folder.path}, not {', '.join(unknown)}")
    rows = [
        _row(record.number, record.digest, short[record.number], record.score, tests.get(record.number))
        for record in refined
    ]
    return tuple(sorted(rows, key=lambda row: row.number))


def _row(
    number: int, digest: str, short: NetworkScore, refined: NetworkScore, test: Counts | None
) -> RefinedRow:
    return RefinedRow(
        number,
        digest,
        Counted(short.correct, short.samples),
        Counted(short.deployed_correct, short.samples),
        Counted(refined.correct, refined.samples),
        Counted(refined.deployed_correct, refined.samples),
        Counted(test["correct"], test["samples"]) if test else None,
        Counted(test["deployed_correct"], test["samples"]) if test else None,
    )
