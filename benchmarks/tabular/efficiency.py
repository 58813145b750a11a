"""Hypervolume over the number of trainings on a table of trained networks: this search against plain Optuna.

    python benchmarks/tabular/efficiency.py --half dev --seeds 3 --only "nested auto" "joint tpe"
    python benchmarks/tabular/efficiency.py --half holdout --seeds 20 --json curves.json --plot efficiency.svg

``nested`` is `dse search` itself with each of its samplers, ``joint`` plain Optuna over network and machine, each trial
one training. A contestant is told the score of a short run; volumes are those of the same networks and machines at
their true accuracy, as shares of what all networks of the half cover. Curves in ``--json`` already are not run again.
"""

import argparse
import json
import statistics
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import optuna
from numpy.typing import NDArray
from question import SHORT, Question, Step, question
from rivals import AX_TRAININGS, JOINT, JOINT_TRAININGS, NESTED_TRAININGS, joint, nested
from table import TABLE

DEFAULT = "nested auto"
RIVALS = ("joint tpe", "joint nsga2")
BUDGETS = (10, 20, 30, 50, 100, 300)
BAR_TRAININGS, BAR_SHARE = 30, 0.97
METHODS: dict[str, Callable[..., list[Step]]] = {
    **{f"nested {name}": partial(nested, sampler=name) for name in ("auto", "gp", "tpe", "nsga2", "nsga3", "random")},
    **{
        f"joint {name}": partial(joint, sampler=name, trainings=AX_TRAININGS if name == "ax" else JOINT_TRAININGS)
        for name in JOINT
    },
}


class Curve(NamedTuple):
    """One contestant with one seed: shares of the true volume, and seconds of training and deciding, by training."""

    shares: list[float]
    seconds: list[float]


def compete(asked: Mapping[str, str], method: str, seed: int) -> Curve:
    """One curve."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    posed = _question(**asked)
    steps = METHODS[method](posed, seed=seed)
    trained = np.cumsum([posed.by_number[step.number].runs[posed.told][0].seconds for step in steps])
    decided = [step.decided_s for step in steps]
    return Curve(posed.curve(steps), (trained + decided).round(3).tolist())


@cache
def _question(table: str, which: str, objectives: str, told: str) -> Question:
    return question(Path(table), which, objectives=tuple(objectives.split(",")), told=told)


def at(curves: Sequence[Curve], trainings: int) -> NDArray[np.float64]:
    """Shares after so many trainings; a search that ended before keeps its last."""
    return np.array([curve.shares[min(trainings, len(curve.shares)) - 1] for curve in curves])


def first_reaching(curves: Sequence[Curve], share: float) -> float:
    """Median number of trainings until the share is reached; infinite where most never do."""
    reached = [next((n for n, v in enumerate(curve.shares, 1) if v >= share), float("inf")) for curve in curves]
    return statistics.median(reached)


def as_markdown(results: Mapping[str, Sequence[Curve]]) -> str:
    """Median and quartiles at several budgets."""
    lines = ["| method | " + " | ".join(f"{b} trainings" for b in BUDGETS) + " |", "|---" * (len(BUDGETS) + 1) + "|"]
    for method, curves in results.items():
        longest = max(len(curve.shares) for curve in curves)
        cells = [_quartiles(at(curves, budget)) if budget <= longest else "" for budget in BUDGETS]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _quartiles(values: NDArray[np.float64]) -> str:
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    return f"{middle:.3f} ({low:.3f} to {high:.3f})"


def verdicts(results: Mapping[str, Sequence[Curve]]) -> list[str]:
    """How the default stands to the bars, for the contestants that were run."""
    if DEFAULT not in results:
        return []
    default, lines = results[DEFAULT], []
    for rival in RIVALS:
        if rival in results:
            share = float(np.median(at(results[rival], JOINT_TRAININGS)))
            needed = first_reaching(default, share)
            verdict = f"bar {BAR_TRAININGS}: {'met' if needed <= BAR_TRAININGS else 'short'}"
            lines.append(f"{rival} after {JOINT_TRAININGS}: {share:.3f}, the default after {needed:g} ({verdict})")
    share = float(np.median(at(default, NESTED_TRAININGS)))
    verdict = "met" if share >= BAR_SHARE else "short"
    return [*lines, f"default after {NESTED_TRAININGS}: {share:.3f} of the true volume (bar {BAR_SHARE}: {verdict})"]


def plotted(results: Mapping[str, Sequence[Curve]], file: Path) -> None:
    """Medians with quartiles over trainings, and medians over seconds."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update({"svg.hashsalt": "fixed", "font.size": 9})
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
    for method, curves in results.items():
        length = max(len(curve.shares) for curve in curves)
        shares = np.array([at(curves, n) for n in range(1, length + 1)])
        low, middle, high = np.quantile(shares, (0.25, 0.5, 0.75), axis=1)
        style = "-" if method.startswith("nested") else "--"
        (line,) = left.plot(range(1, length + 1), middle, style, label=method)
        left.fill_between(range(1, length + 1), low, high, alpha=0.12, color=line.get_color(), linewidth=0)
        seconds = np.median(
            [[c.seconds[min(n, len(c.seconds)) - 1] for c in curves] for n in range(1, length + 1)], axis=1
        )
        right.plot(seconds, middle, style, color=line.get_color())
    left.set(xscale="log", xlabel="trainings", ylabel="share of the true hypervolume", ylim=(0.6, 1.005))
    right.set(xscale="log", xlabel="processor seconds of training and deciding")
    left.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})


def main() -> int:
    """Run what is missing, and say how it ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--half", choices=("dev", "holdout"), default="dev")
    parser.add_argument("--objectives", default="acc,energy")
    parser.add_argument("--told", default=SHORT)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    without_ax = [method for method in METHODS if method != "joint ax"]  # it needs an environment of its own
    parser.add_argument("--only", nargs="+", choices=list(METHODS), default=without_ax)
    parser.add_argument("--json", type=Path, help="curves, read before and written after every one")
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    asked = {"table": str(given.table), "which": given.half, "objectives": given.objectives, "told": given.told}
    results = competed(asked, given.only, given.seeds, given.workers, given.json)
    print(as_markdown(results), *verdicts(results), sep="\n")
    if given.plot:
        plotted(results, given.plot)
    return 0


def competed(
    asked: Mapping[str, str], methods: Sequence[str], seeds: int, workers: int, kept: Path | None
) -> dict[str, list[Curve]]:
    """Curves by method, in the order of the seeds; those in ``kept`` are taken from there if they answer the same."""
    known: dict[str, dict[str, list[list[float]]]] = {}
    if kept and kept.exists():
        saved = json.loads(kept.read_text())
        known = saved["curves"] if saved["asked"] == dict(asked) else {}
    wanted = [(m, s) for s, m in product(range(seeds), methods) if str(s) not in known.get(m, {})]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for (method, seed), curve in zip(
            wanted, pool.map(partial(compete, asked), *zip(*wanted, strict=True)) if wanted else (), strict=True
        ):
            known.setdefault(method, {})[str(seed)] = list(curve)
            print(f"{method}, seed {seed}", file=sys.stderr, flush=True)
            if kept:
                kept.write_text(json.dumps({"asked": asked, "curves": known}))
    return {m: [Curve(*known[m][str(seed)]) for seed in range(seeds)] for m in methods}


if __name__ == "__main__":
    sys.exit(main())
