"""What it would save to stop trainings that no machine can make worth having: the searches of a table, replayed.

    python benchmarks/tabular/stopping.py --half dev --seeds 5 --early e2 --told e6

A training is hopeless when the accuracy of its early run, raised by what 95 % of the trainings before it gained at
most from early to told, adds no volume to the front of what was told so far on any machine. It then costs its early
run alone. ``saved`` takes the early run for the first part of the told one, which flatters: the early run of a table
ends its own schedule of learning rates. ``saved by two runs`` has both runs paid where a training goes on.
``lost`` is the share of the true volume that hopeless trainings would have brought in the end.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from question import Question, Step, front, question, volume
from rivals import nested
from table import TABLE

SURE = 0.95
LEARNT = 10
"""Trainings before the first that may be stopped."""


class Outcome(NamedTuple):
    """Of one search: shares of its trainings, of its seconds (twice) and of the true volume."""

    hopeless: float
    saved: float
    saved_by_two: float
    lost: float


def replayed(asked: Question, steps: Sequence[Step], early: str) -> Outcome:
    """What stopping would have changed in a search that trained these networks."""
    points, raised = np.zeros((0, len(asked.objectives))), list[float]()
    stopped, seconds, first = list[bool](), list[float](), list[float]()
    for step in steps:
        entry = asked.by_number[step.number]
        begun, ended = entry.runs[early][0], entry.runs[asked.told][0]
        seconds.append(ended.seconds)
        first.append(begun.seconds)
        most = float(np.quantile(raised, SURE)) if len(raised) >= LEARNT else 1.0
        hoped = min(1.0, entry.validated(begun) + max(0.0, most))
        stopped.append(
            volume(np.concatenate([points, front(asked.gains_at(step.number, asked.told, hoped))])) <= volume(points)
        )
        if not stopped[-1]:
            raised.append(entry.validated(ended) - entry.validated(begun))
            points = front(np.concatenate([points, asked.gains_at(step.number, asked.told, entry.validated(ended))]))
    off, spent, begun_s = np.array(stopped), np.array(seconds), np.array(first)
    kept = [step for step, gone in zip(steps, stopped, strict=True) if not gone]
    return Outcome(
        hopeless=float(off.mean()),
        saved=float((spent - begun_s)[off].sum() / spent.sum()),
        saved_by_two=float((spent[off].sum() - begun_s.sum()) / spent.sum()),
        lost=asked.curve(steps)[-1] - asked.curve(kept)[-1],
    )


def main() -> int:
    """Medians over seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--half", choices=("dev", "holdout"), default="dev")
    parser.add_argument("--early", default="e2")
    parser.add_argument("--told", default="e6")
    parser.add_argument("--trainings", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    asked = question(given.table, given.half, told=given.told)
    outcomes = [
        replayed(asked, nested(asked, "auto", seed, given.trainings), given.early) for seed in range(given.seeds)
    ]
    print("| hopeless % | seconds saved % | saved by two runs % | true volume lost % |", "|---|---|---|---|", sep="\n")
    print(f"| {' | '.join(f'{100 * value:.1f}' for value in np.median(outcomes, axis=0))} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
