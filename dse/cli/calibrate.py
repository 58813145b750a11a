"""`dse calibrate`: published figures against the model's, each with its source and whether it was read there."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dse.cli.options import Json, Technology, settled
from dse.console import Column, note, say, say_json, say_table

if TYPE_CHECKING:
    from costmodels.calibration import Calibration, CalibrationRow

WithoutRecalled = Annotated[
    bool, typer.Option("--without-recalled", help="Leave out figures not read in their source.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("calibrate")(calibrate)


def calibrate(without_recalled: WithoutRecalled = False, technology: Technology = None, json: Json = False) -> None:
    """Fit the cost model to published figures and compare it with all of them."""
    from costmodels.calibration import calibrate as fit
    from costmodels.technology_file import load

    name = settled(technology=technology)["technology"]
    fitted = fit(without_recalled, load(name) if name else None)
    if json:
        say_json(_plain(fitted))
        return
    columns = [Column("design"), Column("quantity"), Column("published", "right"), Column("model", "right")]
    columns += [Column("error", "right"), Column("status"), Column("use"), Column("model's value", fold=True)]
    columns += [Column("source", fold=True)]
    say_table(columns, [_cells(row) for row in fitted.rows])
    _say_fit(fitted)
    recalled = sum(row.figure.status == "recalled" for row in fitted.rows)
    if recalled:
        note(f"{recalled} figures were recalled, not read in their source; --without-recalled leaves them out.")


def _cells(row: "CalibrationRow") -> tuple[str, ...]:
    figure, error = row.figure, row.error_percent
    model = "-" if row.model is None else f"{row.model:.4g}"
    shown = "-" if error is None else "fitted" if row.fitted else f"{error:+.1f} %"
    return (
        figure.design,
        figure.quantity,
        f"{figure.value:g}",
        model,
        shown,
        row.label,
        figure.use,
        row.note,
        figure.source,
    )


def _say_fit(fitted: "Calibration") -> None:
    technology = fitted.technology
    say(f"\nfactor on logic energy: {technology.energy.logic_factor:.4g}")
    factor, synthesised = technology.area.logic_factor, fitted.synthesised_kge
    say(f"factor on logic area: {factor:.4g} (our machine at VSA's size: {synthesised:.4g} kGE as synthesised)\n")
    rows = [(assumption, f"{factor:.4g}") for assumption, factor in fitted.energy_factors.items()]
    say_table([Column("energy factor under another assumption"), Column("", "right")], rows)


def _plain(fitted: "Calibration") -> dict[str, Any]:
    rows = [
        {
            **asdict(row.figure),
            "model": row.model,
            "error_percent": row.error_percent,
            "fitted": row.fitted,
            "note": row.note,
        }
        for row in fitted.rows
    ]
    return {
        "without_recalled": fitted.exclude_recalled,
        "energy_factor": fitted.technology.energy.logic_factor,
        "area_factor": fitted.technology.area.logic_factor,
        "synthesised_kge": fitted.synthesised_kge,
        "energy_factors": fitted.energy_factors,
        "figures": rows,
    }
