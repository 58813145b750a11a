"""A reproduction from end to end: kept, resumed, stopped, failed; and the command."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from typer.testing import CliRunner

from dse.cache import ScoreCache
from dse.cli.app import app
from dse.data import load
from dse.errors import StudyError
from dse.reproduction import run
from dse.reproduction.plan import Plan, Training, read_plan
from dse.reproduction.quantities import Outcome
from dse.reproduction.record import Record
from dse.reproduction.run import Data, Place, attempt, reproduce, trained_keys
from dse.results.lock import locked
from dse.score import Failed
from dse.study.interrupt import Interrupt
from dse.training import optimise
from dse.training.run import restored
from searchspaces.genome import LayerGenome, NetworkGenome
from searchspaces.recipe import Recipe

LAYERS = (
    LayerGenome("conv1", "conv", 8, pool=2, weight_bits=8),
    LayerGenome("out", "fc", 10, kernel=1, weight_bits=8, spiking=False),
)
DIGITS = NetworkGenome((1, 8, 8), 5, 10, 2, 1, "or", "fc", "hard", LAYERS)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(Record(tmp_path / "reproduction" / "small"), ScoreCache(tmp_path / "cache"), None, "cpu")


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, int]]:
    """Every training that is asked for, in order; none is done, and the data are those of the digits."""
    asked: list[tuple[str, str, int]] = []

    def pretend(training: Training, _data: Data, seed: int, _place: Place) -> Outcome | Failed:
        asked.append((*training.key, seed))
        if training.network == "count":
            return Failed("diverged", "the loss became nan", 1.0)
        return Outcome(seed, 991, 990 - seed, 1000, 0.1, 1.0, ("fc1",), ((1, 900), (4, 991)))

    digits = load("digits")
    monkeypatch.setattr(run, "attempt", pretend)
    monkeypatch.setattr(run, "load", lambda _name, _folder: digits)
    return asked


def test_first_seeds_first_and_nothing_twice(place: Place, trained: list[tuple[str, str, int]]) -> None:
    plan, said = read_plan("small"), []
    found = reproduce(plan, place, said.append)
    keys = trained_keys(plan)
    assert trained == [(*key, seed) for seed in (0, 1, 2) for key in keys]
    assert ("dual", "mnist") in keys
    assert len(said) == len(trained)
    assert said[0] == f"1 of {len(trained)}: vsa on mnist, seed 0: 99.00 %"
    assert set(found.failed) == {("count", "mnist", seed) for seed in (0, 1, 2)}
    assert {line.verdict for line in found.lines if line.name == "membrane-against-count"} == {"open"}
    assert all(line.seeds == 3 for line in found.lines if line.name == "dual-loss")
    trained.clear()
    again = reproduce(plan, place, said.append)
    assert trained == [("count", "mnist", seed) for seed in (0, 1, 2)]  # a failure is tried again
    assert again.lines == found.lines
    manifest = json.loads((place.record.folder / "manifest.json").read_text())
    first = manifest["sessions"][0]
    assert all(one["finished"] for one in manifest["sessions"])
    assert first["data"]["mnist"]["digest"] == load("digits").digest
    assert first["failed"]["count mnist 0"]["reason"] == "diverged"
    assert "name" not in first["host"]
    stored = json.loads((place.record.folder / "table.json").read_text())
    assert [line["name"] for line in stored["lines"]] == [line.name for line in found.lines]


def test_a_stop_loses_nothing_and_the_next_run_goes_on(
    place: Place, trained: list[tuple[str, str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = read_plan("small", "two-stages")
    interrupt = Interrupt()

    def pretend(training: Training, _data: Data, seed: int, _place: Place) -> Outcome:
        trained.append((*training.key, seed))
        interrupt.asked = len(trained) == 3
        return Outcome(seed, 900, 900, 1000, 0.1, 1.0)

    class Watched:
        def __enter__(self) -> Interrupt:
            return interrupt

        def __exit__(self, *_error: object) -> None:
            return None

    monkeypatch.setattr(run, "watched", Watched)
    monkeypatch.setattr(run, "attempt", pretend)
    stopped = reproduce(plan, place, lambda _text: None)
    assert stopped.interrupted
    assert stopped.lines[0].seeds == 1
    with (place.record.folder / "runs.jsonl").open("a") as file:
        file.write('{"network": "torn')
    interrupt.asked = False
    done = reproduce(plan, place, lambda _text: None)
    assert not done.interrupted
    assert len(trained) == 6
    assert done.lines[0].seeds == 3
    assert not (place.record.folder / "table.json").exists()  # a part of the rows is not the table


def test_one_process_at_a_time(place: Place, trained: list[tuple[str, str, int]]) -> None:
    place.record.folder.mkdir(parents=True)
    with locked(place.record.folder), pytest.raises(StudyError, match="must be free, not in use by process"):
        reproduce(read_plan("small", "vsa"), place, lambda _text: None)
    assert trained == []


def test_another_code_or_recipe_is_trained_anew(
    place: Place, trained: list[tuple[str, str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = read_plan("small", "vsa")
    reproduce(plan, place, lambda _text: None)
    monkeypatch.setattr(run, "code_version", lambda: "f" * 16)
    reproduce(plan, place, lambda _text: None)
    assert trained == [("vsa", "mnist", seed) for seed in (0, 1, 2)] * 2


def test_an_attempt_trains_tests_and_measures_the_loss_on_what_was_trained(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[np.ndarray] = []
    draw = optimise.balanced_subset
    monkeypatch.setattr(optimise, "balanced_subset", lambda *a: seen.append(draw(*a)) or seen[-1])
    training = Training("digits", "digits", DIGITS, Recipe(epochs=2, train_samples=300, precision="float32"))
    data = Data("digits", None)
    found = attempt(training, data, 5, place)
    assert isinstance(found, Outcome)
    assert (found.seed, found.samples) == (5, 360)
    assert found.accuracy > 50
    known = data.known
    score = place.cache.get(place.cache.key(DIGITS, training.recipe, known.digest, 5))
    assert score is not None
    network = restored(DIGITS, score, place.cache)
    samples = known.train.take(seen[0])
    with torch.no_grad():
        loss = F.cross_entropy(network(torch.from_numpy(samples.images)), torch.from_numpy(samples.labels))
    assert found.training_loss == pytest.approx(float(loss), rel=1e-5)
    again = attempt(training, data, 5, place)
    assert again == found
    assert len(seen) == 1  # the second time from the cache


def test_the_command(place: Place, trained: list[tuple[str, str, int]], tmp_path: Path) -> None:
    where = ["--results-dir", str(tmp_path), "--cache-dir", str(tmp_path / "cache")]
    done = CliRunner().invoke(app, ["reproduce", "DT-SCNN", "--json", *where])
    assert done.exit_code == 0, done.output
    lines = json.loads(done.stdout)
    assert {line["method"] for line in lines} == {"DT-SCNN"}
    assert {line["published"] for line in lines if line["name"] == "dual-loss"} == {0.4}
    shown = CliRunner().invoke(app, ["reproduce", "membrane-against-count", *where])
    assert shown.exit_code == 1
    assert "3 trainings failed" in shown.stderr
    wrong = CliRunner().invoke(app, ["reproduce", "--budget", "large", *where])
    assert wrong.exit_code == 2
    assert "dse: budget must be one of small, full, not large" in wrong.stderr


def test_the_plan_of_every_training_is_a_network_that_trains() -> None:
    from dse.training.model import build_network

    plans: list[Plan] = [read_plan("small"), read_plan("full", "VSA"), read_plan("full", "ALBSNN")]
    for plan in plans:
        for training in plan.trainings.values():
            build_network(training.genome, training.recipe)
