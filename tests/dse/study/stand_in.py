"""Stand-ins for training: scores that follow from the genome alone, at once, in this process or in a real worker."""

import errno
import os
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from dse.score import Failed, NetworkScore
from dse.study.settings import SearchSettings
from dse.tasks import Line, Task
from dse.worker import WorkerSettings, answer_line, serve
from searchspaces.candidate import assumed_masks
from searchspaces.genome import NetworkGenome
from searchspaces.recipe import Recipe

SPACE = """
[space]
name = "small"
dataset = "digits"
description = "stand-in"

[network]
timesteps = [1, 2, 4]
levels = 1
pooling = ["or", "average"]
head = ["fc", "gap"]
reset = "hard"

[[network.layers]]
name = "conv1"
kind = "conv"
channels = [4, 8, 16]
weights = ["binary", 2, 4]
dual_threshold = [false, true]

[[network.layers]]
name = "conv2"
kind = "conv"
channels = [4, 8, 16]
pool = [1, 2]
weights = ["binary", 4]
prune_ratio = [0, 0.5]

[[network.layers]]
name = "fc1"
kind = "fc"
channels = [8, 16]
weights = ["binary", 4]

[network.classifier]
weights = ["binary", 8]
kernel = 3

[accelerator]
vector_width = [2, 4, 8]
channel_lanes = [4, 8]
fusion_depth = [1, 2]
spike_buffer_kib = [2, 4]
weight_buffer_kib = [2, 8]

[training.short]
epochs = 1

[training.refine]
epochs = 2
"""

TINY_SPACE = """
[space]
name = "tiny"
dataset = "digits"
description = "eight networks"

[network]
timesteps = [1, 2]
levels = 1
pooling = "or"
head = "gap"
reset = "hard"

[[network.layers]]
name = "conv1"
kind = "conv"
channels = [4, 8]
weights = ["binary", 2]

[network.classifier]
weights = "binary"
kernel = 3

[accelerator]
vector_width = [2, 4]
channel_lanes = [4, 8]
fusion_depth = 1
spike_buffer_kib = 4
weight_buffer_kib = 8

[training.short]
epochs = 1

[training.refine]
epochs = 2
"""

ABOUT = {"data_digest": "d" * 16, "code_version": "stand-in", "name": "digits", "title": "Stand-in", "classes": 10}


def stand_in_score(genome: NetworkGenome, recipe: Recipe, seed: int) -> NetworkScore:
    """More bits, channels and steps classify better, and a longer recipe better still; the rest is drawn by digest."""
    draw = np.random.default_rng(int(genome.digest(), 16))
    size = sum(
        np.log2(layer.channels * (1 + layer.weight_bits) * (1 - layer.prune_ratio / 2)) for layer in genome.layers
    )
    error = 0.9 * float(np.exp(-0.12 * (size + np.log2(genome.timesteps)))) + 0.02 * draw.random()
    samples = 1000
    correct = min(samples, round(samples * (1 - error / recipe.epochs)))
    rates = {
        layer.name: tuple(draw.uniform(0.05, 0.4, genome.timesteps).tolist())
        for layer in genome.layers
        if layer.spiking
    }
    digest = genome.digest()
    return NetworkScore(
        genome_digest=digest,
        recipe_digest=recipe.digest(),
        data_digest=ABOUT["data_digest"],
        seed=seed,
        code_version="stand-in",
        correct=correct,
        samples=samples,
        deployed_correct=max(0, correct - 2),
        input_density=(0.3,),
        firing_rates=rates,
        masks=assumed_masks(genome),
        epochs=recipe.epochs,
        seconds=0.01,
        weights=f"{digest}/weights.safetensors",
    )


Answer = NetworkScore | Failed


