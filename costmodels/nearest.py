"""The hint behind an unknown name: the known one that is spelled most like it."""

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], prefix: str = "") -> str:
    """``"; the nearest is X"``, or the list of all known names where none is close."""
    names = sorted(known)
    found = difflib.get_close_matches(name, names, n=1)
    if found:
        return f"; the nearest is {prefix}{found[0]}"
    return "; known are " + ", ".join(prefix + item for item in names)
