"""Published figures: the data file is whole, and the model meets or nears what it says."""

import csv
from pathlib import Path

import pytest

from costmodels.calibration import calibrate
from costmodels.published import DATA, figure, figures
from costmodels.reference_machines import vsa
from costmodels.technology import Technology

TECHNOLOGY = Technology.default()


def test_every_figure_says_where_it_comes_from() -> None:
    assert len(figures()) > 30
    for item in figures():
        assert item.status in ("read", "recalled", "derived", "ran", "prototype"), item
        assert item.use in ("calibrate", "check"), item
        assert len(item.source) > 15, item
    names = [(item.design, item.quantity) for item in figures()]
    assert len(set(names)) == len(names)


def test_a_figure_that_is_not_there_is_missed() -> None:
    with pytest.raises(KeyError, match="VSA: colour"):
        figure("VSA", "colour")


def test_vsa_efficiency_with_the_packaged_technology() -> None:
    """25.9 TOPS/W, read in the abstract: the one figure that energy hangs on."""
    assert vsa().tops_per_w(TECHNOLOGY) == pytest.approx(figure("VSA", "power_efficiency_tops_per_w").value, rel=2e-3)


def test_vsa_figures_agree_with_each_other() -> None:
    value = {item.quantity: item.value for item in figures() if item.design == "VSA"}
    assert value["peak_throughput_gops"] == 2 * value["processing_elements"] * value["clock_mhz"] / 1000
    assert value["peak_throughput_gops"] / value["core_power_mw"] == pytest.approx(
        value["power_efficiency_tops_per_w"], rel=1e-3
    )
    assert value["core_power_mw"] / value["clock_mhz"] * 1000 == pytest.approx(value["energy_per_cycle_pj"], rel=1e-3)
    assert 1000 * value["logic_kge"] / value["processing_elements"] == pytest.approx(value["logic_ge_per_pe"], rel=1e-3)


def test_power_and_efficiency_of_the_model_are_one_statement() -> None:
    machine = vsa()
    power = machine.power_mw(TECHNOLOGY)
    assert machine.peak_gops(TECHNOLOGY) / power == pytest.approx(machine.tops_per_w(TECHNOLOGY))
    assert power == pytest.approx(figure("VSA", "core_power_mw").value, rel=5e-3)


def test_coefficients_are_the_figures() -> None:
    energy = TECHNOLOGY.energy
    assert energy.adder_pj == figure("40 nm logic", "adder_32b_pj").value
    assert energy.comparator_pj == figure("40 nm logic", "comparator_32b_pj").value
    assert energy.bitwise_pj == figure("40 nm logic", "bitwise_32b_pj").value
    assert energy.register_pj == figure("40 nm logic", "register_1b_pj").value
    assert TECHNOLOGY.dram_pj_per_bit == figure("DRAM", "dramsim3_pj_per_bit").value


def test_own_machine_at_the_size_of_vsa_is_counted_as_synthesised() -> None:
    row = next(row for row in calibrate().rows if row.figure.design == "This machine at VSA's size")
    assert row.error_percent == pytest.approx(0, abs=3)


def test_dual_threshold_halves_the_operations_of_its_layer() -> None:
    row = next(row for row in calibrate().rows if row.figure.quantity == "conv_operations_saved_percent")
    assert row.error_percent == pytest.approx(0)


def test_sram_table_is_whole() -> None:
    with (DATA / "cacti_sram.csv").open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 972 == 9 * 6 * 6 * 3
    assert {row["ports"] for row in rows} == {"1RW"}
    assert all(float(row[name]) > 0 for row in rows for name in ("read_pJ", "write_pJ", "leak_mW", "area_mm2"))


def test_data_folder_explains_every_file() -> None:
    text = (DATA / "README.md").read_text(encoding="utf-8")
    for path in Path(DATA).rglob("*"):
        if path.is_file() and path.name != "README.md":
            assert path.name in text, path
