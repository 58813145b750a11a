"""What is wrong with a space or candidate file: every problem at once, each with its place and its fix."""

import difflib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from costmodels.errors import InputError


@dataclass(frozen=True)
class Problem:
    """One thing to mend.

    Attributes:
        subject: the key, as the file or the gene names it (``conv2.weights``).
        rule: what the subject must be, without "must".
        value: what it is instead, as TOML shows it; empty where the key is absent.
        where: ``file:line``, or the file alone where no line is known.
        fix: what to do, empty where the rule already says so.
    """

    subject: str
    rule: str
    value: str
    where: str
    fix: str = ""

    def __str__(self) -> str:
        instead = f", not {self.value}" if self.value else ""
        fix = f"; {self.fix}" if self.fix else ""
        return f"{self.subject} must {self.rule}{instead} ({self.where}){fix}"


class SpaceError(InputError):
    """A search space, a candidate file or a set of parameters cannot be used; ``problems`` says why, in file order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def nearest(word: str, known: Sequence[str]) -> str:
    """``did you mean 'x'?`` for the known name nearest to ``word``, or an empty string."""
    close = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else ""


def shown(value: object) -> str:
    """``value`` as a TOML file would write it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # TOML has the escapes of JSON
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(shown(item) for item in value)}]"
    if isinstance(value, dict):
        return "a table"
    return str(value)
