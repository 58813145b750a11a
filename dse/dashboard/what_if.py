"""Another machine under a trained network: priced at once, side by side with its own."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from time import perf_counter
from typing import Any

from costmodels.accelerator import AcceleratorConfig
from dse.costing import Breakdown
from dse.dashboard.candidate import Trained

MS_PER_S = 1e3


@dataclass(frozen=True, eq=False)
class WhatIf:
    """The own machine and the other one.

    Attributes:
        before, after: priced with the same network and activity.
        milliseconds: that the cost model took for ``after``.
    """

    before: Breakdown
    after: Breakdown
    milliseconds: float


def machine_of(choices: Mapping[str, Any]) -> AcceleratorConfig:
    """The machine that has these values; under time order ``inner`` there is no membrane buffer.

    Raises:
        ConfigurationError: a value that no machine has.
    """
    values = {f.name: choices[f.name] for f in fields(AcceleratorConfig) if f.name in choices}
    if values.get("time_order", "inner") == "inner":
        values["membrane_buffer_kib"] = 0
    return AcceleratorConfig(**values)


def what_if(found: Trained, machine: AcceleratorConfig) -> WhatIf:
    """The candidate on ``machine`` instead of its own."""
    before = found.priced()
    start = perf_counter()
    after = found.priced(machine)
    return WhatIf(before, after, (perf_counter() - start) * MS_PER_S)


def change_percent(before: float, after: float) -> float | None:
    """How much ``after`` is above ``before``; None where there is nothing to compare."""
    return 100 * (after / before - 1) if before and before == before and after == after else None
