"""One training run: a genome in, a cached score or the reason of failure out; and the test of a stored network."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dse.cache import ScoreCache, code_version, weights_name
from dse.data.dataset import Dataset, Split
from dse.export.integer_network import IntegerNetwork
from dse.score import Failed, NetworkScore
from dse.training.conversion import CALIBRATION_IMAGES, convert, peaks, set_peaks, with_timesteps
from dse.training.fold import WidthError, fold, kept_mask
from dse.training.measure import Measured, input_density, mean_loss, measure, right_answers
from dse.training.model import SpikingNetwork, build_network
from dse.training.optimise import UNWATCHED, Deadline, DivergedError, OverBudgetError, Watch, fit
from dse.training.precision import compute_type
from dse.training.rectifier import NormReLU
from dse.training.sampling import balanced_subset
from dse.training.stages import Stage, stages
from searchspaces.genome import NetworkGenome
from searchspaces.recipe import Recipe


@dataclass(frozen=True)
class TestScore:
    """Right answers on test samples, by the float and by the folded integer network."""

    __test__ = False  # no test class, whatever pytest thinks of the name

    correct: int
    deployed_correct: int
    samples: int


@dataclass(frozen=True, eq=False)
class Finished:
    """A trained network, its folded form, and what both do on the validation samples."""

    network: SpikingNetwork
    folded: IntegerNetwork
    measured: Measured


def chosen_device(device: str) -> torch.device:
    """The device of a name; ``auto`` is the first GPU where there is one, else the processor."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(device)


@contextmanager
def thread_count(threads: int | None) -> Iterator[None]:
    """Run torch with this many threads, and with as many as before afterwards; None changes nothing."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def seeded(seed: int) -> Iterator[np.random.Generator]:
    """Seed torch's global generator, restored afterwards, and give an own generator for samples and augmentation."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield np.random.default_rng(seed)


