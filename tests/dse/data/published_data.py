"""Small data sets in the official formats, written without the package's code, and the record that describes them."""

import gzip
import hashlib
import io
import struct
import tarfile
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from PIL import Image

from dse.data.registry import Container, DataFile, Source, Sources

CLASSES = 4
TRAIN, VALIDATION, TEST = 32, 8, 12


def idx_bytes(array):
    """An idx file: magic number, sizes, data; as "THE IDX FILE FORMAT" spells it."""
    sizes = b"".join(struct.pack(">i", size) for size in array.shape)
    return bytes([0, 0, 0x08, array.ndim]) + sizes + array.tobytes()


def _python2(value):
    """Opcodes by which Python 2 pickles a value under protocol 2 (byte strings are BINSTRING)."""
    if isinstance(value, dict):
        items = b"".join(_python2(key) + _python2(item) for key, item in value.items())
        return b"}(" + items + b"u"
    if isinstance(value, list):
        return b"](" + b"".join(map(_python2, value)) + b"e"
    if isinstance(value, str):
        return b"T" + struct.pack("<i", len(value)) + value.encode("latin1")
    if isinstance(value, int):
        return b"J" + struct.pack("<i", value)
    content = b"T" + struct.pack("<i", value.nbytes) + value.tobytes()
    shape = b"J" + struct.pack("<i", value.shape[0]) + b"J" + struct.pack("<i", value.shape[1]) + b"\x86"
    dtype = b"cnumpy\ndtype\n(U\x02u1K\x00K\x01tR(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    begin = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
    return begin + b"(K\x01" + shape + dtype + b"\x89" + content + b"tb"


def python2_pickle(value):
    """The value as Python 2 would have pickled it."""
    return b"\x80\x02" + _python2(value) + b"."


def batch_bytes(images, labels, key):
    """A CIFAR batch in the official layout."""
    flat = images.reshape(len(images), -1)
    names = [f"image_{index}.png" for index in range(len(images))]
    return python2_pickle({"batch_label": "batch 1 of 5", key: labels.tolist(), "data": flat, "filenames": names})


def jpeg_bytes(image):
    """One image as JPEG; channels first."""
    stream = io.BytesIO()
    Image.fromarray(image.transpose(1, 2, 0)).save(stream, "JPEG", quality=75)
    return stream.getvalue()


def npz_bytes(**arrays):
    """A compressed .npz."""
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def jpeg_container(images, labels):
    """The .npz of JPEG files end to end."""
    files = [jpeg_bytes(image) for image in images]
    offset = np.cumsum([0, *map(len, files)]).astype(np.int64)
    jpeg = np.frombuffer(b"".join(files), np.uint8)
    return npz_bytes(jpeg=jpeg, offset=offset, label=labels.astype(np.uint8))


