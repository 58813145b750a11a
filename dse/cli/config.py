"""`dse config`: which value of each setting holds here, and where it came from."""

from typing import Any

import typer

from dse.cli.options import Json
from dse.config import FILE_NAME, SETTINGS, Resolved, resolve
from dse.console import Column, note, say_json, say_table

app = typer.Typer(no_args_is_help=True, help="Show the settings that hold here.")


@app.callback()
def group() -> None:
    """Show the settings that hold here."""


@app.command()
def show(json: Json = False) -> None:
    """Print every setting, its value, and where the value came from.

    A flag wins over the environment (DSE_NAME), that over dse.toml in the working folder, that over the default.
    """
    resolved = resolve({})
    if json:
        say_json({name: {"value": _plain(item), "source": item.source} for name, item in resolved.items()})
        return
    columns = [Column("setting"), Column("value"), Column("from"), Column("meaning", fold=True)]
    say_table(columns, [(s.name, _words(resolved[s.name]), resolved[s.name].source, s.meaning) for s in SETTINGS])
    note(f"A flag wins over the environment, that over {FILE_NAME} in the working folder, that over the default.")


def _plain(resolved: Resolved) -> Any:
    value = resolved.value
    return value if value is None or isinstance(value, str | int | float) else _as_json(value)


def _as_json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else str(value)


def _words(resolved: Resolved) -> str:
    value = resolved.value
    if value is None or value == ():
        return "-"
    return "; ".join(value) if isinstance(value, tuple) else str(value)
