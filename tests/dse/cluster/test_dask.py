"""Searches over a real Dask scheduler with workers in processes of their own."""

import shutil
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from machines import Machines
from stand_in import TINY_SPACE, settings_in

from costmodels.errors import InputError
from dse.cache import ScoreCache
from dse.cluster.connect import trainers
from dse.cluster.executor import ClusterError
from dse.errors import RunError
from dse.study.progress import Progress
from dse.study.refine import refine
from dse.study.search import StudyResult, resume, run_search


def searched(machines: Machines, on_progress: Any = lambda _: None, **changes: Any) -> StudyResult:
    settings = settings_in(machines.folder, **{"trials": 12, "sampler": "random", **changes})
    return run_search(settings, on_progress, make_trainers=trainers(machines.address))


def trained(machines: Machines) -> Counter[str]:
    return Counter((machines.folder / "trained.log").read_text().split())


def check_each_once(machines: Machines, result: StudyResult) -> None:
    """No network lost, none twice."""
    records = result.folder.networks()
    assert [record.number for record in records] == list(range(result.trained))
    assert len({record.digest for record in records}) == result.trained
    assert set(trained(machines)) >= {record.digest for record in records}


def until_logged(machines: Machines, words: str, times: int) -> None:
    """Wait until the log of the search says that so often."""
    log = machines.folder / "results" / "study" / "logs" / "dask.log"
    while log.read_text().count(words) < times:
        time.sleep(0.05)


def test_a_search_over_dask_finds_what_a_search_on_this_machine_finds(machines: Machines, tmp_path: Path) -> None:
    from stand_in import InlineTrainers

    machines.start_worker()
    result = searched(machines)
    (tmp_path / "here").mkdir()
    here = run_search(settings_in(tmp_path / "here", trials=12, sampler="random"), make_trainers=InlineTrainers())
    assert result.front == here.front
    assert [r.digest for r in result.folder.networks()] == [r.digest for r in here.folder.networks()]
    assert set(trained(machines).values()) == {1}


def test_two_workers_and_one_that_comes_late_share_the_work(machines: Machines) -> None:
    machines.start_worker("2")
    most = 0

    def watch(progress: Progress) -> None:
        nonlocal most
        most = max(most, progress.running)
        if progress.done == 4 and len(machines.workers) == 1:
            machines.start_worker()
            until_logged(machines, "takes", 2)

    result = searched(machines, watch, trials=40)
    check_each_once(machines, result)
    assert result.trained == 40
    assert most == 2  # beside the one that has just come back
    assert set(trained(machines).values()) == {1}


def test_a_killed_worker_loses_no_network(machines: Machines) -> None:
    for _ in range(2):
        machines.start_worker()
    killed: list[int] = []

    def watch(progress: Progress) -> None:
        if progress.done in (3, 6, 9) and progress.done not in killed:
            killed.append(progress.done)
            machines.workers[-1].kill()
            machines.start_worker()

    result = searched(machines, watch)
    check_each_once(machines, result)
    assert (result.trained, result.failed, len(killed)) == (12, 0, 3)


def spoilt_worker(machines: Machines) -> None:
    """One on whose machine no trained network can be kept."""
    place = machines.folder / "spoilt"
    place.mkdir()
    (place / "full").touch()
    machines.start_worker(DSE_STAND_IN_LOG=str(place / "trained.log"))


def test_a_worker_that_breaks_is_dismissed_alone(machines: Machines) -> None:
    machines.start_worker(DSE_STAND_IN_DELAY_S="5")  # so that the other gets a task
    spoilt_worker(machines)
    result = searched(machines, trials=3)
    check_each_once(machines, result)
    assert (result.trained, result.failed) == (3, 0)
    log = (result.folder.path / "logs" / "dask.log").read_text()
    assert log.count("cannot go on: trained networks must be kept, but there is no room") == 1


def test_the_last_worker_that_breaks_ends_the_search_with_its_reason(machines: Machines) -> None:
    spoilt_worker(machines)
    with pytest.raises(RunError, match=r"worker tcp://\S+ cannot go on: trained networks must be kept, but"):
        searched(machines)


