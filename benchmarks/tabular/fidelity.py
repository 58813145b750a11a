"""How short runs rank networks against full training, on one half of a table: Kendall's tau, regret and cost.

    python benchmarks/tabular/fidelity.py --half dev
    python benchmarks/tabular/fidelity.py --half holdout --plot fidelity.svg

The truth of a network is its deployed accuracy on validation and test samples, mean over the seeds of its full runs. A
rule sees validation samples of runs with another seed. ``regret`` is the accuracy that the rule's choice of the best
tenth loses to the best tenth, in points; cost is that of the rule's runs in shares of one full run, in processor time.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from question import question
from table import FULL, TABLE, Entry

from dse.study.pool import Pool
from dse.study.surrogate import Surrogate

Floats = NDArray[np.float64]
BAR_TAU, BAR_COST = 0.8, 0.1
DRAWS = 1_000
"""Resamplings of the networks behind an interval of tau."""


@dataclass(frozen=True)
class Rule:
    """One way to score a network early.

    Attributes:
        runs: kinds of runs that it needs.
        scores: from networks and their features (``n x d``) to ``n`` scores.
    """

    runs: tuple[str, ...]
    scores: Callable[[Sequence[Entry], Floats], Floats]


@dataclass(frozen=True)
class Ranking:
    """How well a rule ranks: tau with its 95 % interval, regret in points of accuracy, cost in shares of a full run."""

    tau: float
    low: float
    high: float
    regret: float
    cost: float


def validated(kind: str) -> Callable[[Sequence[Entry], Floats], Floats]:
    """Validation accuracy of a run."""
    return lambda entries, _: np.array([entry.validated(entry.runs[kind][0]) for entry in entries])


def on_all_samples(kind: str) -> Callable[[Sequence[Entry], Floats], Floats]:
    """Accuracy on validation and test samples together: what twice the samples would be worth."""
    return lambda entries, _: np.array([entry.held_out(entry.runs[kind][0]) for entry in entries])


def averaged(*kinds: str) -> Callable[[Sequence[Entry], Floats], Floats]:
    """Mean validation accuracy of several runs."""
    return lambda entries, places: np.mean([validated(kind)(entries, places) for kind in kinds], axis=0)


def extrapolated(first: str, second: str) -> Callable[[Sequence[Entry], Floats], Floats]:
    """Decades of error, carried on as far again as from the first run to the second."""

    def scores(entries: Sequence[Entry], places: Floats) -> Floats:
        before, after = (decades(validated(kind)(entries, places), entries) for kind in (first, second))
        return 2 * after - before

    return scores


def smoothed(*kinds: str) -> Callable[[Sequence[Entry], Floats], Floats]:
    """What the search's own model makes of the runs of all networks."""
    return lambda entries, places: among_neighbours(averaged(*kinds)(entries, places), entries, places)


def among_neighbours(accuracy: Floats, entries: Sequence[Entry], places: Floats) -> Floats:
    """Decades of error as the search's model sees them: each network is judged with its neighbours."""
    return Surrogate().fit(places, decades(accuracy, entries)[:, None]).predict(places)[0][:, 0]


def decades(accuracy: Floats, entries: Sequence[Entry]) -> Floats:
    """How far the error lies below 1; half a sample stands for none."""
    return -np.log10(np.maximum(1 - accuracy, 0.5 / entries[0].samples[0]))


def rules(entries: Sequence[Entry]) -> dict[str, Rule]:
    """Every rule that the runs of the table allow."""
    kinds = [kind for kind in entries[0].runs if kind != FULL]
    found = {f"{kind}": Rule((kind,), validated(kind)) for kind in kinds}
    tested = [kind for kind in kinds if all(entry.runs[kind][0].test is not None for entry in entries)]
    found |= {f"{kind}, twice the samples": Rule((kind,), on_all_samples(kind)) for kind in tested}
    found |= {f"{kind}, smoothed by the model": Rule((kind,), smoothed(kind)) for kind in kinds}
    if {"e2", "e3", "e6"} <= set(kinds):
        found["e2 and e3, mean"] = Rule(("e2", "e3"), averaged("e2", "e3"))
        found["e2 and e3, mean, smoothed by the model"] = Rule(("e2", "e3"), smoothed("e2", "e3"))
        found["e2 and e3, extrapolated"] = Rule(("e2", "e3"), extrapolated("e2", "e3"))
        found["e3 and e6, extrapolated"] = Rule(("e3", "e6"), extrapolated("e3", "e6"))
    return found


