"""What this program wrote and somebody may have changed: studies, trained networks, checkpoints, exported folders."""

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save
from target import Target

from dse.cache import INTEGER, MASKS, SCORE, WEIGHTS, ScoreCache, score_key
from dse.export.integer_network import from_npz, to_npz
from dse.export.rtl_design import Design, LayerDesign, read_design, write_design
from dse.reproduction.record import Identity, Record
from dse.results.folder import StudyFolder, open_study
from dse.results.refined import refined_rows
from dse.results.scores import read_masks
from dse.results.tables import history_rows

for place in ("study", "export"):
    sys.path.insert(0, str(Path(__file__).parents[1] / "dse" / place))
from stand_in import InlineTrainers, settings_in  # noqa: E402

STUDY = ("manifest.json", "networks.jsonl", "points.jsonl", "failures.jsonl", "refined.jsonl", "refined-points.jsonl")
STUDY += ("test.jsonl", "designs.jsonl")
PRISTINE: dict[str, bytes] = {}


def small_study(folder: Path) -> Path:
    """A study of three networks with pruning masks, one of them refined and tested, and one training that failed."""
    from dse.score import Failed, NetworkScore
    from dse.study.refine import refine
    from dse.study.search import run_search
    from dse.tasks import Task

    def answer(task: Task) -> NetworkScore | Failed:
        from stand_in import stand_in_score

        failed = Failed("diverged", "loss became NaN in epoch 1", 0.5)
        return failed if task.id == 1 else stand_in_score(task.genome, task.recipe, task.seed)

    settings = settings_in(folder, trials=4, sampler="random", seed=3)
    path = run_search(settings, make_trainers=InlineTrainers(answer=answer)).folder.path
    refine(path, 1, make_trainers=InlineTrainers())
    StudyFolder(path).add_design(0, 0, StudyFolder(path).machine("0-0"), {"energy_uj": 1.5}, True)
    return path


def _studies(folder: Path) -> list[bytes]:
    path = small_study(folder)
    masks = [f"masks/{one.name}" for one in sorted((path / "masks").glob("*.json"))[:1]]
    PRISTINE.update({name: (path / name).read_bytes() for name in (*STUDY, *masks)})
    return [f"{name}\n".encode() + data for name, data in PRISTINE.items()]


def _study(data: bytes, folder: Path) -> None:
    """The first line names the file that the rest replaces; then everything that a study holds is read."""
    line, _, content = data.partition(b"\n")
    name = line.decode("latin1")
    if name not in PRISTINE:
        return
    path = folder / "results" / "study" / name
    path.write_bytes(content)
    try:
        read_study(folder / "results" / "study")
    finally:
        path.write_bytes(PRISTINE[name])


def read_study(path: Path) -> None:
    """What the commands on a study read of it, without drawing."""
    study = open_study(path)
    study.front(), study.refined_front(), refined_rows(study), study.failures(), study.designs()
    networks = study.networks(masks=True)
    history_rows(networks, study.objectives)
    for record in (*networks, *study.refined(masks=True)):
        assert len(record.digest) == 16


def _masks(_: Path) -> list[bytes]:
    from dse.results.scores import pack_mask

    return [json.dumps({"conv1": pack_mask(np.arange(12).reshape(3, 4) % 3 > 0)}).encode()]


def _file(name: str, load: Callable[[Path], Any]) -> Callable[[bytes, Path], object]:
    def read(data: bytes, folder: Path) -> object:
        (folder / name).write_bytes(data)
        return load(folder / name)

    return read


def _integer_networks(folder: Path) -> list[bytes]:
    from integer_examples import random_network

    stored = []
    for seed in range(3):
        to_npz(random_network(seed), folder / "seed.npz")
        stored.append((folder / "seed.npz").read_bytes())
    return stored


KEYS: list[str] = []


