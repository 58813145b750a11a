"""Two streams: results on stdout, everything else on stderr; tables that fold on a terminal and never when piped."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

PIPED_WIDTH = 100_000  # columns: a piped table is as wide as its content


class Column(NamedTuple):
    """Heading of a table column; ``fold`` lets its text wrap where the terminal is narrow."""

    title: str
    align: Literal["left", "right"] = "left"
    fold: bool = False


def say(text: str = "") -> None:
    """One result on stdout."""
    sys.stdout.write(text + "\n")


def note(text: str = "") -> None:
    """One remark on stderr."""
    sys.stdout.flush()  # so that results and remarks keep their order where both go to one place
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def say_json(data: Any) -> None:
    """A result as JSON on stdout; NaN and infinity are refused, since JSON has no word for them."""
    say(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False))


def colours_wanted(stream: Any) -> bool:
    """True for a terminal, unless NO_COLOR or a dumb terminal says otherwise."""
    return bool(stream.isatty()) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def say_table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
    """A table on stdout: folded to a terminal's width, one line a row when piped."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = sys.stdout.isatty()
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        wraps = column.fold and terminal
        table.add_column(Text(column.title), justify=column.align, no_wrap=not wraps, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # Text, not markup: a study's words may hold brackets
    width = None if terminal else PIPED_WIDTH
    plain = not colours_wanted(sys.stdout)
    console = Console(file=sys.stdout, width=width, no_color=plain, force_terminal=terminal, highlight=False)
    with console.capture() as capture:
        console.print(table)
    say("\n".join(line.rstrip() for line in capture.get().splitlines()))


def counted(number: int, noun: str) -> str:
    """``1 point``, ``2 points``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def duration(seconds: float) -> str:
    """``45 s``, ``3 min 05 s`` or ``2 h 07 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
