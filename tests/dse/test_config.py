"""Settings: flag before environment before dse.toml before default, and what a wrong one is told."""

import re
from pathlib import Path
from typing import Any

import pytest

from dse.config import SETTINGS, ConfigError, resolve
from dse.study.settings import MODES, SAMPLERS, SearchSettings


def written(folder: Path, text: str) -> Path:
    (folder / "dse.toml").write_text(text)
    return folder


def test_each_source_gives_way_to_the_one_before(tmp_path: Path) -> None:
    folder = written(tmp_path, "seed = 5\ntrials = 7\nworkers = 3\n")
    resolved = resolve({"trials": 9, "seed": None}, {"DSE_TRIALS": "8", "DSE_SEED": "6"}, folder)
    assert (resolved["trials"].value, resolved["trials"].source) == (9, "flag --trials")
    assert (resolved["seed"].value, resolved["seed"].source) == (6, "DSE_SEED")
    assert (resolved["workers"].value, resolved["workers"].source) == (3, f"{tmp_path / 'dse.toml'} line 3")
    assert (resolved["mode"].value, resolved["mode"].source) == ("nested", "default")


def test_every_setting_can_come_from_every_source(tmp_path: Path) -> None:
    given = {"integer": 3, "number": 2.5, "text": "x", "switch": True, "path": "x", "list": ["a<=1", "b<=2"]}
    for setting in SETTINGS:
        value: Any = setting.choices[-1] if setting.choices else given[setting.kind]
        text = ";".join(value) if isinstance(value, list) else str(value)
        in_toml = str(value).lower() if isinstance(value, bool) else repr(value)
        by_flag = resolve({setting.name: value}, {}, tmp_path)[setting.name]
        by_variable = resolve({}, {setting.variable: text}, tmp_path)[setting.name]
        folder = written(tmp_path, f"{setting.name} = {in_toml}")
        by_file = resolve({}, {}, folder)[setting.name]
        (tmp_path / "dse.toml").unlink()
        assert by_flag.value == by_variable.value
        assert by_file.value == (tmp_path / by_flag.value if setting.kind == "path" else by_flag.value)


def test_a_path_in_a_file_is_meant_from_where_the_file_lies(tmp_path: Path) -> None:
    resolved = resolve({}, {}, written(tmp_path, 'data_dir = "images"\nresults_dir = "/elsewhere"\n'))
    assert resolved["data_dir"].value == tmp_path / "images"
    assert resolved["results_dir"].value == Path("/elsewhere")


def test_an_empty_variable_and_an_empty_list_are_not_given(tmp_path: Path) -> None:
    resolved = resolve({"constraint": []}, {"DSE_TRIALS": ""}, tmp_path)
    assert (resolved["trials"].source, resolved["constraint"].source) == ("default", "default")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = [", r"^.*dse\.toml must be valid TOML: "),
        ("seed = 1\n\ntrails = 5", r"^.*dse\.toml line 3: 'trails' must be a setting; did you mean trials\?$"),
        ("zzzz = 5", r"^.*dse\.toml line 1: 'zzzz' must be a setting; known: space, "),
        ("trials = 'many'", r"^trials must be a whole number, not 'many' \(.*dse\.toml line 1\)$"),
        ("trials = true", r"^trials must be a whole number, not True"),
        ("trials = 0", r"^trials must be at least 1, not 0"),
        ("seed = 1.5", r"^seed must be a whole number, not 1\.5"),
        ("timeout = false", r"^timeout must be a number, not False"),
        ("until_converged = 1", r"^until_converged must be true or false, not 1"),
        ("constraint = 'a'", r"^constraint must be a list of texts, not 'a'"),
        ("constraint = [1]", r"^constraint must be a list of texts, not \[1\]"),
        ("sampler = 'nsga'", r"^sampler must be one of .* not 'nsga' .*; did you mean nsga\d\?$"),
        ("space = ''", r"^space must be a text, not ''"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve({}, {}, written(tmp_path, text))


def test_all_unknown_keys_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve({}, {}, written(tmp_path, "a1 = 1\nb1 = 2\n"))
    assert [re.search(r"'(\w+)'", line).group(1) for line in str(caught.value).splitlines()] == ["a1", "b1"]


def test_a_variable_that_is_no_number_is_told_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^trials must be a whole number, not 'soon' \(DSE_TRIALS\)$"):
        resolve({}, {"DSE_TRIALS": "soon"}, tmp_path)


def test_choices_and_defaults_are_those_of_the_search() -> None:
    by_name = {setting.name: setting for setting in SETTINGS}
    assert set(by_name["mode"].choices) == set(MODES)
    assert set(by_name["sampler"].choices) == set(SAMPLERS)
    asked = SearchSettings()
    for name in ("space", "mode", "sampler", "trials", "seed", "device", "workers"):
        assert by_name[name].default == getattr(asked, name)
    assert by_name["objective"].default == ",".join(asked.objectives)
