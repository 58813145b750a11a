"""A cluster on this machine: a scheduler and workers in processes of their own, which train a stand-in.

``python machines.py ADDRESS [SLOTS [VERSION]]`` is a worker; a VERSION makes it say that it runs that dse, and
``real`` in its place trains in earnest.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

STUDY = Path(__file__).parents[1] / "study"
ROOT = Path(__file__).parents[3]


class Machines:
    """Scheduler and workers; all end with the block.

    Attributes:
        address: of the scheduler.
        workers: processes, in the order they were started.
    """

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.address = ""
        self.workers: list[subprocess.Popen[str]] = []
        self._scheduler: subprocess.Popen[str] | None = None
        log = {"DSE_STAND_IN_LOG": str(folder / "trained.log"), "DSE_CACHE_DIR": str(folder / "cache")}
        path = {"PYTHONPATH": f"{ROOT}:{STUDY}", "OMP_NUM_THREADS": "1"}
        self._environment = {**os.environ, **path, **log, **environment}
        self._started = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for process in (*self.workers, self._scheduler):
            if process is not None:
                process.kill()
                process.wait()

    def start_scheduler(self, *options: str) -> None:
        """Start it, or start it again where it was."""
        port = self.address.rpartition(":")[2] or "0"
        program = ("-c", "from dse.cli import main; main()", "scheduler", "--port", port, *options)
        self._scheduler, self.address = self._process(program, r"scheduler at (\S+);")

    def stop_scheduler(self) -> None:
        """Kill it."""
        assert self._scheduler is not None
        self._scheduler.kill()
        self._scheduler.wait()

    def start_worker(self, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
        """Start one, and wait until it has joined."""
        process, _ = self._process((__file__, self.address, *arguments), r"worker (\S+) takes", environment)
        self.workers.append(process)
        return process

    def _process(
        self, arguments: Sequence[str], said: str, environment: Mapping[str, str] = MappingProxyType({})
    ) -> "tuple[subprocess.Popen[str], str]":
        """Start a process, and wait until it has said what matches; the first group of that."""
        self._started += 1
        log = self.folder / f"process-{self._started}.log"
        with log.open("w") as stderr:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                stdin=subprocess.DEVNULL,
                stderr=stderr,
                env={**self._environment, **environment},
                text=True,
            )
        while process.poll() is None:
            if found := re.search(said, log.read_text()):
                return process, found[1]
            time.sleep(0.02)
        raise AssertionError(f"process ended with {process.returncode}: {log.read_text()}")


def main(address: str, slots: str = "1", version: str = "") -> None:
    """A worker."""
    import dse
    from dse.cluster.serve import serve_worker

    if version != "real":
        import stand_in_node  # noqa: F401

        dse.__version__ = version or dse.__version__
    serve_worker(address, int(slots), 1, 0, None)


if __name__ == "__main__":
    main(*sys.argv[1:])
