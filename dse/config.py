"""Settings of the command line: flag before `DSE_*` environment before `dse.toml` before default."""

import difflib
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from costmodels.errors import InputError

FILE_NAME = "dse.toml"
PREFIX = "DSE_"


class ConfigError(InputError):
    """A setting in `dse.toml` or in the environment cannot be used."""


@dataclass(frozen=True)
class Setting:
    """One thing that can be set.

    Attributes:
        name: as in `dse.toml`; the flag is ``--name`` with dashes, the variable ``DSE_NAME``.
        kind: ``"text"``, ``"integer"``, ``"number"``, ``"switch"``, ``"path"`` or ``"list"`` (of texts, parted by ``;``
            in the environment).
        default: value when nothing else says; None leaves the choice to the program.
        meaning: one line for the help.
        least: smallest number allowed; None is no bound.
        choices: allowed texts; empty is any.
    """

    name: str
    kind: str
    default: Any
    meaning: str
    least: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def variable(self) -> str:
        """The environment variable."""
        return PREFIX + self.name.upper()

    @property
    def flag(self) -> str:
        """The flag."""
        return "--" + self.name.replace("_", "-")


SETTINGS: tuple[Setting, ...] = (
    Setting("space", "text", "digits", "search space: a preset or a TOML file (see `dse space list`)"),
    Setting("dataset", "text", None, "data set, if not the one that the space names"),
    Setting("data_dir", "path", None, "folder with downloaded data sets"),
    Setting(
        "objective",
        "text",
        "acc,energy",
        "objectives, comma-separated: acc energy latency area edp dram storage ops, or a formula such as energy*area",
    ),
    Setting("constraint", "list", (), "bound such as 'area_mm2<=0.8'; repeatable"),
    Setting(
        "mode", "text", "nested", "price every machine for each network, or sample both", choices=("nested", "joint")
    ),
    Setting("sampler", "text", "auto", "proposes networks", choices=("auto", "nsga2", "nsga3", "tpe", "gp", "random")),
    Setting("trials", "integer", 40, "trainings to spend", least=1),
    Setting("timeout", "number", None, "stop proposing networks after this many seconds", least=0),
    Setting("until_converged", "switch", False, "stop when the model expects next to nothing of further networks"),
    Setting("workers", "integer", None, "trainings at once, each in its own process", least=1),
    Setting("dask", "text", None, "train on a cluster: a scheduler's address, or a YAML file of a job queue"),
    Setting("seed", "integer", 0, "of every random choice", least=0),
    Setting("device", "text", "auto", "where networks are trained", choices=("auto", "cpu", "cuda")),
    Setting("refine", "integer", 9, "front networks trained longer and then scored on the test set", least=0),
    Setting("results_dir", "path", "results", "folder that holds studies"),
    Setting("cache_dir", "path", None, "folder of trained networks, shared by all studies"),
    Setting("technology", "text", None, "technology of the cost model: a name or a TOML file"),
    Setting("dram", "number", None, "energy of one DRAM bit in pJ, in place of the technology's", least=0),
)
BY_NAME: dict[str, Setting] = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True)
class Resolved:
    """A value and where it came from: ``flag --trials``, ``DSE_TRIALS``, ``dse.toml line 3`` or ``default``."""

    value: Any
    source: str


def resolve(
    flags: Mapping[str, Any], environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> dict[str, Resolved]:
    """Every setting with its source.

    Args:
        flags: what the command line gave; None or an empty list is "not given".
        environment: in place of the process's own.
        folder: where `dse.toml` lies, in place of the working folder.

    Raises:
        ConfigError: an unknown key or a value of the wrong kind, in the file or the environment.
    """
    variables = os.environ if environment is None else environment
    lines = read_file((folder or Path()) / FILE_NAME)
    return {setting.name: _resolve_one(setting, flags, variables, lines) for setting in SETTINGS}


def _resolve_one(
    setting: Setting, flags: Mapping[str, Any], variables: Mapping[str, str], file: Mapping[str, Resolved]
) -> Resolved:
    given = flags.get(setting.name)
    if given is not None and given != []:
        return Resolved(checked(setting, given, f"flag {setting.flag}"), f"flag {setting.flag}")
    text = variables.get(setting.variable, "")
    if text:
        return Resolved(checked(setting, _from_text(setting, text), setting.variable), setting.variable)
    if setting.name in file:
        return file[setting.name]
    return Resolved(checked(setting, setting.default, "default"), "default")


def read_file(path: Path) -> dict[str, Resolved]:
    """The settings in a `dse.toml`; none when there is no such file."""
    if not path.is_file():
        return {}
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} must be valid TOML: {error}") from None
    problems = [_unknown(key, path, text) for key in data if key not in BY_NAME]
    if problems:
        raise ConfigError("\n".join(problems))
    return {key: _from_file(BY_NAME[key], value, path, text) for key, value in data.items()}


def _from_file(setting: Setting, value: Any, path: Path, text: str) -> Resolved:
    source = f"{path} line {_line_of(setting.name, text)}"
    value = checked(setting, value, source)
    if setting.kind == "path" and value is not None:
        value = path.parent / value  # a path in a file means the same from wherever it is read
    return Resolved(value, source)


def _unknown(key: str, path: Path, text: str) -> str:
    near = difflib.get_close_matches(key.replace("-", "_"), BY_NAME, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(BY_NAME)}"
    return f"{path} line {_line_of(key, text)}: {key!r} must be a setting; {hint}"


def _line_of(key: str, text: str) -> int:
    from searchspaces.toml_lines import key_lines

    return key_lines(text)[(key,)]


def _from_text(setting: Setting, text: str) -> Any:
    """The value that an environment variable spells; text that is no number is left for `checked` to refuse."""
    if setting.kind == "list":
        return [part.strip() for part in text.split(";") if part.strip()]
    if setting.kind == "switch":
        return {"true": True, "false": False}.get(text.lower(), text)
    if setting.kind in ("integer", "number"):
        try:
            return int(text) if setting.kind == "integer" else float(text)
        except ValueError:
            return text
    return text


def checked(setting: Setting, value: Any, where: str) -> Any:
    """``value`` in the type of the setting.

    Raises:
        ConfigError: the value is of another kind, too small, or not among the choices.
    """
    if value is None:
        return None
    rule, fits, convert = _KINDS[setting.kind]
    if not fits(value):
        raise ConfigError(f"{setting.name} must be {rule}, not {value!r} ({where})")
    if setting.least is not None and not value >= setting.least:
        raise ConfigError(f"{setting.name} must be at least {setting.least:g}, not {value} ({where})")
    if setting.choices and value not in setting.choices:
        near = difflib.get_close_matches(str(value), setting.choices, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ConfigError(f"{setting.name} must be one of {', '.join(setting.choices)}, not {value!r} ({where}){hint}")
    return convert(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(part, str) for part in value)


_KINDS: dict[str, tuple[str, Callable[[Any], bool], Callable[[Any], Any]]] = {
    "text": ("a text", lambda value: isinstance(value, str) and value != "", str),
    "path": ("a path", lambda value: isinstance(value, str | Path), Path),
    "integer": ("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool), int),
    "number": ("a number", _is_number, float),
    "switch": ("true or false", lambda value: isinstance(value, bool), bool),
    "list": ("a list of texts", _is_list, tuple),
}
