"""Long trainings: checkpoints, stops and kills change nothing in what comes out."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file
from small_networks import digits_genome

from dse.cache import ScoreCache
from dse.data import Dataset, load
from dse.export.training_folder import Counts
from dse.score import Failed, NetworkScore
from dse.training import run
from dse.training.checkpoint import CheckpointError
from dse.training.long_run import Epoch, StoppedError, count_test_answers, run_training
from searchspaces.genome import NetworkGenome
from searchspaces.recipe import Recipe
from searchspaces.training_config import TrainingConfig, to_toml

ROOT = Path(__file__).parents[3]
RECIPE = Recipe(epochs=4, train_samples=200, batch_size=50, learning_rate=1e-2, augment="shift-flip")


def pruned(**changes: Any) -> NetworkGenome:
    genome = digits_genome(**changes)
    return replace(genome, layers=(genome.layers[0], replace(genome.layers[1], prune_ratio=0.5), *genome.layers[2:]))


def dual() -> NetworkGenome:
    genome = digits_genome(bits=4)
    return replace(genome, layers=(replace(genome.layers[0], dual_threshold=True), *genome.layers[1:]))


NETWORKS = {
    "plain": digits_genome(),
    "dual threshold, 4 bits": dual(),
    "dynamic pruning": pruned(dynamic_pruning=True),
    "flips": digits_genome(bwo=True),
    "two stages": pruned(timesteps=1, first_stage_timesteps=3),
    "few steps first": pruned(timesteps=3, first_stage_timesteps=2),
    "rounded conversion": pruned(timesteps=2, reset="soft", route="rounded-conversion"),
}


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits", None)


def config(genome: NetworkGenome, recipe: Recipe = RECIPE, seed: int = 3) -> TrainingConfig:
    return TrainingConfig("long", "digits", genome, recipe, seed)


def trained(
    asked: TrainingConfig, digits: Dataset, folder: Path, stop: Callable[[], bool] = lambda: False
) -> tuple[Counts, list[Epoch]]:
    told: list[Epoch] = []
    folder.mkdir(exist_ok=True)
    result = run_training(asked, digits, folder, "cpu", told.append, stop)
    assert isinstance(result, Counts)
    return result, told


def after(steps: int) -> Callable[[], bool]:
    """Asks to stop before step number ``steps`` from now."""
    left = iter(range(steps))
    return lambda: next(left, None) is None


def same_weights(one: Path, other: Path) -> bool:
    """Bit by bit, whatever the files say beside."""
    first, second = (load_file(folder / "weights.safetensors") for folder in (one, other))
    return first.keys() == second.keys() and all((first[name] == second[name]).all() for name in first)


@pytest.mark.parametrize("name", NETWORKS)
def test_stopped_and_resumed_it_ends_as_if_never_stopped(name: str, digits: Dataset, tmp_path: Path) -> None:
    # Stops by steps, four in an epoch: flips begin ten steps into the last fifth of a run, the second stage half way.
    epochs, stops, kept = {"flips": (20, (74,), 18), "two stages": (4, (6, 9), 3)}.get(name, (4, (6, 7), 2))
    asked = config(NETWORKS[name], replace(RECIPE, epochs=epochs))
    counts, told = trained(asked, digits, tmp_path / "whole")
    assert [epoch.number for epoch in told] == [*range(1, epochs + 1)]
    for steps in stops:
        with pytest.raises(StoppedError):
            trained(asked, digits, tmp_path / "parts", after(steps))
    again, rest = trained(asked, digits, tmp_path / "parts")
    assert [epoch.number for epoch in rest] == [*range(kept + 1, epochs + 1)]
    assert again == counts
    assert [(e.loss, e.correct) for e in rest] == [(e.loss, e.correct) for e in told[kept:]]
    for file in ("weights.safetensors", "integer.safetensors"):
        assert (tmp_path / "parts" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()


def test_a_stop_between_two_stages_is_no_other(digits: Dataset, tmp_path: Path) -> None:
    asked = config(NETWORKS["two stages"])
    for steps in (9, 1):  # the first stage takes eight
        with pytest.raises(StoppedError):
            trained(asked, digits, tmp_path / "parts", after(steps))
    counts, _ = trained(asked, digits, tmp_path / "parts")
    assert counts == trained(asked, digits, tmp_path / "whole")[0]
    whole, parts = (tmp_path / name / "weights.safetensors" for name in ("whole", "parts"))
    assert whole.read_bytes() == parts.read_bytes()


@pytest.mark.parametrize("name", ["plain", "two stages", "rounded conversion"])
def test_it_trains_the_network_of_a_search(name: str, digits: Dataset, tmp_path: Path) -> None:
    counts, _ = trained(config(NETWORKS[name]), digits, tmp_path / "run")
    cache = ScoreCache(tmp_path / "cache")
    score = run.train(NETWORKS[name], digits, RECIPE, 3, cache, device="cpu")
    assert isinstance(score, NetworkScore)
    assert (counts.correct, counts.deployed_correct) == (score.correct, score.deployed_correct)
    assert same_weights(tmp_path / "run", cache.weights_path(score).parent)


@pytest.mark.parametrize(
    "genome",
    [
        digits_genome(bits=4, ale_saving=0.2),
        digits_genome(timesteps=2, reset="soft", route="conversion"),
        pruned(timesteps=1),
    ],
    ids=["layers made binary", "converted", "pruned"],
)
def test_the_network_in_the_folder_answers_as_it_did(genome: NetworkGenome, digits: Dataset, tmp_path: Path) -> None:
    asked = config(genome, replace(RECIPE, train_samples=1000, augment="none"))
    counts, _ = trained(asked, digits, tmp_path)
    assert counts.correct > counts.samples / 2  # an answer by chance would tell nothing
    before = json.loads((tmp_path / "record.json").read_text())
    assert count_test_answers(asked, digits.validation, tmp_path, "cpu") == counts
    assert json.loads((tmp_path / "record.json").read_text()) == before | {"test": before["validation"]}


def test_what_is_done_is_not_done_again(digits: Dataset, tmp_path: Path) -> None:
    counts, _ = trained(config(NETWORKS["plain"]), digits, tmp_path)
    again, told = trained(config(NETWORKS["plain"]), digits, tmp_path, lambda: pytest.fail("trained again"))
    assert (again, told) == (counts, [])
    assert not (tmp_path / "checkpoint.safetensors").exists()


@pytest.mark.parametrize("done", [True, False])
def test_a_folder_of_another_training_is_refused(done: bool, digits: Dataset, tmp_path: Path) -> None:
    if done:
        trained(config(NETWORKS["plain"]), digits, tmp_path)
    else:
        with pytest.raises(StoppedError):
            trained(config(NETWORKS["plain"]), digits, tmp_path, after(6))
    before = {path: path.read_bytes() for path in tmp_path.glob("*.safetensors")}
    with pytest.raises(CheckpointError, match=r"output folder must be new or of this training, not .*; name another"):
        trained(config(NETWORKS["plain"], seed=4), digits, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.glob("*.safetensors")} == before


@pytest.mark.parametrize("key", ["validation", "binarised"])
def test_a_record_without_what_was_written_is_named(key: str, digits: Dataset, tmp_path: Path) -> None:
    trained(config(NETWORKS["plain"]), digits, tmp_path)
    path = tmp_path / "record.json"
    record = json.loads(path.read_text())
    del record[key]
    path.write_text(json.dumps(record))
    with pytest.raises(CheckpointError, match=r"record\.json must be as it was written, not damaged"):
        trained(config(NETWORKS["plain"]), digits, tmp_path)


@pytest.mark.parametrize("left", [0.0, 0.5, 0.999])
def test_a_truncated_checkpoint_is_named(left: float, digits: Dataset, tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        trained(config(NETWORKS["plain"]), digits, tmp_path, after(6))
    path = tmp_path / "checkpoint.safetensors"
    cut = path.read_bytes()[: int(left * path.stat().st_size)]
    path.write_bytes(cut)
    with pytest.raises(CheckpointError, match=r"checkpoint must be whole, not damaged \(.*; remove it"):
        trained(config(NETWORKS["plain"]), digits, tmp_path)
    assert path.read_bytes() == cut
    path.unlink()
    trained(config(NETWORKS["plain"]), digits, tmp_path)


def test_a_checkpoint_of_something_else_is_named(digits: Dataset, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.safetensors").write_bytes(b"\x80\x04\x95 not tensors")
    with pytest.raises(CheckpointError, match="checkpoint must be whole, not damaged"):
        trained(config(NETWORKS["plain"]), digits, tmp_path)


def test_a_failure_is_told_and_leaves_no_result(digits: Dataset, tmp_path: Path) -> None:
    asked = config(digits_genome(bits=8), replace(RECIPE, weight_decay=1e38))
    result = run_training(asked, digits, tmp_path, "cpu", lambda epoch: None, lambda: False)
    assert isinstance(result, Failed)
    assert result.reason == "diverged"
    assert not (tmp_path / "record.json").exists()


def test_tensorboard_reads_every_epoch_once(digits: Dataset, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="TensorBoard is not here: pip install tensorboard")
    asked = config(NETWORKS["plain"])
    with pytest.raises(StoppedError):
        trained(asked, digits, tmp_path, after(10))
    _, told = trained(asked, digits, tmp_path)
    code = (
        "import sys, json\n"
        "from tensorboard.backend.event_processing.event_accumulator import EventAccumulator\n"
        "log = EventAccumulator(sys.argv[1])\n"
        "log.Reload()\n"
        "tags = log.Tags()['scalars']\n"
        "print(json.dumps({tag: [(e.step, e.value) for e in log.Scalars(tag)] for tag in tags}))\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "log")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    scalars = json.loads(done.stdout.splitlines()[-1])
    assert set(scalars) == {"loss", "learning_rate", "validation_accuracy"}
    assert [step for step, _ in scalars["loss"]] == [1, 2, 3, 4]
    assert scalars["loss"][-1][1] == pytest.approx(told[-1].loss, rel=1e-6)
    assert scalars["validation_accuracy"][-1][1] == pytest.approx(told[-1].correct / told[-1].samples, rel=1e-6)


def started(config_file: Path, folder: Path) -> subprocess.Popen[str]:
    """`dse train` in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DSE_")}
    environment |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", "from dse.cli import main; main()", "train", str(config_file), "-o", str(folder)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def told_an_epoch(process: subprocess.Popen[str]) -> str:
    """The first line on an epoch, as soon as it is there."""
    assert process.stderr is not None
    line = next(line for line in process.stderr if line.startswith("epoch "))
    return line.partition(":")[0]


def test_killed_and_then_interrupted_the_program_ends_as_if_never_stopped(digits: Dataset, tmp_path: Path) -> None:
    asked = config(digits_genome(timesteps=1), replace(RECIPE, epochs=30))
    (tmp_path / "config.toml").write_text(to_toml(asked))
    folder = tmp_path / "run"
    process = started(tmp_path / "config.toml", folder)
    assert told_an_epoch(process) == "epoch 1 of 30"
    process.kill()
    process.communicate(timeout=60)
    process = started(tmp_path / "config.toml", folder)
    assert told_an_epoch(process) not in ("epoch 1 of 30", "epoch 30 of 30")
    process.send_signal(signal.SIGINT)
    printed, errors = process.communicate(timeout=60)
    assert (process.returncode, printed) == (130, "")
    assert errors.endswith("Interrupted; the epochs that were over are kept. The same command goes on.\n")
    assert not (folder / "record.json").exists()
    process = started(tmp_path / "config.toml", folder)
    printed, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert "epoch 30 of 30" in errors
    counts, _ = trained(asked, digits, tmp_path / "whole")
    assert f"{100 * counts.deployed_correct / counts.samples:.1f} %" in printed
    assert same_weights(tmp_path / "whole", folder)
