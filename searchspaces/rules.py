"""Which keys a space file has and what each may hold: the vocabulary, as data."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

from searchspaces.genome import LEVELS
from searchspaces.recipe import Recipe

REQUIRED = object()


@dataclass(frozen=True)
class Rule:
    """What the choices of one key may be.

    Attributes:
        text: the rule in words, after "must".
        accepts: whether a single choice keeps it.
        default: choices where the key is absent; `REQUIRED` where it may not be.
        neutral: choices that contradict nothing, put in the place of broken ones so that checking can go on.
    """

    text: str
    accepts: Callable[[Any], bool]
    default: object
    neutral: tuple[Any, ...]


def whole(least: int, default: object = REQUIRED, neutral: int = 1, most: int = 1 << 16) -> Rule:
    """Whole numbers from ``least`` to ``most``."""
    text = f"be a whole number from {least} to {most}" if most < 1 << 16 else f"be a whole number of at least {least}"
    return Rule(text, lambda value: type(value) is int and least <= value <= most, default, (neutral,))


def number(text: str, accepts: Callable[[float], bool]) -> Rule:
    """Real numbers, whole ones among them, that keep ``accepts``."""
    return Rule(
        text, lambda value: type(value) in (int, float) and math.isfinite(value) and accepts(value), REQUIRED, ()
    )


def one_of(*choices: object, default: object = REQUIRED) -> Rule:
    """One of a few values."""
    names = ", ".join(str(choice) for choice in choices)
    return Rule(
        f"be one of {names}" if len(choices) > 1 else f"be {names}",
        lambda value: any(type(value) is type(choice) and value == choice for choice in choices),
        default,
        choices,
    )


FLAG = Rule("be true or false", lambda value: type(value) is bool, (False,), (False,))
STRENGTHS = Rule(
    f"be one of {', '.join(map(str, LEVELS))}", lambda value: type(value) is int and value in LEVELS, (1,), (1,)
)
WEIGHTS = one_of("binary", 2, 4, 8)
KERNEL = Rule(
    "be an odd whole number from 1 to 7",
    lambda value: type(value) is int and value in (1, 3, 5, 7),
    (3,),
    (3,),
)
PRUNE_RATIO = Rule(
    "be a number from 0 to below 1",
    lambda value: type(value) in (int, float) and 0 <= value < 1,
    (0.0,),
    (0.0,),
)
ALE_SAVING = Rule(
    "be a number above 0 and below 1",
    lambda value: type(value) is float and 0 < value < 1,
    (0.2,),
    (0.2,),
)
ALE_LOSS = Rule(
    "be a number above 0",
    lambda value: type(value) in (int, float) and math.isfinite(value) and value > 0,
    (0.1,),
    (0.1,),
)
TEXT = Rule("be a non-empty text", lambda value: type(value) is str and bool(value.strip()), REQUIRED, ("unnamed",))
DENSITY = number("be a number from 0 to 1", lambda value: 0 <= value <= 1)

NETWORK: dict[str, Rule] = {
    "timesteps": whole(1, neutral=2),
    "levels": STRENGTHS,
    "pooling": one_of("or", "average", "membrane", "count", default=("or",)),
    "head": one_of("fc", "gap"),
    "reset": one_of("hard", "soft", default=("hard",)),
    "dynamic_pruning": FLAG,
    "bwo": FLAG,
    "first_stage_timesteps": whole(1, default=(1,)),
    "route": one_of("stbp", "conversion", "rounded-conversion", default=("stbp",)),
    "binarize": one_of("explicit", "ale", "ale-loss", default=("explicit",)),
    "ale_saving": ALE_SAVING,
    "ale_loss": ALE_LOSS,
}
FC_LAYER: dict[str, Rule] = {
    "channels": whole(1, neutral=1 << 10),
    "weights": WEIGHTS,
    "dual_threshold": FLAG,
}
CONV_LAYER: dict[str, Rule] = {
    "channels": whole(1, neutral=1 << 10),
    "kernel": KERNEL,
    "stride": whole(1, default=(1,), most=2),
    "pool": whole(1, default=(1,), most=4),
    "weights": WEIGHTS,
    "dual_threshold": FLAG,
    "prune_ratio": PRUNE_RATIO,
}
CONV_ONLY = tuple(key for key in CONV_LAYER if key not in FC_LAYER)
CLASSIFIER: dict[str, Rule] = {"weights": WEIGHTS, "kernel": KERNEL}
ACCELERATOR: dict[str, Rule] = {
    "vector_width": whole(1),
    "channel_lanes": whole(1),
    "fusion_depth": whole(1),
    "spike_buffer_kib": whole(1),
    "weight_buffer_kib": whole(1),
    "time_order": one_of("inner", "outer", default=("inner",)),
    "membrane_buffer_kib": whole(0, default=(0,)),
}

_RANGES: dict[str, tuple[str, Callable[[float], bool]]] = {
    "epochs": ("of at least 1", lambda value: value >= 1),
    "train_samples": ("of at least 1", lambda value: value >= 1),
    "batch_size": ("of at least 1", lambda value: value >= 1),
    "learning_rate": ("above 0", lambda value: value > 0),
    "weight_decay": ("of at least 0", lambda value: value >= 0),
    "surrogate_width": ("above 0", lambda value: value > 0),
    "label_smoothing": ("from 0 to below 1", lambda value: 0 <= value < 1),
    "time_budget_s": ("above 0", lambda value: value > 0),
}


def recipe_rules() -> dict[str, Rule]:
    """Rules of a training table: the fields of `Recipe` with their types and ranges."""
    return {name: _recipe_rule(name, hint) for name, hint in get_type_hints(Recipe).items()}


def _recipe_rule(name: str, hint: object) -> Rule:
    if get_origin(hint) is Literal:
        return one_of(*get_args(hint))
    text, in_range = _RANGES[name]
    if int in (hint, *get_args(hint)):
        every = ' or "all"' if name == "train_samples" else ""
        return Rule(
            f"be a whole number {text}{every}",
            lambda value: (type(value) is int and in_range(value)) or (bool(every) and value == "all"),
            REQUIRED,
            (),
        )
    return number(f"be a number {text}", in_range)
