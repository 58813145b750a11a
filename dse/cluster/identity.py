"""Which program a machine runs: workers must be of the coordinator's versions, or a study would mix two programs."""

import platform
from collections.abc import Mapping
from importlib.metadata import version

import dse
from dse.cache import code_version

LIBRARIES = ("torch", "numpy")


def identity() -> dict[str, str]:
    """Versions of everything that may change a score, and the digest of the training code.

    A build of torch for another processor (``+cpu``, ``+cu130``) is the same version.
    """
    python = ".".join(platform.python_version_tuple()[:2])
    libraries = {name: version(name).partition("+")[0] for name in LIBRARIES}
    return {"dse": dse.__version__, "python": python, **libraries, "training code": code_version()}


def differences(ours: Mapping[str, str], theirs: Mapping[str, str]) -> str:
    """``torch 2.13.0, not 2.12.0; ...`` for what a worker must run and does not; empty where all agrees."""
    return "; ".join(f"{name} {ours[name]}, not {theirs.get(name)}" for name in ours if ours[name] != theirs.get(name))
