"""Fuzz every parser: ``python tests/fuzz/fuzz.py --runs 1000000``; a table of what was tried, exit code 1 on a finding.

Needs atheris, which comes with the extra ``fuzz`` where it has a wheel.
"""

import argparse
import importlib
import math
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from target import LARGEST, Target

TOPICS = ("texts", "recordings", "stored", "program")

HERE = Path(__file__).parent
SLOW_INPUT_S = 60
"""Wall seconds after which an input counts as a hang; `target.SLOWEST_S` of processor time is the tighter bound."""


@dataclass(frozen=True)
class Run:
    """What came of one target.

    Attributes:
        executions: done.
        seconds: of processor time, the start included.
        log: of the fuzzer.
        found: it stopped at a finding.
    """

    target: str
    executions: int
    seconds: float
    log: str
    found: bool


def targets() -> list[tuple[str, Target]]:
    """Every target with its topic."""
    return [(topic, target) for topic in TOPICS for target in importlib.import_module(topic).TARGETS]


def fuzz(topic: str, target: str, runs: int, seed: int, keep: Path) -> Run:
    """Fuzz one target in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        limits = [f"-runs={runs}", f"-timeout={SLOW_INPUT_S}", f"-max_len={LARGEST}", f"-seed={seed}"]
        command = [sys.executable, str(HERE / "child.py"), topic, target, folder, *limits, "-rss_limit_mb=0"]
        log_file = keep / f"{target}.log"
        with log_file.open("wb") as log_stream:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log_stream, stderr=log_stream)
            _, status, used = os.wait4(child.pid, 0)
        log = log_file.read_text("utf-8", "replace")
        for found in Path(folder).glob("found-*"):
            (keep / f"{target}-{found.name}").write_bytes(found.read_bytes())
    counted = re.findall(r"^(?:#|Done )(\d+)", log, re.MULTILINE)
    return Run(target, int(counted[-1]) if counted else 0, used.ru_utime + used.ru_stime, log, status != 0)


def main() -> int:
    """Fuzz and say what came of it; the exit code."""
    every = targets()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000, help="executions in all (default %(default)s)")
    parser.add_argument("--target", nargs="*", default=[each.name for _, each in every], help="instead of every one")
    parser.add_argument("--seed", type=int, default=1, help="of the fuzzer (default %(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="targets at once (default %(default)s)")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-findings"), help="folder of logs and findings")
    asked = parser.parse_args()
    asked.keep.mkdir(parents=True, exist_ok=True)
    chosen = [(topic, each) for topic, each in every if each.name in asked.target]
    each_share = asked.runs / sum(each.share for _, each in chosen)
    with ThreadPoolExecutor(asked.jobs) as pool:
        work = [
            pool.submit(fuzz, topic, each.name, math.ceil(each.share * each_share), asked.seed, asked.keep)
            for topic, each in chosen
        ]
        done = [one.result() for one in work]
    print(table(done))
    for run in done:
        if run.found:
            print(f"\n{run.target}:\n{run.log[-3000:]}", file=sys.stderr)
    return int(any(run.found for run in done))


def table(runs: list[Run]) -> str:
    """What was tried, in Markdown."""
    rows = [(run.target, run.executions, run.seconds, int(run.found)) for run in runs]
    rows += [("together", *(sum(column) for column in list(zip(*rows, strict=True))[1:]))]
    lines = [f"| {name} | {executions:,} | {seconds:.0f} | {found} |" for name, executions, seconds, found in rows]
    return "\n".join(["| parser | executions | processor seconds | findings |", "|---|---|---|---|", *lines])


if __name__ == "__main__":
    sys.exit(main())
