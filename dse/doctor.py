"""What is installed here and what is missing: packages, programs and devices, each with what it is for."""

import importlib.metadata
import importlib.util
import platform
import re
import shutil
from collections.abc import Iterator
from typing import Literal, NamedTuple

State = Literal["ok", "missing", "optional"]
OPTIONAL_PROGRAMS = (
    ("g++", "compiles the neuron kernel: training is several times faster", "apt-get install g++"),
    ("chromium", "browser tests of the dashboard", "apt-get install chromium"),
    ("verilator", "simulates RTL", "apt-get install verilator"),
    ("iverilog", "simulates RTL of small machines", "apt-get install iverilog"),
    ("yosys", "counts gates of RTL", "apt-get install yosys"),
)
DISTRIBUTION = "snn-dse"


class Finding(NamedTuple):
    """One thing that was looked for.

    Attributes:
        name: of the package, program or device.
        state: ``ok`` is there, ``missing`` is needed and not there, ``optional`` is not there and can do without.
        found: version or place, empty where there is none.
        purpose: what needs it.
        remedy: how to get it, empty where it is there.
    """

    name: str
    state: State
    found: str
    purpose: str
    remedy: str


def examine() -> tuple[Finding, ...]:
    """Python, the packages of this project and of its extras, optional programs, and the GPU."""
    python = Finding("python", "ok", platform.python_version(), "3.11 or newer", "")
    return (python, *_packages(), *_programs(), _gpu())


def requirements(lines: list[str]) -> tuple[tuple[str, str], ...]:
    """Package and extra (empty: always needed) of each line of a distribution's metadata, extras of itself left out."""
    found = []
    for line in lines:
        name = re.match(r"[A-Za-z0-9._-]+", line)
        extra = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", line)
        if name and name[0] != DISTRIBUTION:
            found.append((name[0], extra[1] if extra else ""))
    return tuple(found)


def _packages() -> Iterator[Finding]:
    try:
        lines = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        yield Finding(DISTRIBUTION, "missing", "", "the project itself", "pip install -e .")
        return
    for name, extra in requirements(lines):
        purpose = f"extra {extra}" if extra else "every command"
        try:
            yield Finding(name, "ok", importlib.metadata.version(name), purpose, "")
        except importlib.metadata.PackageNotFoundError:
            wanted = f"{DISTRIBUTION}[{extra}]" if extra else name
            yield Finding(name, "optional" if extra else "missing", "", purpose, f"pip install '{wanted}'")


def _programs() -> Iterator[Finding]:
    for name, purpose, remedy in OPTIONAL_PROGRAMS:
        path = shutil.which(name)
        yield Finding(name, "ok" if path else "optional", path or "", purpose, "" if path else remedy)


def _gpu() -> Finding:
    """Whether a training can use a GPU, as the training's own library sees it."""
    purpose = "trains networks with --device cuda"
    if importlib.util.find_spec("torch") is None:
        return Finding("gpu", "optional", "", purpose, "torch first")
    from dse.training.device import usable_gpu

    name = usable_gpu()
    if name:
        return Finding("gpu", "ok", name, purpose, "")
    return Finding("gpu", "optional", "", purpose, "an NVIDIA driver and a CUDA build of torch")
