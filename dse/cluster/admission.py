"""Which workers of a cluster get tasks: those that run our versions and have our data."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from costmodels.errors import InputError
from dse.cluster import node
from dse.cluster.identity import differences, identity
from dse.data.parcel import pack
from dse.tasks import Line
from dse.worker import WorkerSettings

if TYPE_CHECKING:
    from distributed import Client


class Admission:
    """The workers that are there, admitted or refused.

    An admitted worker offers an abstract resource of Dask that every task of the search asks for, so that the scheduler
    gives tasks to no other.

    Attributes:
        settings: data set and device of the search, and this machine's data folder.
        beacon: name of a file in this machine's cache; a worker that sees it shares the folder.
        resource: what tasks ask for; empty before the first worker.
        about: what the first worker said of data and code; None before.
        refused: address to why, in words.
        present: workers there were at the last look, admitted or not.
    """

    def __init__(self, settings: WorkerSettings, beacon: str) -> None:
        self.settings = settings
        self.beacon = beacon
        self.resource = ""
        self.about: Line | None = None
        self.refused: dict[str, str] = {}
        self.present = 0
        self._identity = identity()
        self._admitted: dict[str, Line] = {}

    @property
    def slots(self) -> int:
        """Trainings at once on the admitted workers."""
        return sum(answer["slots"] for answer in self._admitted.values())

    @property
    def shares_cache(self) -> bool:
        """Whether every admitted worker keeps trained networks where this machine does."""
        return all(answer["shares_cache"] for answer in self._admitted.values())

    def look(self, client: "Client") -> list[str]:
        """Let go of workers that are gone and decide on those that have come; what happened, in words.

        Raises:
            InputError: the very first worker does not fit.
        """
        present = client.nthreads()
        self.present = len(present)
        self._admitted = {address: about for address, about in self._admitted.items() if address in present}
        fresh = [address for address in present if address not in self._admitted and address not in self.refused]
        answers = self._introduced(client, fresh) if fresh else {}
        return [self._decide(client, address, answer) for address, answer in answers.items()]

    def dismiss(self, client: "Client", address: str, why: str) -> str:
        """Give a worker that broke no more tasks; what happened, in words. Started anew it has another address."""
        self.refused[address] = f"worker {address} cannot go on: {why}"
        if self._admitted.pop(address, None) is not None:
            client.run(node.admit, self.resource, 0, workers=[address], on_error="ignore")
        return self.refused[address]

    def _introduced(self, client: "Client", addresses: list[str]) -> dict[str, Line]:
        """What new workers say of themselves, once those that lack the data have been sent them."""
        answers = self._asked(client, addresses)
        missing = [address for address, answer in answers.items() if "refused" in answer]
        data_dir = Path(self.settings.data_dir) if self.settings.data_dir else None
        parcel = pack(self.settings.dataset, data_dir) if missing else {}
        while missing and parcel:
            client.run(node.receive, self.settings.dataset, parcel, workers=missing[:1])
            answers |= self._asked(client, missing)
            missing = [address for address in missing[1:] if "refused" in answers[address]]
        return answers

    def _asked(self, client: "Client", addresses: list[str]) -> dict[str, Line]:
        """Answers of those that did not leave meanwhile."""
        asked = (self.settings.dataset, self.settings.device, self.beacon)
        answers = client.run(node.introduce, *asked, workers=addresses, on_error="return")
        return {address: json.loads(text) for address, text in answers.items() if isinstance(text, str)}

    def _decide(self, client: "Client", address: str, answer: Line) -> str:
        wrong = self._why_not(answer)
        if wrong:
            self.refused[address] = f"worker {address} {wrong}"
            if self.about is None:
                raise InputError(self.refused[address])
            return self.refused[address]
        if self.about is None:
            self.about, self.resource = answer["about"], f"dse-{self._digest(answer['about'])}"
        client.run(node.admit, self.resource, answer["slots"], workers=[address])
        self._admitted[address] = answer
        return f"worker {address} takes {answer['slots']} trainings at once"

    def _why_not(self, answer: Line) -> str:
        """Why a worker does not fit, or nothing."""
        other = differences(self._identity, answer["identity"])
        if other:
            return f"must run {other}; install there what runs here, or stop it"
        if "refused" in answer:
            return f"cannot train: {answer['refused']}"
        theirs = answer["about"]["data_digest"]
        ours = theirs if self.about is None else self.about["data_digest"]
        return "" if ours == theirs else f"must have data {ours}, not {theirs}; correct its data folder"

    def _digest(self, about: Line) -> str:
        """The same for every coordinator that would admit the same workers, so that a resumed search finds them."""
        text = json.dumps([self._identity, about["data_digest"], self.settings.device], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]
