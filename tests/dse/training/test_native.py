"""Building, keeping and loading the compiled kernels."""

import ctypes
import logging
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from dse.training import native
from dse.training.neuron import NormIF

LOADS = "import ctypes, sys; ctypes.CDLL(sys.argv[1]).neuron_forward"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A library in a folder of its own, compiled without optimisation: that takes a third of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "FLAGS", tuple("-O0" if flag == "-O3" else flag for flag in native.FLAGS))
        try:
            yield native.build(tmp_path_factory.mktemp("kernels"))
        except native.BuildError as error:
            pytest.skip(str(error))


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """`native.library` as a new process meets it, with an empty cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(native.SWITCH, raising=False)
    native.library.cache_clear()
    yield tmp_path / "snn-dse"
    native.library.cache_clear()


def loads(library: Path) -> bool:
    return subprocess.run([sys.executable, "-c", LOADS, str(library)], capture_output=True, check=False).returncode == 0


def test_a_second_build_takes_the_first_one_s_library(built: Path) -> None:
    before = built.stat().st_mtime_ns
    assert native.build(built.parent) == built
    assert built.stat().st_mtime_ns == before
    assert sorted(path.suffix for path in built.parent.iterdir()) == [".sha256", ".so"]


@pytest.mark.parametrize("damage", ["truncated", "emptied", "unsealed", "other bytes"])
def test_a_damaged_library_is_built_again(built: Path, damage: str) -> None:
    if damage == "unsealed":
        built.with_suffix(".sha256").unlink()
    else:
        kept = {"truncated": built.read_bytes()[:5000], "emptied": b"", "other bytes": b"not a library" * 999}[damage]
        built.write_bytes(kept)
    assert native.build(built.parent) == built
    assert loads(built)


def test_another_source_flag_or_compiler_is_another_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    compiler = native._compiler()
    digests = {native._digest(compiler)}
    monkeypatch.setattr(native, "FLAGS", (*native.FLAGS, "-DX"))
    digests.add(native._digest(compiler))
    changed = tmp_path / "kernel.cpp"
    changed.write_text("int x;")
    monkeypatch.setattr(native, "SOURCES", (changed,))
    digests.add(native._digest(compiler))
    monkeypatch.setattr(native, "_processor", lambda: "another")
    digests.add(native._digest(compiler))
    assert len(digests) == 4


def test_switched_off_means_plain_torch_and_no_warning(
    fresh: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(native.SWITCH, "0")
    assert native.library() is None
    assert not caplog.records
    assert NormIF(3, 2)(torch.randn(4, 3, 2, 2)).shape == (4, 3, 2, 2)


@pytest.mark.parametrize("broken", ["missing", "failing", "unwritable"])
def test_without_a_working_compiler_training_goes_on_after_one_warning(
    fresh: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path, broken: str
) -> None:
    if broken == "unwritable":
        fresh.parent.joinpath("snn-dse").write_text("a file where the folder should be")
    else:
        compiler = tmp_path / "compiler"
        monkeypatch.setenv("CXX", str(compiler))
        if broken == "failing":
            compiler.write_text('#!/bin/sh\n[ "$1" = --version ] && exit 0\necho "no such flag" >&2\nexit 3\n')
            compiler.chmod(compiler.stat().st_mode | stat.S_IXUSR)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert native.library() is None
            NormIF(3, 2)(torch.randn(4, 3, 2, 2))
    (record,) = caplog.records
    reason = {"missing": "No such file", "failing": "ended with 3: no such flag", "unwritable": "File exists"}[broken]
    assert "plain torch" in record.getMessage()
    assert reason in record.getMessage()


def test_a_library_that_cannot_be_loaded_is_no_library(
    fresh: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    junk = tmp_path / "junk.so"
    junk.write_bytes(os.urandom(4096))
    monkeypatch.setattr(native, "build", lambda folder: junk)
    assert native.library() is None


def test_the_structures_have_the_size_the_compiler_gives_them(built: Path, tmp_path: Path) -> None:
    folder = native.SOURCES[0].parent
    source = tmp_path / "sizes.cpp"
    source.write_text(
        f'#include "{folder / "kernel.cpp"}"\n#include "{folder / "winograd.cpp"}"\n#include <cstddef>\n'
        "#include <cstdio>\nint main() {\n"
        'std::printf("%zu %zu ", sizeof(Layer), sizeof(Convolution));\n'
        'std::printf("%zu %zu", offsetof(Layer, width), offsetof(Convolution, threads)); }\n'
    )
    program = tmp_path / "sizes"
    subprocess.run([native._compiler(), "-std=c++17", "-fopenmp", "-o", str(program), str(source)], check=True)
    sizes = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout
    ends = (native.Layer.width.offset, native.Convolution.threads.offset)
    expected = (ctypes.sizeof(native.Layer), ctypes.sizeof(native.Convolution), *ends)
    assert sizes == " ".join(map(str, expected))
