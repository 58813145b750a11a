"""One training at length: a line and a log entry for every epoch, checkpoints, and going on after any end."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.numpy import load_file

from dse.cache import code_version
from dse.data.dataset import Dataset, Split
from dse.export.training_folder import RECORD, WEIGHTS, Counts, write_network, write_record, write_samples
from dse.results.lines import read_json
from dse.results.typed import as_kind
from dse.score import Failed
from dse.training import checkpoint
from dse.training.checkpoint import Checkpoint, CheckpointError
from dse.training.fold import fold
from dse.training.measure import Measured, measure, right_answers
from dse.training.model import SpikingNetwork
from dse.training.optimise import Loop
from dse.training.run import chosen_device, finished, parameters, rebuilt, trained
from dse.training.stages import stages
from searchspaces.training_config import TrainingConfig

if TYPE_CHECKING:
    from tensorboardX import SummaryWriter

LOG = "log"


@dataclass(frozen=True)
class Epoch:
    """What is known when an epoch is over.

    Attributes:
        number, epochs: of all stages together, from 1.
        loss: mean of the epoch.
        learning_rate: of its last step.
        correct, samples: validation samples that the float network classifies rightly.
        seconds: what the epoch took.
    """

    number: int
    epochs: int
    loss: float
    learning_rate: float
    correct: int
    samples: int
    seconds: float


class StoppedError(Exception):
    """Somebody asked the training to stop; its last checkpoint stays."""


@dataclass(eq=False)
class Watched:
    """Keeps a checkpoint and a log entry of every epoch, and stops when asked.

    Attributes:
        folder: of checkpoint and log.
        key: of the training.
        epochs_before: epochs of the stages before each stage, and of all at the end.
        validation, device: for the accuracy of an epoch.
        saved: the checkpoint to go on from, if any.
        log: TensorBoard's.
        tell: called with every epoch.
        asked_to_stop: called before every step.
        began: when the epoch began, on the clock of `time.perf_counter`.
    """

    folder: Path
    key: str
    epochs_before: list[int]
    validation: Split
    device: torch.device
    saved: Checkpoint | None
    log: "SummaryWriter"
    tell: Callable[[Epoch], None]
    asked_to_stop: Callable[[], bool]
    began: float

    @property
    def first_stage(self) -> int:
        """Stage of the checkpoint."""
        return self.saved.stage if self.saved else 0

    def begin(self, stage: int, loop: Loop) -> int:
        """Back to the checkpoint, if it is of this stage."""
        self.began = time.perf_counter()
        if self.saved is None or self.saved.stage != stage:
            return 0
        checkpoint.restore(loop, self.saved)
        return self.saved.epochs

    def step(self) -> None:
        """Stop where somebody asked for it.

        Raises:
            StoppedError: somebody did.
        """
        if self.asked_to_stop():
            raise StoppedError

    def epoch_over(self, stage: int, loop: Loop, epochs: int, loss: float) -> None:
        """Measure, log, keep."""
        correct = right_answers(loop.network, self.validation, self.device)
        seconds = time.perf_counter() - self.began
        rate = loop.optimise.param_groups[0]["lr"]
        number = self.epochs_before[stage] + epochs
        epoch = Epoch(number, self.epochs_before[-1], loss, rate, correct, len(self.validation), seconds)
        log_epoch(self.log, epoch)
        checkpoint.save(self.folder, self.key, stage, epochs, loop)
        self.tell(epoch)
        self.began = time.perf_counter()


def log_epoch(log: "SummaryWriter", epoch: Epoch) -> None:
    """An epoch's entry, on disk when this returns."""
    log.add_scalar("loss", epoch.loss, epoch.number)
    log.add_scalar("learning_rate", epoch.learning_rate, epoch.number)
    log.add_scalar("validation_accuracy", epoch.correct / epoch.samples, epoch.number)
    log.flush()


