"""Job queues: what their files must hold, and a search whose workers come as jobs."""

import json
import os
import stat
from pathlib import Path

import pytest
from stand_in import settings_in

from costmodels.errors import InputError
from dse.cluster.connect import LOOPBACK, read_queue, trainers
from dse.study.refine import refine
from dse.study.search import run_search

ROOT, STUDY = Path(__file__).parents[3], Path(__file__).parents[1] / "study"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("queue: slurn\njobs: 1", "queue must be one of slurm, pbs, lsf, local, not 'slurn'"),
        ("- a", r"queue must be one of .*, not \['a'\]"),
        ("queue: slurm", "jobs must be a whole number above 0, not None"),
        ("queue: slurm\njobs: 0", "jobs must be a whole number above 0, not 0"),
        ("queue: [", "must be valid YAML"),
    ],
)
def test_files_that_cannot_be_used_say_why(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "queue.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_queue(path)


def test_neither_an_address_nor_a_file_is_refused() -> None:
    with pytest.raises(InputError, match=r"must be a scheduler's address .* or a YAML file, not 'localhost:8786'"):
        trainers("localhost:8786")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of dask-jobqueue's half-made cluster
def test_arguments_that_the_queue_does_not_know_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "queue.yaml"
    path.write_text("queue: slurm\njobs: 1\ncores: 1\nmemory: 1GB\nwalltimes: 1")
    with pytest.raises(InputError, match=r"must describe a slurm queue that takes jobs: .*walltimes"):
        run_search(settings_in(tmp_path), make_trainers=trainers(str(path)))
    assert not (tmp_path / "results").exists()


def test_the_scheduler_of_a_queue_listens_on_the_loopback_unless_told_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "queue.yaml"
    path.write_text("queue: slurm\njobs: 1")
    assert read_queue(path)["scheduler_options"]["host"] == LOOPBACK
    path.write_text("queue: slurm\njobs: 1\nscheduler_options: {interface: ib0}")
    assert "host" not in read_queue(path)["scheduler_options"]


def test_a_search_on_jobs_that_a_slurm_queue_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``sbatch`` and ``scancel`` stand in for Slurm: the first runs the script it is given, the second ends it."""
    programs = tmp_path / "bin"
    programs.mkdir()
    write_program(
        programs / "sbatch",
        'echo "$1" >> submitted; cp "$1" job.sh; '
        'setsid bash job.sh > job.log 2>&1 < /dev/null & echo "Submitted batch job $!"',
    )
    write_program(programs / "scancel", 'for job in "$@"; do kill -- "-$job"; done; echo "$@" >> ended')
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{STUDY}")
    monkeypatch.setenv("DSE_STAND_IN_LOG", str(tmp_path / "trained.log"))
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "queue.yaml"
    preload = str(Path(__file__).with_name("stand_in_node.py"))
    settings = {"queue": "slurm", "jobs": 1, "cores": 1, "processes": 1, "memory": "4GB", "wait_s": 100}
    path.write_text(json.dumps({**settings, "worker_extra_args": ["--preload", preload]}))  # JSON is YAML
    with trainers(str(path)) as make:
        result = run_search(settings_in(tmp_path, trials=4), make_trainers=make)
        refined = refine(result.folder.path, 1, make_trainers=make)
        assert not (tmp_path / "ended").exists()
    assert (result.trained, result.failed) == (4, 0)
    assert (len(refined.rows), refined.failed) == (1, {})
    assert len((tmp_path / "submitted").read_text().split()) == 1, "the refinement keeps the jobs of the search"
    assert len((tmp_path / "ended").read_text().split()) == 1


def write_program(path: Path, text: str) -> None:
    path.write_text(f"#!/usr/bin/env bash\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
