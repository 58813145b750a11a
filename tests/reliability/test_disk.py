"""A disk that is full or cannot be written: one message, everything finished kept, and the search goes on."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from program import Program, ended
from stand_in import TINY_SPACE, write_space

from dse.errors import RunError
from dse.results import open_study
from dse.tasks import Flight, Task
from dse.worker import WorkerSettings
from dse.workers import WorkerPool
from searchspaces.recipe import Recipe
from searchspaces.space import load_space

Mount = Callable[..., None]


@pytest.fixture
def mount() -> Iterator[Mount]:
    """Mounts that end with the test."""
    with ExitStack() as stack:

        def mounted(target: Path, *options: str) -> None:
            target.mkdir(exist_ok=True)
            done = subprocess.run(["mount", *options, str(target)], capture_output=True, text=True)
            if done.returncode:
                pytest.skip(f"needs the right to mount: {done.stderr.strip()}")
            if "remount" not in " ".join(options):
                stack.callback(subprocess.run, ["umount", "-l", str(target)], check=True)

        yield mounted


def test_a_full_disk_ends_the_search_in_words_and_resume_loses_nothing(program: Program, mount: Mount) -> None:
    mount(program.results, "-t", "tmpfs", "-o", "size=8m", "tmpfs")
    process = program.search(trials=12, delay_s=0.1)
    program.until(process, lambda: program.networks() >= 3)
    filler = program.results / "filler"
    with filler.open("wb") as file:
        fill(file.fileno())
    code, said = ended(process)
    assert code == 1
    assert f"dse: study {program.study} must be written, but cannot be: " in said
    assert f"everything finished is kept, so mend that and go on with: dse search --resume {program.study}" in said
    before = [record.digest for record in open_study(program.study).networks()]
    assert 3 <= len(before) < 12
    filler.unlink()
    assert ended(program.resume())[0] == 0
    after = [record.digest for record in open_study(program.study).networks()]
    assert after[: len(before)] == before
    assert len(after) == len(set(after)) == 12
    assert sum(program.trainings().values()) <= 13  # the one that could not be written may be trained again


def fill(descriptor: int) -> None:
    """Write until there is no room."""
    for size in (1 << 16, 1 << 10, 1):
        try:
            while True:
                os.write(descriptor, bytes(size))
        except OSError:
            continue


def test_a_full_cache_ends_the_work_in_words_and_leaves_no_half_network(
    tmp_path: Path, mount: Mount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real training, whose network is larger than the disk of the cache."""
    cache = tmp_path / "cache"
    mount(cache, "-t", "tmpfs", "-o", "size=8k", "tmpfs")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    space = load_space(write_space(tmp_path, TINY_SPACE)).network
    genome = space.genome({gene.name: gene.choices[0] for gene in space.genes})
    with WorkerPool(WorkerSettings("digits", None, str(cache), "cpu", 1), 1, tmp_path / "logs") as pool:
        pool.start()
        flight = Flight(pool)
        flight.submit(Task(0, genome, Recipe(1, train_samples=128), 0))
        with pytest.raises(RunError, match=r"trained networks must be kept, but there is no room: .*No space left"):
            flight.outcomes(120.0)
    assert [path for path in cache.rglob("*") if path.is_file()] == []


def test_a_folder_that_cannot_be_written_is_refused(program: Program, mount: Mount) -> None:
    assert ended(program.search(trials=2))[0] == 0
    mount(program.results, "--bind", str(program.results))
    mount(program.results, "-o", "remount,ro,bind")
    code, said = ended(program.resume())
    assert (code, said.count("dse: ")) == (2, 1)
    assert f"study {program.study} must be writable to go on, but is not: [Errno 30]" in said
    code, said = ended(program.start("search", "--results-dir", str(program.results), "--trials", "2"))
    assert (code, said.count("dse: ")) == (2, 1)
    assert f"a study must be made in {program.results}, but cannot: [Errno 30] Read-only file system" in said
