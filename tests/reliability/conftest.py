"""What the tests of faults share: the stand-in for training, and the program in a folder of its own."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "dse" / "study"), str(HERE)]


@pytest.fixture
def program(tmp_path: Path) -> "Program":  # type: ignore[name-defined]  # noqa: F821
    """`dse` with real worker processes that train a stand-in."""
    from program import Program

    return Program(tmp_path)
