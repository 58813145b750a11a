"""Technologies: presets, files, overrides, and messages of what cannot be used."""

import re
import tomllib
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from costmodels.errors import ConfigurationError
from costmodels.technology import Technology
from costmodels.technology_file import PRESETS, load, preset_names

STATUSES = {"read", "recalled", "derived", "ran", "prototype", "counted", "fitted", "assumption"}


def entries(path: Path) -> list[tuple[str, dict[str, Any]]]:
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    return [
        (f"{part}.{key}", entry)
        for part, table in document.items()
        if isinstance(table, dict)
        for key, entry in table.items()
    ]


def test_every_packaged_number_has_unit_status_and_source() -> None:
    for path in PRESETS.glob("*.toml"):
        for name, entry in entries(path):
            assert set(entry) == {"value", "unit", "status", "source"}, (path.name, name)
            assert entry["status"] in STATUSES, (path.name, name)
            assert len(entry["source"]) > 10, (path.name, name)


def test_default_is_forty_nanometres_with_its_published_settings() -> None:
    technology = Technology.default()
    assert technology == load("lp40")
    assert (technology.node_nm, technology.clock_mhz, technology.sram_cell) == (40, 500, "itrs-lop")
    assert technology.dram_pj_per_bit == 12.45
    assert technology.dram_bytes_per_cycle == pytest.approx(1600e6 * 4 / 500e6)


def test_presets_differ_in_node_only() -> None:
    base = load("lp40")
    for name in preset_names():
        other = load(name)
        assert other.override({"node_nm": 40, "name": "lp40"}) == base


def test_gate_area_follows_from_the_register_that_was_read() -> None:
    assert load("lp40").um2_per_ge == pytest.approx(5.98 / 5.667)
    assert load("lp28").um2_per_ge == pytest.approx(5.98 / 5.667 * 0.475)
    assert load("lp65").um2_per_ge == pytest.approx(5.98 / 5.667 / 0.53, rel=1e-4)
    assert load("lp40").leakage_mw_per_kge == pytest.approx(0.07e-3 / 5.667 * 1000)


def leaves(part: Any, prefix: str = "") -> list[str]:
    names = []
    for item in fields(part):
        value = getattr(part, item.name)
        names += leaves(value, f"{prefix}{item.name}.") if is_dataclass(value) else [f"{prefix}{item.name}"]
    return names


def test_digest_depends_on_every_field_but_the_name() -> None:
    base = Technology.default()
    digests = {base.digest()}
    changed = {"node_nm": 28, "sram_cell": "itrs-lstp", "nodes": base.nodes[:1]}
    names = [name for name in leaves(base) if name != "name"]
    for name in names:
        part, _, leaf = name.rpartition(".")
        value = getattr(getattr(base, part) if part else base, leaf)
        new = changed[name] if name in changed else value + 1 if isinstance(value, int) else value * 0.9
        digests.add(base.override({name: new}).digest())
    assert len(digests) == len(names) + 1
    assert base.override({"name": "other"}).digest() == base.digest()


def test_override_takes_dotted_names_and_tables_alike() -> None:
    base = Technology.default()
    dotted = base.override({"energy.adder_pj": 0.1, "clock_mhz": 250})
    assert dotted == base.override({"energy": {"adder_pj": 0.1}, "clock_mhz": 250})
    assert dotted.energy.adder_pj == 0.1
    assert dotted.energy.comparator_pj == base.energy.comparator_pj
    assert base.override({"energy": {"adder_pj": 0.1}, "energy.register_pj": 0.2}).energy.adder_pj == 0.1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"node_nm": 32}, r"^node_nm must be one of 28, 40, 65, not 32 \(technology lp40\); the nearest is 28$"),
        ({"node_nm": 40.0}, r"^node_nm must be an integer, not 40.0"),
        ({"clock_mhz": 0}, r"^clock_mhz must be positive, not 0"),
        ({"clock_mhz": float("nan")}, r"^clock_mhz must be positive, not nan"),
        ({"clock_mhz": float("inf")}, r"^clock_mhz must be positive, not inf"),
        ({"clock_mhz": "500"}, r"^clock_mhz must be a number, not '500'"),
        ({"clock_mhz": True}, r"^clock_mhz must be a number, not True"),
        ({"dram_pj_per_bit": -1}, r"^dram_pj_per_bit must be at least 0, not -1"),
        ({"energy.idle_gate_share": 1.5}, r"^idle_gate_share must be at least 0 and at most 1, not 1.5"),
        (
            {"clock_mz": 1},
            r"^clock_mz must be a field of the technology; the nearest is clock_mhz \(technology lp40\)$",
        ),
        ({"energy.adder": 1}, r"^energy.adder must be a field of the technology; the nearest is energy.adder_pj"),
        ({"energy": 3}, r"^energy must be a table of its fields, not 3"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Technology.default().override(settings)


def test_all_unknown_settings_are_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as error:
        Technology.default().override({"clock": 1, "dram": 2})
    assert len(str(error.value).splitlines()) == 2


def test_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match=r"^technology must be a preset or a .toml file, not 'lp4'.*lp40"):
        load("lp4")
    with pytest.raises(ConfigurationError, match=r"known are lp28, lp40, lp65$"):
        load("xyz")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mine.toml"


def test_a_file_changes_only_what_it_lists(file: Path) -> None:
    file.write_text(
        'base = "lp28"\n[settings]\nclock_mhz = 250\n'
        '[energy]\nadder_pj = { value = 0.1, unit = "pJ", source = "mine" }\n',
        encoding="utf-8",
    )
    expected = load("lp28").override({"name": "mine", "clock_mhz": 250, "energy.adder_pj": 0.1})
    assert load(file) == expected
    assert load(str(file)).name == "mine"


def test_a_whole_file_needs_no_base(file: Path) -> None:
    text = (PRESETS / "lp40.toml").read_text(encoding="utf-8")
    file.write_text(text, encoding="utf-8")
    assert load(file) == load("lp40")
    file.write_text(re.sub(r"(?m)^(adder_pj|clock_mhz) = .*$", "", text), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"must give every number, not lack energy.adder_pj, clock_mhz"):
        load(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = [", r"^technology file must be TOML \(.*mine.toml"),
        ("[energi]\n", r"^energi must be a table of a technology; the nearest is energy \(.*mine.toml\)$"),
        ('base = "lp41"', r"^base must be a preset, not 'lp41'; the nearest is lp40 \(.*mine.toml\)$"),
        ('base = "mine.toml"', r"^base must be a preset, not 'mine.toml'"),
        ('base = "lp40"\nsettings = 3', r"^settings must be a table, not 3"),
        ('base = "lp40"\n[settings]\nclock_mhz = {unit = "MHz"}', r"^settings.clock_mhz must have a value beside unit"),
        (
            'base = "lp40"\n[energy]\nadder_pj = {value = 85, unit = "fJ"}',
            r"^energy.adder_pj must be given in pJ, not fJ",
        ),
        ('base = "lp40"\n[settings]\nclock = 3', r"^clock must be a field of the technology.*\(.*mine.toml\)$"),
        ('base = "lp40"\nnodes = 3', r"^nodes must be tables with node_nm, energy_factor and area_factor, not 3"),
        ('base = "lp40"\n[[nodes]]\nnode_nm = 40', r"^nodes must be tables with node_nm"),
    ],
)
def test_a_wrong_file_is_named(file: Path, text: str, message: str) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=message):
        load(file)


def test_a_missing_file_is_named(file: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^technology file must be readable, not .*mine.toml \(No such file"):
        load(file)
