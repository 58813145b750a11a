"""`dse scheduler` and `dse worker`: what a search with --dask runs on."""

from typing import Annotated

import typer

from dse.cli.options import CacheDir, DataDir, settled

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="of the scheduler, such as tcp://10.0.0.1:8786")]
Host = Annotated[str, typer.Option("--host", help="address to listen on; the loopback unless you say otherwise")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one")]
Tls = Annotated[bool, typer.Option("--tls", help="encrypted, with the certificates of Dask's configuration")]
Slots = Annotated[int, typer.Option("--slots", min=1, help="trainings at once, each in its own process")]
Threads = Annotated[int | None, typer.Option("--threads", min=1, help="of each training (default: cores / slots)")]
GpuSlots = Annotated[int, typer.Option("--gpu-slots", min=0, help="trainings that the GPU takes at once")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("scheduler")(scheduler)
    app.command("worker")(worker)


def scheduler(host: Host = "127.0.0.1", port: Port = 8786, tls: Tls = False) -> None:
    """Run a Dask scheduler that workers and searches on other machines connect to.

    Whoever can connect can run code here: beyond the loopback use --tls, or a network you trust.
    """
    from dse.cluster.serve import serve_scheduler

    serve_scheduler(host, port, tls)


def worker(
    address: Address,
    slots: Slots = 1,
    threads: Threads = None,
    gpu_slots: GpuSlots = 0,
    data_dir: DataDir = None,
    cache_dir: CacheDir = None,
) -> None:
    """Train networks for searches that use this scheduler, until a signal comes."""
    import os

    from dse.cluster.serve import serve_worker
    from dse.data.folder import FOLDER_VARIABLE, data_folder

    settings = settled(data_dir=data_dir, cache_dir=cache_dir)
    if settings["data_dir"]:
        os.environ[FOLDER_VARIABLE] = str(data_folder(settings["data_dir"]).resolve())
    serve_worker(address, slots, threads, gpu_slots, settings["cache_dir"])
