"""Every kind of input that was once found, by the fuzzer or in what it does not reach, not to be refused in words."""

import io
import json
import pickle
import struct
import sys
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from stored import read_study, small_study

from costmodels.errors import InputError
from costmodels.toml_text import read_toml
from dse.cache import ScoreCache
from dse.config import read_file
from dse.data.event_archives import read_cifar10_dvs, read_gestures
from dse.data.idx import decode_idx
from dse.data.own import load_own
from dse.export.integer_network import from_npz
from dse.reproduction.record import Identity, Record
from dse.results.lines import read_json
from dse.results.scores import pack_mask, unpack_mask
from searchspaces.candidate import load_candidate
from searchspaces.space import load_space
from searchspaces.toml_lines import key_lines

sys.path.insert(0, str(Path(__file__).parents[1] / "dse" / "data"))
from event_writers import tarred, zipped

CLAIMED = 2**31
HEADER = b"\x93NUMPY\x01\x00" + struct.pack("<H", 118)


def npz(name: str, shape: tuple[int, ...], kind: str = "|u1", content: bytes = b"x") -> bytes:
    """An .npz whose array claims a shape, whatever its content."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape!r}, }}".ljust(117) + "\n"
    return zipped({f"{name}.npy": HEADER + header.encode() + content})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = " + "[" * 500 + "]" * 500, "nested more than 16 deep"),
        ("a = " + "[" * 100_000, "nested more than 16 deep"),
        ("a." * 400 + "b = 1", "more than 16 parts"),
        ("a = " + "9" * 5000, "4300"),
        ("# " + "x" * (1 << 20), "more than 1,048,576 bytes"),
        ("a = \udcff", "utf-8"),
    ],
)
@pytest.mark.parametrize("read", [load_space, load_candidate, read_file])
def test_a_text_too_deep_or_too_large_is_refused(
    text: str, message: str, read: Callable[[Path], object], tmp_path: Path
) -> None:
    (tmp_path / "a.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=message):
        read(tmp_path / "a.toml")


def test_lines_of_a_large_text_are_counted_in_time_that_grows_with_it(tmp_path: Path) -> None:
    """Four times the keys may not take ten times as long (they took sixteen times)."""
    taken = []
    for keys in (5_000, 20_000):
        (tmp_path / "a.toml").write_text("".join(f"[[a]]\nk{i} = {i}\n" for i in range(keys)))
        text, _ = read_toml(tmp_path / "a.toml")
        begun = time.process_time()
        assert len(key_lines(text)) == 2 * keys + 1
        taken.append(time.process_time() - begun)
    assert taken[1] < 10 * taken[0]


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": "\\ud800"}', '"' + "\\", "9" * 5000, "\xff"])
def test_json_that_cannot_be_read_or_printed_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(text.encode("latin1"))
    with pytest.raises(InputError, match="must be readable JSON, not damaged"):
        read_json(tmp_path / "a.json")


def test_a_zip_file_with_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    data = zipped({"ä.aedat": b"x"}).replace("ä".encode(), b"\xe0\x00")
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(InputError, match="must be an intact zip file"):
        read_cifar10_dvs([tmp_path / "a.zip"], 1, (2, 4, 4))


def test_a_table_of_gestures_with_a_stray_line_end_is_refused(tmp_path: Path) -> None:
    members = {"trials_to_train.txt": b"a.aedat", "a_labels.csv": b"class\r1\r\r\n2,\r3"}
    (tmp_path / "a.tar.gz").write_bytes(tarred(members))
    with pytest.raises(InputError, match="must hold rows of class, start and end"):
        read_gestures(tmp_path / "a.tar.gz", "train", 1, (2, 4, 4))


def test_archives_compressed_in_a_way_that_asks_for_memory_are_refused(tmp_path: Path) -> None:
    """An xz stream's header may claim a dictionary of 4 GiB, and so may a member of a zip file."""
    (tmp_path / "a.tar.gz").write_bytes(b"\x00" + b"\xff" * 12 + b"\x00")
    with pytest.raises(InputError, match="must be an intact tar file"):
        read_gestures(tmp_path / "a.tar.gz", "train", 1, (2, 4, 4))
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("cifar10_cat_0.aedat", b"x")
    with pytest.raises(InputError, match="must be stored or deflated"):
        read_cifar10_dvs([tmp_path / "a.zip"], 1, (2, 4, 4))


def test_a_spoilt_stream_in_an_own_data_set_is_refused(tmp_path: Path) -> None:
    stored = io.BytesIO()
    np.savez_compressed(stored, train_images=np.zeros((4, 4, 4), np.uint8))
    for at in range(60, 120):
        data = bytearray(stored.getvalue())
        data[at] ^= 0xFF
        (tmp_path / "a.npz").write_bytes(data)
        with pytest.raises(InputError):
            load_own(tmp_path / "a.npz")


def test_a_packed_network_in_an_unknown_compression_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("network.npy", b"x")
    data = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(
        data.replace(b"PK\x03\x04\x14\x00\x00\x00\x00\x00", b"PK\x03\x04\x14\x00\x00\x00\x63\x00")
    )
    with pytest.raises(InputError, match="must be an npz written by this program"):
        from_npz(tmp_path / "a.npz")


@pytest.mark.parametrize("bits", ["", "eJz", pack_mask(np.ones((9, 9), np.bool_))["bits"]])
def test_a_mask_whose_bits_are_not_those_of_its_shape_is_refused(bits: str) -> None:
    for shape in ([3, 4], [-3, -4], [CLAIMED, 8], [2**70]):
        with pytest.raises(ValueError, match=r"mask must hold the bits|incomplete|Incorrect|too large"):
            unpack_mask({"shape": shape, "bits": bits})


