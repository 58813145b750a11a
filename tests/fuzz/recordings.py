"""Data files: idx, batches and JPEGs of CIFAR, recordings of event cameras and their archives, own data sets."""

import gzip
import io
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from target import Target

from dse.data.cifar import decode_batch
from dse.data.event_archives import read_cifar10_dvs, read_gestures, read_nmnist, read_packed
from dse.data.event_formats import decode_aedat2, decode_aedat3, decode_nmnist
from dse.data.events import sliced
from dse.data.idx import decode_idx, header
from dse.data.jpeg import decode_jpegs
from dse.data.own import load_own, load_own_test
from dse.data.plain_pickle import read_plain_pickle

sys.path.insert(0, str(Path(__file__).parents[1] / "dse" / "data"))
from event_writers import aedat2_bytes, aedat3_bytes, nmnist_bytes, packed, random_events, tarred, zipped
from published_data import batch_bytes, jpeg_container, npz_bytes, random_samples

EDGE = 16
SHAPE = (2, EDGE, EDGE)
CAMERA = (2, 128, 128)
IDX = (3, 4, 5)
EVENTS = random_events(1, EDGE, 40)
Decode = Callable[[bytes, str], Any]


def _idx(_: Path) -> list[bytes]:
    return [header(IDX) + bytes(range(math.prod(IDX)))]


def _batch(_: Path) -> list[bytes]:
    images, labels = random_samples(2, (3, 2, 2), 1)
    return [batch_bytes(images, labels, "labels"), b"\x80\x02]q\x00(K\x01K\x02e.", b"(dp0\nS'data'\np1\nI1\ns."]


def _jpegs(_: Path) -> list[bytes]:
    return [jpeg_container(*random_samples(2, (3, 8, 8), 1))]


def _jpeg(data: bytes, folder: Path) -> object:
    return decode_jpegs(data, (2, 3, 8, 8), folder / "x.npz", folder / "cache")


def _decoded(decode: Decode) -> Callable[[bytes, Path], object]:
    return lambda data, _: sliced(decode(data, "a recording"), CAMERA, "a recording")


def _archive(name: str, read: Callable[[Path], object]) -> Callable[[bytes, Path], object]:
    def written(data: bytes, folder: Path) -> object:
        (folder / name).write_bytes(data)
        return read(folder / name)

    return written


def _nmnist(_: Path) -> list[bytes]:
    return [zipped({f"Train/{label}/{n:05}.bin": nmnist_bytes(EVENTS) for n, label in ((1, 5), (2, 0))})]


def _dvs(_: Path) -> list[bytes]:
    return [zipped({f"cat/cifar10_cat_{n}.aedat": aedat2_bytes(EVENTS) for n in range(2)})]


def _gestures(_: Path) -> list[bytes]:
    table = b"class,startTime_usec,endTime_usec\n1,0,150000\n2,150000,400000\n"
    members = {
        "trials_to_train.txt": b"user01.aedat\n",
        "user01_labels.csv": table,
        "user01.aedat": aedat3_bytes(EVENTS),
    }
    return [tarred(members)]


def _packed(_: Path) -> list[bytes]:
    return [npz_bytes(**packed([EVENTS, EVENTS], [1, 0]))]


def _own(_: Path) -> list[bytes]:
    images, labels = random_samples(20, (1, 4, 4), 1)
    arrays = {
        f"{part}_{what}": one for part in ("train", "test") for what, one in (("images", images), ("labels", labels))
    }
    stored = io.BytesIO()
    np.savez(stored, **arrays)
    return [npz_bytes(**arrays), stored.getvalue()]


def _own_read(path: Path) -> object:
    return load_own(path), load_own_test(path)


TARGETS = (
    Target("idx", _idx, lambda data, _: decode_idx(data, IDX, Path("x")), 8),
    Target("idx-gz", lambda _: [gzip.compress(_idx(_)[0])], lambda data, _: decode_idx(data, IDX, Path("x.gz")), 4),
    Target("cifar-batch", _batch, lambda data, _: decode_batch(data, (2, 3, 2, 2), Path("x"), "labels"), 4),
    Target("pickle", _batch, lambda data, _: read_plain_pickle(data, Path("x")), 4),
    Target("cifar-jpeg", _jpegs, _jpeg, 2),
    Target("nmnist", lambda _: [nmnist_bytes(EVENTS)], _decoded(decode_nmnist), 8),
    Target("aedat2", lambda _: [aedat2_bytes(EVENTS)], _decoded(decode_aedat2), 4),
    Target("aedat3", lambda _: [aedat3_bytes(EVENTS)], _decoded(decode_aedat3), 4),
    Target("nmnist-zip", _nmnist, _archive("Train.zip", lambda path: read_nmnist(path, 2, SHAPE)), 2),
    Target("cifar10-dvs-zip", _dvs, _archive("cat.zip", lambda path: read_cifar10_dvs([path], 2, CAMERA)), 2),
    Target("gesture-tar", _gestures, _archive("g.tar.gz", lambda path: read_gestures(path, "train", 2, CAMERA)), 2),
    Target("packed-events", _packed, _archive("p.npz", lambda path: read_packed(path, 2, SHAPE)), 2),
    Target("own-npz", _own, _archive("mine.npz", _own_read), 2),
)
