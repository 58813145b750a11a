"""Fixtures: published data sets, a data folder with their files, and a home that is not the user's."""

import pytest
from published_data import publish


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    """No test reads or writes the user's folders, whatever the environment says."""
    for name in ("DSE_DATA_DIR", "DSE_DATA_MIRROR", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def published():
    return publish()


@pytest.fixture
def folder(published, tmp_path):
    """A data folder with every file."""
    return published.store(tmp_path / "data")