def test_masks_of_the_cache_that_are_no_safetensors_are_moved_aside(tmp_path: Path) -> None:
    from stored import PRISTINE, TARGETS

    target = next(each for each in TARGETS if each.name == "cache-entry")
    target.begin(tmp_path)
    target.read(b"masks.safetensors\nno", tmp_path)
    assert not list((tmp_path / "entries").glob("*")), "moved aside, and swept by the target"
    assert PRISTINE["masks.safetensors"]
    assert ScoreCache(tmp_path / "entries").get("a") is None


def test_a_reproduction_with_a_line_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runs.jsonl").write_text('{"network": "full"}\n')
    with pytest.raises(InputError, match=r"runs\.jsonl:1 must be as it was written"):
        Record(tmp_path).has(Identity("a", "b", "c", "d"), "digits", 1)


def test_a_study_with_a_mistake_behind_the_types_is_refused(tmp_path: Path) -> None:
    study = small_study(tmp_path)
    lines = [json.loads(line) for line in (study / "networks.jsonl").read_text().splitlines()]
    before = json.dumps(lines[0])

    def samples() -> None:
        lines[0]["score"]["samples"] = 0

    def rates() -> None:
        lines[0]["score"]["firing_rates"].popitem()

    def layer() -> None:
        lines[0]["genome"]["layers"][0]["stride"] = 0

    def classifier() -> None:
        lines[0]["genome"]["layers"][-1]["spiking"] = True

    for spoil in (samples, rates, layer, classifier):
        spoil()
        (study / "networks.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        with pytest.raises(InputError, match="network 0 must be complete, not damaged"):
            read_study(study)
        lines[0] = json.loads(before)


def test_a_space_of_more_machines_than_can_be_priced_is_refused(tmp_path: Path) -> None:
    many = ", ".join(map(str, range(1, 33)))
    axes = ("vector_width", "channel_lanes", "fusion_depth", "spike_buffer_kib", "weight_buffer_kib")
    lines = "".join(f"{name} = [{many}]\n" for name in axes)
    (tmp_path / "a.toml").write_text(f'[space]\nname = "a"\nextends = "digits"\n[accelerator]\n{lines}')
    with pytest.raises(InputError, match="accelerator must have at most 1,048,576 machines, not 167772160"):
        load_space(tmp_path / "a.toml")


def test_a_candidate_of_more_kernels_than_memory_holds_is_refused(tmp_path: Path) -> None:
    layers = "".join(
        f'[[network.layers]]\nname = "c{i}"\nkind = "conv"\nchannels = 65536\nweights = 2\nprune_ratio = 0.5\n'
        for i in range(2)
    )
    (tmp_path / "a.toml").write_text(
        f'[candidate]\nname = "a"\ndataset = "digits"\n[network]\ntimesteps = 1\nlevels = 1\nhead = "gap"\n{layers}'
        "[network.classifier]\nweights = 2\n[accelerator]\nvector_width = 2\nchannel_lanes = 2\nfusion_depth = 1\n"
        "spike_buffer_kib = 1\nweight_buffer_kib = 1\n[activity]\ninput_density = 0.3\ndensity = 0.2\n"
    )
    with pytest.raises(InputError, match="network must have at most 33,554,432 kernels in a layer, not 4294967296"):
        load_candidate(tmp_path / "a.toml")


def _written(data: bytes, read: Callable[[Path], object]) -> Callable[[Path], object]:
    def write(folder: Path) -> object:
        (folder / "a.npz").write_bytes(data)
        return read(folder / "a.npz")

    return write


@pytest.mark.parametrize(
    "read",
    [
        lambda _: decode_idx(struct.pack(">HBBI", 0, 8, 1, CLAIMED - 1) + b"x", (4,), Path("a")),
        _written(npz("train_images", (CLAIMED, 28, 28)), load_own),
        _written(npz("network", (CLAIMED,)), from_npz),
        _written(npz("network", (1,), "|V0"), from_npz),
        lambda _: unpack_mask({"shape": [CLAIMED], "bits": pack_mask(np.ones(8, np.bool_))["bits"]}),
    ],
)
def test_a_claim_of_two_thousand_million_allocates_nothing(read: Callable[[Path], object], tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        with pytest.raises((InputError, ValueError)):
            read(tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 23
    finally:
        tracemalloc.stop()


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.marker,)


def bombs(marker: Path) -> list[bytes]:
    """Pickles of it, bare and in the places where numpy and torch would unpickle them."""
    bare = pickle.dumps(Bomb(marker), protocol=2)
    stored = io.BytesIO()
    objects = {name: np.array([Bomb(marker)], dtype=object) for name in ("network", "train_images", "offset", "t")}
    np.savez(stored, **objects)
    alone = io.BytesIO()
    np.save(alone, objects["t"])
    return [bare, alone.getvalue(), stored.getvalue(), zipped({"archive/data.pkl": bare, "archive/version": b"3\n"})]


def test_the_bombs_go_off_where_they_are_unpickled(tmp_path: Path) -> None:
    pickle.loads(bombs(tmp_path / "marker")[0])
    assert (tmp_path / "marker").exists()


@pytest.mark.parametrize("topic", ["texts", "recordings", "stored"])
def test_no_parser_unpickles(topic: str, tmp_path: Path) -> None:
    import importlib

    for target in importlib.import_module(topic).TARGETS:
        folder = tmp_path / target.name
        folder.mkdir()
        (name, *_) = target.begin(folder)[0].partition(b"\n")
        for bomb in bombs(tmp_path / "marker"):
            for data in (bomb, name + b"\n" + bomb):
                with suppress(InputError):
                    target.read(data, folder)
        assert not (tmp_path / "marker").exists(), target.name
