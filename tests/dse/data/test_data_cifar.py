"""The CIFAR batches: read as Python 2 wrote them, and nothing in a pickle is ever run."""

import pickle
import random
import struct
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pytest
from published_data import batch_bytes, python2_pickle, random_samples

from dse.data.cifar import decode_batch
from dse.data.plain_pickle import read_plain_pickle
from dse.errors import DataError

PATH = Path("data_batch_1")
SHAPE = (6, 3, 4, 4)
IMAGES, LABELS = random_samples(6, SHAPE[1:], 5)


def test_the_writer_of_these_tests_writes_what_python_2_did():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy.core is an old name
        content = pickle.loads(batch_bytes(IMAGES, LABELS, "labels"), encoding="bytes")
    assert content[b"batch_label"] == b"batch 1 of 5"
    assert content[b"labels"] == LABELS.tolist()
    assert np.array_equal(content[b"data"], IMAGES.reshape(6, -1))


@pytest.mark.parametrize("key", ["labels", "fine_labels"])
def test_an_official_batch_is_read(key):
    split = decode_batch(batch_bytes(IMAGES, LABELS, key), SHAPE, PATH, key)
    assert np.array_equal(split.images, IMAGES)
    assert np.array_equal(split.labels, LABELS)


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_batch_pickled_by_python_3_is_read_too(protocol, order):
    flat = np.array(IMAGES.reshape(6, -1), order=order)
    content = {"data": flat, "labels": LABELS.tolist(), "batch_label": b"bytes"}
    split = decode_batch(pickle.dumps(content, protocol), SHAPE, PATH, "labels")
    assert np.array_equal(split.images, IMAGES)


@pytest.mark.parametrize("kind", ["<i8", ">i8", ">f4", "<u2", "i1"])
def test_numeric_arrays_come_back_as_they_were(kind):
    array = np.arange(12).astype(kind).reshape(3, 4)
    found = read_plain_pickle(pickle.dumps(array, 2), PATH)
    assert found.dtype == array.dtype
    assert np.array_equal(found, array)


