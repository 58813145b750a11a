"""`dse dashboard` as a process: it says where it is, warns of an open host, and answers."""

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from dse.results import StudyFolder

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-c", "from dse.cli import main; main()", "dashboard"]


def test_it_prints_its_address_and_stops_on_an_interrupt(made_up: StudyFolder) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [*PROGRAM, str(made_up.path)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests run in the background of a shell, an interrupt is ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(address + "columns?study=made-up", timeout=20) as answer:
            assert answer.status == 200
        server.send_signal(signal.SIGINT)
        try:
            assert server.wait(timeout=20) == 0
        finally:
            server.kill()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "must be the folder of a study, not missing"),
        (["--host", "192.0.2.1"], "host and port must be free on this computer, not 192.0.2.1:0"),
    ],
)
def test_what_cannot_be_served_is_one_message(arguments: list[str], message: str, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [*PROGRAM, *arguments], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 2, result.stderr
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert ("warning: who reaches 192.0.2.1" in result.stderr) == ("--host" in arguments)
