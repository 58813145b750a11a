"""The container of JPEG files: lossy yet close, kept once decoded, and refused where it is spoilt."""

import io
import itertools
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from published_data import TRAIN, VALIDATION, jpeg_bytes, jpeg_container, npz_bytes, random_samples

from dse.data import load, load_test
from dse.data.jpeg import decode_jpegs
from dse.errors import DataError

PATH = Path("train.npz")
SHAPE = (5, 3, 16, 16)
SMOOTH = (np.add.outer(np.arange(16), np.arange(16)) * 4)[None, None] + np.arange(15).reshape(5, 3, 1, 1) * 8
IMAGES, LABELS = SMOOTH.astype(np.uint8), np.arange(5) % 4


def members(**change):
    """A well-formed container, with changes; a member that is None is left out."""
    files = [jpeg_bytes(image) for image in IMAGES]
    offset = np.array(list(itertools.accumulate(map(len, files), initial=0)), np.int64)
    whole = {"jpeg": np.frombuffer(b"".join(files), np.uint8), "offset": offset, "label": LABELS.astype(np.uint8)}
    return npz_bytes(**{name: array for name, array in (whole | change).items() if array is not None})


def test_smooth_images_come_back_nearly_unchanged_channels_first(tmp_path):
    split = decode_jpegs(jpeg_container(IMAGES, LABELS), SHAPE, PATH, tmp_path)
    assert np.abs(split.images.astype(int) - IMAGES).max() <= 12  # 1 step of the ramp is 4, of the channel 8
    assert np.array_equal(split.labels, LABELS)
    assert split.labels.dtype == np.int64


def test_decoded_images_are_kept_and_used(tmp_path):
    data = jpeg_container(IMAGES, LABELS)
    first = decode_jpegs(data, SHAPE, PATH, tmp_path / "cache")
    (kept,) = (tmp_path / "cache").iterdir()  # no temporary file is left
    np.savez(kept, images=IMAGES)  # what is kept is what comes back
    second = decode_jpegs(data, SHAPE, PATH, tmp_path / "cache")
    assert np.array_equal(second.images, IMAGES)
    assert not np.array_equal(first.images, IMAGES)


def test_another_container_is_not_taken_for_it(tmp_path):
    decode_jpegs(jpeg_container(IMAGES, LABELS), SHAPE, PATH, tmp_path)
    other = decode_jpegs(jpeg_container(IMAGES[::-1], LABELS), SHAPE, PATH, tmp_path)
    assert np.abs(other.images.astype(int) - IMAGES[::-1]).max() <= 12
    assert len(list(tmp_path.iterdir())) == 2


def test_another_decoder_is_not_taken_for_it(tmp_path, monkeypatch):
    data = jpeg_container(IMAGES, LABELS)
    decode_jpegs(data, SHAPE, PATH, tmp_path)
    monkeypatch.setattr("PIL.__version__", "0.0")
    decode_jpegs(data, SHAPE, PATH, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def flip_in_the_middle(data):
    return data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :]


