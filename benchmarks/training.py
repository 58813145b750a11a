"""Training and inference samples per second of ours and of published libraries, on the same networks, interleaved.

    python benchmarks/training.py --rounds 7 --json training.json [--peer-python PATH] [--quick]

Every contestant lives in its own process (`contestants.py`), idle while another is timed; a round times each once, so a
slow minute of the machine falls on all. Ratios are medians over rounds of the ratio within a round. A contestant that
cannot be imported is reported as missing.
"""

import argparse
import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from contestants import CONTESTANTS, NETWORKS

HERE = Path(__file__).parent
# Required speed against the fastest peer in training: (network, contestant) -> ratio.
BARS = {
    ("mnist", "ours float32"): 3.0,
    ("mnist", "ours"): 6.0,
    ("cifar10", "ours float32"): 1.6,
    ("cifar10", "ours"): 3.0,
}


@dataclass
class Contestant:
    """A process that times batches on request, and the samples per second of every round, by mode."""

    name: str
    network: str
    process: subprocess.Popen[str]
    rates: dict[str, list[float]] = field(default_factory=lambda: {"train": [], "infer": []})
    missing: str | None = None

    def seconds(self, mode: str, batches: int) -> float | None:
        """Time of some batches, or None (and the reason kept) where the process has ended."""
        if self.missing is not None or self.process.stdin is None or self.process.stdout is None:
            return None
        with contextlib.suppress(BrokenPipeError):
            print(mode, batches, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            errors = self.process.stderr.read().strip().splitlines() if self.process.stderr else []
            self.missing = errors[-1] if errors else "ended without a message"
            return None
        return float(answer)

    def time_round(self, mode: str, batches: int) -> None:
        """One more rate."""
        taken = self.seconds(mode, batches)
        if taken is not None:
            self.rates[mode].append(batches * NETWORKS[self.network].batch / taken)

    def close(self) -> None:
        """Ends the process."""
        if self.process.stdin:
            self.process.stdin.close()
        self.process.wait()


def start(name: str, network: str, peer_python: str) -> Contestant:
    """A contestant in the interpreter that has its library."""
    mine = name.startswith("ours")
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)} if mine else dict(os.environ)
    command = [sys.executable if mine else peer_python, "-W", "ignore", str(HERE / "contestants.py"), name, network]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment)
    return Contestant(name, network, process)


def compete(network: str, names: list[str], rounds: int, batches: int, peer_python: str) -> list[Contestant]:
    """All contestants on one network; a warm-up batch each, then the rounds."""
    field_ = [start(name, network, peer_python) for name in names]
    for mode in ("train", "infer"):
        for contestant in field_:
            contestant.seconds(mode, 1)
        for done in range(rounds):
            for contestant in field_:
                contestant.time_round(mode, batches)
            print(f"{network} {mode}: round {done + 1} of {rounds}", file=sys.stderr, flush=True)
    for contestant in field_:
        contestant.close()
    return field_


def fastest_peer(field_: list[Contestant], mode: str) -> Contestant | None:
    """The peer with the highest median rate."""
    peers = [c for c in field_ if not c.name.startswith("ours") and c.rates[mode]]
    return max(peers, key=lambda c: statistics.median(c.rates[mode]), default=None)


@dataclass(frozen=True)
class Row:
    """One line of the table; rates in samples per second; ratio to the fastest peer, round by round."""

    network: str
    mode: str
    contestant: str
    median: float | None
    lowest: float | None
    highest: float | None
    ratio: float | None
    bar: float | None
    missing: str | None


def summarise(network: str, field_: list[Contestant]) -> list[Row]:
    """Rows of one network, training first."""
    rows = []
    for mode in ("train", "infer"):
        best = fastest_peer(field_, mode)
        for c in field_:
            rates = c.rates[mode]
            if not rates:
                rows.append(Row(network, mode, c.name, None, None, None, None, None, c.missing))
                continue
            ratio = None
            if best is not None:
                ratio = statistics.median(a / b for a, b in zip(rates, best.rates[mode], strict=True))
            bar = BARS.get((network, c.name)) if mode == "train" else None
            rows.append(Row(network, mode, c.name, statistics.median(rates), min(rates), max(rates), ratio, bar, None))
    return rows


def as_markdown(rows: list[Row]) -> str:
    """The table for people."""
    lines = ["| network | mode | contestant | samples/s | lowest | highest | by fastest peer | bar |", "|" + "---|" * 8]
    for r in rows:
        if r.median is None:
            lines.append(f"| {r.network} | {r.mode} | {r.contestant} | missing: {r.missing} | | | | |")
            continue
        ratio = "" if r.ratio is None else f"{r.ratio:.2f}"
        bar = "" if r.bar is None else f"{r.bar:g}: {'met' if r.ratio and r.ratio >= r.bar else 'MISSED'}"
        rates = f"{r.median:.0f} | {r.lowest:.0f} | {r.highest:.0f}"
        lines.append(f"| {r.network} | {r.mode} | {r.contestant} | {rates} | {ratio} | {bar} |")
    return "\n".join(lines)


def machine() -> dict[str, object]:
    """What the rates depend on."""
    import torch

    cpu = Path("/proc/cpuinfo")
    model = next((x.split(":")[1].strip() for x in cpu.read_text().splitlines() if x.startswith("model name")), "")
    threads, load = torch.get_num_threads(), os.getloadavg()[0]
    return {"torch": torch.__version__, "threads": threads, "processor": model or platform.machine(), "load": load}


def main() -> int:
    """Runs everything; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, default=2, help="batches timed at once")
    parser.add_argument("--quick", action="store_true", help="one round of one batch")
    parser.add_argument("--network", action="append", choices=list(NETWORKS))
    parser.add_argument("--only", action="append", choices=list(CONTESTANTS), help="time these contestants alone")
    parser.add_argument("--json", type=Path, help="also write every rate to this file")
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter that has the peers")
    options = parser.parse_args()
    rounds, batches = (1, 1) if options.quick else (options.rounds, options.batches)
    rows, rates = [], {}
    for network in options.network or list(NETWORKS):
        names = options.only or list(CONTESTANTS)
        field_ = compete(network, names, rounds, batches, options.peer_python)
        rows += summarise(network, field_)
        rates[network] = {c.name: c.rates for c in field_}
    for key, shape in NETWORKS.items():
        print(f"{key}: {shape.title}, {'x'.join(map(str, shape.image))}, T={shape.timesteps}, batch {shape.batch}")
    print(", ".join(f"{key} {value}" for key, value in machine().items()))
    print(as_markdown(rows))
    if options.json:
        report = {"machine": machine(), "rows": [asdict(row) for row in rows], "rates": rates}
        options.json.write_text(json.dumps(report, indent=1))
    return int(any(row.bar and (row.ratio or 0) < row.bar for row in rows))


if __name__ == "__main__":
    sys.exit(main())
