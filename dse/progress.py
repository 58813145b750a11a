"""Progress on stderr: live on a terminal, a plain line now and then elsewhere, nothing when asked to be quiet."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from dse.console import colours_wanted, duration, note
from dse.objectives import parse_objectives
from dse.study.progress import OnProgress, Progress, silent
from dse.words import amount

PLAIN_EVERY_S = 20.0
"""Seconds between lines where stderr is a file or a pipe."""

Transfer = Callable[[str, int, int], None]


def counts(progress: Progress) -> str:
    """``12/40 networks, 1 failed, 3 cached``."""
    words = [f"{progress.done + progress.failed}/{progress.budget} networks"]
    words += [f"{progress.failed} failed"] * bool(progress.failed) + [f"{progress.cached} cached"] * bool(
        progress.cached
    )
    return ", ".join(words)


def found(progress: Progress) -> str:
    """Best of each objective, size of the front and hypervolume, as far as known."""
    words = [f"best {name} {_best(name, value)}" for name, value in progress.best.items()]
    words += [f"front {progress.front_size}"] * bool(progress.front_size)
    words += [f"hypervolume {amount(progress.hypervolume, 4)}"] * bool(progress.hypervolume)
    return ", ".join(words)


def _best(name: str, value: float) -> str:
    (objective,) = parse_objectives(name)
    return f"{100 * value:.1f} %" if objective.column == "accuracy" else f"{amount(value)} {objective.unit}".strip()


def left(progress: Progress) -> str:
    """``about 2 min 10 s left``, or nothing."""
    return f"about {duration(progress.left_s)} left" if progress.left_s and progress.phase == "searching" else ""


@contextmanager
def search_progress(
    quiet: bool, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
) -> Iterator[OnProgress]:
    """A function to call with each new state of a search."""
    target = stream or sys.stderr
    if quiet:
        yield silent
    elif target.isatty():
        with _live(target) as show:
            yield show
    else:
        yield PlainLines(target, clock)


class PlainLines:
    """Writes a line when the phase changes, when a training fails, and every `PLAIN_EVERY_S` seconds.

    Attributes:
        stream: where to.
        clock: seconds, of any origin.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        self.stream = stream
        self.clock = clock
        self._next = clock()
        self._phase = ""
        self._failed = 0

    def __call__(self, progress: Progress) -> None:
        if progress.failed > self._failed:
            self.stream.write(f"{progress.message}\n")
        self._failed = progress.failed
        if progress.phase != self._phase or self.clock() >= self._next:
            self._phase, self._next = progress.phase, self.clock() + PLAIN_EVERY_S
            words = (counts(progress), found(progress), left(progress))
            self.stream.write(f"{progress.phase}: {'; '.join(word for word in words if word)}\n")
        self.stream.flush()


@contextmanager
def _live(stream: TextIO) -> Iterator[OnProgress]:
    """A bar and a line below it, drawn over themselves; a failed training leaves a line above."""
    from rich.console import Console, Group
    from rich.live import Live
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars
    from rich.text import Text

    console = Console(file=stream, no_color=not colours_wanted(stream), highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=32), TextColumn("{task.fields[counts]}"))
    bars = Bars(*columns, TimeElapsedColumn(), TextColumn("{task.fields[left]}"), console=console)
    task = bars.add_task("starting", total=None, counts="", left="")
    failed = 0
    with Live(bars, console=console, refresh_per_second=4) as live:

        def show(progress: Progress) -> None:
            nonlocal failed
            if progress.failed > failed:
                console.print(Text(progress.message, style="yellow"))
            failed, spent = progress.failed, progress.done + progress.failed
            texts: dict[str, Any] = {"counts": counts(progress), "left": left(progress)}
            bars.update(task, description=progress.phase, completed=spent, total=progress.budget, **texts)
            live.update(Group(bars, Text(found(progress), overflow="fold")))

        yield show


@contextmanager
def transfer_bar(quiet: bool) -> Iterator[Transfer]:
    """A function to call with file, bytes there, and bytes in all while a download runs."""
    if quiet:
        yield lambda name, have, size: None
    elif sys.stderr.isatty():
        with _transfer_live() as show:
            yield show
    else:
        yield PlainTransfers()


class PlainTransfers:
    """Writes a line when a file begins and when it is complete."""

    def __init__(self) -> None:
        self._begun: set[str] = set()

    def __call__(self, name: str, have: int, size: int) -> None:
        if name not in self._begun:
            self._begun.add(name)
            note(f"{name}: {size:,} bytes")
        if have >= size:
            note(f"{name}: complete")


@contextmanager
def _transfer_live() -> Iterator[Transfer]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    console = Console(file=sys.stderr, no_color=not colours_wanted(sys.stderr))
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    tasks: dict[str, Any] = {}
    with Progress(*columns, console=console) as bar:

        def show(name: str, have: int, size: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=size)
            bar.update(tasks[name], completed=have, total=size)

        yield show