def test_a_data_set_of_the_users_own_is_sent_to_a_worker_that_lacks_it(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real trainings on the images that came over the wire."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    draw = np.random.default_rng(0)
    images, labels = draw.integers(0, 256, (80, 8, 8), np.uint8), np.arange(80) % 4
    np.savez(here / "mine.npz", train_images=images, train_labels=labels, test_images=images, test_labels=labels)
    monkeypatch.setenv("DSE_DATA_DIR", str(here))
    own = TINY_SPACE.replace('dataset = "digits"', 'dataset = "mine"')
    machines.start_worker("1", "real", DSE_DATA_DIR=str(there))
    space = own + "\n[images]\ninput_shape = [1, 8, 8]\nclasses = 4\n"
    result = searched(machines, space=space, trials=1, data_dir=here)
    assert (result.trained, result.failed) == (1, 0)
    assert (there / "mine.npz").read_bytes() == (here / "mine.npz").read_bytes()


def test_a_scheduler_that_is_killed_and_started_again_loses_no_network(machines: Machines) -> None:
    machines.start_worker()
    restarted: list[int] = []

    def watch(progress: Progress) -> None:
        if progress.done == 3 and not restarted:
            restarted.append(progress.done)
            machines.stop_scheduler()
            machines.start_scheduler()

    result = searched(machines, watch)
    check_each_once(machines, result)
    assert (result.trained, result.failed, restarted) == (12, 0, [3])


def test_trained_networks_come_back_and_go_out_again_to_be_tested(machines: Machines, tmp_path: Path) -> None:
    """Real trainings, on a worker that shares no folder with the search."""
    machines.start_worker("1", "real")
    result = searched(machines, space=TINY_SPACE, trials=1, cache_dir=tmp_path / "here")
    (record,) = result.folder.networks()
    assert ScoreCache(tmp_path / "here").integer_network(record.score)
    shutil.rmtree(tmp_path / "cache")
    refined = refine(result.folder.path, 1, make_trainers=trainers(machines.address))
    assert (refined.failed, len(refined.rows)) == ({}, 1)
    assert refined.rows[0].test_deployed is not None
    shutil.rmtree(tmp_path / "cache")
    (result.folder.path / "test.jsonl").unlink()
    again = refine(result.folder.path, 1, make_trainers=trainers(machines.address))
    assert again.rows[0].test_deployed == refined.rows[0].test_deployed


def test_a_worker_of_another_version_is_refused_with_both(machines: Machines) -> None:
    import dse

    machines.start_worker("1", "0.0.1")
    with pytest.raises(InputError, match=rf"worker tcp://\S+ must run dse {dse.__version__}, not 0.0.1; install there"):
        searched(machines)
    assert not (machines.folder / "results").exists()


def test_a_late_worker_of_another_version_gets_no_task(machines: Machines) -> None:
    machines.start_worker()

    def watch(progress: Progress) -> None:
        if progress.done == 2 and len(machines.workers) == 1:
            machines.start_worker("4", "0.0.1")
            until_logged(machines, "must run dse", 1)
        assert progress.running == 0  # beside the one that has just come back

    result = searched(machines, watch)
    assert result.trained == 12


def test_no_scheduler_and_no_worker_are_told_in_words(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    from dse.cluster import connect

    monkeypatch.setattr(connect, "WORKER_S", 0.5)
    with pytest.raises(InputError, match="must have a worker, but none came within 0 s; start one with: dse worker"):
        searched(machines)
    monkeypatch.setattr(connect, "CONNECT_S", 0.3)
    machines.stop_scheduler()
    with pytest.raises(InputError, match=r"must be the address of a running scheduler, not tcp://127.0.0.1"):
        searched(machines)


def test_a_cluster_that_is_gone_for_good_ends_the_search_and_resume_goes_on(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dse.cluster import executor

    monkeypatch.setattr(executor, "PATIENCE_S", 1.0)
    worker = machines.start_worker()

    def watch(progress: Progress) -> None:
        if progress.done == 3:
            worker.kill()

    with pytest.raises(ClusterError, match=r"must have workers, but had none for 1 s; what is finished is kept"):
        searched(machines, watch)
    machines.start_worker()
    result = resume(machines.folder / "results" / "study", make_trainers=trainers(machines.address))
    check_each_once(machines, result)
    assert result.trained == 12
