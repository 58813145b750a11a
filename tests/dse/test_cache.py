"""The cache of trained networks: whole entries or none, whatever happens to the files and however many write."""

import json
import multiprocessing
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dse import cache as cache_module
from dse.cache import (
    ABANDONED_S,
    INTEGER,
    MASKS,
    PARTIAL,
    SCORE,
    WEIGHTS,
    CacheWarning,
    ScoreCache,
    code_version,
    weights_name,
)
from dse.export.integer_network import IntegerClassifier, IntegerNetwork
from dse.score import NetworkScore
from searchspaces.genome import LayerGenome, NetworkGenome
from searchspaces.recipe import Recipe

GENOME = NetworkGenome((1, 8, 8), 5, 10, 1, 1, "or", "fc", "hard", (LayerGenome("out", "fc", 10, spiking=False),))
RECIPE = Recipe(epochs=1)
WEIGHT_ARRAYS = {"w": np.arange(6, dtype=np.float32).reshape(2, 3), "kept": np.array([True, False])}


def network() -> IntegerNetwork:
    weights = np.ones((10, 64, 1, 1), np.int8)
    bias = np.arange(10, dtype=np.int32)
    return IntegerNetwork(
        1, 8, (), IntegerClassifier("out", "fc", weights, None, 1, 1, 0, (64, 1, 1), 5, 31, 12, bias, 20)
    )


def score(cache: ScoreCache, seed: int = 0) -> NetworkScore:
    return NetworkScore(
        genome_digest=GENOME.digest(),
        recipe_digest=RECIPE.digest(),
        data_digest="d" * 16,
        seed=seed,
        code_version=code_version(),
        correct=90,
        samples=100,
        deployed_correct=89,
        input_density=(1 / 3,),
        firing_rates={"conv1": (0.1, 0.2), "fc1": (0.3,)},
        masks={"conv1": np.array([[True, False], [False, True]])},
        epochs=1,
        seconds=1.5,
        weights=weights_name(cache.key(GENOME, RECIPE, "d" * 16, seed)),
        binarised=("conv1",),
    )


@pytest.fixture
def filled(tmp_path: Path) -> tuple[ScoreCache, str]:
    cache = ScoreCache(tmp_path / "new" / "cache")
    cache.put(score(cache), WEIGHT_ARRAYS, network())
    return cache, cache.key(GENOME, RECIPE, "d" * 16, 0)


def same(one: NetworkScore, other: NetworkScore) -> bool:
    masks = one.masks.keys() == other.masks.keys() and all(
        np.array_equal(one.masks[k], other.masks[k]) for k in one.masks
    )
    return masks and {**vars(one), "masks": None} == {**vars(other), "masks": None}


def test_what_was_put_comes_back(filled: tuple[ScoreCache, str]) -> None:
    cache, key = filled
    found = cache.get(key)
    assert found is not None
    assert same(found, score(cache))
    assert found.masks["conv1"].dtype == np.bool_
    assert {name: array.tolist() for name, array in cache.weights(found).items()} == {
        name: array.tolist() for name, array in WEIGHT_ARRAYS.items()
    }
    assert cache.weights_path(found).is_file()
    assert cache.integer_network(found).classifier.bias.tolist() == list(range(10))


def test_a_score_without_masks_comes_back(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path)
    cache.put(replace(score(cache), masks={}), WEIGHT_ARRAYS, network())
    found = cache.get(cache.key(GENOME, RECIPE, "d" * 16, 0))
    assert found is not None
    assert found.masks == {}


def test_missing_is_none_and_makes_nothing(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path / "none")
    assert cache.get(cache.key(GENOME, RECIPE, "d", 0)) is None
    assert not cache.folder.exists()


def test_key_differs_with_all_that_decides_the_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = ScoreCache(Path("unused"))
    keys = [
        cache.key(GENOME, RECIPE, "d" * 16, 0),
        cache.key(replace(GENOME, timesteps=2), RECIPE, "d" * 16, 0),
        cache.key(GENOME, replace(RECIPE, learning_rate=1.0), "d" * 16, 0),
        cache.key(GENOME, RECIPE, "e" * 16, 0),
        cache.key(GENOME, RECIPE, "d" * 16, 1),
    ]
    monkeypatch.setattr(cache_module, "code_version", lambda: "0" * 16)
    keys.append(cache.key(GENOME, RECIPE, "d" * 16, 0))
    assert len(set(keys)) == len(keys)
    assert cache.key(GENOME, replace(RECIPE, time_budget_s=9.0), "d" * 16, 0) == keys[-1]


def test_code_version_follows_the_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("dse/training", "dse/export"):
        (tmp_path / folder).mkdir(parents=True)
    files = ["dse/training/a.py", "dse/training/k.cpp", "dse/export/integer_network.py", "dse/export/other.py"]
    for name in files:
        (tmp_path / name).write_text("1")
    monkeypatch.setattr(cache_module, "__file__", str(tmp_path / "dse" / "cache.py"))
    seen = [code_version.__wrapped__()]
    for name in files:
        (tmp_path / name).write_text("2")
        seen.append(code_version.__wrapped__())
    assert len(set(seen)) == 4
    assert seen[-1] == seen[-2]  # another exporter trains nothing
    (tmp_path / "dse/training/a.py").rename(tmp_path / "dse/training/b.py")
    assert code_version.__wrapped__() not in seen


