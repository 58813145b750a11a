"""A folder in which the commands of a page run as they would in a checkout."""

import os
import shutil
import stat
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))
from blocks import QUICK, SHORT  # noqa: E402

DSE = """#!/bin/sh
[ "$1" = dashboard ] && exec "{python}" "{here}/brief_dashboard.py" "$@"
exec "{python}" -c 'from dse.cli import main; main()' "$@"
"""
PYTHON = """#!/bin/sh
exec "{python}" "$@"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What a reader has: sources to read, the reference study, and a results folder to write into."""
    for path in ROOT.iterdir():
        if path.name not in ("results", "build") and not path.name.startswith("."):
            (tmp_path / path.name).symlink_to(path)
    (tmp_path / QUICK).write_text(f'[space]\nextends = "digits"\n{SHORT}')
    shutil.copytree(ROOT / "results" / "mnist-reference", tmp_path / "results" / "mnist-reference")
    return tmp_path


@pytest.fixture
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """`dse` and `python` are this checkout's; trained networks are shared by the pages of one test run."""
    programs = tmp_path_factory.mktemp("bin")
    for name, text in (("dse", DSE), ("python", PYTHON)):
        path = programs / name
        path.write_text(text.format(python=sys.executable, here=HERE))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    shared = tmp_path_factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else None
    cache = (shared or tmp_path_factory.getbasetemp()) / "documentation-cache"
    own = {name: value for name, value in os.environ.items() if not name.startswith("DSE_") or name == "DSE_DATA_DIR"}
    return own | {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "",
        "DSE_CACHE_DIR": str(cache),
        "DSE_TRIALS": "1",
        "DSE_REFINE": "0",
        "DSE_WORKERS": "1",
        "BROWSER": "true",
    }
