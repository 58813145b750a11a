"""Calibration: two coefficients fitted to published figures, and every figure beside what the model says of it.

The degrees of freedom are two, one factor on all logic energy and one on all logic area. They are fitted to two figures
of VSA only; every other figure is a check. Without the recalled figures the area factor has nothing to be fitted to and
is 1.
"""

from dataclasses import dataclass

from costmodels.counterparts import COUNTERPARTS, NO_COUNTERPART
from costmodels.errors import ConfigurationError
from costmodels.published import Figure, figure, figures
from costmodels.reference_machines import OPERATIONS_PER_PE, Vsa, vsa
from costmodels.technology import Technology

DENSITIES = (0.1, 0.2, 0.3, 0.5)
EFFICIENCY = ("VSA", "power_efficiency_tops_per_w")
LOGIC = ("VSA", "logic_kge")
_WARNINGS = {"recalled": "recalled, not seen in its source"}


@dataclass(frozen=True)
class CalibrationRow:
    """One figure and what the model says of it.

    Attributes:
        figure: published value, source, status, use.
        model: the model's value; None where the cost model has no such quantity, which ``note`` says.
        fitted: a coefficient was fitted to this figure, so its error says nothing.
        note: what the model's value is, or why there is none.
    """

    figure: Figure
    model: float | None
    fitted: bool
    note: str

    @property
    def error_percent(self) -> float | None:
        """Model against figure; None where the model has no value."""
        return None if self.model is None else 100.0 * (self.model / self.figure.value - 1.0)

    @property
    def label(self) -> str:
        """Status, with what must never be overlooked in it."""
        return _WARNINGS.get(self.figure.status, self.figure.status)


@dataclass(frozen=True)
class Calibration:
    """The fit and its table.

    Attributes:
        technology: with the fitted factors.
        exclude_recalled: whether recalled figures were left out.
        rows: every figure; recalled ones are missing when left out.
        energy_factors: what the energy factor would be under another assumption, assumption -> factor.
        synthesised_kge: our machine's logic at VSA's size as synthesised, before the area factor.
    """

    technology: Technology
    exclude_recalled: bool
    rows: tuple[CalibrationRow, ...]
    energy_factors: dict[str, float]
    synthesised_kge: float


def fit_energy_factor(technology: Technology, machine: Vsa, with_sram: bool = True) -> float:
    """The factor on logic energy at which ``machine`` reaches VSA's published efficiency.

    On-chip energy is affine in the factor, so two evaluations give it.

    Raises:
        ConfigurationError: SRAM and leakage alone already exceed the published energy.
    """
    one, two = (
        machine.cycle_pj(technology.override({"energy.logic_factor": factor}), with_sram) for factor in (1.0, 2.0)
    )
    logic, rest = two - one, 2 * one - two
    target = OPERATIONS_PER_PE * machine.processing_elements / figure(*EFFICIENCY).value
    if target <= rest:
        raise ConfigurationError(
            f"SRAM and leakage must take less than the published {target:.1f} pJ a cycle, not {rest:.1f} "
            f"(technology {technology.name}); choose another sram_cell"
        )
    return (target - rest) / logic


def calibrated(technology: Technology, exclude_recalled: bool = False) -> Technology:
    """``technology`` with both factors fitted anew; the area factor first, for leakage follows it."""
    machine = vsa(exclude_recalled)
    area_factor = 1.0 if exclude_recalled else figure(*LOGIC).value / machine.synthesised_kge(technology)
    fitted = technology.override({"area.logic_factor": area_factor})
    return fitted.override({"energy.logic_factor": fit_energy_factor(fitted, machine)})


def calibrate(exclude_recalled: bool = False, technology: Technology | None = None) -> Calibration:
    """The fit and the table of all figures.

    Args:
        exclude_recalled: leave out every figure that was not seen in its source, and what derives from it.
        technology: whose other coefficients are used; the default one when None.
    """
    fitted = calibrated(technology or Technology.default(), exclude_recalled)
    machine = vsa(exclude_recalled)
    rows = tuple(_row(item, fitted, machine, exclude_recalled) for item in figures())
    return Calibration(
        technology=fitted,
        exclude_recalled=exclude_recalled,
        rows=tuple(row for row in rows if not (exclude_recalled and _hangs_on_recalled(row.figure))),
        energy_factors=_energy_factors(fitted, exclude_recalled),
        synthesised_kge=machine.synthesised_kge(fitted),
    )


def _hangs_on_recalled(item: Figure) -> bool:
    """A recalled figure, or arithmetic on recalled figures: all of VSA's derived ones."""
    return item.status == "recalled" or (item.design == "VSA" and item.status == "derived")


def _energy_factors(technology: Technology, exclude_recalled: bool) -> dict[str, float]:
    factors = {
        f"spike density {density}": fit_energy_factor(technology, vsa(exclude_recalled, density))
        for density in DENSITIES
    }
    without = fit_energy_factor(technology, vsa(exclude_recalled), with_sram=False)
    return factors | {"published power without SRAM accesses": without}


def _row(item: Figure, technology: Technology, machine: Vsa, exclude_recalled: bool) -> CalibrationRow:
    name = (item.design, item.quantity)
    if name not in COUNTERPARTS:
        return CalibrationRow(item, None, False, NO_COUNTERPART[item.design])
    counterpart, note = COUNTERPARTS[name]
    fitted = name == EFFICIENCY or (name == LOGIC and not exclude_recalled)
    return CalibrationRow(item, float(counterpart(technology, machine)), fitted, note)
