"""The idx format: headers that lie, streams that expand, tails that are cut."""

import gzip
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from published_data import idx_bytes

from dse.data.idx import decode_idx
from dse.errors import DataError

PLAIN, ZIPPED = Path("images-ubyte"), Path("images-ubyte.gz")
IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=3), st.booleans(), st.integers(0, 2**32 - 1))
def test_what_was_written_comes_back(shape, zipped, seed):
    array = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    data = idx_bytes(array)
    found = decode_idx(gzip.compress(data) if zipped else data, tuple(shape), ZIPPED if zipped else PLAIN)
    assert found.dtype == np.uint8
    assert np.array_equal(found, array)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "must begin with the idx header 00000803 00000002 00000003 00000004 for (2, 3, 4), not "),
        (idx_bytes(IMAGES)[:9], "must begin with the idx header"),
        (idx_bytes(IMAGES[:1]), "not 00000803 00000001 00000003 00000004"),
        (b"\x00\x00\x0d\x03" + idx_bytes(IMAGES)[4:], "not 00000d03"),
        (struct.pack(">4I", 0x803, 2**31, 2**31, 2**31), "not 00000803 80000000 80000000 80000000"),
        (idx_bytes(IMAGES)[:-1], "must hold 40 bytes of idx data for (2, 3, 4), not 39"),
        (idx_bytes(IMAGES) + b"\0", "must hold 40 bytes of idx data for (2, 3, 4), not more"),
    ],
)
def test_another_header_or_length_is_refused(data, message, zipped):
    path = ZIPPED if zipped else PLAIN
    with pytest.raises(DataError) as caught:
        decode_idx(gzip.compress(data) if zipped else data, IMAGES.shape, path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(path))


def damaged(change):
    data = bytearray(gzip.compress(idx_bytes(IMAGES)))
    change(data)
    return bytes(data)


def cut(data):
    del data[-6:]


def wrong_check(data):
    data[-5] ^= 1


@pytest.mark.parametrize(
    "data",
    [b"not gzip at all", damaged(cut), damaged(wrong_check), idx_bytes(IMAGES)],
    ids=["not-gzip", "cut", "wrong-check", "not-compressed"],
)
def test_a_damaged_stream_is_refused(data):
    with pytest.raises(DataError, match=r"^images-ubyte.gz must be an intact gzip file \("):
        decode_idx(data, IMAGES.shape, ZIPPED)


def test_a_stream_that_expands_without_end_takes_no_memory():
    bomb = gzip.compress(idx_bytes(IMAGES) + bytes(50_000_000))
    tracemalloc.start()
    with pytest.raises(DataError, match="not more"):
        decode_idx(bomb, IMAGES.shape, ZIPPED)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000
