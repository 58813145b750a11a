"""Commands in Markdown: fenced blocks marked ``sh``, each with what a comment above it says to a test.

``<!-- test: installs -->`` and ``<!-- test: network -->`` are left to installation and to a reader with a network,
``<!-- test: options -->`` checks only that the program has the options (its run takes long), ``<!-- test: exits 2 -->``
ends with that code, ``<!-- test: data mnist -->`` needs that data set, ``<!-- test: program verilator -->`` that
program, and ``<!-- test: stand-in images -->`` trains on made-up images in place of MNIST.
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"(?:<!-- test: (?P<mark>[^>]*?) -->\n)?^```sh\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
SHORT = "\n[training.short]\nepochs = 1\ntrain_samples = 100\n"
"""A training that says nothing of a network, and takes no time."""
QUICK = "quick.toml"
"""The space digits with such trainings."""
COMMANDS = ("dse ", "make ", "python ", "pip ", "source ")


@dataclass(frozen=True)
class Block:
    """Commands of one fence: ``where`` is file and line, ``mark`` the words of the comment above."""

    where: str
    mark: str
    text: str


def pages() -> list[Path]:
    """README, CONTRIBUTING and every page of the documentation."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("**/*.md"))]


def blocks(page: Path) -> list[Block]:
    """The commands of a page in order."""
    text = page.read_text(encoding="utf-8")
    lines = [(found, text.count("\n", 0, found.start("text")) + 1) for found in BLOCK.finditer(text)]
    name = page.relative_to(ROOT) if page.is_relative_to(ROOT) else page
    return [Block(f"{name}:{line}", found["mark"] or "", found["text"]) for found, line in lines]


def outside_fences(page: Path) -> list[str]:
    """Lines that look like commands in indented code, where no test would find them."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    return [line for line in text.splitlines() if line.startswith("    ") and line.strip().startswith(COMMANDS)]


def cut(text: str) -> str:
    """The commands with a small budget: one short training, two where a search goes on, none longer.

    `make search` becomes the search that the Makefile runs, any other `make` a dry run.
    """
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    searched = re.search(r"^search:.*\n\t\S*/(dse .*)$", makefile, re.MULTILINE)
    assert searched, "the Makefile must have a target search that calls dse"
    text = re.sub(r"^make search\b.*", searched[1], text, flags=re.MULTILINE)
    text = re.sub(r'(extends = "digits"\n(?:.*\n)*?)(END\n)', rf"\1{SHORT}\2", text)
    text = text.replace("--space digits", f"--space {QUICK}")
    text = re.sub(r"(--resume .*--trials) \d+", r"\1 2", text)
    text = re.sub(r"^(?!.*--resume)(.*--trials) \d+", r"\1 1", text, flags=re.MULTILINE)
    return re.sub(r"^make ", "make -n ", re.sub(r"--refine \d+", "--refine 0", text), flags=re.MULTILINE)
