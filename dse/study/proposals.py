"""Ask the sampler for networks worth a training: new ones, which no constraint forbids."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import optuna
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import Trial, TrialState

from dse.results.records import NetworkRecord
from dse.score import Failed
from dse.study.converged import Convergence
from dse.study.front_sampler import FrontSampler
from dse.study.ledger import Ledger
from dse.study.mode import Answer, Mode
from dse.study.samplers import chosen, derived_seed, make_sampler, startup_of
from dse.study.settings import SearchSettings
from dse.study.unseen import unseen_network
from searchspaces.genome import NetworkGenome
from searchspaces.network import NetworkSpace

ASKS = 8
"""The sampler may propose known or forbidden networks this often in a row; then the nearest new network is taken."""

REQUEUES = 2
"""A network whose training a kill cut short is asked for again this often."""


@dataclass(frozen=True, eq=False)
class Proposal:
    """A network to train.

    Attributes:
        trial: of Optuna, not finished.
        params: of the trial.
        network: active genes.
        genome: what they mean.
        digest: of the genome.
        expected_gain: share of the hypervolume that it was expected to add; infinite where no model was asked.
    """

    trial: Trial
    params: dict[str, Any]
    network: dict[str, Any]
    genome: NetworkGenome
    digest: str
    expected_gain: float

    @property
    def number(self) -> int:
        """Of the trial."""
        return self.trial.number


@dataclass(eq=False)
class Proposer:
    """The sampler's side of a search: the only place that asks and tells.

    A proposal the study knows is told its known result at once. It costs no training and does not count against the
    budget, and after `ASKS` of them in a row the nearest network that is new is trained instead. One that repeats a
    network in training is told nothing (its trial fails).

    Attributes:
        study: of Optuna.
        mode: nested or joint.
        space: of networks.
        ledger: what is known.
        settings: of the search.
        elapsed_s: search time of the study.
        running: proposals in training, by trial number.
        convergence: of this session.
    """

    study: optuna.Study
    mode: Mode
    space: NetworkSpace
    ledger: Ledger
    settings: SearchSettings
    elapsed_s: Callable[[], float]
    running: dict[int, Proposal] = field(default_factory=dict)
    convergence: Convergence = field(default_factory=Convergence)
    _sampler: str = ""

    def propose(self) -> Proposal | None:
        """The next network to train, or None where the space has no more."""
        self._choose_sampler()
        last: Mapping[str, Any] = {}
        for _ in range(ASKS):
            proposal = self._ask()
            if not self._settle(proposal):
                return self._take(proposal)
            last = proposal.params
        return self._nearest_new(last)

    def tell(self, proposal: Proposal, record: NetworkRecord) -> None:
        """The sampler learns what came of a training."""
        del self.running[proposal.number]
        self.convergence.add(proposal.expected_gain)
        self._tell(proposal.trial, self.mode.answer(proposal.number, proposal.params, record))

    def tell_failure(self, proposal: Proposal, failed: Failed) -> None:
        """Keep a failed training; the sampler sees a failed trial."""
        del self.running[proposal.number]
        self.ledger.add_failure(proposal.number, proposal.genome, proposal.network, failed, self.elapsed_s())
        self._fail(proposal.trial, failed.reason)

    def put_back(self) -> None:
        """Queue what is in training for the next session, without counting it as a try."""
        for proposal in self.running.values():
            attrs = proposal.trial.user_attrs
            self.study.enqueue_trial(proposal.params, user_attrs={"requeued": attrs.get("requeued", 0)})
            self._fail(proposal.trial, "interrupted")
        self.running.clear()

    def recover(self) -> None:
        """Fail the trials a killed session left running, and queue them again; at most `REQUEUES` times each.

        Queued first and failed then, so that a kill in between repeats a proposal (which costs nothing) and loses none.
        """
        for frozen in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            tries = int(frozen.user_attrs.get("requeued", 0))
            complete = set(frozen.params) == set(self.mode.distributions)
            if complete and tries < REQUEUES:
                self.study.enqueue_trial(frozen.params, user_attrs={"requeued": tries + 1})
            elif complete:
                self._give_up(frozen.number, frozen.params, tries)
            self.study.tell(frozen.number, state=TrialState.FAIL)

    def _give_up(self, number: int, params: Mapping[str, Any], tries: int) -> None:
        network = self.mode.network(params)
        genome = self.space.genome(network)
        if not self.ledger.knows(genome.digest()):
            failed = Failed("crashed", f"the search was killed {tries + 1} times while it was trained", 0.0)
            self.ledger.add_failure(number, genome, network, failed, self.elapsed_s())

    def _ask(self) -> Proposal:
        trial = self._asked()
        network = self.mode.network(trial.params)
        trial.set_user_attr("network", network)
        gain = getattr(self.study.sampler, "expected_gain", float("inf"))
        genome = self.space.genome(network)
        return Proposal(trial, dict(trial.params), network, genome, genome.digest(), gain)

    def _asked(self) -> Trial:
        """A trial with every parameter; where the sampler's model breaks down, drawn at random and marked so."""
        wanted = self.mode.distributions
        try:
            # A Gaussian process that sees one good candidate only divides 0 by 0, and goes on rightly (optuna #6817).
            with np.errstate(invalid="ignore"):
                return self.study.ask(wanted)
        except (ValueError, ArithmeticError, RuntimeError) as error:
            for left in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
                if left.number not in self.running:
                    self.study.tell(left.number, state=TrialState.FAIL)
            sampler, self.study.sampler = self.study.sampler, RandomSampler(seed=self._seed())
            trial = self.study.ask(wanted)
            self.study.sampler = sampler
            trial.set_user_attr("sampler_failed", f"{type(error).__name__}: {error}"[:200])
            return trial

    def _seed(self) -> int:
        return derived_seed(self.settings.seed, len(self.study.get_trials(deepcopy=False)))

    def _settle(self, proposal: Proposal) -> bool:
        """Finish a proposal that needs no training; whether it did not."""
        digest = proposal.digest
        if (record := self.ledger.network(digest)) is not None:
            self.ledger.repeats += 1
            proposal.trial.set_user_attr("repeats", record.number)
            self._tell(proposal.trial, self.mode.answer(proposal.number, proposal.params, record))
            return True
        if self._in_training(digest) or ((failure := self.ledger.failure(digest)) and failure.reason != "infeasible"):
            self.ledger.repeats += 1
            self._fail(proposal.trial, "repeats a network in training or failed")
            return True
        return self._forbidden(proposal)

    def _forbidden(self, proposal: Proposal) -> bool:
        """Settle a proposal that is forbidden before any training."""
        if not self.ledger.pricer.may_forbid(proposal.genome):
            return False
        priced = self.ledger.pricer.price_untrained(proposal.genome)
        if priced.allowed.any():
            return False
        if self.ledger.failure(proposal.digest) is None:
            reasons = "; ".join(priced.reasons)
            self.ledger.add_failure(proposal.number, proposal.genome, proposal.network, reasons, self.elapsed_s())
        self._tell(proposal.trial, self.mode.answer_untrained(proposal.params, priced))
        return True

    def _nearest_new(self, params: Mapping[str, Any]) -> Proposal | None:
        """Queue the nearest network that is new and allowed, and take it from the queue."""
        found = unseen_network(self.space, self.mode.network(params), self._worth_training, self._seed())
        if found is None:
            return None
        self.study.enqueue_trial(self.mode.with_network(params, found), user_attrs={"nearest_new": True})
        proposal = self._ask()
        return None if self._settle(proposal) else self._take(proposal)

    def _worth_training(self, genome: NetworkGenome) -> bool:
        digest = genome.digest()
        if self.ledger.knows(digest) or self._in_training(digest):
            return False
        pricer = self.ledger.pricer
        return not pricer.may_forbid(genome) or bool(pricer.price_untrained(genome).allowed.any())

    def _in_training(self, digest: str) -> bool:
        return any(proposal.digest == digest for proposal in self.running.values())

    def _take(self, proposal: Proposal) -> Proposal:
        self.running[proposal.number] = proposal
        return proposal

    def _choose_sampler(self) -> None:
        """Change to the sampler that suits the number of trainings."""
        kind = chosen(self.settings.sampler, self.settings.mode, self.ledger.spent)
        if kind != self._sampler:
            self.study.sampler = self._made(kind)
            self._sampler = kind

    def _made(self, kind: str) -> BaseSampler:
        """A sampler that goes on from the trials there are."""
        if kind == "front":
            return FrontSampler(self.space, self.mode.told.gains, self._seed(), startup_of(self.settings.trials))
        trials = len(self.study.get_trials(deepcopy=False))
        return make_sampler(kind, self.settings.seed, trials, self.settings.trials)

    def _tell(self, trial: Trial, answer: Answer) -> None:
        if answer.violation is not None:
            trial.set_constraint("violation", answer.violation)
        self.study.tell(trial, answer.values)

    def _fail(self, trial: Trial, reason: str) -> None:
        trial.set_user_attr("failed", reason)
        self.study.tell(trial, state=TrialState.FAIL)
