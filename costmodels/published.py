"""Figures to fit to and to compare with: published ones and our own measurements, each with source and status."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

DATA = Path(__file__).parent / "data"
FILES = ("published.toml", "measured.toml")


@dataclass(frozen=True)
class Figure:
    """One number from outside the model.

    Attributes:
        design, quantity: what was measured; the unit ends the quantity's name.
        value: as published.
        status: how well it is known, see data/README.md.
        use: whether a coefficient may be fitted to it.
        source: where it stands.
    """

    design: str
    quantity: str
    value: float
    status: Literal["read", "recalled", "derived", "ran", "prototype"]
    use: Literal["calibrate", "check"]
    source: str


@cache
def figures() -> tuple[Figure, ...]:
    """All figures, in the order of the files."""
    return tuple(
        Figure(**row) for name in FILES for row in tomllib.loads((DATA / name).read_text(encoding="utf-8"))["figure"]
    )


def figure(design: str, quantity: str) -> Figure:
    """The figure of that name.

    Raises:
        KeyError: there is none.
    """
    for item in figures():
        if (item.design, item.quantity) == (design, quantity):
            return item
    raise KeyError(f"{design}: {quantity}")
