"""Calibration: the packaged factors are the fit, the fit meets its figures, nothing else is fitted."""

import pytest

from costmodels.calibration import EFFICIENCY, LOGIC, calibrate, calibrated, fit_energy_factor
from costmodels.errors import ConfigurationError
from costmodels.published import figure, figures
from costmodels.reference_machines import vsa
from costmodels.technology import Technology

TECHNOLOGY = Technology.default()


def test_packaged_factors_are_the_fit() -> None:
    fitted = calibrated(TECHNOLOGY)
    assert TECHNOLOGY.energy.logic_factor == pytest.approx(fitted.energy.logic_factor, rel=5e-4)
    assert TECHNOLOGY.area.logic_factor == pytest.approx(fitted.area.logic_factor, rel=5e-4)


def test_the_fit_does_not_depend_on_where_it_starts() -> None:
    start = TECHNOLOGY.override({"energy.logic_factor": 9.0, "area.logic_factor": 0.3})
    found, expected = calibrated(start), calibrated(TECHNOLOGY)
    assert found.energy.logic_factor == pytest.approx(expected.energy.logic_factor)
    assert found.area.logic_factor == pytest.approx(expected.area.logic_factor)


def test_the_fit_meets_its_two_figures_by_bisection_too() -> None:
    """The energy factor found by halving an interval instead of by the straight line."""
    machine, fitted = vsa(), calibrated(TECHNOLOGY)
    low, high = 0.1, 100.0
    for _ in range(40):
        middle = (low + high) / 2
        efficiency = machine.tops_per_w(fitted.override({"energy.logic_factor": middle}))
        low, high = (middle, high) if efficiency > figure(*EFFICIENCY).value else (low, middle)
    assert fitted.energy.logic_factor == pytest.approx(low, rel=1e-6)
    assert machine.calibrated_kge(fitted) == pytest.approx(figure(*LOGIC).value)


def test_only_two_figures_are_fitted_and_both_may_be() -> None:
    rows = calibrate().rows
    fitted = [(row.figure.design, row.figure.quantity) for row in rows if row.fitted]
    assert fitted == [EFFICIENCY, LOGIC]
    assert all(row.figure.use == "calibrate" for row in rows if row.fitted)
    assert all(row.error_percent == pytest.approx(0, abs=1e-6) for row in rows if row.fitted)


def test_every_figure_has_a_row_with_a_value_or_a_reason() -> None:
    rows = calibrate().rows
    assert tuple(row.figure for row in rows) == figures()
    for row in rows:
        assert row.note
        assert (row.model is None) == (row.error_percent is None)


def test_recalled_figures_are_labelled() -> None:
    labels = {row.label for row in calibrate().rows if row.figure.status == "recalled"}
    assert labels == {"recalled, not seen in its source"}


def test_without_recalled_figures_nothing_hangs_on_them() -> None:
    found = calibrate(exclude_recalled=True)
    assert not [row for row in found.rows if row.figure.status == "recalled"]
    assert not [row for row in found.rows if row.figure.quantity in ("energy_per_cycle_pj", "logic_ge_per_pe")]
    assert [row.figure.quantity for row in found.rows if row.fitted] == ["power_efficiency_tops_per_w"]
    assert found.technology.area.logic_factor == 1.0
    assert found.technology.energy.logic_factor == pytest.approx(TECHNOLOGY.energy.logic_factor, rel=0.2)


def test_the_reference_layer_keeps_the_array_busy() -> None:
    assert vsa().utilisation(TECHNOLOGY) > 0.98
    assert vsa(exclude_recalled=True).utilisation(TECHNOLOGY) > 0.98


def test_checks_of_other_machines_stay_within_a_factor_of_two() -> None:
    """What a fit to one chip can promise for another; the table prints the errors themselves."""
    rows = {(row.figure.design, row.figure.quantity): row for row in calibrate().rows}
    for name in (
        ("VWA", "power_mw"),
        ("45 nm, 0.9 V", "int8_add_pj"),
        ("This machine at VSA's size", "logic_kge"),
        ("Spiking max-pool block", "logic_kge"),
        ("DT-SCNN", "conv_operations_saved_percent"),
    ):
        model = rows[name].model
        assert model is not None
        assert 0.5 < model / rows[name].figure.value < 2.0, name


def test_the_factor_under_other_assumptions_is_told() -> None:
    factors = calibrate().energy_factors
    assert factors["spike density 0.2"] == pytest.approx(TECHNOLOGY.energy.logic_factor, rel=5e-4)
    assert factors["spike density 0.1"] > factors["spike density 0.5"]
    assert factors["published power without SRAM accesses"] > factors["spike density 0.2"]


def test_a_leaky_cell_cannot_be_calibrated() -> None:
    leaky = TECHNOLOGY.override({"sram_cell": "itrs-hp"})
    with pytest.raises(
        ConfigurationError, match=r"^SRAM and leakage must take less than the published 177.9 pJ a cycle"
    ):
        fit_energy_factor(leaky, vsa())
