"""How long `dse --help` takes against a bare Typer program, measured in turns; the bar is 1.5 times."""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

BAR = 1.5
BARE = """
import typer
app = typer.Typer(help="A bare program.")
@app.command()
def one(number: int = 1) -> None:
    "The first command."
@app.command()
def two(number: int = 1) -> None:
    "The second command."
app()
"""
DSE = "from dse.cli import main; main()"


def seconds(code: str) -> tuple[float, float]:
    """Wall time and processor time of one `--help`."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-c", code, "--help"], check=True, stdout=subprocess.DEVNULL, env=os.environ)
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measured(rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Both programs in turns, so that a change of the machine's load meets both."""
    programs = {"bare Typer": BARE, "dse": DSE}
    for code in programs.values():
        seconds(code)  # the first run fills the file cache
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, code in programs.items():
            times[name].append(seconds(code))
    return times


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 when the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    times = measured(parser.parse_args(arguments).rounds)
    medians = {
        name: [1e3 * statistics.median(column) for column in zip(*runs, strict=True)] for name, runs in times.items()
    }
    print(f"{'program':<12}{'wall ms':>9}{'CPU ms':>9}")
    for name, (wall_ms, cpu_ms) in medians.items():
        print(f"{name:<12}{wall_ms:>9.0f}{cpu_ms:>9.0f}")
    ratios = [ours / bare for ours, bare in zip(medians["dse"], medians["bare Typer"], strict=True)]
    print(f"{'ratio':<12}{ratios[0]:>9.2f}{ratios[1]:>9.2f}   bar {BAR}")
    return int(ratios[1] > BAR)


if __name__ == "__main__":
    sys.exit(main())
