"""A TOML file as data with the place of every key, and the presets it extends merged in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from costmodels.toml_text import read_toml
from searchspaces.errors import Problem, SpaceError, nearest, shown
from searchspaces.toml_lines import Path as KeyPath
from searchspaces.toml_lines import key_lines

PRESET_FOLDER = Path(__file__).parent / "presets"
LAYERS: KeyPath = ("network", "layers")


@dataclass(frozen=True)
class Document:
    """``data`` as tomllib reads it; ``places`` holds ``file:line`` of each path; ``origin`` names the file."""

    data: dict[str, Any]
    places: Mapping[KeyPath, str]
    origin: str

    def where(self, *path: str | int) -> str:
        """``file:line`` of the key, or of the nearest table around it that has a line."""
        for depth in range(len(path), 0, -1):
            if path[:depth] in self.places:
                return self.places[path[:depth]]
        return self.origin


def preset_names() -> list[str]:
    """Names of the presets shipped with the package, sorted."""
    return sorted(path.stem for path in PRESET_FOLDER.glob("*.toml"))


def read(name_or_path: str | Path) -> Document:
    """The document of a preset or a file, with what it extends merged in.

    Raises:
        SpaceError: there is no such preset or file, it is not TOML, or what it extends cannot be used.
    """
    if str(name_or_path) in preset_names():
        return _extended(read_file(PRESET_FOLDER / f"{name_or_path}.toml"))
    path = Path(name_or_path)
    if path.suffix != ".toml" and not path.is_file():
        hint = nearest(str(name_or_path), preset_names())
        rule = f"be one of {', '.join(preset_names())}, or a .toml file"
        raise SpaceError([Problem("space", rule, shown(str(name_or_path)), "presets", hint)])
    return _extended(read_file(path))


def read_file(path: Path) -> Document:
    """The document of one TOML file as it stands.

    Raises:
        SpaceError: the file is missing, unreadable or not TOML.
    """
    try:
        text, data = read_toml(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        fix = f"{reason}; presets are {', '.join(preset_names())}"
        raise SpaceError([Problem("file", "be readable text", "", str(path), fix)]) from error
    except ValueError as error:
        line = re.search(r"at line (\d+)", str(error))
        place = f"{path}:{line[1]}" if line else str(path)
        raise SpaceError([Problem("file", "be TOML", "", place, str(error))]) from error
    places = {key: f"{path}:{line}" for key, line in key_lines(text).items()}
    return Document(data, places, str(path))


def _extended(document: Document) -> Document:
    """``document`` laid over the preset that its ``[space] extends`` names, if any."""
    space = document.data.get("space")
    if not isinstance(space, dict) or "extends" not in space:
        return document
    base = space.pop("extends")
    known = [name for name in preset_names() if PRESET_FOLDER / f"{name}.toml" != Path(document.origin)]
    if base not in known:
        rule = f"be one of {', '.join(known)}"
        place = document.where("space", "extends")
        raise SpaceError([Problem("space.extends", rule, shown(base), place, nearest(str(base), known))])
    return _overlaid(read(base), document)


def _overlaid(base: Document, over: Document) -> Document:
    """``base`` with the keys of ``over`` in their place: tables merge, layers merge by name, all else is replaced."""
    moved = _layer_numbers(base, over)
    places = dict(base.places)
    places.update({_moved(path, moved): place for path, place in over.places.items()})
    return Document(_merged(base.data, over.data, moved), places, over.origin)


def _layer_numbers(base: Document, over: Document) -> dict[int, int]:
    """Index of each layer of ``over`` to the index of the layer of ``base`` with the same name."""
    names = [layer["name"] for layer in base.data["network"]["layers"]]
    network = over.data.get("network", {})
    layers = network.get("layers", []) if isinstance(network, dict) else []
    moved: dict[int, int] = {}
    problems: list[Problem] = []
    for index, layer in enumerate(layers if isinstance(layers, list) else []):
        name = layer.get("name") if isinstance(layer, dict) else None
        if name in names and names.index(name) not in moved.values():
            moved[index] = names.index(name)
        else:
            twice = "write its keys in one table" if name in names else ""
            fix = twice or nearest(str(name), names) or "to change the list of layers, write the space without extends"
            place = over.where(*LAYERS, index, "name")
            problems.append(Problem("layer name", f"be one of {', '.join(names)}, each once", shown(name), place, fix))
    if problems:
        raise SpaceError(problems)
    return moved


def _moved(path: KeyPath, moved: dict[int, int]) -> KeyPath:
    if path[:2] == LAYERS and len(path) > 2 and isinstance(path[2], int):
        return (*LAYERS, moved[path[2]], *path[3:])
    return path


def _merged(base: Any, over: Any, moved: dict[int, int], path: KeyPath = ()) -> Any:
    if path == LAYERS and isinstance(over, list):
        layers = list(base)
        for index, target in moved.items():
            layers[target] = {**layers[target], **over[index]}
        return layers
    if isinstance(base, dict) and isinstance(over, dict):
        shared = {key: _merged(base[key], over[key], moved, (*path, key)) for key in over if key in base}
        return {**base, **over, **shared}
    return over
