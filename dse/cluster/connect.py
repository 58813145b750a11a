"""From the text behind ``--dask`` to a connection: the address of a scheduler, or the file of a job queue."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from costmodels.errors import InputError
from dse.cluster.executor import Connect, DaskTrainers
from dse.errors import RunError
from dse.worker import WorkerSettings

if TYPE_CHECKING:
    from distributed import Client

CONNECT_S = 30.0
WORKER_S, QUEUE_S = 60.0, 3600.0
"""How long the first worker may take: of a scheduler that runs, and out of a job queue."""

LOOPBACK = "127.0.0.1"
SCHEMES = ("tcp://", "tls://")
QUEUES = {
    "slurm": ("dask_jobqueue", "SLURMCluster"),
    "pbs": ("dask_jobqueue", "PBSCluster"),
    "lsf": ("dask_jobqueue", "LSFCluster"),
    "local": ("dask_jobqueue.local", "LocalCluster"),
}
"""``queue`` in a file to the class that submits its jobs; ``local`` jobs are processes here, to try a file out."""


class Connection:
    """Makes the trainers of a search, and of the refinement after it, over the same workers; ends with its block."""

    def __init__(self, connect: Connect, wait_s: float, close: Callable[[], None] = lambda: None) -> None:
        self._connect = connect
        self._wait_s = wait_s
        self._close = close

    def __call__(self, settings: WorkerSettings, slots: int, logs: Path) -> DaskTrainers:
        return DaskTrainers(settings, slots, logs, connect=self._connect, wait_s=self._wait_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()


def trainers(target: str) -> Connection:
    """What makes the trainers of a search, for an address such as ``tcp://host:8786`` or a YAML file.

    The jobs of a queue are submitted when the first trainers start, and end with the block of the connection.

    Raises:
        InputError: neither an address nor a usable file, or Dask is not installed.
    """
    if target.startswith(SCHEMES):
        return Connection(partial(_client, target), WORKER_S)
    path = Path(target)
    if not path.is_file():
        raise InputError(
            f"dask must be a scheduler's address (tcp://HOST:PORT or tls://HOST:PORT) or a YAML file, not {target!r}"
        )
    queue = read_queue(path)
    wait_s = float(queue.pop("wait_s", QUEUE_S))
    jobs = _Jobs(queue, path)
    return Connection(jobs.client, wait_s, jobs.end)


def read_queue(path: Path) -> dict[str, Any]:
    """The settings of a job queue: ``queue``, ``jobs``, ``wait_s``, and the arguments of its dask-jobqueue class.

    The scheduler, which runs in the search itself, listens on the loopback unless ``scheduler_options`` says where.

    Raises:
        InputError: no YAML mapping, an unknown queue, or no number of jobs.
    """
    yaml = _needed("yaml")
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} must be valid YAML: {error}") from None
    if not isinstance(settings, dict) or settings.get("queue") not in QUEUES:
        found = settings.get("queue") if isinstance(settings, dict) else settings
        raise InputError(f"queue must be one of {', '.join(QUEUES)}, not {found!r} ({path})")
    if not isinstance(settings.get("jobs"), int) or settings["jobs"] < 1:
        raise InputError(f"jobs must be a whole number above 0, not {settings.get('jobs')!r} ({path})")
    options = settings.get("scheduler_options") or {}
    if not {"host", "interface"} & set(options):
        options = {**options, "host": LOOPBACK}
    return {**settings, "scheduler_options": {"dashboard_address": f"{LOOPBACK}:0", **options}}


class _Jobs:
    """The jobs of a queue and their scheduler, which runs in this process."""

    def __init__(self, settings: dict[str, Any], path: Path) -> None:
        self._settings = settings
        self._path = path
        self._cluster: Any = None

    def client(self) -> "Client":
        """A client of the scheduler; the first submits the jobs.

        Raises:
            InputError: the queue takes no such jobs.
            RunError: the scheduler ended.
        """
        if self._cluster is None:
            self._cluster = _submitted(self._settings, self._path)
        if self._cluster.status.name != "running":
            raise RunError("the scheduler of the job queue ended; go on with --resume")
        with _collected():
            client: Client = _needed("distributed").Client(self._cluster, timeout=CONNECT_S, set_as_default=False)
        return client

    def end(self) -> None:
        """End the jobs."""
        if self._cluster is not None:
            self._cluster.close()


@contextmanager
def _collected() -> Iterator[None]:
    """No garbage is collected inside: a client that failed before closes itself then, and waits for ever for the lock
    of Dask's event loop, which the client that starts here holds.
    """
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _client(address: str) -> "Client":
    distributed = _needed("distributed")
    try:
        with _collected():
            client = distributed.Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError, RuntimeError) as error:  # the last two where TLS lacks a certificate
        raise InputError(
            f"dask must be the address of a running scheduler, not {address} ({_first_line(error)}); "
            "start one with: dse scheduler"
        ) from error
    return client


def _submitted(settings: dict[str, Any], path: Path) -> Any:
    """A scheduler started here, and the jobs submitted whose workers will come to it."""
    module, name = QUEUES[settings["queue"]]
    arguments = {key: value for key, value in settings.items() if key not in ("queue", "jobs")}
    try:
        with _collected():
            cluster = getattr(_needed(module), name)(**arguments)
            cluster.scale(jobs=settings["jobs"])
    except (TypeError, ValueError, OSError, RuntimeError) as error:
        raise InputError(f"{path} must describe a {settings['queue']} queue that takes jobs: {error}") from error
    return cluster


def _needed(module: str) -> Any:
    """A package of the extra ``dask``."""
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError:
        raise InputError(f"{module.partition('.')[0]} must be installed; pip install 'snn-dse[dask]'") from None


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