def ranking(rule: Rule, entries: Sequence[Entry], places: Floats) -> Ranking:
    """How well the rule ranks these networks."""
    from scipy.stats import kendalltau

    scores, truth = rule.scores(entries, places), np.array([entry.truth for entry in entries])
    draw = np.random.default_rng(0)
    rows = draw.integers(len(entries), size=(DRAWS, len(entries)))
    low, high = np.nanquantile([kendalltau(scores[row], truth[row]).statistic for row in rows], (0.025, 0.975))
    seconds = sum(np.mean([entry.runs[kind][0].seconds for entry in entries]) for kind in rule.runs)
    full = np.mean([run.seconds for entry in entries for run in entry.runs[FULL]])
    tau = float(kendalltau(scores, truth).statistic)
    return Ranking(tau, float(low), float(high), regret(scores, truth), float(seconds / full))


def regret(scores: Floats, truth: Floats) -> float:
    """Points of accuracy between the mean of the best tenth and that of the tenth that scores highest."""
    count = max(1, len(truth) // 10)
    chosen = truth[np.argsort(-scores, kind="stable")[:count]].mean()
    return float(100 * (np.sort(truth)[-count:].mean() - chosen))


def ceilings(entries: Sequence[Entry], places: Floats) -> tuple[float, float]:
    """Mean tau of a full run's validation accuracy against the truth of the other seeds, as it is and smoothed."""
    from scipy.stats import kendalltau

    found = []
    for seed in range(len(entries[0].runs[FULL])):
        one = np.array([entry.validated(entry.runs[FULL][seed]) for entry in entries])
        rest = [np.mean([entry.held_out(r) for i, r in enumerate(entry.runs[FULL]) if i != seed]) for entry in entries]
        seen = one, among_neighbours(one, entries, places)
        found.append([kendalltau(scores, rest).statistic for scores in seen])
    raw, judged = np.mean(found, axis=0)
    return float(raw), float(judged)


def ceiling_words(entries: Sequence[Entry], places: Floats) -> str:
    """What could be asked of a short run at most; a single seed cannot be told from another."""
    if len(entries[0].runs[FULL]) < 2:
        return "full runs of one seed"
    raw, judged = ceilings(entries, places)
    return f"a full run of another seed ranks them at tau {raw:.3f}, smoothed by the model {judged:.3f}"


def as_markdown(rankings: Mapping[str, Ranking]) -> str:
    """A table, the cheapest rule first."""
    lines = ["| rule | tau | 95 % interval | regret, points | cost, % | bar |", "|---|---|---|---|---|---|"]
    for name, found in sorted(rankings.items(), key=lambda each: each[1].cost):
        met = "met" if found.tau >= BAR_TAU and found.cost <= BAR_COST else ""
        interval = f"{found.low:.2f} to {found.high:.2f}"
        lines.append(f"| {name} | {found.tau:.3f} | {interval} | {found.regret:.2f} | {100 * found.cost:.1f} | {met} |")
    return "\n".join(lines)


AS_IT_IS = "as it is"


def _parts(name: str) -> tuple[str, str]:
    """Run and treatment in the name of a rule."""
    run, _, treatment = name.partition(", ")
    return run, treatment or AS_IT_IS


def plotted(rankings: Mapping[str, Ranking], file: Path) -> None:
    """Tau over cost."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update({"svg.hashsalt": "fixed", "font.size": 9})
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4))
    for treatment in dict.fromkeys(_parts(name)[1] for name in rankings):
        found = {_parts(name)[0]: ranked for name, ranked in rankings.items() if _parts(name)[1] == treatment}
        costs, taus = ([getattr(ranked, each) for ranked in found.values()] for each in ("cost", "tau"))
        bars = [[r.tau - r.low for r in found.values()], [r.high - r.tau for r in found.values()]]
        axes.errorbar(100 * np.array(costs), taus, yerr=bars, fmt="o", capsize=2, label=treatment)
        for run, ranked in found.items() if treatment == AS_IT_IS else ():
            axes.annotate(run, (100 * ranked.cost, ranked.low), fontsize=7, xytext=(0, -9), textcoords="offset points")
    axes.legend(fontsize=7, loc="lower left")
    axes.axhline(BAR_TAU, linestyle=":")
    axes.axvline(100 * BAR_COST, linestyle=":")
    axes.set(xlabel="cost, % of a full run", ylabel="Kendall's tau against full training")
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})


def main() -> int:
    """Rank by every rule."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--half", choices=("dev", "holdout"), default="dev")
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    posed = question(given.table, given.half)
    entries, pool = posed.entries, Pool(posed.space.network, np.random.default_rng(0))
    places = np.stack([pool.candidate(entry.params).features for entry in entries])
    rankings = {name: ranking(rule, entries, places) for name, rule in rules(entries).items()}
    print(f"{len(entries)} networks; {ceiling_words(entries, places)}\n")
    print(as_markdown(rankings))
    if given.plot:
        plotted(rankings, given.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