class Runs:
    """Pickles to a call."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def touch(path):
    return Runs(Path.touch, path)


def evil_pickles(marker):
    """Pickles that would create the marker if anything in them ran."""
    import builtins
    import os
    import subprocess

    code = f"open({str(marker)!r}, 'w')"
    yield from (pickle.dumps({"data": Runs(os.system, f"touch {marker}")}, p) for p in range(6))
    yield pickle.dumps({"labels": [Runs(builtins.eval, code)]})
    yield pickle.dumps({Runs(builtins.exec, code): 1})
    yield pickle.dumps(Runs(subprocess.call, ["touch", str(marker)]))
    yield pickle.dumps(touch(marker))
    yield f"cos\nsystem\n(S'touch {marker}'\ntR.".encode()
    yield f"(S'touch {marker}'\nios\nsystem\n.".encode()
    yield f"(cos\nsystem\nS'touch {marker}'\no.".encode()
    yield f"c__builtin__\neval\n(S{code!r}\ntR.".encode()
    yield b"cnumpy\nload\n(S'/etc/passwd'\ntR."
    yield b"cnumpy\nndarray.tofile\n."
    yield b"\x80\x04\x8c\x05numpy\x8c\x0cndarray.dump\x93."


def test_nothing_in_a_malicious_pickle_runs(tmp_path):
    marker = tmp_path / "ran"
    for data in evil_pickles(marker):
        with pytest.raises(DataError, match=r"^data_batch_1 must be a pickle of plain data and arrays \(it asks for"):
            decode_batch(data, SHAPE, PATH, "labels")
        assert not marker.exists()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"cnumpy\ndtype\n(S'a'\nd" + b"b.", id="state on the dtype name"),
        pytest.param(b"cnumpy\nndarray\n(N}S'array'\nK\x01stb.", id="attributes on the array name"),
        pytest.param(b"cnumpy.core.multiarray\n_reconstruct\n(N}S'__call__'\nK\x01stb.", id="attributes on a function"),
        pytest.param(b"\x80\x02cnumpy\nndarray\n(K\x05t\x81.", id="a new ndarray"),
        pytest.param(b"cnumpy\nndarray\n(K\x05tR.", id="a called ndarray"),
        pytest.param(b"cnumpy\ndtype\n(S'O8'\ntR.", id="objects"),
        pytest.param(b"cnumpy\ndtype\n(S'V9999999999'\ntR.", id="void"),
        pytest.param(b"c_codecs\nencode\n(Vabc\nVrot13\ntR.", id="another codec"),
        pytest.param(b"S'x'\nQ.", id="persistent name"),
        pytest.param(b"\x82\x01.", id="extension registry"),
        pytest.param(b"", id="empty"),
        pytest.param(b"garbage", id="garbage"),
        pytest.param(batch_bytes(IMAGES, LABELS, "labels")[:200], id="cut"),
    ],
)
def test_nothing_but_plain_data_is_admitted(data):
    with pytest.raises(DataError, match=r"^data_batch_1 must be a pickle of plain data and arrays"):
        read_plain_pickle(data, PATH)


def claim(shape, content=b"x"):
    """A pickled array that claims a shape."""
    numbers = b"".join(b"J" + struct.pack("<i", size) for size in shape)
    kind = b"cnumpy\ndtype\n(U\x02u1tR"
    begin = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(" + numbers + b"tU\x01btR"
    state = b"(K\x01(" + numbers + b"t" + kind + b"\x89U" + bytes([len(content)]) + content + b"tb"
    return b"\x80\x02" + begin + state + b"."


@pytest.mark.parametrize("shape", [(2**31 - 1, 2**31 - 1), (-1, -1), (-1,), (2,), ()])
def test_a_claimed_shape_allocates_nothing(shape):
    content = b"" if shape == () else b"x"
    tracemalloc.start()
    with pytest.raises(DataError, match="array must hold the bytes of its shape"):
        read_plain_pickle(claim(shape, content), PATH)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "data_batch_1 must hold a dictionary, not list"),
        ({}, "'data' in data_batch_1 must be 6 x 48 uint8, not NoneType"),
        ({"data": IMAGES.reshape(6, -1)[:5], "labels": [0] * 5}, "not 5 x 48 uint8"),
        ({"data": IMAGES.reshape(6, -1).astype(np.int16), "labels": [0] * 6}, "not 6 x 48 int16"),
        ({"data": [1, 2, 3], "labels": [0] * 6}, "not list of 3"),
        ({"data": IMAGES.reshape(6, -1)}, "'labels' in data_batch_1 must be a list of 6 integers, not NoneType"),
        ({"data": IMAGES.reshape(6, -1), "labels": [0] * 5}, "not list of 5"),
        ({"data": IMAGES.reshape(6, -1), "labels": [0, 1, 2, 3, 0, "x"]}, "not list of 6"),
        ({"data": IMAGES.reshape(6, -1), "labels": [True] * 6}, "not list of 6"),
        ({"data": IMAGES.reshape(6, -1), "labels": [2**70] * 6}, "a label in data_batch_1 must fit 64 bits"),
    ],
)
def test_another_content_is_refused(content, message):
    with pytest.raises(DataError) as caught:
        decode_batch(pickle.dumps(content, 2), SHAPE, PATH, "labels")
    assert message in str(caught.value)


def test_a_batch_spoilt_anywhere_is_refused_or_read_never_a_crash():
    data, chance = batch_bytes(IMAGES, LABELS, "labels"), random.Random(7)
    for _ in range(1500):
        spoilt = bytearray(data)
        for _ in range(chance.randint(1, 3)):
            spoilt[chance.randrange(len(data))] = chance.randrange(256)
        try:
            split = decode_batch(bytes(spoilt), SHAPE, PATH, "labels")
        except DataError:
            continue
        assert split.images.shape == SHAPE
        assert split.labels.shape == (6,)


def test_python_2_text_is_bytes():
    assert read_plain_pickle(python2_pickle({"key": ["a", 1]}), PATH) == {b"key": [b"a", 1]}
