"""What the accelerator space makes of one network: every machine priced at once, and those worth keeping."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from costmodels.accelerator import AcceleratorBatch
from costmodels.workload import Workload
from dse.front import nondominated
from dse.objectives import NETWORK_COLUMNS, OBJECTIVES, Constraint, Objective, matrix, with_formulas
from dse.results.records import Metrics, OwnFront
from dse.score import NetworkScore, lowered
from searchspaces.binarisation import saving_rule, smallest
from searchspaces.candidate import assumed_masks
from searchspaces.genome import NetworkGenome
from searchspaces.lowering import lower

if TYPE_CHECKING:
    from costmodels.cost_table import CostTotals
    from costmodels.technology import Technology

BITS_PER_KIB = 8 * 1024
NOMINAL_DENSITY = 0.2
"""Share of set bits assumed for a network that is not trained, where only what does not depend on it is used."""

REASONS_ASKED = 64
"""Machines asked for their reasons when none is left."""

Evaluate = Callable[[Workload, AcceleratorBatch, Any], Any]


@dataclass(frozen=True, eq=False)
class Priced:
    """Every machine of the space under one network, ``n`` machines.

    Attributes:
        network: accuracy (NaN before training), storage_kib and operations.
        metrics: every metric column, ``n`` values.
        runs: machines that can run the network, ``n``.
        allowed: those of them within the constraints, ``n``.
        reasons: why none is allowed, most frequent first; empty where one is.
        violation: of the machine that comes nearest to the constraints, at most 0 where one is allowed.
    """

    network: dict[str, float]
    metrics: Metrics
    runs: NDArray[np.bool_]
    allowed: NDArray[np.bool_]
    reasons: tuple[str, ...]
    violation: float

    def best(self) -> dict[str, float]:
        """Best value of each machine's column over the allowed machines; empty without any."""
        if not self.allowed.any():
            return {}
        return {c: float(v[self.allowed].min()) for c, v in self.metrics.items() if c not in NETWORK_COLUMNS}


@dataclass(frozen=True, eq=False)
class Pricer:
    """Prices networks on a batch of machines under a technology.

    Attributes:
        machines: the batch, usually a whole accelerator space.
        technology: constants of the cost model.
        objectives, constraints: of the search.
        evaluate: the cost model; `costmodels.evaluate.evaluate` unless a test brings its own.
    """

    machines: AcceleratorBatch
    technology: "Technology"
    objectives: Sequence[Objective]
    constraints: Sequence[Constraint]
    evaluate: Evaluate | None = None

    def price(self, genome: NetworkGenome, score: NetworkScore) -> Priced:
        """Every machine under a trained network, with its measured activity and exact masks."""
        return self._priced(lowered(genome, score), score.deployed_accuracy, self.constraints)

    def price_untrained(self, genome: NetworkGenome) -> Priced:
        """Every machine under a network nobody trained: only what no training changes is to be believed.

        Constraints that need a training are left out. No machine is allowed where the network cannot be trained.
        """
        known = [constraint for constraint in self.constraints if not constraint.objective.needs_training]
        priced = self._priced(nominal_workload(genome), float("nan"), known)
        if rule := saving_rule(genome):
            reason = f"ale_saving must {rule}, not {genome.ale_saving:g}"
            return replace(priced, allowed=np.zeros_like(priced.allowed), reasons=(reason,), violation=1.0)
        return priced

    def may_forbid(self, genome: NetworkGenome) -> bool:
        """Whether `price_untrained` may find that the network is not worth a training."""
        return genome.ale or any(not constraint.objective.needs_training for constraint in self.constraints)

    def totals(self, workload: Workload) -> "CostTotals":
        """Costs of every machine."""
        if self.evaluate is not None:
            return self.evaluate(workload, self.machines, self.technology)  # type: ignore[no-any-return]
        from costmodels.evaluate import evaluate_totals

        return evaluate_totals(workload, self.machines, self.technology)

    def why_not(self, workload: Workload) -> tuple[str, ...]:
        """The most frequent reasons why machines cannot run the workload, asked of a few spread over the space."""
        count = len(self.machines)
        few = self.machines.take(np.unique(np.linspace(0, count - 1, min(REASONS_ASKED, count)).astype(np.int64)))
        from costmodels.evaluate import evaluate

        table = (self.evaluate or evaluate)(workload, few, self.technology)
        counted = Counter(str(reason) for machine in range(len(few)) for reason in table.reasons(machine))
        return tuple(reason for reason, _ in counted.most_common(3))

    def own_front(self, priced: Priced) -> OwnFront:
        """The allowed machines that no other dominates in the objectives that depend on the machine.

        Where no objective does, the machine of least energy stands for the network.
        """
        wanted = [o for o in self.objectives if o.needs_machine] or [OBJECTIVES["energy"]]
        allowed = np.flatnonzero(priced.allowed)
        values = matrix({o.column: priced.metrics[o.column][allowed] for o in wanted}, wanted)
        index = allowed[nondominated(values, [o.maximise for o in wanted])]
        metrics = {column: values[index] for column, values in priced.metrics.items()}
        return OwnFront(index, self.machines.take(index), metrics)

    def _priced(self, workload: Workload, accuracy: float, constraints: Sequence[Constraint]) -> Priced:
        totals = self.totals(workload)
        network = network_metrics(workload, accuracy)
        count = len(self.machines)
        metrics = {**{column: np.full(count, value) for column, value in network.items()}, **machine_metrics(totals)}
        metrics = with_formulas(metrics, (*self.objectives, *(c.objective for c in self.constraints)))
        runs = np.asarray(totals.feasible, dtype=np.bool_)
        allowed = runs.copy()
        for constraint in constraints:
            allowed &= constraint.satisfied(metrics[constraint.column])
        reasons: tuple[str, ...] = ()
        if not allowed.any():
            reasons = out_of_reach(metrics, runs, constraints) if runs.any() else self.why_not(workload)
        return Priced(network, metrics, runs, allowed, reasons, _violation(metrics, runs, constraints))


