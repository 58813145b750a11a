"""Which workers are admitted, and what a worker without the data is sent."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from costmodels.errors import InputError
from dse.cluster import admission as module
from dse.cluster import node
from dse.cluster.admission import Admission
from dse.cluster.identity import differences, identity
from dse.worker import WorkerSettings

SETTINGS = WorkerSettings("mnist", None, "unused", "cpu", 1)


class FakeClient:
    """Workers that answer at once.

    Attributes:
        answers: address to what the worker says of itself.
        sent: addresses that were sent the data; from then on they have it.
        offered: address to the resource and the slots it offers.
    """

    def __init__(self, **answers: dict[str, Any]) -> None:
        self.answers = answers
        self.sent: list[str] = []
        self.offered: dict[str, tuple[str, int]] = {}

    def nthreads(self) -> dict[str, int]:
        return dict.fromkeys(self.answers, 1)

    def run(self, work: Callable[..., Any], *given: Any, workers: list[str], on_error: str = "raise") -> dict[str, Any]:
        if work is node.receive:
            (address,) = workers
            self.sent.append(address)
            self.answers[address] = worker()
        elif work is node.admit:
            self.offered |= dict.fromkeys(workers, given)  # type: ignore[dict-item]
        return {address: json.dumps(self.answers[address]) for address in workers}


def worker(slots: int = 2, digest: str = "d", shares: bool = True, **versions: str) -> dict[str, Any]:
    """What a worker says that has the data."""
    about = {"data_digest": digest, "code_version": "c"}
    return {"identity": identity() | versions, "slots": slots, "about": about, "shares_cache": shares}


def without_data() -> dict[str, Any]:
    return {"identity": identity(), "slots": 2, "refused": "mnist must lie in /data, but is missing"}


@pytest.fixture
def admission(monkeypatch: pytest.MonkeyPatch) -> Admission:
    """Of a machine that has the data."""
    monkeypatch.setattr(module, "pack", lambda name, data_dir: {"file": b"content"})
    return Admission(SETTINGS, "beacon")


def test_slots_follow_the_workers_that_are_there(admission: Admission) -> None:
    client = FakeClient(a=worker(2), b=worker(3, shares=False))
    admission.look(client)
    assert (admission.slots, admission.shares_cache) == (5, False)
    assert set(client.offered.values()) == {(admission.resource, 2), (admission.resource, 3)}
    del client.answers["b"]
    assert admission.look(client) == []
    assert (admission.slots, admission.shares_cache) == (2, True)


def test_a_worker_without_the_data_is_sent_them_once(admission: Admission) -> None:
    client = FakeClient(a=without_data(), b=worker())
    admission.look(client)
    admission.look(client)
    assert (client.sent, admission.slots) == (["a"], 4)


def test_a_worker_that_cannot_be_helped_is_refused_in_its_own_words(
    admission: Admission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "pack", lambda name, data_dir: {})
    with pytest.raises(InputError, match="worker a cannot train: mnist must lie in /data, but is missing"):
        admission.look(FakeClient(a=without_data()))


@pytest.mark.parametrize(
    ("late", "why"),
    [
        (worker(torch="1.0"), r"must run torch \S+, not 1.0; install there what runs here, or stop it"),
        (worker(digest="e"), "must have data d, not e; correct its data folder"),
    ],
)
def test_a_late_worker_that_does_not_fit_is_refused_once_and_the_search_goes_on(
    admission: Admission, late: dict[str, Any], why: str
) -> None:
    client = FakeClient(a=worker())
    admission.look(client)
    client.answers["late"] = late
    (event,) = admission.look(client)
    assert re.fullmatch(f"worker late {why}", event)
    assert admission.look(client) == []
    assert (admission.slots, list(client.offered)) == (2, ["a"])


def test_tasks_of_searches_over_other_data_ask_for_other_resources() -> None:
    resources = set()
    for digest in ("d", "e", "d"):
        admission = Admission(SETTINGS, "beacon")
        admission.look(FakeClient(a=worker(digest=digest)))
        resources.add(admission.resource)
    assert len(resources) == 2


def test_versions_differ_in_words_and_a_build_for_another_processor_does_not() -> None:
    ours = identity()
    assert "+" not in ours["torch"]
    assert differences(ours, ours) == ""
    theirs = {**ours, "numpy": "1.0", "dse": "0"}
    assert differences(ours, theirs) == f"dse {ours['dse']}, not 0; numpy {ours['numpy']}, not 1.0"


def test_slots_are_threads_or_what_the_gpu_takes() -> None:
    class State:
        nthreads = 4
        total_resources = {"GPU": 2.0}  # noqa: RUF012

    class Worker:
        state = State()

    assert (node._slots(Worker(), "cpu"), node._slots(Worker(), "cuda")) == (4, 2)  # type: ignore[arg-type]
