"""One training process: started away from the terminal, spoken to in lines of JSON, ended with all that it started."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

Process = subprocess.Popen[str]


def spawn(command: Sequence[str], threads: int, log: Path) -> Process:
    """Start a process, away from the terminal's Ctrl-C; what it writes to stderr is appended to ``log``."""
    limits = {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    with log.open("a") as stderr:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            encoding="utf-8",
            start_new_session=True,
            env={**os.environ, **limits},
        )


def read_all(process: Process, heard: Callable[[str], None]) -> None:
    """Pass on every whole line that a process says, until it has ended; a kill may tear its last."""
    assert process.stdout is not None
    with suppress(ValueError, OSError):
        for line in process.stdout:
            if line.endswith("\n"):
                heard(line)


def send(process: Process, data: Mapping[str, Any]) -> None:
    """Write one line; a process that is gone is noticed by its reader."""
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        process.stdin.write(json.dumps(data) + "\n")
        process.stdin.flush()


def end_all(processes: Sequence[Process], patience_s: float) -> None:
    """Close every stdin, at which a worker ends, and kill what has not ended soon after."""
    for process in processes:
        _close(process.stdin)
    for process in processes:
        try:
            process.wait(timeout=patience_s)
        except subprocess.TimeoutExpired:
            kill(process)
        _close(process.stdout)


def let_go(process: Process) -> None:
    """Close the pipes of a process that has ended."""
    _close(process.stdin)
    _close(process.stdout)


def kill(process: Process) -> None:
    """End a process and what it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def ending(code: int) -> str:
    """An exit status in words."""
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"status {code}"


def _close(pipe: IO[str] | None) -> None:
    with suppress(OSError):
        if pipe is not None:
            pipe.close()
