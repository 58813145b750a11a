"""The presets of event data searched from end to end, on archives written here as their publishers lay them out."""

import sys
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from stand_in import InlineTrainers, settings_in

from dse import data
from dse.data.registry import DATASETS, Container, Source
from dse.results import open_study
from dse.study.refine import refine
from dse.study.search import run_search
from dse.tasks import Line, Task
from dse.worker import DatasetTrainer, WorkerSettings, answer_line
from searchspaces.space import load_space

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
from event_writers import aedat2_bytes, aedat3_bytes, random_events, tarred, zipped
from published_data import record

CAMERA = 128
FEW_EPOCHS = """
[space]
extends = "{name}"
name = "few-epochs"
[training.short]
epochs = 1
[training.refine]
epochs = 2
"""
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


class RealTrainers(InlineTrainers):
    """Trains and tests for real, in this process."""

    def __call__(self, settings: WorkerSettings, slots: int, logs: Path) -> "RealTrainers":
        self.trainer = DatasetTrainer(settings)
        return self

    def start(self) -> dict[str, Any]:
        return self.trainer.about()

    def submit(self, task: Task) -> "Future[Line]":
        future: Future[Line] = Future()
        if task.kind == "test":
            future.set_result({"test": self.trainer.test(task.genome, task.score)})
        else:
            future.set_result(answer_line(self.trainer.train(task.genome, task.recipe, task.seed)[0]))
        return future


def gestures() -> tuple[Source, dict[str, bytes]]:
    """Three trials of all eleven gestures, one of them to test with."""
    members, lists = {}, {"train": ["user01_led.aedat", "user02_led.aedat"], "test": ["user03_led.aedat"]}
    for seed, trial in enumerate(trial for part in lists.values() for trial in part):
        events = random_events(seed, CAMERA, 1100, first=0, last=1_100_000)
        rows = [f"{kind},{(kind - 1) * 100_000},{kind * 100_000}" for kind in range(1, 12)]
        members[f"DvsGesture/{trial}"] = aedat3_bytes(events)
        table = "\n".join(["class,startTime_usec,endTime_usec", *rows])
        members[f"DvsGesture/{trial.removesuffix('.aedat')}_labels.csv"] = table.encode()
    for part, trials in lists.items():
        members[f"DvsGesture/trials_to_{part}.txt"] = "\n".join([*trials, ""]).encode()
    files = {"DvsGesture.tar.gz": tarred(members)}
    records = (record("DvsGesture.tar.gz", "all", files["DvsGesture.tar.gz"]),)
    return made("dvs128-gesture", 11, (11, 11, 11), Container("gesture-tar", "Made", ("made",), records)), files


def pictures() -> tuple[Source, dict[str, bytes]]:
    """Four recordings of each class, undivided as they are published."""
    files = {}
    for label, name in enumerate(CLASSES):
        recordings = {
            f"{name}/cifar10_{name}_{index}.aedat": aedat2_bytes(random_events(10 * label + index, CAMERA, 100))
            for index in range(4)
        }
        files[f"{name}.zip"] = zipped(recordings)
    records = tuple(record(name, f"all-{name.removesuffix('.zip')}", content) for name, content in files.items())
    container = Container("cifar10-dvs-zips", "Made", ("made",), records, undivided=True)
    return made("cifar10-dvs", 10, (20, 10, 10), container), files


def made(name: str, classes: int, parts: tuple[int, int, int], container: Container) -> Source:
    """A data set of the published form with fewer recordings."""
    published = DATASETS[name]
    assert (published.classes, published.containers[0].format) == (classes, container.format)
    shape, origin = (2, CAMERA, CAMERA), "made"
    return Source(name, classes, 1, shape, *parts, "public domain", origin, (container,), static_input=False)


@pytest.mark.parametrize(("name", "write"), [("dvs128-gesture", gestures), ("cifar10-dvs", pictures)])
def test_an_event_preset_is_searched_and_refined(
    name: str, write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, files = write()
    folder = tmp_path / "data" / "made"
    folder.mkdir(parents=True)
    for file, content in files.items():
        (folder / file).write_bytes(content)
    known = {"sources": MappingProxyType({name: source}), "cache_dir": tmp_path / "slices"}
    for function in (data.load, data.load_test):
        monkeypatch.setattr(data, function.__name__, partial(function, **known))
    changes = {"trials": 2, "sampler": "random", "dataset": name, "data_dir": tmp_path / "data", "device": "cpu"}
    trainers = RealTrainers()
    result = run_search(settings_in(tmp_path, FEW_EPOCHS.format(name=name), **changes), make_trainers=trainers)
    assert (result.trained, result.failed) == (2, 0)
    assert result.front
    study = open_study(result.folder.path)
    assert study.manifest.data["classes"] == source.classes
    for record_ in study.networks():
        network = record_.score
        assert network is not None
        assert len(network.input_density) in load_space(name).network.timesteps
        assert all(0 < density < 1 / 50 for density in network.input_density)
    refined = refine(result.folder.path, 1, make_trainers=trainers)
    (row,) = refined.rows
    assert row.test_deployed is not None
    assert row.test_deployed.samples == source.test
    assert np.isfinite(result.front[0].metrics["energy_uj"])
