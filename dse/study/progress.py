"""How far a search is, for whoever draws it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Phase = Literal["starting", "searching", "stopping", "refining", "testing", "done"]


@dataclass(frozen=True)
class Progress:
    """A moment of a search or of a refinement.

    Attributes:
        phase: what is going on.
        done: networks with a score, of all sessions.
        failed: networks that came to nothing.
        cached: of ``done``, those known before.
        forbidden: proposals that a constraint ruled out before the training.
        repeats: proposals of a network that the study knew.
        running: networks in training.
        budget: networks asked for in all.
        best: objective's name to its best value, over networks that some allowed machine runs; empty at first.
        hypervolume: of the front above the frozen reference point.
        front_size: points on the front.
        elapsed_s: of all sessions.
        left_s: time left at the present rate, None before the first network.
        message: one line on what just happened; empty for nothing new.
    """

    phase: Phase
    done: int
    failed: int
    cached: int
    forbidden: int
    repeats: int
    running: int
    budget: int
    best: dict[str, float]
    hypervolume: float
    front_size: int
    elapsed_s: float
    left_s: float | None
    message: str = ""


OnProgress = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Draw nothing."""
