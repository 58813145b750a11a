"""How a network is trained: the settings of one run, short or refined."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal

Augmentation = Literal["none", "flip", "shift", "small-shift-flip", "shift-flip"]


@dataclass(frozen=True)
class Recipe:
    """Settings of one training run (surrogate-gradient STBP).

    Attributes:
        epochs: passes over the training samples.
        train_samples: samples drawn once from the training split, class-balanced; None is all of them.
        batch_size: samples per step.
        learning_rate: peak of the one-cycle cosine schedule (AdamW). High, because batch norm makes the scale of
            weights irrelevant and a binary weight learns by changing sign.
        weight_decay: decoupled.
        surrogate: window of the spike's gradient.
        surrogate_width: full width of that window in units of the threshold.
        augment: ``"none"``, ``"flip"`` (horizontal flips), ``"shift"`` (random shifts by 2 pixels),
            ``"small-shift-flip"`` (both) or ``"shift-flip"`` (by 4, and flips).
        label_smoothing: of the cross entropy.
        precision: ``"auto"`` takes bfloat16 where the processor multiplies it natively, ``"float32"`` never.
        time_budget_s: a run that takes longer has failed; None is no bound.
    """

    epochs: int
    train_samples: int | None = None
    batch_size: int = 64
    learning_rate: float = 2e-2
    weight_decay: float = 1e-4
    surrogate: Literal["rectangular", "arctan"] = "rectangular"
    surrogate_width: float = 1.0
    augment: Augmentation = "none"
    label_smoothing: float = 0.0
    precision: Literal["auto", "float32"] = "auto"
    time_budget_s: float | None = None

    def digest(self) -> str:
        """16 hexadecimal digits that differ where a setting differs (the time budget does not change an answer)."""
        settings = {**asdict(self), "time_budget_s": None}
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
