"""Technology from TOML: the packaged presets and the user's own files, where each number may carry unit and source."""

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

from costmodels.errors import ConfigurationError
from costmodels.nearest import nearest
from costmodels.technology import (
    CellAreas,
    Leakage,
    LogicArea,
    LogicEnergy,
    NodeScaling,
    SramRules,
    Technology,
)
from costmodels.toml_text import read_toml

PRESETS = Path(__file__).parent / "data" / "technology"
_PARTS = {
    "energy": LogicEnergy,
    "leakage": Leakage,
    "cells": CellAreas,
    "area": LogicArea,
    "sram": SramRules,
}
_FIELDS = [field.name for field in fields(Technology)]
_TOP = {"name", "base", "settings", "nodes", *_PARTS}


def preset_names() -> tuple[str, ...]:
    """Names of the packaged technologies."""
    return tuple(sorted(path.stem for path in PRESETS.glob("*.toml")))


def load(name: str | Path) -> Technology:
    """The technology of that preset name, or of that TOML file.

    A file that names a ``base`` (a preset) changes only what it lists; values are bare or tables with ``value``,
    ``unit`` and ``source``.

    Raises:
        ConfigurationError: no such preset or file, no TOML, an unknown key, or a value out of range.
    """
    if str(name) in preset_names():
        return _preset(str(name))
    path = Path(name)
    if path.suffix != ".toml":
        raise ConfigurationError(
            f"technology must be a preset or a .toml file, not {str(name)!r}{nearest(str(name), preset_names())}"
        )
    return _read(path)


@cache
def _preset(name: str) -> Technology:
    return _read(PRESETS / f"{name}.toml")


def _read(path: Path) -> Technology:
    try:
        _, document = read_toml(path)
    except OSError as error:
        raise ConfigurationError(f"technology file must be readable, not {path} ({error.strerror})") from error
    except ValueError as error:
        raise ConfigurationError(f"technology file must be TOML ({path}: {error})") from error
    if unknown := [key for key in document if key not in _TOP]:
        raise ConfigurationError(
            "\n".join(f"{key} must be a table of a technology{nearest(key, _TOP)} ({path})" for key in unknown)
        )
    return _build(document, path)


def _build(document: Mapping[str, Any], path: Path) -> Technology:
    name = str(document.get("name", path.stem))
    changes: dict[str, Any] = {
        part: values for part in _PARTS if (values := _values(document.get(part, {}), part, path))
    }
    changes |= _values(document.get("settings", {}), "settings", path)
    if "nodes" in document:
        changes["nodes"] = _nodes(document["nodes"], path)
    try:
        if "base" in document:
            return _base(document["base"]).override(changes | {"name": name})
        return _whole(changes | {"name": name}, path)
    except ConfigurationError as error:
        raise ConfigurationError(f"{error} ({path})") from error


def _base(name: Any) -> Technology:
    if name not in preset_names():
        raise ConfigurationError(f"base must be a preset, not {name!r}{nearest(str(name), preset_names())}")
    return _preset(name)


def _values(table: Any, part: str, path: Path) -> dict[str, Any]:
    """Bare values of one table whose entries may be ``{value, unit, status, source}``."""
    if not isinstance(table, Mapping):
        raise ConfigurationError(f"{part} must be a table, not {table!r} ({path})")
    result = {}
    for key, entry in table.items():
        if isinstance(entry, Mapping):
            entry = _value(entry, f"{part}.{key}", path)
        result[key] = entry
    return result


def _value(entry: Mapping[str, Any], name: str, path: Path) -> Any:
    """The value of a table, whose unit, where it is given, must be the one that the model counts in."""
    if "value" not in entry:
        raise ConfigurationError(f"{name} must have a value beside {', '.join(entry)} ({path})")
    unit = _units().get(name)
    if unit is not None and entry.get("unit", unit) != unit:
        raise ConfigurationError(f"{name} must be given in {unit or 'no unit'}, not {entry['unit']} ({path})")
    return entry["value"]


@cache
def _units() -> dict[str, str]:
    """Unit of each number, as the default preset states it."""
    document = tomllib.loads((PRESETS / "lp40.toml").read_text(encoding="utf-8"))
    return {f"{part}.{key}": entry["unit"] for part in ("settings", *_PARTS) for key, entry in document[part].items()}


def _nodes(rows: Any, path: Path) -> tuple[NodeScaling, ...]:
    try:
        return tuple(NodeScaling(row["node_nm"], row["energy_factor"], row["area_factor"]) for row in rows)
    except (KeyError, TypeError) as error:
        raise ConfigurationError(
            f"nodes must be tables with node_nm, energy_factor and area_factor, not {rows!r} ({path})"
        ) from error


def _whole(values: Mapping[str, Any], path: Path) -> Technology:
    """A technology without a base: every field must be there."""
    parts: dict[str, Any] = dict(values)
    missing = []
    for part, kind in _PARTS.items():
        given = values.get(part, {})
        expected = [field.name for field in fields(kind)]
        missing += [f"{part}.{field}" for field in expected if field not in given]
        if unknown := [field for field in given if field not in expected]:
            raise ConfigurationError(f"{part}.{unknown[0]} must be a field{nearest(unknown[0], expected, part + '.')}")
        if not missing:
            parts[part] = kind(**given)
    missing += [field for field in _FIELDS if field not in parts and field not in _PARTS]
    if missing:
        raise ConfigurationError(
            f"a technology without base must give every number, not lack {', '.join(missing)}; "
            f'add them or base = "lp40" ({path})'
        )
    if unknown := [field for field in parts if field not in _FIELDS]:
        raise ConfigurationError(f"settings.{unknown[0]} must be a setting{nearest(unknown[0], _FIELDS)}")
    return Technology(**parts)