def is_out_of_memory(error: BaseException) -> bool:
    """True for the errors that Python, CUDA and torch's processor allocator raise when memory runs out."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)


def failure(error: BaseException, start: float) -> Failed | None:
    """What an error of a run means, or None where it is no outcome of training but a mistake."""
    seconds = time.perf_counter() - start
    if isinstance(error, DivergedError):
        return Failed("diverged", str(error), seconds)
    if isinstance(error, OverBudgetError):
        return Failed("over-budget", str(error), seconds)
    if is_out_of_memory(error):
        return Failed("out-of-memory", str(error).splitlines()[0] if str(error) else "memory ran out", seconds)
    if isinstance(error, WidthError):
        return Failed("crashed", str(error), seconds)
    return None


def finished(
    train_network: Callable[[], SpikingNetwork], dataset: Dataset, device: torch.device, start: float
) -> Finished | Failed:
    """Train, fold and measure, or say why the run failed; ``start`` is when it began (`time.perf_counter`)."""
    try:
        network = train_network()
        folded = fold(network)
        return Finished(network, folded, measure(network, folded, dataset.validation, device))
    except Exception as error:
        failed = failure(error, start)
        if failed is None:
            raise
        return failed


def trained(
    genome: NetworkGenome,
    dataset: Dataset,
    recipe: Recipe,
    seed: int,
    device: torch.device,
    start: float,
    watch: Watch = UNWATCHED,
) -> SpikingNetwork:
    """The network after its training."""
    deadline = Deadline(start, recipe.time_budget_s)
    network: SpikingNetwork | None = None
    with seeded(seed) as rng:
        for number, stage in enumerate(stages(genome, recipe)):
            if number >= watch.first_stage:
                before, network = network, stage_network(stage, device)
                if before is not None:
                    network.load_state_dict(before.state_dict())
                    network.hold_binary(before.binarised)
                    if stage.rounded_to:
                        set_peaks(network, peaks(before, calibration(dataset, rng, device)))
                fit(network, dataset.train, stage.recipe, rng, device, deadline, stage.settled, number, watch)
        assert network is not None, "a run has a stage"
        if genome.converted:
            network = converted(network, genome, recipe, calibration(dataset, rng, device))
    return network


def calibration(dataset: Dataset, rng: np.random.Generator, device: torch.device) -> Tensor:
    """Images by which thresholds are found, drawn from the training samples."""
    index = balanced_subset(dataset.train.labels, CALIBRATION_IMAGES, rng)
    return torch.from_numpy(dataset.train.images[index]).to(device)


def converted(cnn: SpikingNetwork, genome: NetworkGenome, recipe: Recipe, images: Tensor) -> SpikingNetwork:
    """The spiking network of a trained CNN, calibrated on images."""
    network = convert(cnn, genome, recipe, images)
    network.precision = compute_type(recipe.precision, images.device)
    return network


def stage_network(stage: Stage, device: torch.device) -> SpikingNetwork:
    """The untrained network of a stage, in its precision."""
    network = build_network(stage.genome, stage.recipe, stage.rectified).to(device)
    for layer in network.layers.values():
        if isinstance(layer.neuron, NormReLU):
            layer.neuron.rounded_to = stage.rounded_to
    # Spikes times codes are exact in bfloat16; activations of rectified units are not.
    network.precision = torch.float32 if stage.rectified else compute_type(stage.recipe.precision, device)
    return network


def train(
    genome: NetworkGenome,
    dataset: Dataset,
    recipe: Recipe,
    seed: int,
    cache: ScoreCache,
    device: str = "auto",
    threads: int | None = None,
) -> NetworkScore | Failed:
    """Train, measure on the validation samples and store; a network trained before is answered from the cache at once.

    The same arguments give the same score on one machine's processor with the same number of threads.

    Args:
        device: ``auto``, or torch's name of one.
        threads: of torch; None leaves them.

    Raises:
        ConfigurationError: the genome asks for what training does not have.
    """
    key = cache.key(genome, recipe, dataset.digest, seed)
    stored = cache.get(key)
    if stored is not None:
        return stored
    start = time.perf_counter()
    target = chosen_device(device)
    with thread_count(threads):
        done = finished(lambda: trained(genome, dataset, recipe, seed, target, start), dataset, target, start)
    if isinstance(done, Failed):
        return done
    score = describe(key, done.network, done.measured, dataset, recipe, seed, time.perf_counter() - start)
    cache.put(score, parameters(done.network), done.folded)
    return score


def describe(
    key: str, network: SpikingNetwork, measured: Measured, dataset: Dataset, recipe: Recipe, seed: int, seconds: float
) -> NetworkScore:
    """The score of a trained network."""
    masks = {synapses.layer.name: kept_mask(synapses) for synapses in network.all_synapses()}
    return NetworkScore(
        genome_digest=network.genome.digest(),
        recipe_digest=recipe.digest(),
        data_digest=dataset.digest,
        seed=seed,
        code_version=code_version(),
        correct=measured.correct,
        samples=measured.samples,
        deployed_correct=measured.deployed_correct,
        input_density=input_density(dataset.validation.images, network.genome),
        firing_rates=measured.firing_rates,
        masks={name: mask for name, mask in masks.items() if mask is not None},
        binarised=network.binarised,
        epochs=recipe.epochs,
        seconds=seconds,
        weights=weights_name(key),
    )


def parameters(network: SpikingNetwork) -> dict[str, np.ndarray]:
    """Every parameter and buffer by name, as arrays."""
    return {name: tensor.detach().cpu().numpy() for name, tensor in network.state_dict().items()}


def restored(genome: NetworkGenome, score: NetworkScore, cache: ScoreCache) -> SpikingNetwork:
    """The trained network of a score, in eval mode."""
    return rebuilt(genome, cache.weights(score), score.binarised)


def rebuilt(genome: NetworkGenome, weights: Mapping[str, np.ndarray], binarised: Collection[str]) -> SpikingNetwork:
    """The trained network of `parameters`, in eval mode; ``binarised`` are the layers that training made binary."""
    network = build_network(genome, Recipe(epochs=1))  # epochs change nothing in a network
    network.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    network.hold_binary(binarised)
    return network.eval()


def test(
    genome: NetworkGenome,
    score: NetworkScore,
    cache: ScoreCache,
    split: Split,
    device: str = "auto",  # noqa: PT028
) -> TestScore:
    """Right answers of a stored network on test samples.

    Raises:
        InputError: the stored network is gone or damaged.
    """
    target = chosen_device(device)
    network = restored(genome, score, cache).to(target)
    folded: IntegerNetwork = cache.integer_network(score)
    measured = measure(network, folded, split, target)
    return TestScore(measured.correct, measured.deployed_correct, measured.samples)


test.__test__ = False  # type: ignore[attr-defined]


def answers_by_steps(
    genome: NetworkGenome,
    score: NetworkScore,
    cache: ScoreCache,
    split: Split,
    steps: Iterable[int],
    device: str = "auto",
) -> tuple[tuple[int, int], ...]:
    """Numbers of steps, and the right answers of the float network that a stored conversion would be with each.

    Raises:
        InputError: the stored network is gone or damaged.
    """
    target = chosen_device(device)
    network = restored(genome, score, cache).to(target)
    return tuple((each, right_answers(with_timesteps(network, each), split, target)) for each in steps)


def training_loss(
    genome: NetworkGenome, score: NetworkScore, cache: ScoreCache, split: Split, recipe: Recipe, device: str = "auto"
) -> float:
    """Mean cross entropy of a stored network on the samples of the training split that it was trained on.

    Raises:
        InputError: the stored network is gone or damaged.
    """
    target = chosen_device(device)
    network = restored(genome, score, cache).to(target)
    seen = balanced_subset(split.labels, recipe.train_samples, np.random.default_rng(score.seed))
    return mean_loss(network, split.take(seen), target)
