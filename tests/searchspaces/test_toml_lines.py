"""Lines of keys: a nasty document by hand, and generated documents whose lines are known by construction."""

import tomllib

from hypothesis import given, settings
from hypothesis import strategies as st

from searchspaces.toml_lines import key_lines

NASTY = '''# a # comment with [brackets] = and "quotes
top = "a # b ] = c"
"quoted key" = 'it"s'
a.b . "c d" = 1

[table] # [[not]]
text = """
fake = 1
[fake]
\\""" still ""\\"
"""
raw = \'\'\'
fake2 = 2
\'\'\'\'
list = [
  1, # comment, with ] and 9
  [2, 3],
  "x ] y",
  { inner = 4, deep = { er = [5] } },
]
after = 1979-05-27T07:32:00Z

[[rows]]
name = "r0"
[rows.sub]
k = 1
[[rows.items]]
v = 1
[[rows.items]]
v = 2
[[rows]]
name = "r1"
[[rows.items]]
v = 3'''


def test_nasty_document() -> None:
    assert tomllib.loads(NASTY)["table"]["list"][3]["inner"] == 4
    lines = key_lines(NASTY)
    wanted = {
        ("top",): 2,
        ("quoted key",): 3,
        ("a", "b", "c d"): 4,
        ("a",): 4,
        ("table",): 6,
        ("table", "text"): 7,
        ("table", "raw"): 12,
        ("table", "list"): 15,
        ("table", "list", 0): 16,
        ("table", "list", 1, 1): 17,
        ("table", "list", 2): 18,
        ("table", "list", 3, "inner"): 19,
        ("table", "list", 3, "deep", "er", 0): 19,
        ("table", "after"): 21,
        ("rows",): 23,
        ("rows", 0, "name"): 24,
        ("rows", 0, "sub", "k"): 26,
        ("rows", 0, "items", 1): 29,
        ("rows", 0, "items", 1, "v"): 30,
        ("rows", 1, "name"): 32,
        ("rows", 1, "items", 0, "v"): 34,
    }
    assert {path: lines.get(path) for path in wanted} == wanted
    assert not [path for path in lines if any("fake" in str(part) for part in path)]


def test_empty_document() -> None:
    assert key_lines("") == {}
    assert key_lines("# only a comment") == {}


VALUES = st.one_of(
    st.integers(),
    st.booleans(),
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"])),
    st.lists(st.integers(), max_size=3),
)


def toml(value: object) -> str:
    """One value as TOML, lists over several lines."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list):
        return "[\n" + "".join(f"{item},\n" for item in value) + "]"
    return str(value)


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abcdef"), VALUES, max_size=4), max_size=4))
def test_generated_documents(tables: list[dict[str, object]]) -> None:
    text, wanted = "", {}
    for index, table in enumerate(tables):
        text += "\n[[t]]\n"
        wanted["t", index] = text.count("\n")
        for key, value in table.items():
            wanted["t", index, key] = text.count("\n") + 1
            text += f"{key} = {toml(value)} # {key} = 0\n"
    assert tomllib.loads(text).get("t", []) == tables
    lines = key_lines(text)
    assert {path: lines[path] for path in wanted} == wanted