@pytest.mark.parametrize(
    "spoil",
    [lambda data: b"", lambda data: data[:100], flip_in_the_middle, lambda data: npz_bytes(images=IMAGES[:2])],
)
def test_spoilt_kept_images_are_decoded_again(spoil, tmp_path):
    data = jpeg_container(IMAGES, LABELS)
    first = decode_jpegs(data, SHAPE, PATH, tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(spoil(kept.read_bytes()))
    assert np.array_equal(decode_jpegs(data, SHAPE, PATH, tmp_path).images, first.images)
    with zipfile.ZipFile(kept) as archive:
        assert archive.testzip() is None


def test_a_folder_that_cannot_keep_them_costs_nothing_else(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    split = decode_jpegs(jpeg_container(IMAGES, LABELS), SHAPE, PATH, tmp_path / "file")
    assert len(split) == 5


def test_a_full_disk_leaves_no_temporary_file(tmp_path, monkeypatch):
    def full(stream, **arrays):
        stream.write(b"half")
        raise OSError(28, "No space left on device")

    data = jpeg_container(IMAGES, LABELS)
    monkeypatch.setattr(np, "savez", full)
    assert len(decode_jpegs(data, SHAPE, PATH, tmp_path)) == 5
    assert list(tmp_path.iterdir()) == []


def gray():
    files = [jpeg_bytes(image) for image in IMAGES[:4]]
    stream = io.BytesIO()
    Image.fromarray(IMAGES[4, 0]).save(stream, "JPEG")
    return [*files, stream.getvalue()]


def small():
    return [*(jpeg_bytes(image) for image in IMAGES[:4]), jpeg_bytes(IMAGES[4][:, :8])]


def garbage():
    return [*(jpeg_bytes(image) for image in IMAGES[:4]), b"no image at all"]


def png():
    stream = io.BytesIO()
    Image.fromarray(IMAGES[4].transpose(1, 2, 0)).save(stream, "PNG")
    return [*(jpeg_bytes(image) for image in IMAGES[:4]), stream.getvalue()]


@pytest.mark.parametrize("make", [gray, small, garbage, png])
def test_an_image_of_another_kind_is_named(make, tmp_path):
    files = make()
    offset = np.array(list(itertools.accumulate(map(len, files), initial=0)), np.int64)
    data = members(jpeg=np.frombuffer(b"".join(files), np.uint8), offset=offset)
    with pytest.raises(DataError, match=r"^image 4 of train.npz must be an intact JPEG \("):
        decode_jpegs(data, SHAPE, PATH, tmp_path)
    assert list(tmp_path.iterdir()) == []


OFFSET = np.array([0, 10, 20, 30, 40, 50], np.int64)


@pytest.mark.parametrize(
    "data",
    [
        b"no archive",
        members()[:-40],
        members(label=None),
        members(label=LABELS[:4].astype(np.uint8)),
        members(label=LABELS.astype(np.int32)),
        members(offset=OFFSET[:5]),
        members(offset=OFFSET),
        members(offset=OFFSET.astype(float)),
        members(offset=np.array([0, 10, 20, 30, 40, -1], np.int64)),
        members(offset=np.array([0, 10, 20, 30, 40, 2**60], np.int64)),
        members(offset=np.array([b"x"] * 6, dtype=object)),
        members(jpeg=np.zeros((2, 2), np.uint8)),
    ],
)
def test_another_container_is_refused(data, tmp_path):
    with pytest.raises(DataError, match=r"^train.npz must be an .npz of jpeg, offset and label for 5 images"):
        decode_jpegs(data, SHAPE, PATH, tmp_path)


@pytest.mark.parametrize(("position", "change"), [(0, 1), (0, -1), (2, 10**6), (2, -(10**6))])
def test_offsets_must_begin_at_0_and_rise(position, change, tmp_path):
    with np.load(io.BytesIO(members())) as whole:
        offset = whole["offset"].copy()
    offset[position] += change
    with pytest.raises(DataError, match=r"^offsets in train.npz must begin at 0 and rise$"):
        decode_jpegs(members(offset=offset), SHAPE, PATH, tmp_path)


def test_an_empty_image_is_refused(tmp_path):
    with np.load(io.BytesIO(members())) as whole:
        offset = whole["offset"].copy()
    offset[2] = offset[3]
    with pytest.raises(DataError, match=r"^offsets in train.npz must begin at 0 and rise$"):
        decode_jpegs(members(offset=offset), SHAPE, PATH, tmp_path)


def test_a_member_shorter_than_its_header_says_is_refused(tmp_path):
    stream, whole = io.BytesIO(), members()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name)[: -1 if name == "label.npy" else None])
    with pytest.raises(DataError, match=r"array must hold 5 bytes, 1 are missing"):
        decode_jpegs(stream.getvalue(), SHAPE, PATH, tmp_path)


def test_an_image_of_another_size_is_refused_by_its_header(tmp_path):
    files = small()
    offset = np.array(list(itertools.accumulate(map(len, files), initial=0)), np.int64)
    data = members(jpeg=np.frombuffer(b"".join(files), np.uint8), offset=offset)
    with pytest.raises(DataError, match=r"image must be 16 x 16 in 3 channels, not \(16, 8\) RGB"):
        decode_jpegs(data, SHAPE, PATH, tmp_path)


def test_cifar10_is_read_from_jpegs_where_the_official_files_are_not(published, tmp_path):
    root = published.store(tmp_path / "data", "cifar-10-jpeg")
    data = load("cifar10", root, sources=published.sources)
    assert (data.name, data.title) == ("cifar10", "CIFAR-10 (JPEG)")
    labels = np.concatenate([data.train.labels, data.validation.labels])
    assert np.bincount(labels).tolist() == [(TRAIN + VALIDATION) // 4] * 4
    assert np.array_equal(
        load_test("cifar10", root, sources=published.sources).labels, published.truth["cifar10"][1][1]
    )


def test_an_incomplete_official_form_is_not_passed_over_for_the_lossy_one(published, folder):
    (folder / "cifar-10-batches-py" / "data_batch_2").unlink()
    with pytest.raises(DataError, match=r"data_batch_2 .* is missing; run `dse data fetch cifar10"):
        load("cifar10", folder, sources=published.sources)


def test_a_spoilt_container_says_that_nobody_publishes_it(published, tmp_path):
    root = published.store(tmp_path / "data", "cifar-10-jpeg")
    path = root / "cifar-10-jpeg" / "train.npz"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(
        DataError, match=r"replace it by an intact copy, or run `dse data fetch .* for the official files"
    ):
        load("cifar10", root, sources=published.sources)


def test_same_pixels_and_labels_in_the_same_order_as_the_images(tmp_path):
    images, labels = random_samples(5, (3, 16, 16), 3)
    split = decode_jpegs(jpeg_container(images, labels), SHAPE, PATH, tmp_path)
    for sample, image in enumerate(images):
        with Image.open(io.BytesIO(jpeg_bytes(image))) as expected:
            assert np.array_equal(split.images[sample], np.asarray(expected).transpose(2, 0, 1))
