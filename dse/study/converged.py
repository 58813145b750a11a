"""When a search has found what there is to find: its model expects next to nothing of the networks that are left."""

from collections import deque
from dataclasses import dataclass, field

GAIN = 1e-3
"""A network that is expected to add less than this share of the hypervolume is hardly worth its training."""

PATIENCE = 5
"""So many such networks in a row are trained before the search stops: a model is wrong at times."""


@dataclass(eq=False)
class Convergence:
    """What the last `PATIENCE` trained networks had been expected to add, as shares of the front's hypervolume."""

    gains: deque[float] = field(default_factory=lambda: deque(maxlen=PATIENCE))

    def add(self, expected_gain: float) -> None:
        """One more network is trained; infinite where nobody knew what to expect of it."""
        self.gains.append(expected_gain)

    @property
    def reached(self) -> bool:
        """Whether all of them were expected to add next to nothing."""
        return len(self.gains) == PATIENCE and max(self.gains) < GAIN
