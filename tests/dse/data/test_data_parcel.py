"""A data set sent to another machine."""

from pathlib import Path

import pytest
from published_data import TEST, Published

from dse.data.loading import load, load_test
from dse.data.parcel import pack, unpack
from dse.errors import DataError


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_what_is_sent_is_what_is_read(name: str, published: Published, folder: Path, tmp_path: Path) -> None:
    files = pack(name, folder, sources=published.sources)
    unpack(name, files, tmp_path / "there", sources=published.sources)
    here, there = (load(name, place, sources=published.sources) for place in (folder, tmp_path / "there"))
    assert here.digest == there.digest
    assert len(load_test(name, tmp_path / "there", sources=published.sources)) == TEST


def test_nothing_is_sent_of_a_bundled_or_incomplete_set(published: Published, folder: Path) -> None:
    assert pack("digits") == {}
    for path in [*(folder / "mnist").rglob("t10k-labels*"), *folder.glob("t10k-labels*")]:
        path.unlink()
    assert pack("mnist", folder, sources=published.sources) == {}


def test_a_name_that_is_none_of_the_sets_is_refused(published: Published, tmp_path: Path) -> None:
    for name in ("../../evil", "/etc/passwd", "other"):
        with pytest.raises(DataError, match="must bear the names it is published with, not"):
            unpack("mnist", {name: b""}, tmp_path / "there", sources=published.sources)
    assert not (tmp_path / "there").exists()
