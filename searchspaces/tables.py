"""Reads the tables of a document by rules, keeping every problem instead of stopping at the first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from searchspaces.document import Document
from searchspaces.errors import Problem, SpaceError, nearest, shown
from searchspaces.rules import REQUIRED, Rule
from searchspaces.toml_lines import Path as KeyPath


@dataclass
class TableReader:
    """Reads ``document`` and collects ``problems``.

    Where a value is broken, what is read is the part of it that is sound, or the rule's neutral choices: good enough to
    look for further problems, never for use, since there is a problem to raise.

    Attributes:
        single: the file describes one candidate, so lists of choices are refused.
        absent: tables that are not there, whose keys are not asked for one by one.
    """

    document: Document
    single: bool = False
    problems: list[Problem] = field(default_factory=list)
    absent: set[KeyPath] = field(default_factory=set)

    def refuse(self, path: KeyPath, subject: str, rule: str, value: object = None, fix: str = "") -> None:
        """Add a problem at the line of ``path``; a ``value`` of None is not shown."""
        text = "" if value is None else shown(value)
        self.problems.append(Problem(subject, rule, text, self.document.where(*path), fix))

    def table(self, path: KeyPath, required: bool = True) -> dict[str, Any]:
        """The table at ``path``; an empty one, with a problem, where there is none or it is something else."""
        value: Any = self.document.data
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, dict):
            return value
        name = ".".join(map(str, path))
        if value is not None:
            self.refuse(path, name, "be a table", value, f"write [{name}]")
        elif required:
            self.refuse(path, name, "be there", None, f"add a table [{name}]")
        self.absent.add(path)
        return {}

    def unknown_keys(self, path: KeyPath, table: Mapping[str, Any], known: Iterable[str], name: str) -> None:
        """Refuse each key of ``table`` that is not ``known``."""
        names = list(known)
        for key in table:
            if key not in names:
                rule = f"be one of {', '.join(names)}"
                self.refuse((*path, key), f"{name}{key}", rule, key, nearest(key, names))

    def choices(self, path: KeyPath, table: Mapping[str, Any], rule: Rule, subject: str) -> tuple[Any, ...]:
        """Choices of the key that ``path`` ends in: a list, or a scalar that stands for a list of one."""
        if path[-1] not in table:
            if rule.default is not REQUIRED:
                return rule.default  # type: ignore[return-value]
            self._missing(path, rule, subject)
            return rule.neutral
        value = table[str(path[-1])]
        if isinstance(value, list) and self.single:
            self.refuse(path, subject, f"{rule.text}, one value in a candidate", value, "take one of the list")
            return rule.neutral
        listed = value if isinstance(value, list) else [value]
        if not listed:
            self.refuse(path, subject, "have at least one choice", value, f"each choice must {rule.text}")
            return rule.neutral
        places = [(*path, index) if isinstance(value, list) else path for index in range(len(listed))]
        return self._sound(places, listed, rule, subject) or rule.neutral

    def _sound(self, places: list[KeyPath], listed: list[Any], rule: Rule, subject: str) -> tuple[Any, ...]:
        sound: list[Any] = []
        for place, choice in zip(places, listed, strict=True):
            if not rule.accepts(choice):
                self.refuse(place, subject, rule.text, choice, _likely(choice, rule))
            elif choice in sound:
                self.refuse(place, subject, "not repeat a choice", listed, f"drop one {shown(choice)}")
            else:
                sound.append(choice)
        return tuple(sound)

    def scalar(self, path: KeyPath, table: Mapping[str, Any], rule: Rule, subject: str, default: Any = None) -> Any:
        """The one value of the key that ``path`` ends in; ``default`` where it is absent or, with a problem, broken."""
        if path[-1] not in table:
            if rule.default is REQUIRED and default is None:
                self._missing(path, rule, subject)
            return default
        value = table[str(path[-1])]
        if rule.accepts(value):
            return value
        self.refuse(path, subject, rule.text, value, _likely(value, rule))
        return default

    def _missing(self, path: KeyPath, rule: Rule, subject: str) -> None:
        if path[:-1] not in self.absent:  # otherwise the table as a whole has been asked for
            self.refuse(path, subject, rule.text, None, "it is missing")

    def finish(self) -> None:
        """Raise the problems, if there are any.

        Raises:
            SpaceError: all of them, in file order.
        """
        if self.problems:
            raise SpaceError(sorted(self.problems, key=_line))


def _line(problem: Problem) -> tuple[str, int]:
    file, _, line = problem.where.rpartition(":")
    return (file, int(line)) if line.isdigit() else (problem.where, 0)


def _likely(value: object, rule: Rule) -> str:
    """The choice that a mistyped text means, or a number that was written as text."""
    if isinstance(value, str):
        if value.isdigit() and rule.accepts(int(value)):
            return f"write {value} without quotes"
        return nearest(value, [choice for choice in rule.neutral if isinstance(choice, str)])
    if value == 1 and "binary" in rule.neutral:
        return 'one-bit weights are written "binary"'
    return ""
