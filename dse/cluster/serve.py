"""Run a Dask scheduler or worker until a signal comes, and come back when the other side was gone."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dse.cluster import node
from dse.console import note
from dse.study.settings import cores

if TYPE_CHECKING:
    from distributed import Worker

RETRY_S = 1.0
"""Pause before a worker looks again for a scheduler that is gone."""


def serve_scheduler(host: str, port: int, tls: bool) -> None:
    """A scheduler on ``host``; its status page listens on the same address alone."""
    asyncio.run(_scheduler(host, port, "tls" if tls else "tcp"))


async def _scheduler(host: str, port: int, protocol: str) -> None:
    from distributed import Scheduler

    ended = _signalled()
    async with Scheduler(host=host, port=port, protocol=f"{protocol}://", dashboard_address=f"{host}:0") as scheduler:
        note(f"scheduler at {scheduler.address}; workers join with: dse worker {scheduler.address}")
        await ended.wait()


def serve_worker(address: str, slots: int, threads: int | None, gpu_slots: int, cache_dir: Path | None) -> None:
    """A worker that takes ``slots`` trainings at once, until a signal comes; it outlives its scheduler."""
    os.environ[node.THREADS_VARIABLE] = str(threads or max(1, cores() // slots))
    if cache_dir is not None:
        os.environ[node.CACHE_VARIABLE] = str(cache_dir)
    asyncio.run(_worker(address, slots, gpu_slots))


async def _worker(address: str, slots: int, gpu_slots: int) -> None:
    from distributed import Worker
    from distributed.utils import get_ip

    ended = _signalled()
    host = get_ip(urlsplit(address).hostname)
    resources = {node.GPU: gpu_slots} if gpu_slots else {}
    while not ended.is_set():
        worker = Worker(
            address, nthreads=slots, resources=resources, host=host, memory_limit=0, dashboard_address=f"{host}:0"
        )
        stop = asyncio.ensure_future(ended.wait())
        serve = asyncio.ensure_future(_joined(worker))
        await asyncio.wait((stop, serve), return_when=asyncio.FIRST_COMPLETED)
        for task in (stop, serve):
            task.cancel()
        with suppress(Exception, asyncio.CancelledError):
            await worker.close(timeout=1, executor_wait=False)
        if not ended.is_set():
            note(f"scheduler {address} is gone; looking for it again")
            await asyncio.sleep(RETRY_S)
    node.close_all()


async def _joined(worker: "Worker") -> None:
    """Join the scheduler, and stay until the connection ends."""
    await worker
    note(f"worker {worker.address} takes {worker.state.nthreads} trainings at once from {worker.scheduler.address}")
    await worker.finished()


def _signalled() -> asyncio.Event:
    """Set once Ctrl-C or SIGTERM comes."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    return ended
