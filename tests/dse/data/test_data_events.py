"""Event formats against files written independently, spoilt files, and archives of recordings from end to end."""

import io
import struct
import tracemalloc
import zipfile
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from event_writers import (
    AEDAT3_HEADER,
    aedat2_bytes,
    aedat3_bytes,
    nmnist_bytes,
    packed,
    packet,
    random_events,
    slices_of,
    tarred,
    zipped,
)
from published_data import record

from dse.data import check_dataset, list_datasets, load, load_test
from dse.data.event_archives import read_packed
from dse.data.event_formats import decode_aedat2, decode_aedat3, decode_nmnist
from dse.data.events import Events, sliced
from dse.data.registry import Container, Source
from dse.errors import DataError
from dse.export.integer_network import frames

FORMATS = {
    "nmnist": (nmnist_bytes, decode_nmnist, 34),
    "aedat2": (aedat2_bytes, decode_aedat2, 128),
    "aedat3": (aedat3_bytes, decode_aedat3, 128),
}


def listed(events: Events) -> list[tuple[int, ...]]:
    return list(zip(*(column.tolist() for column in (events.t, events.x, events.y, events.on)), strict=True))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("seed", range(3))
def test_what_is_written_is_read(name: str, seed: int) -> None:
    write, decode, edge = FORMATS[name]
    last = (1 << 23) - 1 if name == "nmnist" else (1 << 31) - 1 if name == "aedat2" else (1 << 33)
    events = random_events(seed, edge, last=last)
    assert listed(decode(write(events), "it")) == events


def test_ticks_of_the_clock_of_nmnist_are_no_events() -> None:
    data = nmnist_bytes([(5, 1, 2, 0), (0, 0, 240, 0), (7, 3, 4, 1), (0, 0, 240, 0), (8, 5, 6, 0)])
    assert listed(decode_nmnist(data, "it")) == [(5, 1, 2, 0), (8192 + 7, 3, 4, 1), (2 * 8192 + 8, 5, 6, 0)]


@pytest.mark.parametrize("name", FORMATS)
def test_no_cut_goes_unnoticed(name: str) -> None:
    """Every cut is refused, but for those between two whole events (or packets) of a format without an end."""
    write, decode, edge = FORMATS[name]
    data = write(random_events(0, edge, 9))
    events = set()
    for length in range(len(data)):
        try:
            events.add(len(decode(data[:length], "it").t))
        except DataError as error:
            assert str(error).startswith(("it must", "packet of it must"))  # noqa: PT017
    assert events <= ({0} if name == "aedat3" else set(range(9)))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            AEDAT3_HEADER + packet(1, [(1, 1)], number=2**32 - 1),
            r"^packet of it must lie within the file, 8 bytes more",
        ),
        (AEDAT3_HEADER + packet(1, [(1, 1)], size=2**31), r"^packet of it must lie within the file"),
        (AEDAT3_HEADER + packet(0, [], number=2**31, size=0), r"^event of it must take at least one byte, not 0"),
        (AEDAT3_HEADER + packet(1, [(1, 1)], number=1, size=4), r"^polarity event of it must take 8 bytes, not 4$"),
        (AEDAT3_HEADER[:-16] + packet(1, [(1, 1)]), r"^it must have an AEDAT 3.1 header"),
        (b"#!AER-DAT2.0\r\n" + bytes(8), r"^it must have an AEDAT 3.1 header, not b'#!AER-DAT2.0"),
    ],
)
def test_claims_of_aedat3_are_checked_before_memory_is_asked_for(data: bytes, message: str) -> None:
    tracemalloc.start()
    with pytest.raises(DataError, match=message):
        decode_aedat3(data, "it")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_another_format_is_not_taken_for_aedat2() -> None:
    with pytest.raises(DataError, match=r"^it must begin with #!AER-DAT2.0, not b'#!AER-DAT3.1"):
        decode_aedat2(aedat3_bytes(random_events(0, 128, 3)), "it")
    with pytest.raises(DataError, match=r"^it must have events behind its header \(truncated\)$"):
        decode_aedat2(b"#!AER-DAT2.0", "it")


