"""What a trial costs beside its training, over own processes and over a real Dask scheduler.

    python benchmarks/cluster.py local --workers 4 --trials 100 --seconds 1
    python benchmarks/cluster.py dask --workers 4 --trials 100 --seconds 1       # a `dse worker` process each
    python benchmarks/cluster.py dask --workers 4 --trials 100 --real            # of the digits, not of a clock
    python benchmarks/cluster.py simulated --workers 256 --trials 1000 --seconds 20     # all in one process

One JSON line: wall time and how much of it the workers trained, processor milliseconds a trial of the coordinator and
of the scheduler, trials lost and done twice.
"""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import psutil

HERE = Path(__file__).parent
SLEEPER = (sys.executable, str(HERE / "simulated.py"))


def serve_process(address: str) -> None:
    """A `dse worker` whose training processes sleep, if they are told how long."""
    from dse.cluster import node
    from dse.cluster.serve import serve_worker

    if "DSE_SIMULATED_S" in os.environ:
        node.COMMAND = SLEEPER
    serve_worker(address, 1, 1, 0, None)


def serve_simulated(address: str, workers: int, seconds: float) -> None:
    """That many Dask workers in this process, whose trainings are timers."""
    from simulated import ABOUT, SleepingPool

    from dse.cache import ScoreCache
    from dse.cluster import node

    cache = ScoreCache(Path(os.environ["DSE_CACHE_DIR"]))
    node._open = lambda *_: node.Node(SleepingPool(seconds), ABOUT, cache)  # type: ignore[arg-type, assignment]
    asyncio.run(_serve(address, workers))


async def _serve(address: str, workers: int) -> None:
    from distributed import Worker

    def worker(number: int) -> Worker:
        return Worker(address, nthreads=1, name=str(number), memory_limit=0, dashboard_address="127.0.0.1:0")

    started = [await worker(number) for number in range(workers)]
    print(f"joined {len(started)}", file=sys.stderr, flush=True)
    await started[0].finished()


@contextmanager
def cluster(kind: str, workers: int, seconds: float | None, folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Address of a scheduler with all its workers, and the scheduler's process."""
    path = {"PYTHONPATH": f"{Path.cwd()}:{HERE}", "DSE_CACHE_DIR": str(folder / "cache")}
    environment = os.environ | path | ({} if seconds is None else {"DSE_SIMULATED_S": str(seconds)})
    started: list[subprocess.Popen[str]] = []

    def start(said: str, *arguments: str) -> str:
        log = folder / f"process-{len(started)}.log"
        with log.open("w") as stderr:
            started.append(subprocess.Popen([sys.executable, *arguments], stderr=stderr, env=environment, text=True))
        while said not in log.read_text():
            assert started[-1].poll() is None, log.read_text()
            time.sleep(0.05)
        return log.read_text()

    try:
        text = start("scheduler at ", "-c", "from dse.cli import main; main()", "scheduler", "--port", "0")
        address = text.partition("scheduler at ")[2].partition(";")[0]
        if kind == "simulated":
            start("joined", __file__, "serve", address, str(workers), str(seconds))
        for _ in range(workers if kind == "dask" else 0):
            start(" takes ", __file__, "serve", address)
        yield address, psutil.Process(started[0].pid)
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


def measure(kind: str, workers: int, trials: int, seconds: float | None, sampler: str) -> dict[str, Any]:
    """Search once; trainings are real without ``seconds``."""
    folder = Path(tempfile.mkdtemp(prefix="cluster-"))
    try:
        if kind == "local":
            from dse.workers import WorkerPool

            if seconds is None:
                return _searched(WorkerPool, workers, trials, seconds, sampler, folder)
            os.environ["DSE_SIMULATED_S"] = str(seconds)
            return _searched(partial(WorkerPool, command=SLEEPER), workers, trials, seconds, sampler, folder)
        with cluster(kind, workers, seconds, folder) as (address, scheduler):
            from dse.cluster.connect import trainers

            before = sum(scheduler.cpu_times()[:2])
            found = _searched(trainers(address), workers, trials, seconds, sampler, folder)
            used = sum(scheduler.cpu_times()[:2]) - before
            return {**found, "scheduler_ms": round(1000 * used / trials, 2)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _searched(
    make: Any, workers: int, trials: int, seconds: float | None, sampler: str, folder: Path
) -> dict[str, Any]:
    from dse.study.search import run_search
    from dse.study.settings import SearchSettings

    settings = SearchSettings(
        space="digits" if seconds is None else str(HERE / "coordinator.toml"),
        sampler=sampler,
        workers=workers,
        trials=trials,
        results_dir=folder,
        cache_dir=folder / "here",
    )
    begin, most = 0.0, 0

    def watch(progress: Any) -> None:
        nonlocal begin, most
        most = max(most, progress.running)
        begin = begin or time.perf_counter()

    spent = time.process_time()
    result = run_search(settings, watch, make_trainers=make)
    spent, wall = time.process_time() - spent, time.perf_counter() - begin
    networks = result.folder.networks()
    digests = [record.digest for record in networks]
    trained = sum(record.score.seconds for record in networks) if seconds is None else trials * seconds
    return {
        "workers": workers,
        "trials": trials,
        "seconds": round(trained / trials, 2),
        "sampler": sampler,
        "wall_s": round(wall, 2),
        "busy": round(trained / workers / wall, 3),
        "coordinator_ms": round(1000 * spent / trials, 2),
        "lost": trials - result.trained,
        "twice": len(digests) - len(set(digests)),
    }


def main() -> None:
    """Measure, or serve."""
    if sys.argv[1:2] == ["serve"]:
        address, *simulated = sys.argv[2:]
        if simulated:
            serve_simulated(address, int(simulated[0]), float(simulated[1]))
        else:
            serve_process(address)
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("local", "dask", "simulated"))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--real", action="store_true", help="train networks of the digits instead of sleeping")
    parser.add_argument("--sampler", default="random")
    given = parser.parse_args()
    if given.real and given.kind == "simulated":
        parser.error("simulated workers cannot train: --real is for local and dask")
    seconds = None if given.real else given.seconds
    found = measure(given.kind, given.workers, given.trials, seconds, given.sampler)
    print(json.dumps({"kind": given.kind, **found}))


if __name__ == "__main__":
    main()
