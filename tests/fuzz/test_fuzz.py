"""The fuzzer itself: it finds what is wrong, and a short run of it finds nothing."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SHORT = 6000
WALLED = """
import sys, {imports}
sys.path.insert(0, {here!r})
from pathlib import Path
import guard
guard.forbid_all_but(Path({folder!r}))
guard.bound_memory()
{act}
"""


@pytest.mark.parametrize(
    ("act", "ends_with"),
    [
        ("open('{folder}/in', 'w').write('a'); open('{folder}/in').read(); open('/etc/hostname').read()", ""),
        ("open('{folder}/../out', 'w')", "guard.ForbiddenError: open"),
        ("os.mkdir('{folder}-beside')", "guard.ForbiddenError: os.mkdir"),
        ("os.rename('{folder}/in', '{folder}/../out')", "guard.ForbiddenError: os.rename"),
        ("subprocess.run(['true'])", "guard.ForbiddenError: subprocess.Popen"),
        ("socket.create_connection(('127.0.0.1', 1))", "guard.ForbiddenError: socket."),
        ("bytearray(3 << 30)", "MemoryError"),
    ],
)
def test_the_walls_hold(act: str, ends_with: str, tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    text = WALLED.format(
        imports="os, subprocess, socket", here=str(HERE), folder=str(folder), act=act.format(folder=folder)
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    last = done.stderr.splitlines()[-1] if done.stderr else ""
    assert last.startswith(ends_with), done.stderr
    assert bool(last) == bool(ends_with)
    assert not (tmp_path / "out").exists()


def test_a_short_run_over_every_parser_finds_nothing(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="atheris is not installed (it has no wheel for this Python)")
    command = [sys.executable, str(HERE / "fuzz.py"), "--runs", str(SHORT), "--keep", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    together = re.search(r"\| together \| ([\d,]+) \| \d+ \| 0 \|", done.stdout)
    assert together, done.stdout
    assert int(together[1].replace(",", "")) >= SHORT
