"""`dse` as a process, with real workers that train a stand-in: ``python program.py search ...``."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

STUDY = Path(__file__).parents[1] / "dse" / "study"
ROOT = Path(__file__).parents[2]
LIMIT_S = 120.0


class Program:
    """Searches of one folder.

    Attributes:
        folder: with the space, the cache and the log of trainings.
        results: folder of studies.
        study: the study's folder.
    """

    def __init__(self, folder: Path) -> None:
        from stand_in import write_space

        self.folder = folder
        self.results = folder / "results"
        self._space = write_space(folder)

    @property
    def study(self) -> Path:
        return self.results / "study"

    def start(self, *arguments: str, delay_s: float = 0.02, **environment: str) -> "subprocess.Popen[str]":
        """The program with these arguments; every training takes ``delay_s``."""
        own = {"DSE_STAND_IN_LOG": str(self.folder / "trained.log"), "DSE_STAND_IN_DELAY_S": str(delay_s)}
        path = {"PYTHONPATH": f"{ROOT}:{STUDY}", "OMP_NUM_THREADS": "1", "DSE_CACHE_DIR": str(self.folder / "cache")}
        return subprocess.Popen(
            [sys.executable, __file__, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env={**os.environ, **own, **path, **environment},
        )

    def search(self, trials: int, delay_s: float = 0.02, **environment: str) -> "subprocess.Popen[str]":
        """A new study of one worker and a sampler that costs nothing."""
        options = ("--sampler", "random", "--workers", "1", "--refine", "0", "--name", "study")
        place = ("--space", self._space, "--results-dir", str(self.results))
        return self.start("search", "--trials", str(trials), *options, *place, delay_s=delay_s, **environment)

    def resume(self) -> "subprocess.Popen[str]":
        """The study goes on."""
        return self.start("search", "--resume", str(self.study), "--refine", "0")

    def networks(self) -> int:
        """Networks that the study holds."""
        path = self.study / "networks.jsonl"
        return path.read_bytes().count(b"\n") if path.exists() else 0

    def trainings(self) -> Counter[str]:
        """How often each network was trained to the end."""
        return Counter((self.folder / "trained.log").read_text().split())

    def until(self, process: "subprocess.Popen[str]", happened: Callable[[], bool]) -> None:
        """Wait for something to happen while the process runs."""
        end = time.monotonic() + LIMIT_S
        while not happened():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end
            time.sleep(0.01)


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Exit code and what was said on stderr, which never is a traceback."""
    _, stderr = process.communicate(timeout=LIMIT_S)
    assert "Traceback" not in stderr, stderr
    return process.returncode, stderr


def main() -> None:
    """The command line, with a stand-in for training."""
    from functools import partial

    from stand_in import WORKER

    from dse.cli import main as run
    from dse.study import refine, search
    from dse.workers import WorkerPool

    pool = partial(WorkerPool, command=WORKER)
    for module, name in ((search, "run_search"), (search, "resume"), (refine, "refine")):
        setattr(module, name, partial(getattr(module, name), make_trainers=pool))
    run()


if __name__ == "__main__":
    main()
