"""`dse doctor`: what is there is said to be there, what is not comes with the way to get it."""

import importlib.metadata
import json

import pytest
from typer.testing import CliRunner

from dse import doctor
from dse.cli import app

LINES = ["numpy>=2.0", "dash>=4; extra == 'dashboard'", 'snn-dse[dashboard]; extra == "test"', "Pillow>=10"]


def test_requirements_are_read_with_their_extras() -> None:
    assert doctor.requirements(LINES) == (("numpy", ""), ("dash", "dashboard"), ("Pillow", ""))


def test_everything_that_is_needed_is_found_here() -> None:
    findings = {finding.name: finding for finding in doctor.examine()}
    assert findings["numpy"] == ("numpy", "ok", importlib.metadata.version("numpy"), "every command", "")
    assert findings["torch"].state == "ok"
    assert "gpu" in findings
    assert all(finding.remedy for finding in findings.values() if finding.state != "ok")


def test_what_is_missing_comes_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = ["no-such-package>=1", "no-such-page>=1; extra == 'dashboard'"]
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: needed)
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == 1
    found = {row["name"]: row for row in json.loads(result.stdout)}
    assert (found["no-such-package"]["state"], found["no-such-package"]["remedy"]) == (
        "missing",
        "pip install 'no-such-package'",
    )
    assert (found["no-such-page"]["state"], found["no-such-page"]["remedy"]) == (
        "optional",
        "pip install 'snn-dse[dashboard]'",
    )
    assert found["verilator"]["remedy"] == "apt-get install verilator"


def test_the_table_names_programs_and_says_that_all_is_well() -> None:
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 0
    assert "yosys" in result.output
    assert "All that is needed is here." in result.output