@pytest.mark.parametrize("seed", range(4))
def test_slices_and_frames_by_their_definition(seed: int) -> None:
    first = int(np.random.default_rng(seed).integers(0, 1 << 40))
    events = random_events(seed, 34, 60 * (seed + 1), first=first, last=first + 10 ** (seed + 1))
    columns = Events(*np.array(events).T)
    slices = sliced(columns, (2, 34, 34), "it")
    assert np.array_equal(slices, slices_of(events, 34))
    for timesteps in (1, 2, 4, 8):
        found = frames(slices[None], timesteps)
        assert found.shape == (timesteps, 1, 2, 34, 34)
        for step in range(timesteps):
            width = 8 // timesteps
            wanted = [bool(value >> width * step & ((1 << width) - 1)) for value in slices.ravel().tolist()]
            assert found[step].ravel().astype(bool).tolist() == wanted


def test_an_empty_recording_and_an_event_outside_are_refused() -> None:
    with pytest.raises(DataError, match=r"^it must hold at least one event$"):
        sliced(Events(*np.empty((4, 0), np.int64)), (2, 34, 34), "it")
    with pytest.raises(DataError, match=r"must lie within 34 columns and 34 rows, not at column 34, row 2$"):
        sliced(Events(*np.array([[0, 1], [3, 34], [33, 2], [0, 1]])), (2, 34, 34), "it")
    alone = sliced(Events(*np.array([[7], [3], [5], [1]])), (2, 34, 34), "it")
    assert alone[1, 5, 3] == 1
    assert alone.sum() == 1


def source(name: str, edge: int, parts: tuple[int, int, int], container: Container, classes: int = 10) -> Source:
    return Source(name, classes, 1, (2, edge, edge), *parts, "public domain", "made", (container,), static_input=False)


def stored(tmp_path: Path, made: Source, files: dict[str, bytes]) -> tuple[Path, MappingProxyType[str, Source]]:
    folder = tmp_path / "data" / made.containers[0].folders[0]
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return tmp_path / "data", MappingProxyType({made.name: made})


def nmnist_set(tmp_path: Path, spoil: str = "") -> tuple[Path, MappingProxyType[str, Source], dict[str, np.ndarray]]:
    """40 training and 10 test recordings, their files in another order than their numbers."""
    files, truth = {}, {}
    for part, number, seed in (("Train", 40, 0), ("Test", 10, 500)):
        events = [random_events(seed + index, 34, 30) for index in range(number)]
        members = {
            f"{part}/{7 * index % 10}/{index + 1:05}.bin": nmnist_bytes(events[index]) for index in range(number)
        }
        if spoil == part:
            members[f"{part}/1/00004.bin"] = members[f"{part}/1/00004.bin"][:-1]
        if spoil == "fewer":
            members.popitem()
        files[f"{part}.zip"] = zipped({"readme.txt": b"", **dict(sorted(members.items()))})
        truth[part] = np.stack([slices_of(recording, 34) for recording in events])
    records = tuple(record(name, name[:-4].lower(), data) for name, data in files.items())
    made = source("n-mnist", 34, (30, 10, 10), Container("nmnist-zip", "N-MNIST", ("n-mnist",), records))
    return *stored(tmp_path, made, files), truth


def together(*splits):
    return sorted(
        (int(label), image.tobytes())
        for split in splits
        for image, label in zip(split.images, split.labels, strict=True)
    )


def test_nmnist_from_its_archives(tmp_path: Path) -> None:
    root, sources, truth = nmnist_set(tmp_path)
    data, tested = load("n-mnist", root, sources=sources), load_test("n-mnist", root, sources=sources)
    assert (data.input_shape, data.input_bits, len(data.train), len(data.validation)) == ((2, 34, 34), 1, 30, 10)
    wanted = sorted((7 * index % 10, truth["Train"][index].tobytes()) for index in range(40))
    assert together(data.train, data.validation) == wanted
    assert np.array_equal(tested.images, truth["Test"])
    assert tested.labels.tolist() == [7 * index % 10 for index in range(10)]
    assert list_datasets(root, sources=sources)[0].state == "found"
    assert {file.state for file in check_dataset("n-mnist", root, sources=sources)} == {"intact"}


