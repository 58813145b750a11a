"""A cluster for each test that asks for one."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
pytest.importorskip("distributed", reason="dask is not installed (the extra of that name)")


@pytest.fixture
def machines(tmp_path: Path) -> "Iterator[Machines]":  # type: ignore[name-defined]  # noqa: F821
    """A scheduler on the loopback, and no worker yet."""
    from machines import Machines

    with Machines(tmp_path) as started:
        started.start_scheduler()
        yield started