def _entries(folder: Path) -> list[bytes]:
    """Scores of trained networks with their masks: the name of the file that the rest of the input replaces."""
    path = small_study(folder)
    score = StudyFolder(path).networks(masks=True)[0].score
    entry = ScoreCache(folder / "entries").folder / score_key(score)
    entry.mkdir(parents=True)
    contents = {MASKS: save(dict(score.masks)), WEIGHTS: save({"w": np.ones(3)}), INTEGER: b"no network"}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    plain = {name: value for name, value in asdict(score).items() if name != "masks"}
    contents[SCORE] = json.dumps({"score": plain, "files": digests}).encode()
    PRISTINE.update(contents)
    KEYS.append(entry.name)
    return [f"{name}\n".encode() + contents[name] for name in (SCORE, MASKS)]


def _entry(data: bytes, folder: Path) -> None:
    """A file of an entry of the cache, whose digest is made right: only what it holds is wrong."""
    import warnings

    line, _, content = data.partition(b"\n")
    name = line.decode("latin1")
    if name not in (SCORE, MASKS):
        return
    entry = folder / "entries" / KEYS[0]
    entry.mkdir(exist_ok=True)
    files = {**PRISTINE, name: content}
    if name != SCORE:
        right = PRISTINE[name], content
        old, new = (hashlib.sha256(one).hexdigest().encode() for one in right)
        files[SCORE] = files[SCORE].replace(old, new)
    for each in (SCORE, MASKS, WEIGHTS, INTEGER):
        (entry / each).write_bytes(files[each])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ScoreCache(entry.parent).get(entry.name)
    for aside in entry.parent.glob(".damaged-*"):
        for one in aside.iterdir():
            one.unlink()
        aside.rmdir()


def _checkpoints(_: Path) -> list[bytes]:
    state = {"key": "k", "stage": 0, "epochs": 3, "rng": np.random.default_rng(0).bit_generator.state}
    state |= {"binarised": ["conv1"], "ale": [0, None]}
    return [save({"network.a": np.ones((2, 3), np.float32)}, {"state": json.dumps(state)})]


def _checkpoint(path: Path) -> object:
    from dse.training import checkpoint

    return checkpoint.read(path.parent, "k")


def _records(_: Path) -> list[bytes]:
    counts = {"correct": 9, "deployed_correct": 8, "samples": 10}
    return [
        json.dumps({"training": "k", "dataset": "digits", "seed": 0, "binarised": [], "validation": counts}).encode()
    ]


def _record(path: Path) -> object:
    from dse.training.long_run import recorded

    return recorded(path.parent, "k")


def _designs(folder: Path) -> list[bytes]:
    layers = (LayerDesign("conv1", 12, 96, 340), LayerDesign("classifier", 10, 0, 77))
    write_design(Design("snn_a", "a 0-1", "T=2", "8 x 4", 400.0, 3, layers, {"pe_array": 64.0}), folder)
    return [(folder / "design.json").read_bytes()]


def _runs(_: Path) -> list[bytes]:
    identity = {"network": "full", "dataset": "digits", "genome": "a", "recipe": "b", "data": "c", "code": "d"}
    outcome = {"seed": 1, "correct": 90, "deployed_correct": 89, "samples": 100, "training_loss": 0.1, "seconds": 2.5}
    return [json.dumps({**identity, **outcome}).encode() + b"\n"]


def _run(path: Path) -> object:
    return Record(path.parent).has(Identity("a", "b", "c", "d"), "digits", 1)


TARGETS = (
    Target("study", _studies, _study, 2),
    Target("masks", _masks, _file("masks.json", read_masks), 2),
    Target("integer-network", _integer_networks, _file("integer.npz", from_npz), 2),
    Target("cache-entry", _entries, _entry, 2),
    Target("checkpoint", _checkpoints, _file("checkpoint.safetensors", _checkpoint), 4),
    Target("reproduction", _runs, _file("runs.jsonl", _run), 2),
    Target("training-record", _records, _file("record.json", _record), 2),
    Target("rtl-design", _designs, _file("design.json", lambda path: read_design(path.parent)), 2),
)