def test_decoded_recordings_are_kept_and_a_spoilt_copy_is_not_trusted(tmp_path: Path) -> None:
    root, sources, _ = nmnist_set(tmp_path)
    cache = tmp_path / "cache"
    first = load("n-mnist", root, sources=sources, cache_dir=cache)
    archive = root / "n-mnist" / "Train.zip"
    content = archive.read_bytes()
    archive.write_bytes(content[:-1])  # not read any more: it was verified when it was decoded
    assert load("n-mnist", root, sources=sources, cache_dir=cache).digest == first.digest
    (kept,) = cache.iterdir()
    kept.write_bytes(kept.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"Train.zip must be [\d,]+ bytes, not [\d,]+ \(truncated\)"):
        load("n-mnist", root, sources=sources, cache_dir=cache)
    archive.write_bytes(content)
    assert load("n-mnist", root, sources=sources, cache_dir=cache).digest == first.digest


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ("Train", r"^Train/1/00004.bin of .*Train.zip must hold whole events of 5 bytes, not 149 bytes \(truncated\)$"),
        ("fewer", r"^.*Train.zip must hold 40 recordings, not 39$"),
    ],
)
def test_a_spoilt_recording_is_named(tmp_path: Path, spoil: str, message: str) -> None:
    root, sources, _ = nmnist_set(tmp_path, spoil)
    with pytest.raises(DataError, match=message):
        load("n-mnist", root, sources=sources)


def test_a_recording_that_expands_without_end_is_cut_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dse.data.event_archives.LARGEST_RECORDING", 1000)
    bomb = zipped({"Train/0/00001.bin": bytes(5_000_000)})
    made = source("n-mnist", 34, (1, 0, 0), Container("nmnist-zip", "N", ("n",), (record("Train.zip", "train", bomb),)))
    root, sources = stored(tmp_path, made, {"Train.zip": bomb})
    tracemalloc.start()
    with pytest.raises(DataError, match=r"Train/0/00001.bin of .* must be at most 1,000 bytes, but holds more"):
        load("n-mnist", root, sources=sources)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def gesture_set(tmp_path: Path, **changed: bytes) -> tuple[Path, MappingProxyType[str, Source], dict[str, list]]:
    """Two trials to train and one to test, three gestures each; between gestures there are events as well."""
    members, truth = {}, {"train": [], "test": []}
    trials = {"user02_led": "train", "user01_lab": "train", "user03_led": "test"}
    for seed, (trial, part) in enumerate(trials.items()):
        events = random_events(seed, 128, 400, first=2**31 - 5000, last=2**31 + 5000)
        members[f"DvsGesture/{trial}.aedat"] = aedat3_bytes(events)
        rows = ["class,startTime_usec,endTime_usec"]
        for number in range(3):
            # A gesture begins with an event, and ends before one.
            start, end = (events[130 * number + place][0] for place in (5, 105))
            kind = (seed + 5 * number) % 11 + 1
            rows.append(f"{kind},{start},{end}")
            truth[part].append((kind - 1, slices_of([event for event in events if start <= event[0] < end], 128)))
        members[f"DvsGesture/{trial}_labels.csv"] = "\n".join(rows).encode()
    for part in ("train", "test"):
        names = [f"{trial}.aedat" for trial, where in trials.items() if where == part]
        members[f"DvsGesture/trials_to_{part}.txt"] = "\n".join([*names, ""]).encode()
    members.update({f"DvsGesture/{name}": data for name, data in changed.items()})
    data = tarred(dict(sorted(members.items())))
    files = (record("DvsGesture.tar.gz", "all", data),)
    container = Container("gesture-tar", "DVS128 Gesture", ("dvs",), files, page="https://example.org/gestures")
    made = source("dvs128-gesture", 128, (4, 2, 3), container, classes=11)
    return *stored(tmp_path, made, {"DvsGesture.tar.gz": data}), truth