@pytest.mark.parametrize("name", [SCORE, MASKS, WEIGHTS, INTEGER])
@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "changed"])
def test_a_damaged_entry_is_missing_and_moved_aside(filled: tuple[ScoreCache, str], name: str, damage: str) -> None:
    cache, key = filled
    path = cache.folder / key / name
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        middle = len(content) // 2
        path.write_bytes(
            {"empty": b"", "cut": content[:middle], "changed": content[:middle] + b"\0" + content[middle + 1 :]}[damage]
        )
    with pytest.warns(CacheWarning, match=r"^damaged cache entry moved to .*\.damaged-"):
        assert cache.get(key) is None
    assert not (cache.folder / key).exists()
    assert cache.get(key) is None  # without a second warning
    cache.put(score(cache), WEIGHT_ARRAYS, network())
    assert cache.get(key) is not None
    assert len(list(cache.folder.glob(".damaged-*"))) == 1


@pytest.mark.parametrize("text", ["[]", "{}", "3", '{"score": {}, "files": {}}', '{"score": [], "files": []}', "null"])
def test_other_json_is_damage(filled: tuple[ScoreCache, str], text: str) -> None:
    cache, key = filled
    (cache.folder / key / SCORE).write_text(text)
    with pytest.warns(CacheWarning):
        assert cache.get(key) is None


def test_the_first_entry_stays(filled: tuple[ScoreCache, str]) -> None:
    cache, key = filled
    cache.put(replace(score(cache), correct=1), WEIGHT_ARRAYS, network())
    found = cache.get(key)
    assert found is not None
    assert found.correct == 90
    assert [path.name for path in cache.folder.iterdir()] == [key]


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = ScoreCache(tmp_path)

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache_module, "to_npz", full_disk)
    with pytest.raises(OSError, match="No space left"):
        cache.put(score(cache), WEIGHT_ARRAYS, network())
    assert list(tmp_path.iterdir()) == []


def put_many(folder: Path) -> int:
    """Put and get the same ten entries; how many gets found nothing or something else."""
    cache, wrong = ScoreCache(folder), 0
    for seed in range(10):
        cache.put(score(cache, seed), WEIGHT_ARRAYS, network())
        found = cache.get(cache.key(GENOME, RECIPE, "d" * 16, seed))
        wrong += found is None or not same(found, score(cache, seed))
    return wrong


def test_many_writers_at_once(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert pool.map(put_many, [tmp_path] * 8, chunksize=1) == [0] * 8
    assert len(list(tmp_path.iterdir())) == 10


def test_an_entry_travels_to_another_cache_whole(filled: tuple[ScoreCache, str], tmp_path: Path) -> None:
    cache, key = filled
    there = ScoreCache(tmp_path / "there")
    there.put_files(key, cache.files(key))
    found, original = there.get(key), cache.get(key)
    assert found is not None
    assert original is not None
    assert same(found, original)
    assert (there.folder / key / WEIGHTS).read_bytes() == (cache.folder / key / WEIGHTS).read_bytes()
    assert cache.files("unknown") == {}


def test_a_parcel_that_is_damaged_or_names_other_places_is_refused(
    filled: tuple[ScoreCache, str], tmp_path: Path
) -> None:
    cache, key = filled
    files, there = cache.files(key), ScoreCache(tmp_path / "there")
    wrong = [
        (key, {**files, WEIGHTS: files[WEIGHTS][:-1]}),
        (key, {**files, "../evil": b""}),
        (key, {SCORE: files[SCORE]}),
        (f"../{key}", files),
        (key.replace("-0-", "-1-"), files),
    ]
    for name, parcel in wrong:
        with pytest.raises(ValueError, match=r"must hold|digest|must be"):
            there.put_files(name, parcel)
    assert list(there.folder.iterdir()) == []
    assert not (tmp_path / "evil").exists()


def test_unfinished_entries_of_killed_processes_are_swept_and_fresh_ones_are_left(
    filled: tuple[ScoreCache, str],
) -> None:
    cache, key = filled
    for name, age_s in (("old", 2 * ABANDONED_S), ("fresh", 60.0)):
        partial = cache.folder / f"{PARTIAL}{name}"
        partial.mkdir()
        (partial / WEIGHTS).write_bytes(b"half")
        os.utime(partial, (time.time() - age_s,) * 2)
    cache.sweep()
    assert sorted(path.name for path in cache.folder.iterdir()) == sorted([f"{PARTIAL}fresh", key])


def test_score_file_is_readable_json(filled: tuple[ScoreCache, str]) -> None:
    cache, key = filled
    data = json.loads((cache.folder / key / SCORE).read_text())
    assert data["score"]["correct"] == 90
    assert set(data["files"]) == {MASKS, WEIGHTS, INTEGER}


def test_torch_is_not_imported() -> None:
    code = "import sys, dse.cache; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
