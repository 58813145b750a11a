"""What the coordinator of a search costs per trial, with simulated workers that answer without any training.

    python benchmarks/coordinator.py --space digits --sampler random --slots 256 --trials 2000
    python benchmarks/coordinator.py --space digits --sampler random --slots 64 --trials 10000 --resume --report

Processor time, so that a busy machine does not matter much; by part: asking the sampler, pricing every machine, keeping
records, telling the database; and of each tenth of the trials, to see what grows. ``--resume`` opens the finished study
again, ``--report`` draws its page.
"""

import argparse
import json
import os
import resource
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from simulated import SimulatedWorkers

from dse.results.folder import StudyFolder
from dse.study.ledger import Ledger
from dse.study.pricing import Pricer
from dse.study.progress import Progress
from dse.study.proposals import Proposer
from dse.study.search import resume, run_search
from dse.study.settings import SearchSettings

PARTS: tuple[tuple[str, type, str], ...] = (
    ("ask", Proposer, "_ask"),
    ("price", Pricer, "price"),
    ("keep", StudyFolder, "add_network"),
    ("tell", Proposer, "_tell"),
    ("tables", Ledger, "write_tables"),
)


@contextmanager
def clocked(spent: dict[str, float]) -> Iterator[None]:
    """Add up the processor seconds of every part while the block runs."""
    before = [(owner, name, getattr(owner, name)) for _, owner, name in PARTS]
    for part, owner, name in PARTS:
        setattr(owner, name, _timed(getattr(owner, name), part, spent))
    try:
        yield
    finally:
        for owner, name, whole in before:
            setattr(owner, name, whole)


def _timed(whole: Callable[..., Any], part: str, spent: dict[str, float]) -> Callable[..., Any]:
    def timed(*args: Any, **kwargs: Any) -> Any:
        begin = time.process_time()
        try:
            return whole(*args, **kwargs)
        finally:
            spent[part] += time.process_time() - begin

    return timed


@dataclass
class Tenths:
    """Processor time at each tenth of the trials, as a search tells of its progress."""

    trials: int
    at: list[float] = field(default_factory=list)

    def __call__(self, progress: Progress) -> None:
        while len(self.at) <= 10 * progress.done // self.trials:
            self.at.append(time.process_time())

    def ms_per_trial(self) -> list[float]:
        """Of each tenth."""
        return [round(10_000 * (end - begin) / self.trials, 1) for begin, end in pairwise(self.at)]


def measure(settings: SearchSettings, again: bool, report: bool) -> dict[str, Any]:
    """Milliseconds a trial by part, and what memory, folder, resumption and report take."""
    workers, spent, tenths = SimulatedWorkers(settings.slots), defaultdict[str, float](float), Tenths(settings.trials)
    workers.expect(settings.trials)
    begin = time.process_time()
    with clocked(spent):
        path = run_search(settings, tenths, make_trainers=workers).folder.path
    total = time.process_time() - begin
    trials = workers.answered
    found: dict[str, Any] = {name: getattr(settings, name) for name in ("mode", "sampler", "space", "slots")}
    found |= {"trials": trials, "ms_per_trial": round(1000 * total / trials, 2)}
    found |= {part: round(1000 * seconds / trials, 2) for part, seconds in spent.items()}
    found["tenths"] = tenths.ms_per_trial()
    found["peak_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    found["folder_mib"] = round(sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 2**20, 1)
    if again:
        found["resume_s"] = round(_seconds(lambda: resume(path, make_trainers=SimulatedWorkers(settings.slots))), 2)
    if report:
        found["report_s"] = round(_seconds(lambda: _report(path)), 2)
    return found


def _report(path: Path) -> None:
    from dse.cli.study import write_report

    write_report(StudyFolder(path))


def _seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def main() -> None:
    """One JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", default="digits")
    parser.add_argument("--sampler", default="random")
    parser.add_argument("--mode", choices=("nested", "joint"), default="nested")
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--report", action="store_true")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="coordinator-"))
    settings = SearchSettings(
        space=given.space,
        mode=given.mode,
        sampler=given.sampler,
        workers=given.slots,
        trials=given.trials,
        results_dir=folder,
    )
    try:
        print(json.dumps(measure(settings, given.resume, given.report)))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