def random_samples(samples, shape, seed):
    """Random pixels, and labels of every class equally often, in random order."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.arange(samples) % CLASSES)
    return random.integers(0, 256, (samples, *shape), dtype=np.uint8), labels


def record(name, role, data, url=None):
    """What the registry would say of a file."""
    return DataFile(name, role, len(data), hashlib.sha256(data).hexdigest(), hashlib.md5(data).hexdigest(), url)


@dataclass(frozen=True)
class Published:
    """A registry of small data sets, their files as a server would publish them, and what is in them."""

    sources: Sources
    files: dict[str, bytes]
    truth: dict[str, tuple]

    def store(self, root: Path, *folders: str) -> Path:
        """Write the files of these folders (all, if none is named) below a data folder."""
        for name, data in self.files.items():
            folder = name.split("/")[0]
            if (folder in folders or not folders) and not name.endswith(".tar.gz"):
                (root / folder).mkdir(exist_ok=True, parents=True)
                (root / name).write_bytes(data)
        return root

    def with_file(self, name: str, role: str, source: str, data: bytes) -> "Published":
        """The same with one file replaced, its record adjusted: structurally wrong, yet with the right checksum."""

        def swap(container):
            files = tuple(record(name, role, data) if file.name == name else file for file in container.files)
            return Container(container.format, container.title, container.folders, files, None, container.label_key)

        old = self.sources[source]
        containers = tuple(map(swap, old.containers))
        new = Source(**{**old.__dict__, "containers": containers})
        folder = next(c.folders[0] for c in containers if any(file.name == name for file in c.files))
        sources = MappingProxyType({**self.sources, source: new})
        return Published(sources, {**self.files, f"{folder}/{name}": data}, self.truth)


def _source(name, shape, *containers):
    return Source(name, CLASSES, 8, shape, TRAIN, VALIDATION, TEST, "public domain", f"made for {name}", containers)


def _idx_set(name, shape, seed, address):
    files, records = {}, []
    train, test = random_samples(TRAIN + VALIDATION, shape, seed), random_samples(TEST, shape, seed + 1)
    for part, stem, (images, labels) in (("train", "train", train), ("test", "t10k", test)):
        for kind, array in (("images-idx3", images[:, 0]), ("labels-idx1", labels.astype(np.uint8))):
            raw, base = idx_bytes(array), f"{stem}-{kind}-ubyte"
            zipped = gzip.compress(raw, mtime=0)
            role = f"{part}-{kind[:6]}"
            records += [record(f"{base}.gz", role, zipped, f"{address}/{name}/{base}.gz"), record(base, role, raw)]
            files[f"{name}/{base}.gz"] = zipped
    container = Container("idx", name.upper(), (name, f"{name.upper()}/raw"), tuple(records))
    return _source(name, shape, container), files, (train, test)


def _archive(folder, members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, data in {"readme.html": b"<html>", **members}.items():
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def _batch_container(title, folder, key, names, samples, seed, address):
    shape = (3, 4, 4)
    train, test = random_samples(samples, shape, seed), random_samples(TEST, shape, seed + 1)
    per = samples // (len(names) - 1)
    members = {
        name: batch_bytes(train[0][i * per : (i + 1) * per], train[1][i * per : (i + 1) * per], key)
        for i, name in enumerate(names[:-1])
    }
    members[names[-1]] = batch_bytes(*test, key)
    roles = [*(f"train-{i}" for i in range(len(names) - 1)), "test"]
    records = tuple(record(n, r, d) for r, (n, d) in zip(roles, members.items(), strict=True))
    data = _archive(folder, members)
    archive = record(f"{folder}.tar.gz", "archive", data, f"{address}/{folder}/{folder}.tar.gz")
    files = {f"{folder}/{name}": data for name, data in members.items()} | {f"{folder}/{archive.name}": data}
    return Container("cifar-batches", title, (folder,), records, archive, key), files, (train, test)


def publish(address="http://127.0.0.1:1"):
    """All small data sets; `address` is where their downloads are."""
    mnist, mnist_files, mnist_truth = _idx_set("mnist", (1, 5, 7), 1, address)
    fashion, fashion_files, fashion_truth = _idx_set("fashion-mnist", (1, 5, 6), 13, address)
    names10 = ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "test_batch"]
    ten, ten_files, ten_truth = _batch_container(
        "CIFAR-10", "cifar-10-batches-py", "labels", names10, TRAIN + VALIDATION, 21, address
    )
    hundred, hundred_files, hundred_truth = _batch_container(
        "CIFAR-100", "cifar-100-python", "fine_labels", ["train", "test"], TRAIN + VALIDATION, 31, address
    )
    jpegs = {"train.npz": jpeg_container(*ten_truth[0]), "test.npz": jpeg_container(*ten_truth[1])}
    records = tuple(record(name, name.removesuffix(".npz"), data) for name, data in jpegs.items())
    jpeg = Container("cifar-jpeg", "CIFAR-10 (JPEG)", ("cifar-10-jpeg",), records)
    sources = {
        "mnist": mnist,
        "fashion-mnist": fashion,
        "cifar10": _source("cifar10", (3, 4, 4), ten, jpeg),
        "cifar100": _source("cifar100", (3, 4, 4), hundred),
    }
    jpeg_files = {f"cifar-10-jpeg/{name}": data for name, data in jpegs.items()}
    files = mnist_files | fashion_files | ten_files | hundred_files | jpeg_files
    truth = {"mnist": mnist_truth, "fashion-mnist": fashion_truth, "cifar10": ten_truth, "cifar100": hundred_truth}
    return Published(MappingProxyType(sources), files, truth)
