"""Progress: plain lines now and then where stderr is no terminal, nothing when quiet."""

import io
from dataclasses import replace

from dse.progress import PLAIN_EVERY_S, PlainLines, PlainTransfers, counts, found, left, search_progress
from dse.study.progress import Progress, silent

MOMENT = Progress(
    phase="searching",
    done=12,
    failed=1,
    cached=3,
    forbidden=0,
    repeats=0,
    running=2,
    budget=40,
    best={"acc": 0.9751, "energy": 0.4321, "ops": 1200.0},
    hypervolume=1.95372,
    front_size=5,
    elapsed_s=60.0,
    left_s=130.4,
    message="network failed: diverged: NaN",
)


class Clock:
    """Seconds that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_moment_in_words() -> None:
    assert counts(MOMENT) == "13/40 networks, 1 failed, 3 cached"
    assert found(MOMENT) == "best acc 97.5 %, best energy 0.432 µJ, best ops 1,200, front 5, hypervolume 1.954"
    assert left(MOMENT) == "about 2 min 10 s left"


def test_the_beginning_promises_nothing() -> None:
    start = replace(MOMENT, done=0, failed=0, cached=0, best={}, hypervolume=0.0, front_size=0, left_s=None)
    assert (counts(start), found(start), left(start)) == ("0/40 networks", "", "")


def test_time_left_is_told_while_searching_only() -> None:
    assert left(replace(MOMENT, phase="stopping")) == ""


def test_plain_lines_come_at_the_first_at_each_phase_and_after_a_while() -> None:
    clock, stream = Clock(), io.StringIO()
    show = PlainLines(stream, clock)
    steady = replace(MOMENT, failed=0)
    for second in (0.0, 1.0, PLAIN_EVERY_S, PLAIN_EVERY_S + 1):
        clock.now = second
        show(steady)
    show(replace(steady, phase="done"))
    phases = [line.partition(":")[0] for line in stream.getvalue().splitlines()]
    assert phases == ["searching", "searching", "done"]


def test_a_failed_training_is_told_at_once_and_once() -> None:
    stream = io.StringIO()
    show = PlainLines(stream, Clock())
    show(replace(MOMENT, failed=0, message=""))
    show(MOMENT)
    show(replace(MOMENT, message="network 4: accuracy 0.9"))
    assert stream.getvalue().splitlines()[1:] == ["network failed: diverged: NaN"]


def test_quiet_is_silent_and_no_terminal_is_plain() -> None:
    with search_progress(quiet=True) as show:
        assert show is silent
    with search_progress(quiet=False, stream=io.StringIO()) as show:
        assert isinstance(show, PlainLines)


def test_a_terminal_shows_the_bar_and_the_failure(monkeypatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "140")
    for colour in ("", "1"):
        monkeypatch.setenv("NO_COLOR", colour)
        stream = Terminal()
        with search_progress(quiet=False, stream=stream) as show:
            show(MOMENT)
        text = stream.getvalue()
        assert "13/40 networks" in text
        assert "network failed: diverged: NaN" in text
        assert ("\x1b[33m" in text) == (colour == "")


def test_transfers_are_told_when_they_begin_and_end(capsys) -> None:
    show = PlainTransfers()
    for have in (100, 5000, 10_000):
        show("images.gz", have, 10_000)
    captured = capsys.readouterr()
    assert captured.err.splitlines() == ["images.gz: 10,000 bytes", "images.gz: complete"]
    assert captured.out == ""
