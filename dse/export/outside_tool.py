"""Run a simulator or synthesiser in an exported folder."""

import subprocess
from pathlib import Path

from costmodels.errors import InputError


def run_tool(command: list[str], folder: Path, timeout_s: float, error: type[InputError]) -> str:
    """What the command prints on stdout, run in ``folder``.

    Raises:
        error: it did not end in time, or failed; its last lines are in the message.
    """
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired as expired:
        raise error(f"{command[0]} must end within {timeout_s:g} s, but did not (in {folder})") from expired
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-8:])
        raise error(f"{command[0]} must succeed, not exit with {done.returncode} (in {folder}):\n{last}")
    return done.stdout
