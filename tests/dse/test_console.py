"""Tables and durations on a terminal and in a pipe."""

import io
import sys

import pytest

from dse.console import Column, counted, duration, say_json, say_table

COLUMNS = [Column("id"), Column("energy", "right"), Column("network", fold=True)]
ROWS = [("0-1", "12.3", " ".join(["conv1 binary 32ch [bold]"] * 6)), ("11-204", "4.56", "short")]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_piped_table_has_one_line_a_row_and_nothing_but_text(capsys: pytest.CaptureFixture[str]) -> None:
    say_table(COLUMNS, ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["id", "energy", "network"]
    assert [line.split()[0] for line in lines[1:]] == ["0-1", "11-204"]
    assert lines[1].endswith("[bold]")
    assert lines[1].index("12.3") + len("12.3") == lines[2].index("4.56") + len("4.56")
    assert all(line == line.rstrip() and "\x1b" not in line for line in lines)


def test_a_terminal_folds_long_words_and_loses_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    say_table(COLUMNS, ROWS)
    text = stream.getvalue()
    assert text.count("[bold]") == 6
    assert len(text.splitlines()) > 3


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 s"),
        (9.96, "10.0 s"),
        (45.2, "45 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (7620, "2 h 07 min"),
    ],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_one_is_not_many() -> None:
    assert [counted(n, "point") for n in (0, 1, 2, 1200)] == ["0 points", "1 point", "2 points", "1,200 points"]


def test_json_refuses_what_json_has_no_word_for() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        say_json({"a": float("inf")})
