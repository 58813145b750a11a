"""Spaces and candidates over a data set of the user's own."""

import json
from pathlib import Path

import pytest

from searchspaces.candidate import load_candidate, to_toml
from searchspaces.errors import SpaceError
from searchspaces.space import SearchSpace, load_space

SPACE = """
[space]
extends = "digits"
name = "faces"
dataset = "faces"

[images]
input_shape = [3, 16, 12]
classes = 4
"""


def space(tmp_path: Path, text: str) -> SearchSpace:
    path = tmp_path / "faces.toml"
    path.write_text(text)
    return load_space(path)


def test_networks_get_the_shape_and_classes_that_the_file_states(tmp_path: Path) -> None:
    found = space(tmp_path, SPACE)
    genome = found.network.genome({gene.name: gene.choices[0] for gene in found.network.genes})
    assert (genome.input_shape, genome.input_bits, genome.classes) == ((3, 16, 12), 8, 4)
    assert genome.layers[-1].channels == 4


def test_a_saved_space_is_read_back_with_its_images(tmp_path: Path) -> None:
    found = space(tmp_path, SPACE)
    again = SearchSpace.from_dict(json.loads(json.dumps(found.to_dict())))
    assert (again.network, again.dataset, again.digest()) == (found.network, "faces", found.digest())
    assert found.digest() != space(tmp_path, SPACE.replace("classes = 4", "classes = 5")).digest()
    assert "images" not in load_space("digits").to_dict()


def test_a_candidate_may_state_them_too(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "searchspaces" / "examples" / "digits-small.toml"
    text = example.read_text(encoding="utf-8").replace('dataset = "digits"', 'dataset = "faces"', 1)
    (tmp_path / "own.toml").write_text(text + "\n[images]\ninput_shape = [3, 16, 12]\nclasses = 4\n")
    found = load_candidate(tmp_path / "own.toml")
    assert found.network.input_shape == (3, 16, 12)
    (tmp_path / "again.toml").write_text(to_toml(found))
    assert load_candidate(tmp_path / "again.toml").network == found.network


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('dataset = "faces"', 'dataset = "mnist"', 'dataset must be the name of a file NAME.npz .*, not "mnist"'),
        ('dataset = "faces"', 'dataset = "../x"', r'not "\.\./x"'),
        ("[3, 16, 12]", "[16, 12]", r"images.input_shape must be three whole numbers .*, not \[16, 12\]"),
        ("[3, 16, 12]", "[0, 16, 12]", r"not \[0, 16, 12\]"),
        ("classes = 4", "classes = 1", "images.classes must be a whole number of at least 2, not 1"),
        ("classes = 4", "", "images.classes must .*it is missing"),
        ("classes = 4", "classes = 4\nbits = 8", "images.bits must be one of input_shape, classes"),
        ("[images]\ninput_shape = [3, 16, 12]\nclasses = 4", "", 'space.dataset must be one of .*, not "faces"'),
    ],
)
def test_mistakes_are_named_with_their_line(old: str, new: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(SpaceError, match=message):
        space(tmp_path, SPACE.replace(old, new))
