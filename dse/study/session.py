"""One session of a search: propose, train, collect, until there is a reason to stop and nothing is in training."""

import os
import time
from dataclasses import dataclass, replace

import optuna

from dse.results.folder import StudyFolder
from dse.results.manifest import Manifest, Session
from dse.score import Failed, NetworkScore
from dse.study.fresh import host, now_utc
from dse.study.interrupt import Interrupt
from dse.study.ledger import Ledger
from dse.study.mode import Mode
from dse.study.problem import Problem
from dse.study.progress import OnProgress, Phase, Progress
from dse.study.proposals import Proposer
from dse.tasks import Flight, Outcome, Task, Trainers

LOOK_EVERY_S = 0.25
"""How often a waiting search looks at the clock and for Ctrl-C."""

GRACE_S = 3.0
"""After Ctrl-C, trainings that end this soon are still taken."""


@dataclass(frozen=True)
class Clock:
    """Search time of a study, all its sessions added.

    Attributes:
        before_s: of earlier sessions.
        begun: this session's begin on the monotonic clock.
    """

    before_s: float
    begun: float

    @classmethod
    def starting(cls, before_s: float = 0.0) -> "Clock":
        """A clock that starts now."""
        return cls(before_s, time.monotonic())

    def session_s(self) -> float:
        """Of this session."""
        return time.monotonic() - self.begun

    def total_s(self) -> float:
        """Of all."""
        return self.before_s + self.session_s()


@dataclass(eq=False)
class SearchSession:
    """Everything the loop needs.

    Attributes:
        stop: why no more networks are proposed; empty while they are.
    """

    problem: Problem
    folder: StudyFolder
    trainers: Trainers
    flight: Flight
    ledger: Ledger
    proposer: Proposer
    interrupt: Interrupt
    on_progress: OnProgress
    session: Session
    clock: Clock
    spent_before: int
    stop: str = ""

    def run(self) -> None:
        """Propose and collect until there is a reason to stop and nothing is in training."""
        self.report("searching")
        while True:
            self._fill()
            if self.stop and not self.proposer.running:
                return
            if self.stop == "interrupted":
                self._collect_for(GRACE_S)
                return
            self._collect(LOOK_EVERY_S)

    def _fill(self) -> None:
        """Give every free worker a network."""
        while not self._must_stop() and len(self.proposer.running) < self.trainers.slots:
            proposal = self.proposer.propose()
            if proposal is None:
                self.stop = "exhausted"
                return
            seed, recipe = self.problem.settings.seed, self.problem.space.short
            self.flight.submit(Task(proposal.number, proposal.genome, recipe, seed))

    def _must_stop(self) -> bool:
        settings, running = self.problem.settings, len(self.proposer.running)
        if self.interrupt.asked:
            self.stop = "interrupted"
        elif settings.timeout_s is not None and self.clock.session_s() >= settings.timeout_s:
            self.stop = "timeout"
        elif self.ledger.spent + running >= settings.trials:
            return self._all_asked(running)
        elif settings.until_converged and self.proposer.convergence.reached:
            self.stop = "converged"
        return bool(self.stop)

    def _all_asked(self, running: int) -> bool:
        """The budget is spent once the last training is in."""
        if not running:
            self.stop = "trials"
        return True

    def _collect_for(self, seconds: float) -> None:
        """Take what ends soon, and put the rest back."""
        self.report("stopping")
        end = time.monotonic() + seconds
        while self.proposer.running and time.monotonic() < end:
            self._collect(LOOK_EVERY_S)
        self.proposer.put_back()

    def _collect(self, timeout_s: float) -> None:
        for outcome in self.flight.outcomes(timeout_s):
            self.report("searching", self._take(outcome))

    def _take(self, outcome: Outcome) -> str:
        """Keep one outcome, then tell the sampler; one line on it."""
        proposal = self.proposer.running[outcome.task.id]
        if isinstance(outcome.result, Failed):
            self.proposer.tell_failure(proposal, outcome.result)
            return f"network failed: {outcome.result.reason}: {outcome.result.message}"
        assert isinstance(outcome.result, NetworkScore)
        record = self.ledger.add(
            proposal.number, proposal.genome, proposal.network, outcome.result, outcome.cached, self.clock.total_s()
        )
        self.proposer.tell(proposal, record)
        return f"network {record.number}: accuracy {record.metrics['accuracy']:.4f}, {record.feasible} machines"

    def report(self, phase: Phase, message: str = "") -> None:
        """Tell whoever draws."""
        ledger, elapsed_s = self.ledger, self.clock.total_s()
        new = ledger.spent - self.spent_before
        left = max(0, self.problem.settings.trials - ledger.spent)
        self.on_progress(
            Progress(
                phase=phase,
                done=len(ledger.networks),
                failed=len(ledger.failed),
                cached=sum(record.cached for record in ledger.networks),
                forbidden=len(ledger.forbidden),
                repeats=ledger.repeats,
                running=len(self.proposer.running),
                budget=self.problem.settings.trials,
                best={o.name: ledger.best[o.column] for o in ledger.objectives if o.column in ledger.best},
                hypervolume=ledger.hypervolume(),
                front_size=len(ledger.table),
                elapsed_s=elapsed_s,
                left_s=(elapsed_s - self.clock.before_s) / new * left if new else None,
                message=message,
            )
        )

    def finished_session(self, reason: str) -> Session:
        """The session as it ends."""
        now = now_utc().isoformat(timespec="seconds")
        return replace(self.session, finished=now, seconds=self.clock.session_s(), stop_reason=reason)


def open_session(
    problem: Problem,
    folder: StudyFolder,
    trainers: Trainers,
    mode: Mode,
    interrupt: Interrupt,
    on_progress: OnProgress,
    study: optuna.Study,
) -> SearchSession:
    """A session that begins now, on a folder that is locked and whole."""
    ledger = Ledger.opened(folder, problem.pricer)
    clock = Clock.starting(_time_before(folder.manifest, ledger))
    settings = problem.settings
    started = now_utc().isoformat()
    session = Session(started, "", os.getpid(), host()["name"], trainers.slots, settings.threads, 0.0, "")
    proposer = Proposer(study, mode, problem.space.network, ledger, settings, clock.total_s)
    return SearchSession(
        problem,
        folder,
        trainers,
        Flight(trainers),
        ledger,
        proposer,
        interrupt,
        on_progress,
        session,
        clock,
        ledger.spent,
    )


def _time_before(manifest: Manifest, ledger: Ledger) -> float:
    """Search time of earlier sessions; a killed one counts up to the last thing it kept."""
    networks = [record.elapsed_s for record in ledger.networks[-1:]]
    failures = [record.elapsed_s for record in ledger.failures[-1:]]
    return max([manifest.seconds, *networks, *failures])
