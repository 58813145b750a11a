"""One value wrong anywhere in a space, candidate, training or study: read, or refused in words."""

import json
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spoiling import spoilt
from stored import STUDY, read_study, small_study
from typer.testing import CliRunner

from costmodels.errors import InputError
from dse.cli import app
from searchspaces.candidate import parse_candidate, to_toml, workload
from searchspaces.document import Document
from searchspaces.presets import preset_names
from searchspaces.space import SearchSpace, load_space
from searchspaces.training_config import parse_training

PATIENT = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
SPACES = [load_space(name) for name in preset_names()]


@contextmanager
def in_words() -> Iterator[None]:
    """What is refused inside is refused by a rule."""
    try:
        yield
    except InputError as error:
        if " must " not in str(error):
            raise AssertionError(f"refused without a rule: {error}") from error


def candidate() -> dict[str, Any]:
    """A candidate as a TOML file holds it."""
    from texts import seed_candidates

    return tomllib.loads(to_toml(next(seed_candidates())))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small study; a test that spoils a file puts it back."""
    return small_study(tmp_path_factory.mktemp("spoilt"))


@settings(PATIENT, max_examples=300)
@given(st.sampled_from([space.to_dict() for space in SPACES]).flatmap(spoilt))
def test_a_spoilt_space_is_read_or_refused(document: dict[str, Any]) -> None:
    with in_words():
        space = SearchSpace.from_dict(document)
        assert SearchSpace.from_dict(space.to_dict()).digest() == space.digest()


@settings(PATIENT, max_examples=300)
@given(spoilt(candidate()))
def test_a_spoilt_candidate_is_lowered_or_refused(document: dict[str, Any]) -> None:
    with in_words():
        workload(parse_candidate(Document(document, {}, "a test")))


@settings(PATIENT, max_examples=300)
@given(spoilt({**candidate(), "training": {"name": "a", "dataset": "digits", "seed": 1}, "recipe": {"epochs": 2}}))
def test_a_spoilt_training_is_read_or_refused(document: dict[str, Any]) -> None:
    kept = {key: document[key] for key in ("training", "network", "recipe") if key in document}
    for layer in kept.get("network", {}).get("layers", []) if isinstance(kept.get("network"), dict) else []:
        if isinstance(layer, dict):
            layer.pop("density", None)
    with in_words():
        parse_training(Document(kept, {}, "a test"))


def spoilt_file(study: Path, name: str, draw: st.DataObject) -> str:
    """The text of a file of the study with one value changed."""
    text = (study / name).read_text()
    lines = [json.loads(text)] if name.endswith(".json") else [json.loads(line) for line in text.splitlines()]
    return "".join(json.dumps(line) + "\n" for line in draw.draw(spoilt(lines)))


@settings(PATIENT, max_examples=400)
@given(st.data())
def test_a_spoilt_study_is_read_or_refused(study: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(STUDY))
    before = (study / name).read_text()
    (study / name).write_text(spoilt_file(study, name, data))
    try:
        with in_words():
            read_study(study)
    finally:
        (study / name).write_text(before)


@settings(PATIENT, max_examples=60)
@given(st.data(), st.sampled_from([["front"], ["front", "--json"], ["show", "0"], ["show", "0-3"], ["report"]]))
def test_commands_on_a_spoilt_study_say_what_is_wrong(study: Path, data: st.DataObject, words: list[str]) -> None:
    name = data.draw(st.sampled_from(STUDY[:4]))
    before = (study / name).read_text()
    (study / name).write_text(spoilt_file(study, name, data))
    try:
        result = CliRunner().invoke(app, [words[0], str(study), *words[1:]])
    finally:
        (study / name).write_text(before)
    assert result.exit_code in (0, 2), result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
