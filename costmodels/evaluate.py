"""The cost model in one call: schedule, then price, for one workload on many machines."""

from costmodels.accelerator import AcceleratorBatch
from costmodels.cost_table import CostTable, CostTotals
from costmodels.energy import PricedMachine, event_prices, reject_absent_memories
from costmodels.features import Features
from costmodels.schedule import count
from costmodels.technology import Technology
from costmodels.workload import Workload

CHUNK = 32768


def evaluate(
    workload: Workload, batch: AcceleratorBatch, technology: Technology, features: Features | None = None
) -> CostTable:
    """Costs of ``workload`` on every machine of ``batch``, by layer, term and block.

    ``features`` is what the machines are built with where that is more than ``workload`` needs. Holds about 20 numbers
    for each machine and layer; `evaluate_totals` prices a large batch in constant memory.
    """
    schedule = count(workload, batch, technology.dram_bytes_per_cycle)
    machine = PricedMachine.of(batch, features or Features.of(workload), technology)
    reject_absent_memories(schedule.events, machine)
    return CostTable(
        layers=tuple(layer.name for layer in workload.layers),
        machine=machine,
        schedule=schedule,
        prices=event_prices(machine),
    )


def evaluate_totals(
    workload: Workload, batch: AcceleratorBatch, technology: Technology, chunk: int = CHUNK
) -> CostTotals:
    """Totals of every machine of ``batch``, priced ``chunk`` machines at a time; equal to `evaluate`'s totals."""
    starts = range(0, max(len(batch), 1), chunk)
    return CostTotals.join(
        [evaluate(workload, batch.take(slice(start, start + chunk)), technology).totals for start in starts]
    )