class InlineTrainers:
    """Trains in this process, as soon as a task comes; keeps what it was asked.

    Attributes:
        trained, tested: genome digests, in order.
        answer: in place of `stand_in_score` where a test wants failures.
    """

    def __init__(
        self, slots: int = 1, answer: Callable[[Task], Answer] | None = None, about: Mapping[str, Any] = ABOUT
    ) -> None:
        self.slots = slots
        self.answer = answer or (lambda task: stand_in_score(task.genome, task.recipe, task.seed))
        self.trained: list[str] = []
        self.tested: list[str] = []
        self.closed = False
        self._about = dict(about)

    def __call__(self, settings: WorkerSettings, slots: int, logs: Path) -> "InlineTrainers":
        """As `dse.workers.WorkerPool` is made."""
        self.slots = slots
        return self

    def start(self) -> dict[str, Any]:
        return self._about

    def submit(self, task: Task) -> "Future[Line]":
        future: Future[Line] = Future()
        if task.kind == "test":
            self.tested.append(task.genome.digest())
            future.set_result({"test": {"correct": 900, "deployed_correct": 890, "samples": 1000}})
        else:
            self.trained.append(task.genome.digest())
            future.set_result(answer_line(self.answer(task)))
        return future

    def shutdown(self) -> None:
        self.closed = True


def write_space(folder: Path, text: str = SPACE) -> str:
    """A space file in ``folder``."""
    path = folder / "space.toml"
    path.write_text(text)
    return str(path)


def settings_in(folder: Path, space: str = SPACE, **changes: Any) -> SearchSettings:
    """Settings of a small search below ``folder``."""
    given: dict[str, Any] = {
        "space": write_space(folder, space),
        "trials": 8,
        "workers": 1,
        "sampler": "tpe",
        "name": "study",
        "results_dir": folder / "results",
        "cache_dir": folder / "cache",
    }
    return SearchSettings(**{**given, **changes})


class StandInTrainer:
    """What a stand-in worker process does: `stand_in_score`, after a delay, with a line in a file for every training
    done, and in ``begun`` beside it for every one begun.

    ``DSE_STAND_IN_LOG`` names that file, ``DSE_STAND_IN_DELAY_S`` the delay. A file ``die`` beside the log, with a
    number of deaths in it, makes the process kill itself in a training; ``hang`` makes it sleep, ``raise`` raise,
    ``full`` fail as on a full disk; ``digest`` holds another digest of the data.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self.log = Path(os.environ["DSE_STAND_IN_LOG"])
        self.delay_s = float(os.environ.get("DSE_STAND_IN_DELAY_S", "0"))

    def about(self) -> dict[str, Any]:
        digest = self.log.with_name("digest")
        return {**ABOUT, "data_digest": digest.read_text()} if digest.exists() else dict(ABOUT)

    def train(self, genome: NetworkGenome, recipe: Recipe, seed: int) -> tuple[NetworkScore | Failed, bool]:
        print("libraries print", flush=True)
        with self.log.with_name("begun").open("a") as file:
            file.write(f"{genome.digest()}\n")
        self._misbehave()
        time.sleep(self.delay_s)
        with self.log.open("a") as file:
            file.write(f"{genome.digest()}\n")
        return stand_in_score(genome, recipe, seed), False

    def test(self, genome: NetworkGenome, score: NetworkScore) -> dict[str, int]:
        return {"correct": score.correct, "deployed_correct": score.deployed_correct, "samples": score.samples}

    def _misbehave(self) -> None:
        deaths = self.log.with_name("die")
        if deaths.exists() and (left := int(deaths.read_text())) > 0:
            deaths.write_text(str(left - 1))
            os.kill(os.getpid(), 9)
        if self.log.with_name("hang").exists():
            time.sleep(3600)
        if self.log.with_name("raise").exists():
            raise ValueError("no such thing\nwith details")
        if self.log.with_name("full").exists():
            raise OSError(errno.ENOSPC, "No space left on device")


WORKER = (sys.executable, __file__)


def settings_as_arguments(settings: SearchSettings) -> dict[str, Any]:
    """Plain data for a search in another process."""
    return {k: str(v) if isinstance(v, Path) else v for k, v in asdict(settings).items()}


if __name__ == "__main__":
    sys.exit(serve(StandInTrainer))
