"""Loading: what comes back is what was published; test files stay unread; messages name the file and the way out."""

import gzip
import shutil

import numpy as np
import pytest
from published_data import TEST, TRAIN, VALIDATION, idx_bytes

from dse.data import DATASETS, load, load_test
from dse.data.dataset import Split, digest
from dse.errors import DataError

NAMES = ("mnist", "fashion-mnist", "cifar10", "cifar100")


def rows(split):
    """Samples as a sorted list, to compare sets of samples."""
    return sorted((image.tobytes(), int(label)) for image, label in zip(split.images, split.labels, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_parts_hold_exactly_the_published_samples(name, published, folder):
    (train_images, train_labels), (test_images, test_labels) = published.truth[name]
    data = load(name, folder, sources=published.sources)
    assert (len(data.train), len(data.validation)) == (TRAIN, VALIDATION)
    assert sorted(rows(data.train) + rows(data.validation)) == rows(Split(train_images, train_labels))
    assert np.bincount(data.validation.labels).tolist() == [VALIDATION // 4] * 4
    test = load_test(name, folder, sources=published.sources)
    assert np.array_equal(test.images, test_images)
    assert np.array_equal(test.labels, test_labels)
    for part in (data.train, data.validation, test):
        assert part.images.dtype == np.uint8
        assert part.images.shape == (len(part), *data.input_shape)
        assert part.labels.dtype == np.int64
        assert part.images.flags.writeable
        assert part.labels.flags.writeable


def test_facts_come_from_the_record(published, folder):
    data = load("cifar10", folder, sources=published.sources)
    assert (data.name, data.title, data.classes, data.input_bits) == ("cifar10", "CIFAR-10", 4, 8)


@pytest.mark.parametrize("name", NAMES)
def test_training_data_load_without_the_test_file(name, published, folder):
    before = load(name, folder, sources=published.sources).digest
    container = published.sources[name].containers[0]
    for file in container.files:
        if file.role.startswith("test"):
            (folder / container.folders[0] / file.name).unlink(missing_ok=True)
    assert load(name, folder, sources=published.sources).digest == before
    with pytest.raises(DataError, match=r"must be there, but is missing; run `dse data fetch"):
        load_test(name, folder, sources=published.sources)


def test_uncompressed_idx_files_give_the_same_data_set(published, folder):
    zipped = load("mnist", folder, sources=published.sources).digest
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for path in (folder / "mnist").iterdir():
        (raw / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    shutil.rmtree(folder / "mnist")
    assert load("mnist", folder, sources=published.sources).digest == zipped
    assert len(load_test("mnist", folder, sources=published.sources)) == TEST


def test_of_two_variants_the_compressed_one_is_read(published, folder):
    before = load("mnist", folder, sources=published.sources).digest
    (folder / "mnist" / "train-images-idx3-ubyte").write_bytes(b"never read")
    assert load("mnist", folder, sources=published.sources).digest == before


def test_files_in_the_data_folder_itself_are_found(published, folder):
    inner = load("mnist", folder / "mnist", sources=published.sources)
    assert inner.digest == load("mnist", folder, sources=published.sources).digest
    # Fashion-MNIST has the same names, other sizes: in that folder its files are not there, rather than corrupt.
    with pytest.raises(DataError, match="FASHION-MNIST must lie in"):
        load("fashion-mnist", folder / "mnist", sources=published.sources)


def test_the_environment_names_the_folder_and_the_argument_wins(published, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("DSE_DATA_DIR", str(folder))
    assert load("mnist", sources=published.sources).name == "mnist"
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"MNIST must lie in .*empty/mnist"):
        load("mnist", tmp_path / "empty", sources=published.sources)


def test_the_default_is_the_users_data_folder(published, own_home, monkeypatch):
    published.store(own_home / ".local/share/dse/data", "mnist")
    assert load("mnist", sources=published.sources).name == "mnist"
    monkeypatch.setenv("XDG_DATA_HOME", str(own_home / "elsewhere"))
    with pytest.raises(DataError, match=r"elsewhere/dse/data/mnist .*run `dse data fetch mnist`, or name"):
        load("mnist", sources=published.sources)


def test_a_relative_xdg_folder_counts_as_unset(published, own_home, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    published.store(own_home / ".local/share/dse/data", "mnist")
    assert load("mnist", sources=published.sources).name == "mnist"


@pytest.mark.parametrize("told", ["--data-dir", "DSE_DATA_DIR"])
def test_a_named_folder_must_exist(told, published, tmp_path, monkeypatch):
    missing = tmp_path / "nowhere"
    if told == "DSE_DATA_DIR":
        monkeypatch.setenv(told, str(missing))
    argument = missing if told == "--data-dir" else None
    with pytest.raises(DataError, match=rf"^data folder must be an existing folder, not {missing} \({told}\)"):
        load("mnist", argument, sources=published.sources)


def test_an_unknown_name_lists_the_known_and_guesses():
    with pytest.raises(
        DataError, match=r"^data set must be one of digits, mnist, .*, not 'minst'; did you mean mnist\?$"
    ):
        load("minst")
    with pytest.raises(DataError, match=r"not 'imagenet'$"):
        load_test("imagenet")


def spoil(path, change):
    data = path.read_bytes()
    path.write_bytes(change(data))


def flip(data):
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


FIRST = {"mnist": "train-images-idx3-ubyte.gz", "cifar10": "data_batch_3", "cifar100": "train"}


@pytest.mark.parametrize(("name", "file"), FIRST.items())
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:-1], r"must be [\d,]+ bytes, not [\d,]+ \(truncated\)"),
        (lambda data: b"", r"must be [\d,]+ bytes, not 0 \(truncated\)"),
        (lambda data: data + b"\0", r"must be [\d,]+ bytes, not [\d,]+ \(not the published file\)"),
        (flip, r"must have sha256 [0-9a-f]{64}, not [0-9a-f]{64} \(corrupt, or not the published file\)"),
    ],
)
def test_a_spoilt_file_is_named_with_what_was_expected_and_what_to_run(name, file, change, message, published, folder):
    container = published.sources[name].containers[0]
    path = folder / container.folders[0] / file
    spoil(path, change)
    with pytest.raises(DataError, match=rf"^{path} {message}; run `dse data fetch {name} --data-dir {folder}`, or"):
        load(name, folder, sources=published.sources)


def test_a_missing_file_is_named_with_its_size(published, folder):
    path = folder / "mnist" / "train-labels-idx1-ubyte.gz"
    size = path.stat().st_size
    path.unlink()
    with pytest.raises(DataError, match=rf"^{path} \({size} bytes\) must be there, but is missing; run"):
        load("mnist", folder, sources=published.sources)


def test_an_unreadable_file_is_named(published, folder, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte.gz must be readable, but Permission denied; run"):
        load("mnist", folder, sources=published.sources)


def test_a_label_out_of_range_is_refused(published, folder):
    labels = np.arange(TRAIN + VALIDATION, dtype=np.uint8) % 4
    labels[17] = 4
    wrong = published.with_file("train-labels-idx1-ubyte.gz", "train-labels", "mnist", gzip.compress(idx_bytes(labels)))
    wrong.store(folder)
    with pytest.raises(DataError, match=r"^label must be 0 \.\. 3, not 4 \(train sample 17 of .*/mnist\); run"):
        load("mnist", folder, sources=wrong.sources)


def test_the_digest_tells_pixels_labels_and_division_apart():
    images, labels = np.zeros((6, 1, 2, 2), np.uint8), np.zeros(6, np.int64)
    pixel, label = images.copy(), labels.copy()
    pixel[3, 0, 1, 1] = 1
    label[3] = 1
    whole = Split(images, labels)
    cut = (Split(images[:2], labels[:2]), Split(images[2:], labels[2:]))
    shape = Split(images.reshape(6, 1, 1, 4), labels)
    cases = [((whole,), "1"), ((Split(pixel, labels),), "1"), ((Split(images, label),), "1"), (cut, "1")]
    digests = [digest(*case) for case in (*cases, ((whole,), "2"), ((shape,), "1"))]
    assert len(set(digests)) == len(digests)
    assert digest((Split(images.copy(order="F"), labels),), "1") == digests[0]
    assert all(len(text) == 16 for text in digests)


def test_digits_need_no_folder_and_keep_their_test_part(tmp_path, monkeypatch):
    monkeypatch.setenv("DSE_DATA_DIR", str(tmp_path / "nowhere"))
    data, test = load("digits"), load_test("digits")
    assert (len(data.train), len(data.validation), len(test)) == (1077, 360, 360)
    assert (data.title, data.classes, data.input_bits, data.input_shape) == ("Digits (8x8)", 10, 5, (1, 8, 8))
    from sklearn.datasets import load_digits

    bunch = load_digits()
    every = Split(bunch.images.astype(np.uint8), bunch.target)
    assert sorted(rows(data.train) + rows(data.validation) + rows(test)) == rows(every)
    assert (data.train.images.min(), data.train.images.max()) == (0, 16)
    for part in (data.train, data.validation, test):
        assert np.ptp(np.bincount(part.labels)) <= len(part) * 0.01 + 2
    # Golden, 2026-11-21, scikit-learn 1.9.
    assert data.digest == "50afb4d4a34480f2"


def test_the_registry_is_complete():
    assert tuple(DATASETS) == (
        *("digits", "mnist", "fashion-mnist", "cifar10", "cifar100"),
        *("n-mnist", "dvs128-gesture", "cifar10-dvs"),
    )
    for source in DATASETS.values():
        assert source.title
        assert source.license
        for container in source.containers:
            for file in (*container.files, *container.downloads):
                assert len(file.checksum[1]) in (32, 64)
            parts = {"all-", "all"} if container.undivided or container.page else {"trai", "test"}
            assert {role[:4] for role in container.roles} <= parts
            assert all(file.url.startswith("https://") for file in container.downloads)
