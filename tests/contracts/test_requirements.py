"""The pinned requirements with hashes are those of `constraints.txt`, and each has a hash."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)")
DIGITS = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")


def pins(text: str) -> dict[str, str]:
    """Package to version; names as the index compares them."""
    found = [match for line in text.splitlines() if (match := PIN.match(line))]
    return {re.sub(r"[-_.]+", "-", match[1]).lower(): match[2] for match in found}


def blocks() -> list[str]:
    """One text for each package with its hashes."""
    return re.split(r"\n(?=\S)", (ROOT / "requirements-hashes.txt").read_text().strip())


def test_every_package_is_pinned_with_hashes() -> None:
    assert len(blocks()) > 50
    for block in blocks():
        assert PIN.match(block), block[:80]
        assert DIGITS.search(block), block[:80]


def test_versions_are_those_of_the_constraints() -> None:
    constraints = pins((ROOT / "constraints.txt").read_text())
    hashed = pins("\n".join(blocks()))
    other = {
        name: (version, constraints[name])
        for name, version in hashed.items()
        if constraints.get(name, version) != version
    }
    assert other == {}


@pytest.mark.parametrize("extra", ["dependencies", "dashboard", "dask", "nir", "test", "lint"])
def test_everything_declared_is_there(extra: str) -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = project["dependencies"] if extra == "dependencies" else project["optional-dependencies"][extra]
    names = {re.sub(r"[-_.]+", "-", re.split(r"[\[<>=;]", line)[0]).lower() for line in declared} - {"snn-dse"}
    assert names <= set(pins("\n".join(blocks())))
