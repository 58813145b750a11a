"""Compiles the C++ kernels on demand, keeps the library in the user's cache folder and loads it."""

import ctypes
import functools
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

LOG = logging.getLogger(__name__)
SOURCES = tuple(Path(__file__).with_name(name) for name in ("kernel.cpp", "winograd.cpp", "lanes.h"))
FLAGS = ("-std=c++17", "-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-fPIC", "-shared", "-fopenmp")
COMPILE_LIMIT_S = 120
POOLINGS = ("or", "average", "membrane", "count")  # in the order of the enumeration in kernel.cpp
SWITCH = "DSE_NATIVE"


class Layer(ctypes.Structure):
    """The struct of the same name in kernel.cpp, field by field."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("steps", "batch", "rows", "columns", "channels", "pool")),
        *((name, ctypes.c_int32) for name in ("pooling", "levels", "soft", "dual", "arctan", "is_static", "threads")),
        *((name, ctypes.c_float) for name in ("ratio", "width")),
    )


class Convolution(ctypes.Structure):
    """The struct of the same name in winograd.cpp, field by field."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("images", "rows", "columns", "inputs", "outputs")),
        ("threads", ctypes.c_int32),
    )


class BuildError(Exception):
    """The kernel cannot be compiled or loaded here."""


def cache_folder() -> Path:
    """Where compiled kernels are kept: ``$XDG_CACHE_HOME/snn-dse``, or ``~/.cache/snn-dse``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "snn-dse"


def _compiler() -> str:
    found = os.environ.get("CXX") or shutil.which("g++") or shutil.which("c++")
    if not found:
        raise BuildError("no C++ compiler found (install g++, or name one in CXX)")
    return found


def _processor() -> str:
    """Name and features of the processor: a library made with ``-march=native`` may not run on another."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    kept = {line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part"))}
    return "\n".join(sorted(kept))


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMPILE_LIMIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(f"{command[0]}: {error}") from error
    if done.returncode != 0:
        raise BuildError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return done.stdout


def _digest(compiler: str) -> str:
    version = _run([compiler, "--version"])
    sources = [source.read_text() for source in SOURCES]
    parts = (*sources, " ".join(FLAGS), compiler, version, platform.machine(), _processor())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


def _compile(compiler: str, target: Path) -> None:
    """Writes the library and, beside it, its own digest; a reader never sees half a file under its final name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder) / target.name
        _run([compiler, *FLAGS, "-o", str(made), *(str(source) for source in SOURCES if source.suffix == ".cpp")])
        seal = made.with_suffix(".sha256")
        seal.write_text(_content_digest(made))
        seal.replace(target.with_suffix(".sha256"))
        made.replace(target)


def _content_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _intact(library: Path) -> bool:
    try:
        return library.with_suffix(".sha256").read_text() == _content_digest(library)
    except OSError:
        return False


def build(folder: Path) -> Path:
    """The compiled library for this source, compiler and processor in a folder; made if it is missing or damaged.

    Raises:
        BuildError: no compiler, or it fails, or the folder cannot be written.
    """
    try:
        compiler = _compiler()
        library = folder / f"neuron-{_digest(compiler)}.so"
        if not _intact(library):
            _compile(compiler, library)
    except OSError as error:
        raise BuildError(str(error)) from error
    return library


def _declare(library: ctypes.CDLL) -> ctypes.CDLL:
    half = threads = ctypes.c_int32
    count, array = ctypes.c_int64, ctypes.c_void_p
    layer, convolution = ctypes.POINTER(Layer), ctypes.POINTER(Convolution)
    arguments = {
        "neuron_moments": (half, count, count, threads, *(array,) * 3),
        "neuron_forward": (half, layer, *(array,) * 4),
        "neuron_backward": (half, layer, *(array,) * 7),
        "neuron_finish": (half, count, count, threads, *(array,) * 6),
        "convolution_forward": (half, convolution, *(array,) * 3),
        "convolution_weights": (half, convolution, *(array,) * 3),
    }
    for name, types in arguments.items():
        function = getattr(library, name)
        function.argtypes, function.restype = types, None
    library.convolution_takes_half.argtypes, library.convolution_takes_half.restype = (), ctypes.c_int32
    return library


@functools.cache
def library() -> ctypes.CDLL | None:
    """The kernel, or None where it is switched off (``DSE_NATIVE=0``) or cannot be built, which is warned of once."""
    if os.environ.get(SWITCH) == "0":
        return None
    try:
        return _declare(ctypes.CDLL(str(build(cache_folder()))))
    except (BuildError, OSError, AttributeError) as error:
        LOG.warning("training runs in plain torch, several times slower: the kernel could not be built: %s", error)
        return None
