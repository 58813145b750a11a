"""`dse cost`: one candidate, layer by layer: cycles by cause, energy by term, traffic, area by block."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dse.cli.exits import EXIT_INFEASIBLE
from dse.cli.options import Dram, Json, Technology, settled
from dse.console import Column, note, say, say_json, say_table

if TYPE_CHECKING:
    from dse.costing import Breakdown

Config = Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="one network on one machine, with its activity")]
LAYER_COLUMNS = ("cycles", "compute", "stall", "fill", "energy µJ", "DRAM KiB", "utilisation")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("cost")(cost)


def cost(config: Config, technology: Technology = None, dram: Dram = None, json: Json = False) -> None:
    """Price one network on one machine, layer by layer. Exit code 3 if the machine cannot run it."""
    from dse.costing import price_file

    settings = settled(technology=technology, dram=dram)
    breakdown = price_file(config, settings["technology"], settings["dram"])
    if json:
        say_json(breakdown.to_dict())
    if not breakdown.report.feasible:
        note("\n".join(["This machine cannot run this network:", *map(str, breakdown.report.reasons)]))
        raise typer.Exit(EXIT_INFEASIBLE)
    if not json:
        say_breakdown(breakdown)


def say_breakdown(breakdown: "Breakdown") -> None:
    """Everything about one network on one machine, in tables."""
    report = breakdown.report
    technology = report.technology
    say(f"{breakdown.title}: {breakdown.network}")
    say(f"machine: {breakdown.machine}")
    say(
        f"technology: {technology.name}, {technology.node_nm} nm, {technology.clock_mhz:g} MHz, "
        f"DRAM {technology.dram_pj_per_bit:g} pJ/bit and {technology.dram_bytes_per_cycle:g} bytes a cycle"
    )
    say(f"activity: {breakdown.activity}\n")
    _say_layers(breakdown)
    _say_parts("energy by term", breakdown.energy_uj, "µJ")
    _say_parts("area by block", report.area_mm2, "mm²")
    for memory in report.slow_memories:
        ns = report.access_ns[memory]
        note(
            f"{memory} takes {ns:.2f} ns to read, longer than a clock of {technology.cycle_ns:.2f} ns: lower clock_mhz"
        )


def _say_layers(breakdown: "Breakdown") -> None:
    from dse.words import amount

    def cells(name: str, cycles: tuple[float, ...], energy_uj: float, dram_kib: float, used: str) -> tuple[str, ...]:
        return (name, *(f"{number:,.0f}" for number in cycles), amount(energy_uj), amount(dram_kib), used)

    rows = [
        cells(
            layer.name,
            (layer.cycles, layer.compute_cycles, layer.stall_cycles, layer.fill_cycles),
            layer.energy_uj,
            layer.dram_kib,
            f"{100 * layer.utilisation:.1f} %",
        )
        for layer in breakdown.layers
    ]
    report = breakdown.report
    causes = tuple(sum(report.cycles[cause]) for cause in ("compute", "stall", "fill"))
    rows.append(cells("in all", (sum(causes), *causes), report.energy_uj, report.dram_kib, ""))
    say_table([Column("layer"), *(Column(title, "right") for title in LAYER_COLUMNS)], rows)
    product = f"energy-delay product {amount(report.edp_uj_ms)} µJ·ms"
    say(f"\nlatency {amount(report.latency_ms)} ms, area {amount(report.total_area_mm2)} mm², {product}\n")


def _say_parts(title: str, parts: dict[str, float], unit: str) -> None:
    from dse.words import amount, part_words

    total = sum(parts.values()) or 1.0
    rows = [
        (part_words(name), amount(value), f"{100 * value / total:.1f} %")
        for name, value in sorted(parts.items(), key=lambda part: -part[1])
        if value
    ]
    say_table([Column(title), Column(unit, "right"), Column("share", "right")], [*rows, ("in all", amount(total), "")])
    say()
