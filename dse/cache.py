"""Trained networks on disk, one folder each, named by everything that decides the outcome. No torch.

An entry holds ``score.json``, ``masks.safetensors``, ``weights.safetensors`` (the float parameters) and
``integer.npz``. It appears by one rename, so nobody ever meets half of one; ``score.json`` carries the digests of the
other files.
Failed runs are not kept: whether one is out of memory or over its budget depends on the machine and the moment, and a
diverged one is rare enough to run again.
"""

import functools
import hashlib
import json
import shutil
import tempfile
import time
import uuid
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from dse.export.integer_network import IntegerNetwork, from_npz, to_npz
from dse.score import NetworkScore
from searchspaces.genome import NetworkGenome
from searchspaces.recipe import Recipe

SCORE, MASKS, WEIGHTS, INTEGER = "score.json", "masks.safetensors", "weights.safetensors", "integer.npz"
FILES = (SCORE, MASKS, WEIGHTS, INTEGER)

PARTIAL = ".partial-"
ABANDONED_S = 3600.0
"""Nobody takes longer to write an entry."""

CODE = (
    "dse/training/*.py",
    "dse/training/*.cpp",
    "dse/training/*.h",
    "dse/export/integer_network.py",
    "searchspaces/binarisation.py",
    "searchspaces/shapes.py",
)


class CacheWarning(UserWarning):
    """An entry of the cache was damaged and has been moved aside."""


@functools.cache
def code_version() -> str:
    """16 hexadecimal digits that differ where the code that trains, folds or runs a network differs."""
    root = Path(__file__).parents[1]
    text = hashlib.sha256()
    for pattern in CODE:
        for path in sorted(root.glob(pattern)):
            text.update(f"{path.relative_to(root).as_posix()}\0".encode())
            text.update(path.read_bytes())
    return text.hexdigest()[:16]


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def score_key(score: NetworkScore) -> str:
    """The entry's folder name."""
    parts = (score.genome_digest, score.recipe_digest, score.data_digest[:16], str(score.seed), score.code_version)
    return "-".join(parts)


@dataclass(frozen=True)
class ScoreCache:
    """The folder of trained networks; safe for several processes at once."""

    folder: Path

    def key(self, genome: NetworkGenome, recipe: Recipe, data_digest: str, seed: int) -> str:
        """Folder name of the entry for this training under the present code."""
        return "-".join((genome.digest(), recipe.digest(), data_digest[:16], str(seed), code_version()))

    def get(self, key: str) -> NetworkScore | None:
        """The stored score, or None where there is none or it is damaged (then it is moved aside, with a warning)."""
        entry = self.folder / key
        try:
            return _read(entry)
        except FileNotFoundError as error:
            if not entry.exists():
                return None
            reason: Exception = error
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError, SafetensorError) as error:
            reason = error
        _move_aside(entry, reason)
        return None

    def put(self, score: NetworkScore, weights: Mapping[str, NDArray[Any]], network: IntegerNetwork) -> None:
        """Store a score with its parameters. Where the same training is stored already, that entry stays."""
        with self._partial(score_key(score)) as partial:
            _write(partial, score, weights, network)

    @contextmanager
    def _partial(self, key: str) -> Iterator[Path]:
        """A folder to fill, which then appears as the entry by one rename."""
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=self.folder))
        try:
            yield partial
            partial.replace(self.folder / key)
        except OSError:
            if not (self.folder / key).exists():  # else another process was first
                raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def files(self, key: str) -> dict[str, bytes]:
        """The files of an entry by name, for another machine; none where there is no entry."""
        entry = self.folder / key
        return {name: (entry / name).read_bytes() for name in FILES} if entry.exists() else {}

    def put_files(self, key: str, files: Mapping[str, bytes]) -> None:
        """Keep an entry that `files` of another cache gave. Where that training is stored already, that entry stays.

        Raises:
            ValueError: not the files of an entry, or damaged on the way.
        """
        if set(files) != set(FILES) or Path(key).name != key:
            raise ValueError(f"entry must hold {', '.join(FILES)}, not {', '.join(sorted(files))} ({key!r})")
        with self._partial(key) as partial:
            for name in FILES:
                (partial / name).write_bytes(files[name])
            if score_key(_read(partial)) != key:
                raise ValueError(f"entry must be {key}, but holds another training")

    def sweep(self, older_than_s: float = ABANDONED_S) -> None:
        """Remove the unfinished entries that killed processes left behind."""
        oldest = time.time() - older_than_s
        for partial in self.folder.glob(f"{PARTIAL}*"):
            with suppress(FileNotFoundError):  # another process sweeps, too
                if partial.stat().st_mtime < oldest:
                    shutil.rmtree(partial, ignore_errors=True)

    def weights_path(self, score: NetworkScore) -> Path:
        """File of the trained float parameters."""
        return self.folder / score.weights

    def weights(self, score: NetworkScore) -> dict[str, NDArray[Any]]:
        """The trained float parameters by name."""
        arrays: dict[str, NDArray[Any]] = load_file(self.weights_path(score))
        return arrays

    def integer_network(self, score: NetworkScore) -> IntegerNetwork:
        """The folded network."""
        return from_npz(self.weights_path(score).with_name(INTEGER))


def weights_name(key: str) -> str:
    """What `NetworkScore.weights` says for an entry."""
    return f"{key}/{WEIGHTS}"


def _write(folder: Path, score: NetworkScore, weights: Mapping[str, NDArray[Any]], network: IntegerNetwork) -> None:
    save_file({name: np.ascontiguousarray(mask) for name, mask in score.masks.items()}, folder / MASKS)
    save_file(dict(weights), folder / WEIGHTS)
    to_npz(network, folder / INTEGER)
    files = {name: digest_of(folder / name) for name in (MASKS, WEIGHTS, INTEGER)}
    plain = {name: value for name, value in asdict(score).items() if name != "masks"}
    (folder / SCORE).write_text(json.dumps({"score": plain, "files": files}, indent=1))


def _read(entry: Path) -> NetworkScore:
    data = json.loads((entry / SCORE).read_text())
    for name in (MASKS, WEIGHTS, INTEGER):
        if digest_of(entry / name) != data["files"][name]:
            raise ValueError(f"{name} does not have the digest it was stored with")
    plain = data["score"]
    rates = {name: tuple(steps) for name, steps in plain["firing_rates"].items()}
    found = {
        "input_density": tuple(plain["input_density"]),
        "firing_rates": rates,
        "masks": load_file(entry / MASKS),
        "binarised": tuple(plain["binarised"]),
    }
    return NetworkScore(**{**plain, **found})


def _move_aside(entry: Path, reason: Exception) -> None:
    aside = entry.with_name(f".damaged-{entry.name}-{uuid.uuid4().hex[:8]}")
    try:
        entry.replace(aside)
    except FileNotFoundError:  # another process was first
        return
    warnings.warn(f"damaged cache entry moved to {aside}: {reason}", CacheWarning, stacklevel=3)
