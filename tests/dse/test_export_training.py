"""`dse export --to training` and `--to nir`, and `dse train`: what was written stands alone."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from stand_in import TINY_SPACE, InlineTrainers, settings_in
from typer.testing import CliRunner

from dse.cli import app
from dse.dashboard.candidate import commands, study_of
from dse.results import open_study
from dse.study.refine import refine
from dse.study.search import run_search
from dse.tasks import Line, Task
from dse.worker import DatasetTrainer, WorkerSettings, answer_line

SPACE = TINY_SPACE.replace('weights = ["binary", 2]', 'weights = ["binary", 2]\nprune_ratio = [0, 0.3]').replace(
    "epochs = 1", "epochs = 1\ntrain_samples = 300\nlearning_rate = 1e-2"
)
ALONE = (
    "import runpy, sys\n"
    "sys.modules.update(dict.fromkeys(('dse', 'costmodels', 'searchspaces')))\n"  # to import one is an error
    "runpy.run_path(sys.argv[1], run_name='__main__')\n"
)
runner = CliRunner()


class RealTrainers(InlineTrainers):
    """Trains for real, in this process."""

    def __call__(self, settings: WorkerSettings, slots: int, logs: Path) -> "RealTrainers":
        self.trainer = DatasetTrainer(settings)
        self._about = self.trainer.about()
        return self

    def submit(self, task: Task) -> "Future[Line]":
        future: Future[Line] = Future()
        if task.score is not None:
            future.set_result({"test": self.trainer.test(task.genome, task.score)})
        else:
            future.set_result(answer_line(*self.trainer.train(task.genome, task.recipe, task.seed)))
        return future


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A study of three networks, really trained, one of them refined and tested; its cache lies beside it."""
    folder = tmp_path_factory.mktemp("real study")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dse.study.settings.cores", lambda: 1)
        result = run_search(settings_in(folder, SPACE, trials=3, seed=1), make_trainers=RealTrainers())
        refine(result.folder.path, 1, make_trainers=RealTrainers())
        yield result.folder.path


def run(*arguments: str, code: int = 0) -> tuple[str, str]:
    result = runner.invoke(app, list(arguments), prog_name="dse")
    assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
    return result.stdout, result.stderr