def network_metrics(workload: Workload, accuracy: float) -> dict[str, float]:
    """The columns that do not depend on the machine."""
    return {
        "accuracy": accuracy,
        "storage_kib": workload.storage_bits / BITS_PER_KIB,
        "operations": float(workload.operations),
    }


def machine_metrics(totals: "CostTotals") -> Metrics:
    """The columns that depend on the machine, ``n`` values each."""
    columns = {
        "energy_uj": totals.energy_uj,
        "latency_ms": totals.latency_ms,
        "area_mm2": totals.area_mm2,
        "edp_uj_ms": totals.energy_uj * totals.latency_ms,
        "dram_kib": totals.dram_kib,
    }
    return {name: np.asarray(values, dtype=np.float64) for name, values in columns.items()}


def nominal_workload(genome: NetworkGenome) -> Workload:
    """The work of a network that is not trained, at an assumed activity, with as many kernels removed as will be.

    Every layer that ALE may pick is binary: what even this network cannot keep within, the trained one cannot either.
    """
    rates = {layer.name: (NOMINAL_DENSITY,) * genome.timesteps for layer in genome.layers if layer.spiking}
    inputs = 1 if genome.static_input else genome.timesteps
    return lower(smallest(genome), (NOMINAL_DENSITY,) * inputs, rates, assumed_masks(genome))


def technology_of(settings: Mapping[str, Any], name: str | None, dram_pj_per_bit: float | None) -> "Technology":
    """The technology a space names with its settings, or the one ``name`` gives in its place.

    Args:
        settings: the ``technology`` table of a space.
        name: preset or TOML file in place of the whole table.
        dram_pj_per_bit: in place of the technology's.
    """
    from costmodels.technology_file import load

    own = {} if name else {key: value for key, value in settings.items() if key != "name"}
    base = load(name or settings.get("name", "lp40"))
    changes = own if dram_pj_per_bit is None else {**own, "dram_pj_per_bit": float(dram_pj_per_bit)}
    return base.override(changes) if changes else base


def _violation(metrics: Metrics, runs: NDArray[np.bool_], constraints: Sequence[Constraint]) -> float:
    """How far the nearest machine is outside the constraints, in shares of the bounds.

    Between -1 and 1, so that one far-off network does not flatten what a model sees of the others; 1 where no machine
    runs it.
    """
    if not runs.any():
        return 1.0
    if not constraints:
        return 0.0
    over = [constraint.violation(metrics[constraint.column][runs]) for constraint in constraints]
    return float(np.clip(np.max(over, axis=0).min(), -1.0, 1.0))


def out_of_reach(metrics: Metrics, runs: NDArray[np.bool_], constraints: Sequence[Constraint]) -> tuple[str, ...]:
    """Which constraints leave no machine that runs the network."""
    broken = [
        f"{constraint} is out of reach: the nearest machine has {_nearest(constraint, metrics, runs):.4g}"
        for constraint in constraints
        if not constraint.satisfied(metrics[constraint.column][runs]).any()
    ]
    return tuple(broken) or (f"no machine meets all of {', '.join(map(str, constraints))} at once",)


def _nearest(constraint: Constraint, metrics: Metrics, runs: NDArray[np.bool_]) -> float:
    """The value that comes nearest to the bound."""
    values = metrics[constraint.column][runs]
    return float(values[np.argmin(constraint.violation(values))])
