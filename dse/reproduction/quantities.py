"""The numbers that rows compare: from what trained networks answered, or counted exactly on the networks themselves."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from costmodels.workload import LayerWorkload, Workload
from dse.costing import additions
from dse.study.pricing import nominal_workload
from searchspaces.genome import NetworkGenome

PLATEAU = 0.5
"""Points below the highest accuracy from which on a network is at its plateau; ours."""

STEPS = (1, 2, 3, 4, 6, 8, 12, 16, 24)
"""At which a conversion is asked."""


@dataclass(frozen=True)
class Outcome:
    """What one trained network answered.

    Attributes:
        seed: of its training.
        correct, deployed_correct: test samples classified rightly by the float and by the integer network.
        samples: test samples.
        training_loss: mean cross entropy on the samples it was trained on, float network.
        seconds: of training.
        binarised: layers that training made binary.
        by_steps: of a conversion, numbers of steps and the samples that its float network then classifies rightly.
    """

    seed: int
    correct: int
    deployed_correct: int
    samples: int
    training_loss: float
    seconds: float
    binarised: tuple[str, ...] = ()
    by_steps: tuple[tuple[int, int], ...] = ()

    @property
    def accuracy(self) -> float:
        """Of the integer network on the test set, in percent."""
        return 100 * self.deployed_correct / self.samples


@dataclass(frozen=True)
class Side:
    """One network of a comparison: its genome, and what came of the seeds that are trained."""

    genome: NetworkGenome
    outcomes: tuple[Outcome, ...]

    @property
    def work(self) -> Workload:
        """Exact in everything but activity, which no quantity here asks for."""
        return nominal_workload(self.genome)


Quantity = Callable[[Side, Sequence[Side]], list[float]]
"""Of a network and those it is compared with: one value a seed that all have, or one where nothing is trained."""


def _by_seed(value: Callable[[Outcome, Outcome], float]) -> Quantity:
    """The mean of ``value`` over the others."""

    def quantity(network: Side, others: Sequence[Side]) -> list[float]:
        known = [{outcome.seed: outcome for outcome in other.outcomes} for other in others]
        shared = [own for own in network.outcomes if all(own.seed in outcomes for outcomes in known)]
        return [fmean(value(own, outcomes[own.seed]) for outcomes in known) for own in shared]

    return quantity


def _saved(count: Callable[[Workload], float]) -> Quantity:
    def quantity(network: Side, others: Sequence[Side]) -> list[float]:
        (against,) = others
        return [100 * (1 - count(network.work) / count(against.work))]

    return quantity


def _picked_storage(network: Side, others: Sequence[Side]) -> list[float]:
    """Storage in percent that the layers save which training made binary, seed by seed."""
    (against,) = others
    ends = [nominal_workload(network.genome.binarised(outcome.binarised)) for outcome in network.outcomes]
    return [100 * (1 - end.storage_bits / against.work.storage_bits) for end in ends]


def _choice_gained(network: Side, others: Sequence[Side]) -> list[float]:
    """Points that the other with the layers which training made binary has above the mean of all, seed by seed."""
    found = []
    for own in network.outcomes:
        accuracies = {
            side.genome: outcome.accuracy for side in others for outcome in side.outcomes if outcome.seed == own.seed
        }
        chosen = accuracies.get(network.genome.binarised(own.binarised))
        if chosen is not None and len(accuracies) == len(others):
            found.append(chosen - fmean(accuracies.values()))
    return found


def fewest_steps(outcome: Outcome, least: float) -> int | None:
    """From how many steps on the samples classified rightly are at least ``least``; None where they never are."""
    fewest = None
    for steps, correct in reversed(outcome.by_steps):
        if correct < least:
            break
        fewest = steps
    return fewest


def _speedup(own: Outcome, other: Outcome) -> float:
    """How many times fewer steps bring ``own`` to the plateau, the highest accuracy of either less `PLATEAU` points.

    An ``other`` that never arrives counts with the most steps it was asked for, which is too few; ``own`` with none.
    """
    best = max(correct for _, correct in (*own.by_steps, *other.by_steps))
    least = best - PLATEAU / 100 * own.samples
    steps = fewest_steps(own, least)
    return (fewest_steps(other, least) or other.by_steps[-1][0]) / steps if steps else 0.0


def _saved_in_dual_layers(count: Callable[[LayerWorkload, int], float]) -> Quantity:
    def quantity(network: Side, others: Sequence[Side]) -> list[float]:
        (against,) = others
        dual = {layer.name for layer in network.work.layers if layer.dual_threshold}

        def total(work: Workload) -> float:
            return sum(count(layer, work.timesteps) for layer in work.layers if layer.name in dual)

        return [100 * (1 - total(network.work) / total(against.work))]

    return quantity


def _weights(layer: LayerWorkload, _timesteps: int) -> float:
    return layer.kept_kernels * layer.kernel**2 * layer.weight_bits


def _membranes(layer: LayerWorkload, _timesteps: int) -> float:
    return layer.filters * layer.out_height * layer.out_width


QUANTITIES: dict[str, Quantity] = {
    "accuracy": lambda network, _others: [outcome.accuracy for outcome in network.outcomes],
    "accuracy-lost": _by_seed(lambda own, other: other.accuracy - own.accuracy),
    "accuracy-gained": _by_seed(lambda own, other: own.accuracy - other.accuracy),
    "accuracy-distance": _by_seed(lambda own, other: own.accuracy - other.accuracy),
    "loss-lowered": _by_seed(lambda own, other: other.training_loss - own.training_loss),
    "choice-gained": _choice_gained,
    "steps-fewer": _by_seed(_speedup),
    "storage-picked": _picked_storage,
    "operations-saved": _saved(lambda work: work.operations),
    "storage-saved": _saved(lambda work: work.storage_bits),
    "operations-saved-in-dual-layers": _saved_in_dual_layers(additions),
    "weights-saved-in-dual-layers": _saved_in_dual_layers(_weights),
    "membranes-saved-in-dual-layers": _saved_in_dual_layers(_membranes),
}

UNTRAINED = frozenset(name for name in QUANTITIES if "-saved" in name)
"""Quantities that need no training."""


def value_of(quantity: str, values: Iterable[float]) -> float:
    """One number for all seeds: their mean; of a distance, the mean's magnitude, since seeds part both ways."""
    found = list(values)
    mean = sum(found) / len(found)
    return abs(mean) if quantity == "accuracy-distance" else mean
