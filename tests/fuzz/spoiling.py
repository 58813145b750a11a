"""Documents with one thing wrong: a value replaced by another of any type, taken out, or put in twice."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

Path = tuple[str | int, ...]

NUMBERS = st.one_of(st.integers(-2, 9), st.sampled_from([2**31, 2**63, -(2**63) - 1, 10**30]), st.floats(-2, 2))
PLAIN = st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=6), st.sampled_from(["binary", "../x", "nan"]))
ANYTHING = st.recursive(
    PLAIN, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner, max_size=3))
)


def places(document: Any, path: Path = ()) -> Iterator[Path]:
    """Path of every value inside."""
    inside = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in inside:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


@st.composite
def spoilt(draw: st.DrawFn, document: Any) -> Any:
    """The document with one value changed."""
    copied = copy.deepcopy(document)
    *way, last = draw(st.sampled_from(list(places(copied))))
    around = copied
    for key in way:
        around = around[key]
    change = draw(st.sampled_from(["replace", "replace", "remove", "add"]))
    if change == "replace":
        around[last] = draw(ANYTHING)
    elif change == "remove":
        del around[last]
    elif isinstance(around, list):
        around.insert(last, copy.deepcopy(around[last]))
    else:
        around[draw(st.text(max_size=4))] = draw(ANYTHING)
    return copied
