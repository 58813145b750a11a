"""The command line: any words are understood or refused; commands that only read are carried out."""

import functools
import os
from collections.abc import Iterator
from pathlib import Path

import typer
from stored import small_study
from target import Target
from typer.testing import CliRunner

from dse.cli import app

READING = {"front", "show", "cost", "list", "check", "compare"}
"""Commands that start and draw nothing; of the others the words alone are taken apart."""

CODES = {0, 2, 3}
WORDS = """front results/study|front study --json|show results/study 0|show study 0-3 --json|show study 2 --refined
cost results/c.toml --dram 4.6 --technology lp40|space list|space check digits|space show digits|config show --json
search --space digits --trials 3 --objective acc,energy*area --constraint area_mm2<=1 --seed 2 --refine 0 --name a
search --resume results/study --trials 9 -q|recost study --dram 4.6|export study 0-1 --to rtl -o out|data list
train config.toml -o out --device cpu|verify out --simulator iverilog|worker tcp://127.0.0.1:1 --slots 2 --threads 1
scheduler --host 127.0.0.1 --port 8786 --tls|report study -o out.html|dashboard results --port 8050|--version|-h
reproduce --budget small|synth out|calibrate --exclude-recalled|doctor|data fetch mnist --data-dir d"""


def _begin(folder: Path) -> list[bytes]:
    small_study(folder)
    os.chdir(folder)
    for each in _commands(app):
        each.callback = each.callback if (each.name or "") in READING else _nothing_done(each.callback)
    return [line.replace(" ", "\n").encode() for text in WORDS.splitlines() for line in text.split("|")]


def _commands(group: typer.Typer) -> Iterator[typer.models.CommandInfo]:
    yield from group.registered_commands
    for inner in group.registered_groups:
        if inner.typer_instance:
            yield from _commands(inner.typer_instance)


def _nothing_done(command):  # type: ignore[no-untyped-def]
    """A command with the same words that does nothing."""
    return functools.wraps(command)(lambda *_, **__: None)


def _read(data: bytes, _: Path) -> None:
    words = data.replace(b"\0", b"").decode("utf-8", "surrogateescape").split("\n")
    result = CliRunner().invoke(app, words, prog_name="dse")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code in CODES, f"exit code {result.exit_code}"


TARGETS = (Target("program", _begin, _read, 0.2),)