def counted(folder: Path, code: int = 0) -> list[dict[str, Any]]:
    """What the folder's model says of itself where this project cannot be imported."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", ALONE, str(folder / "model.py")],
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_tested_network_counts_the_recorded_answers_alone(study: Path, tmp_path: Path) -> None:
    (number, test), *_ = open_study(study).test_scores().items()
    record = open_study(study).record(str(number), refined=True)
    out = str(tmp_path / "ä b")
    printed, noted = run("export", str(study), str(number), "--refined", "--to", "training", "-o", out)
    assert printed == f"{out}\n"
    assert noted == ""  # the weights were at hand
    moved = Path(shutil.move(out, tmp_path / "elsewhere"))
    score = record.score
    validation = {"correct": score.correct, "deployed_correct": score.deployed_correct, "samples": score.samples}
    assert counted(moved) == [
        {"part": "validation", **validation, "as_recorded": True},
        {"part": "test", **test, "as_recorded": True},
    ]
    about = json.loads((moved / "record.json").read_text())
    assert (about["fidelity"], about["test"], about["seed"]) == ("refined", test, 1)


def test_a_short_network_counts_its_validation_samples_and_notices_others(study: Path, tmp_path: Path) -> None:
    for number in ("0", "1"):
        run("export", str(study), number, "--to", "training", "-o", str(tmp_path / number))
    (line,) = counted(tmp_path / "0")  # the test set was not asked
    score = open_study(study).record("0").score
    assert (line["correct"], line["deployed_correct"]) == (score.correct, score.deployed_correct)
    shutil.copy(tmp_path / "1" / "validation.safetensors", tmp_path / "0" / "validation.safetensors")
    (line,) = counted(tmp_path / "0", code=1)
    assert not line["as_recorded"]


def test_training_the_exported_configuration_gives_the_exported_weights(study: Path, tmp_path: Path) -> None:
    run("export", str(study), "0", "--to", "training", "-o", str(tmp_path / "out"), "--verify")
    given = json.loads(run("train", str(tmp_path / "out" / "config.toml"), "--device", "cpu", "--json")[0])
    trained = tmp_path / "out" / "config-training"
    assert given["folder"] == str(trained)
    for file in ("weights.safetensors", "integer.safetensors", "config.toml", "model.py"):
        assert (trained / file).read_bytes() == (tmp_path / "out" / file).read_bytes()
    (line,) = counted(trained)
    assert (line["as_recorded"], line["correct"]) == (True, given["correct"])


def test_lost_weights_are_trained_again_and_it_says_so(study: Path, tmp_path: Path) -> None:
    cache = ("--cache-dir", str(tmp_path / "empty"))
    run("export", str(study), "0", "--to", "training", "-o", str(tmp_path / "had"))
    _, noted = run("export", str(study), "0", "--to", "training", "-o", str(tmp_path / "again"), *cache)
    assert "training it again, seed 1" in noted
    assert "as recorded" in noted
    assert (tmp_path / "had" / "weights.safetensors").read_bytes() == (
        tmp_path / "again" / "weights.safetensors"
    ).read_bytes()


def test_a_nir_graph_is_written_or_refused_by_feature(study: Path, tmp_path: Path) -> None:
    nir = pytest.importorskip("nir", reason="the package nir is not here: pip install 'snn-dse[nir]'")
    run("export", str(study), "0", "--to", "nir", "-o", str(tmp_path / "out"))
    graph = nir.read(tmp_path / "out" / "network.nir")
    genome = open_study(study).record("0").genome
    assert graph.metadata["timesteps"] == genome.timesteps
    assert set(graph.nodes) >= {"input", "output", "conv1", "conv1_neurons", "classifier"}
    _, noted = run("export", str(study), "0", "--to", "nir", "-o", str(tmp_path / "out"), code=2)
    assert "output folder must be new or empty" in noted


def test_the_commands_of_the_candidate_page_run(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = study_of(open_study(study))
    point = shown.folder.front()[-1].id
    fidelities = ("short", "refined") if point.partition("-")[0] in map(str, shown.refined) else ("short",)
    handing_on = [
        command for command, _ in commands(shown, point, fidelities) if " --to " in command or " train " in command
    ]
    assert [shlex.split(command)[1] for command in handing_on] == ["export", "train", "export", "export"]
    for command in handing_on:
        result = runner.invoke(app, shlex.split(command)[1:], prog_name="dse")
        refused = result.exit_code == 2 and " must be " in result.stderr and "--to rtl" in command
        assert result.exit_code == 0 or refused, (command, result.stderr)
    assert (tmp_path / f"{point}-training" / "config-training" / "weights.safetensors").exists()


CONFIG = """
[training]
name = "by hand"
dataset = "digits"

[network]
timesteps = 1
levels = 1
head = "gap"

[[network.layers]]
name = "conv1"
kind = "conv"
channels = 4
weights = "binary"

[network.classifier]
weights = "binary"
kernel = 3

[recipe]
epochs = 1
train_samples = 100
"""


def test_a_configuration_by_hand_trains_and_a_wrong_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(CONFIG)
    printed, noted = run("train", str(path), "--device", "cpu")
    assert "epoch 1 of 1: loss " in noted
    assert str(tmp_path / "mine-training") in printed
    assert counted(tmp_path / "mine-training")[0]["as_recorded"]
    printed, noted = run("train", str(path), "--device", "cpu", "--test")
    assert "epoch" not in noted  # what is done is not trained again
    assert "360 of the test split" in printed
    validation, test = counted(tmp_path / "mine-training")
    assert (validation["part"], test["part"], test["samples"]) == ("validation", "test", 360)
    assert test["as_recorded"]
    _, noted = run("train", str(path), "--seed", "1", code=2)  # is another training
    assert "must be new or of this training" in noted
    path.write_text(CONFIG.replace("channels", "chanels"))
    _, noted = run("train", str(path), code=2)
    assert "conv1.chanels must be one of" in noted
    assert f"({path}:14); did you mean 'channels'?" in noted


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(CONFIG)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "model.py").write_text("mine")
    _, noted = run("train", str(tmp_path / "mine.toml"), "-o", str(tmp_path / "out"), code=2)
    assert "output folder must be new or empty, not a folder with files in it" in noted
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["model.py"]