def test_gestures_are_cut_from_their_trials(tmp_path: Path) -> None:
    root, sources, truth = gesture_set(tmp_path)
    data, tested = load("dvs128-gesture", root, sources=sources), load_test("dvs128-gesture", root, sources=sources)
    wanted = sorted((kind, image.tobytes()) for kind, image in truth["train"])
    assert together(data.train, data.validation) == wanted
    assert tested.labels.tolist() == [kind for kind, _ in truth["test"]]
    assert np.array_equal(tested.images, np.stack([image for _, image in truth["test"]]))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("user02_led_labels.csv", b"class,start,end\n1,2\n", r"^user02_led_labels.csv of .* must hold rows of class"),
        (
            "user02_led_labels.csv",
            b"class,start,end\n",
            r"^user02_led_labels.csv of .* must hold at least one gesture$",
        ),
        (
            "user02_led_labels.csv",
            b"c,s,e\n1,0,1\n2,0,1\n3,0,1\n",
            r"^gesture 0 to 1 of user02_led.aedat of .* at least",
        ),
        ("trials_to_train.txt", b"user09.aedat\n", r"must hold user09_labels.csv, but does not$"),
        ("trials_to_train.txt", b"user02_led.aedat\n", r"must hold 6 gestures to train, not 3$"),
        ("user02_led.aedat", AEDAT3_HEADER[:40], r"^user02_led.aedat of .* must have an AEDAT 3.1 header"),
    ],
)
def test_spoilt_gestures_are_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    root, sources, _ = gesture_set(tmp_path, **{name: content})
    with pytest.raises(DataError, match=message):
        load("dvs128-gesture", root, sources=sources)


def test_a_cut_tar_file_is_refused(tmp_path: Path) -> None:
    root, sources, _ = gesture_set(tmp_path)
    path = root / "dvs" / "DvsGesture.tar.gz"
    cut = path.read_bytes()[:-2000]
    path.write_bytes(cut)
    made = sources["dvs128-gesture"]
    container = replace(made.containers[0], files=(record("DvsGesture.tar.gz", "all", cut),))
    cut_sources = MappingProxyType({made.name: replace(made, containers=(container,))})
    with pytest.raises(DataError, match="must be an intact tar file"):
        load("dvs128-gesture", root, sources=cut_sources)


def test_cifar10_dvs_is_divided_by_us(tmp_path: Path) -> None:
    files, truth = {}, []
    for label, name in enumerate(("airplane", "cat")):
        events = [random_events(100 * label + index, 128, 50) for index in range(12)]
        members = {f"{name}/cifar10_{name}_{index}.aedat": aedat2_bytes(events[index]) for index in range(12)}
        files[f"{name}.zip"] = zipped(dict(sorted(members.items())))
        truth += [(label, slices_of(recording, 128).tobytes()) for recording in events]
    records = tuple(record(name, f"all-{name[:-4]}", data) for name, data in files.items())
    container = Container("cifar10-dvs-zips", "CIFAR10-DVS", ("dvs",), records, undivided=True)
    root, sources = stored(tmp_path, source("cifar10-dvs", 128, (16, 4, 4), container, classes=2), files)
    data, tested = load("cifar10-dvs", root, sources=sources), load_test("cifar10-dvs", root, sources=sources)
    assert together(data.train, data.validation, tested) == sorted(truth)
    assert [np.bincount(part.labels).tolist() for part in (data.train, data.validation, tested)] == [
        [8] * 2,
        [2] * 2,
        [2] * 2,
    ]


def test_a_packed_set_and_its_claims(tmp_path: Path) -> None:
    samples = [random_events(seed, 34, 40) for seed in range(5)]
    arrays = packed(samples, [3, 1, 4, 1, 5])
    path = tmp_path / "train.npz"
    np.savez_compressed(path, **arrays)
    split = read_packed(path, 5, (2, 34, 34))
    assert np.array_equal(split.images, np.stack([slices_of(events, 34) for events in samples]))
    assert split.labels.tolist() == [3, 1, 4, 1, 5]
    offset = arrays["offset"].copy()
    offset[-1] = 1 << 60
    for changed, message in (
        ({"offset": offset}, "offsets must begin at 0, rise, and end at"),
        ({"offset": arrays["offset"][::-1].copy()}, "offsets must begin at 0, rise"),
        ({"t": arrays["t"][:-1]}, "array must be .* not"),
        ({"p": arrays["p"] + 1}, "p of .* must be 0 or 1, not 2"),
    ):
        np.savez_compressed(path, **{**arrays, **changed})
        with pytest.raises(DataError, match=message):
            read_packed(path, 5, (2, 34, 34))


def test_a_claimed_array_size_asks_for_no_memory(tmp_path: Path) -> None:
    """A member whose .npy header claims 2^40 bytes."""
    path, stream = tmp_path / "train.npz", io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<i8", "fortran_order": False, "shape": (1 << 37,)})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("offset.npy", stream.getvalue() + struct.pack("<q", 0))
    with pytest.raises(DataError, match=r"array must be \(6,\) <i8, not \(137438953472,\) int64"):
        read_packed(path, 5, (2, 34, 34))
