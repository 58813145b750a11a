"""Toggles of an exported machine by module and layer, from the value changes that Icarus writes.

A signal counts in every module that it enters, as a wire there: ports have names of their own. A bit counts from one
known value to the next; bits of memories that were never written are unknown. Glitches within a cycle are not written.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib import resources
from typing import NamedTuple

from dse.export.rtl_export import FILES, TOP

INSTANCE = re.compile(rf"^ +({'|'.join(FILES)}) (?:#\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\) )?(\w+) \(", re.MULTILINE)
RUNNING = "layer_number"  # the signal that holds the number of the layer that runs
VALUE, KNOWN = str.maketrans("01xz", "0100"), str.maketrans("01xz", "1100")


class Wires(NamedTuple):
    """A signal in a module, and its bits."""

    module: str
    bits: int


def modules_by_instance() -> dict[str, str]:
    """Instance name to module; a name stands for one module only."""
    source = resources.files("dse.export").joinpath("rtl")
    found = [each for name in FILES for each in INSTANCE.findall(source.joinpath(f"{name}.sv").read_text())]
    names = {instance: module for module, instance in found}
    assert all(names[instance] == module for module, instance in found), found
    return names | {"machine": TOP}


def header(lines: Iterator[str]) -> tuple[dict[str, Wires], str]:
    """Identifier to signal, and the identifier of `RUNNING`; the lines behind the header are left."""
    modules, scopes = modules_by_instance(), list[str]()
    found, running = dict[str, Wires](), ""
    for line in lines:
        words = line.split()
        if words[:1] == ["$scope"]:
            scopes.append(words[2])
        elif words[:1] == ["$upscope"]:
            scopes.pop()
        elif words[:1] == ["$var"]:
            module = next(modules[scope] for scope in reversed(scopes) if scope in modules)
            found.setdefault(words[3], Wires(module, int(words[2])))
            running = running or (words[3] if words[4] == RUNNING else "")
        elif words[:1] == ["$enddefinitions"]:
            break
    return found, running


def wires(lines: Iterable[str]) -> Counter[str]:
    """Module to the bits of its signals."""
    signals, _ = header(iter(lines))
    found = Counter[str]()
    for signal in signals.values():
        found[signal.module] += signal.bits
    return found


def toggles(lines: Iterable[str]) -> Counter[tuple[str, int]]:
    """Module and number of the running layer to bits that changed; filling before the first layer counts for it."""
    rest = iter(lines)
    signals, running = header(rest)
    changed, layer = Counter[tuple[str, int]](), 0
    before: dict[str, tuple[int, int]] = {}
    for line in rest:
        if line[0] not in "01xzb":
            continue
        text, name = line[1:].split() if line[0] == "b" else (line[0], line[1:].strip())
        value, known = known_bits(text, signals[name].bits)
        last, last_known = before.get(name, (value, 0))
        if turned := ((value ^ last) & known & last_known).bit_count():
            changed[signals[name].module, layer] += turned
        before[name] = value, known
        if name == running:
            layer = value
    return changed


def known_bits(text: str, bits: int) -> tuple[int, int]:
    """Value and mask of the known bits; leading bits that repeat an unknown first one, or 0, are not written."""
    if "x" not in text and "z" not in text:
        return int(text, 2), -1
    whole = text.rjust(bits, text[0] if text[0] in "xz" else "0")
    return int(whole.translate(VALUE), 2), int(whole.translate(KNOWN), 2)
