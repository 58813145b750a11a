"""Presets load, hold what they promise, and survive being written and read; users extend them by name."""

import json
from pathlib import Path

import pytest
from space_text import SMALL

from searchspaces.datasets import dataset_shapes
from searchspaces.describe import describe
from searchspaces.document import preset_names
from searchspaces.errors import SpaceError
from searchspaces.presets import presets
from searchspaces.recipe import Recipe
from searchspaces.space import SearchSpace, load_space


def test_the_seven_presets() -> None:
    assert preset_names() == ["cifar10", "cifar10-dvs", "digits", "dvs128-gesture", "fashion-mnist", "mnist", "n-mnist"]
    for row in presets():
        assert row.name == row.dataset
        assert row.name in dataset_shapes()
        assert row.networks > 40
        assert row.machines > 1000
        assert row.description


@pytest.mark.parametrize("name", preset_names())
def test_round_trip(name: str) -> None:
    space = load_space(name)
    again = SearchSpace.from_dict(json.loads(json.dumps(space.to_dict())))
    assert again == space
    assert again.digest() == space.digest()


def test_a_saved_broken_space_names_its_origin() -> None:
    data = load_space("digits").to_dict()
    data["network"]["timesteps"] = [0]
    message = r"^network\.timesteps must be a whole number of at least 1, not 0 \(manifest\.json\)$"
    with pytest.raises(SpaceError, match=message):
        SearchSpace.from_dict(data, "manifest.json")


def test_digest_differs_where_the_search_does(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"

    def digest(old: str = "", new: str = "") -> str:
        path.write_text(SMALL.replace(old, new) if old else SMALL)
        return load_space(path).digest()

    plain = digest()
    assert digest('name = "small"', 'name = "other"\ndescription = "said otherwise"') == plain
    changes = {
        'dataset = "digits"': 'dataset = "mnist"',
        "timesteps = [1, 2]": "timesteps = [1, 4]",
        "channels = [4, 6]": "channels = [4, 8]",
        "vector_width = [2, 4]": "vector_width = [2, 8]",
        "epochs = 2": "epochs = 3",
        "[training.short]": "[technology]\nclock_mhz = 200\n[training.short]",
    }
    assert len({plain, *(digest(old, new) for old, new in changes.items())}) == len(changes) + 1


def test_recipes_inherit_and_read_all_samples() -> None:
    space = load_space("mnist")
    assert space.short.train_samples
    assert space.refine.train_samples is None
    assert space.refine.learning_rate == space.short.learning_rate
    assert space.refine.epochs > space.short.epochs


def test_scalars_stand_for_lists_of_one(tmp_path: Path) -> None:
    one, many = tmp_path / "one.toml", tmp_path / "many.toml"
    one.write_text(SMALL)
    many.write_text(SMALL.replace("weights = 4", "weights = [4]").replace("channel_lanes = 4", "channel_lanes = [4]"))
    assert load_space(one) == load_space(many)


def test_whole_numbers_in_real_fields_are_real(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text(SMALL.replace("epochs = 2", "epochs = 2\nweight_decay = 0\ntime_budget_s = 60"))
    recipe = load_space(path).short
    assert recipe.digest() == Recipe(epochs=2, weight_decay=0.0, time_budget_s=60.0).digest()
    assert isinstance(recipe.weight_decay, float)


EXTENDED = """\
[space]
name = "mine"
extends = "mnist"

[network]
timesteps = 4

[[network.layers]]
name = "conv2"
weights = "binary"

[accelerator]
vector_width = [8]

[training.short]
epochs = 1
"""


def test_extending_a_preset(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(EXTENDED)
    space, base = load_space(path), load_space("mnist")
    assert (space.name, space.dataset) == ("mine", "mnist")
    assert space.network.timesteps == (4,)
    assert space.network.layers[1].weights == ("binary",)
    assert space.network.layers[1].channels == base.network.layers[1].channels
    assert (space.network.layers[0], space.network.layers[2]) == (base.network.layers[0], base.network.layers[2])
    assert space.accelerator.vector_width == (8,)
    assert space.accelerator.channel_lanes == base.accelerator.channel_lanes
    assert (space.short.epochs, space.short.train_samples) == (1, base.short.train_samples)
    assert space.network.combinations() < base.network.combinations()


def test_problems_of_an_extension_are_in_the_users_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(EXTENDED.replace('weights = "binary"', "weights = 3\npoool = 2").replace("[8]", "0"))
    with pytest.raises(SpaceError) as error:
        load_space(path)
    assert [(problem.subject, problem.where) for problem in error.value.problems] == [
        ("conv2.weights", f"{path}:10"),
        ("conv2.poool", f"{path}:11"),
        ("accelerator.vector_width", f"{path}:14"),
    ]


def test_an_extension_names_a_layer_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(EXTENDED + '\n[[network.layers]]\nname = "conv2"\nweights = 2\n')
    message = (
        r'^layer name must be one of conv1, conv2, fc1, each once, not "conv2" \(.*:19\); write its keys in one table$'
    )
    with pytest.raises(SpaceError, match=message):
        load_space(path)


def test_description_has_every_gene_and_count() -> None:
    space = load_space("digits")
    said = describe(space)
    assert said.combinations == said.networks * said.machines == space.combinations()
    assert [row.gene for row in said.genes] == [gene.name for gene in (*space.network.genes, *space.accelerator.genes)]
    rows = {row.gene: row for row in said.genes}
    assert (rows["conv1.weights"].choices, rows["conv1.weights"].number) == ("binary, 2, 4, 8", 4)
    assert (rows["membrane_buffer_kib"].part, rows["membrane_buffer_kib"].when) == ("accelerator", "time_order = outer")
    assert rows["conv1.dual_threshold"].choices == "false, true"
    assert ("training.short.epochs", str(space.short.epochs)) in said.settings
    assert ("training.refine.train_samples", "all") in said.settings
