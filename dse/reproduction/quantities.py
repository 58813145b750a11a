"""The numbers that rows compare: from what trained networks answered, or counted exactly on the networks themselves."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from costmodels.workload import LayerWorkload, Workload
from dse.costing import additions
from dse.study.pricing import nominal_workload
from searchspaces.genome import NetworkGenome


@dataclass(frozen=True)
class Outcome:
    """What one trained network answered.

    Attributes:
        seed: of its training.
        correct, deployed_correct: test samples classified rightly by the float and by the integer network.
        samples: test samples.
        training_loss: mean cross entropy on the samples it was trained on, float network.
        seconds: of training.
    """

    seed: int
    correct: int
    deployed_correct: int
    samples: int
    training_loss: float
    seconds: float

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


Quantity = Callable[[Side, Side], list[float]]
"""Of a network and the one it is compared with: one value a seed that both have, or one where nothing is trained."""


def _by_seed(value: Callable[[Outcome, Outcome], float]) -> Quantity:
    def quantity(network: Side, against: Side) -> list[float]:
        others = {outcome.seed: outcome for outcome in against.outcomes}
        return [value(outcome, others[outcome.seed]) for outcome in network.outcomes if outcome.seed in others]

    return quantity


def _saved(count: Callable[[Workload], float]) -> Quantity:
    def quantity(network: Side, against: Side) -> list[float]:
        return [100 * (1 - count(network.work) / count(against.work))]

    return quantity


def _saved_in_dual_layers(count: Callable[[LayerWorkload, int], float]) -> Quantity:
    def quantity(network: Side, against: Side) -> list[float]:
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
    "accuracy": lambda network, _against: [outcome.accuracy for outcome in network.outcomes],
    "accuracy-lost": _by_seed(lambda own, other: other.accuracy - own.accuracy),
    "accuracy-gained": _by_seed(lambda own, other: own.accuracy - other.accuracy),
    "accuracy-distance": _by_seed(lambda own, other: own.accuracy - other.accuracy),
    "loss-lowered": _by_seed(lambda own, other: other.training_loss - own.training_loss),
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
