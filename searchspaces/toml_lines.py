"""The line of every key in a TOML text, which tomllib does not keep; for texts that tomllib has accepted."""

from bisect import bisect_left

Path = tuple[str | int, ...]


def key_lines(text: str) -> dict[Path, int]:
    """Path of each table, key and array element to its line, counted from 1.

    Paths are those of the parsed data: ``("network", "layers", 1, "channels")``. The text must be valid TOML.
    """
    scanner = _Scanner(text)
    scanner.scan()
    return scanner.lines


class _Scanner:
    """Walks the text once; ``at`` is the next character, ``table`` the path of the table being filled."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.table: Path = ()
        self.counts: dict[Path, int] = {}
        self.lines: dict[Path, int] = {}
        self.ends = [at for at, character in enumerate(text) if character == "\n"]

    def scan(self) -> None:
        """Record every header and every key of the text."""
        self.skip_space()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                self.header()
            else:
                self.pair(self.table)
            self.skip_space()

    def record(self, path: Path) -> None:
        self.lines.setdefault(path, bisect_left(self.ends, self.at) + 1)

    def skip_space(self, extra: str = "") -> None:
        """Move past blanks, line ends, comments and the characters of ``extra``."""
        while self.at < len(self.text):
            if self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif self.text[self.at] in " \t\r\n" or self.text[self.at] in extra:
                self.at += 1
            else:
                return

    def header(self) -> None:
        """``[a.b]`` or ``[[a.b]]``: later keys belong to that table."""
        doubled = self.text.startswith("[[", self.at)
        self.at += 2 if doubled else 1
        names = self.key()
        self.table = self.resolve(names[:-1]) + names[-1:]
        if doubled:
            index = self.counts.get(self.table, -1) + 1
            self.counts[self.table] = index
            self.record(self.table)
            self.table = (*self.table, index)
        else:
            self.table = self.resolve(names)
        self.record(self.table)
        self.at = self.text.index("]", self.at) + (2 if doubled else 1)

    def resolve(self, names: Path) -> Path:
        """``names`` with the index of the newest element behind each array of tables."""
        path: Path = ()
        for name in names:
            path = (*path, name)
            if path in self.counts:
                path = (*path, self.counts[path])
        return path

    def pair(self, table: Path) -> None:
        """``key = value``."""
        start = self.at
        names = self.key()
        end, self.at = self.at, start
        for depth in range(1, len(names) + 1):
            self.record(table + names[:depth])
        self.at = self.text.index("=", end) + 1
        self.skip_space()
        self.value(table + names)

    def key(self) -> Path:
        """The parts of a dotted key, up to ``=`` or ``]``."""
        names: list[str] = []
        self.skip_space()
        while True:
            if self.text[self.at] in "\"'":
                start = self.at + 1
                self.string()
                names.append(self.text[start : self.at - 1])
            else:
                start = self.at
                while self.text[self.at] not in " \t.=]":
                    self.at += 1
                names.append(self.text[start : self.at])
            self.skip_space()
            if self.text[self.at] != ".":
                return tuple(names)
            self.at += 1
            self.skip_space()

    def value(self, path: Path) -> None:
        """Move past a value, recording what an array or an inline table holds."""
        if self.text[self.at] == "[":
            self.array(path)
        elif self.text[self.at] == "{":
            self.inline_table(path)
        elif self.text[self.at] in "\"'":
            self.string()
        else:
            while self.at < len(self.text) and self.text[self.at] not in ",]}#\n":
                self.at += 1

    def array(self, path: Path) -> None:
        self.at += 1
        index = 0
        self.skip_space(",")
        while self.text[self.at] != "]":
            self.record((*path, index))
            self.value((*path, index))
            index += 1
            self.skip_space(",")
        self.at += 1

    def inline_table(self, path: Path) -> None:
        self.at += 1
        self.skip_space(",")
        while self.text[self.at] != "}":
            self.pair(path)
            self.skip_space(",")
        self.at += 1

    def string(self) -> None:
        """Move past a string of any of the four kinds."""
        quote = self.text[self.at]
        mark = quote * 3 if self.text.startswith(quote * 3, self.at) else quote
        self.at += len(mark)
        while not self.text.startswith(mark, self.at):
            self.at += 2 if quote == '"' and self.text[self.at] == "\\" else 1
        self.at += len(mark)
        while len(mark) == 3 and self.text.startswith(quote, self.at):  # a quote that ends the text of the string
            self.at += 1
