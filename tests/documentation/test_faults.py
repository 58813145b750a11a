"""Every fault of docs/reliability.md names tests that are there and that CI runs."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEST = re.compile(r"`(tests/\S+\.py)::(test_\w+)`")


def faults() -> dict[str, list[tuple[str, str]]]:
    """Fault to the files and names of its tests."""
    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    table = text.partition("| fault | what the user sees |")[2].partition("\n\n")[0].splitlines()[2:]
    return {row.split(" | ")[0].removeprefix("| "): TEST.findall(row.split(" | ")[-1]) for row in table}


def test_no_fault_was_dropped() -> None:
    assert len(faults()) >= 23


@pytest.mark.parametrize("fault", faults())
def test_a_fault_has_tests_that_ci_runs(fault: str) -> None:
    assert faults()[fault]
    for file, name in faults()[fault]:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        (found,) = (each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef) and each.name == name)
        assert "pytest.mark.reliability" not in map(ast.unparse, found.decorator_list)
