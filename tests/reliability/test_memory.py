"""A worker that runs out of memory, and a refined network whose checkpoint is damaged: real trainings."""

import resource
import sys
from pathlib import Path

import pytest
from stand_in import TINY_SPACE, write_space

from dse.cache import WEIGHTS, ScoreCache
from dse.score import Failed, NetworkScore
from dse.tasks import Flight, Outcome, Task
from dse.worker import WorkerSettings
from dse.workers import WorkerPool
from searchspaces.recipe import Recipe
from searchspaces.space import load_space

LIMITED = """
import resource, sys
from dse.worker import DatasetTrainer, serve
import dse.training.run  # before the limit

class Limited(DatasetTrainer):
    def train(self, genome, recipe, seed):
        if genome.layers[0].channels > 1000:
            used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + (32 << 20), resource.RLIM_INFINITY))
        return super().train(genome, recipe, seed)

sys.exit(serve(Limited))
"""
"""A worker that may take 32 MiB more for large networks, and what it likes for others."""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_AS") or sys.platform != "linux", reason="needs Linux's memory limit")
def test_a_worker_without_memory_and_a_damaged_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    large = TINY_SPACE.replace("channels = [4, 8]", "channels = [4, 4096]")
    space = load_space(write_space(tmp_path, large)).network
    genes = {gene.name: gene.choices[0] for gene in space.genes}
    small, huge = (space.genome({**genes, "conv1.channels": channels}) for channels in (4, 4096))
    settings = WorkerSettings("digits", None, str(tmp_path / "cache"), "cpu", 1)
    recipe = Recipe(1, train_samples=128)
    with WorkerPool(settings, 1, tmp_path / "logs", command=(sys.executable, "-c", LIMITED)) as pool:
        pool.start()
        (first,) = pool.pids
        flight = Flight(pool)
        failed = outcome(flight, Task(0, huge, recipe, 0)).result
        assert isinstance(failed, Failed)
        assert failed.reason == "out-of-memory"
        assert pool.pids != [first]
        trained = outcome(flight, Task(1, small, recipe, 0)).result
        assert isinstance(trained, NetworkScore)  # by a fresh process: the old one may hold libraries that loaded half
        weights = ScoreCache(tmp_path / "cache").weights_path(trained)
        weights.write_bytes(weights.read_bytes()[:-7])
        tested = outcome(flight, Task(2, small, recipe, 0, "test", trained)).result
        assert isinstance(tested, Failed)
        message = f"trained network {small.digest()} must be whole in {tmp_path / 'cache'}, but is missing or damaged"
        assert message in tested.message
        again = outcome(flight, Task(3, small, recipe, 0))
        assert not again.cached
        assert isinstance(again.result, NetworkScore)
        assert again.result.correct == trained.correct
        assert weights.exists()
    assert WEIGHTS in "".join(path.read_text() for path in (tmp_path / "logs").iterdir())


def outcome(flight: Flight, task: Task) -> Outcome:
    """Of that one task."""
    flight.submit(task)
    while not (landed := flight.outcomes(1.0)):
        pass
    return landed[0]