def run_training(
    config: TrainingConfig,
    dataset: Dataset,
    folder: Path,
    device: str,
    tell: Callable[[Epoch], None],
    asked_to_stop: Callable[[], bool],
) -> Counts | Failed:
    """Train to the end and write the network; validation samples classified rightly, or why it failed.

    Called again with the same arguments it goes on after the last epoch that was kept, to the same weights on the same
    processor; when all is done it only reads what came of it. The folder is the caller's alone.

    Raises:
        StoppedError: ``asked_to_stop`` said so.
        InputError: the folder is of another training; the configuration asks for what training does not have.
    """
    key = training_key(config, dataset)
    known = recorded(folder, key)
    if known is not None:
        return known
    start = time.perf_counter()
    target = chosen_device(device)
    done = finished(lambda: _watched(config, dataset, folder, key, target, tell, asked_to_stop), dataset, target, start)
    if isinstance(done, Failed):
        return done
    counts = counted(done.measured)
    write_network(folder, config, parameters(done.network), done.folded)
    write_samples(folder, "validation", dataset.validation, counts)
    about = {"training": key, "dataset": dataset.name, "seed": config.seed, "binarised": done.network.binarised}
    write_record(folder, about | {"validation": asdict(counts)})
    (folder / checkpoint.FILE).unlink(missing_ok=True)
    return counts


def count_test_answers(config: TrainingConfig, test: Split, folder: Path, device: str) -> Counts:
    """Count right answers of the finished training in ``folder`` on test samples, and keep them there."""
    record, target = read_json(folder / RECORD), chosen_device(device)
    network = rebuilt(config.network, load_file(folder / WEIGHTS), record["binarised"]).to(target)
    counts = counted(measure(network, fold(network), test, target))
    write_samples(folder, "test", test, counts)
    write_record(folder, record | {"test": asdict(counts)})
    return counts


def counted(measured: Measured) -> Counts:
    """Its counts alone."""
    return Counts(measured.correct, measured.deployed_correct, measured.samples)


def training_key(config: TrainingConfig, dataset: Dataset) -> str:
    """Text that differs where the outcome may."""
    parts = (config.network.digest(), config.recipe.digest(), dataset.digest, str(config.seed), code_version())
    return "-".join(parts)


def recorded(folder: Path, key: str) -> Counts | None:
    """What came of the training, or None where it is not over.

    Raises:
        CheckpointError: the folder holds the result of another training.
    """
    path = folder / RECORD
    if not path.exists():
        return None
    record = read_json(path)
    if not isinstance(record, dict) or record.get("training") != key:
        raise CheckpointError(
            f"output folder must be new or of this training, not hold the result of another ({folder}); "
            "name another with -o"
        )
    try:
        as_kind(record.get("binarised"), list[str])
        return as_kind(record.get("validation"), Counts)
    except ValueError as error:
        raise CheckpointError(f"{path} must be as it was written, not damaged ({error}); remove it") from error


def _watched(
    config: TrainingConfig,
    dataset: Dataset,
    folder: Path,
    key: str,
    device: torch.device,
    tell: Callable[[Epoch], None],
    asked_to_stop: Callable[[], bool],
) -> SpikingNetwork:
    """The trained network, from the last checkpoint on."""
    from tensorboardX import SummaryWriter

    saved = checkpoint.read(folder, key)
    before = [0]
    for stage in stages(config.network, config.recipe):
        before.append(before[-1] + stage.recipe.epochs)
    done = before[saved.stage] + saved.epochs if saved else 0
    start = time.perf_counter()
    # Entries of epochs that were logged but not kept are void. A suffix parts the files of two sessions in one second.
    with SummaryWriter(str(folder / LOG), purge_step=done + 1, filename_suffix=f".{done}") as log:
        watch = Watched(folder, key, before, dataset.validation, device, saved, log, tell, asked_to_stop, start)
        return trained(config.network, dataset, config.recipe, config.seed, device, start, watch)
