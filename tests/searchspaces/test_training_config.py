"""Files that `dse train` reads: what is written reads back, and what is wrong is named with its line."""

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from searchspaces.errors import SpaceError
from searchspaces.presets import preset_names
from searchspaces.recipe import Recipe
from searchspaces.space import load_space
from searchspaces.training_config import TrainingConfig, load_training, to_toml

GOOD = """
[training]
name = "by hand"
dataset = "digits"

[network]
timesteps = 2
levels = 1
head = "fc"
pooling = "membrane"

[[network.layers]]
name = "conv1"
kind = "conv"
channels = 8
pool = 2
weights = "binary"

[network.classifier]
weights = 4

[recipe]
epochs = 3
learning_rate = 1e-2
"""

FC1 = """[[network.layers]]
name = "fc1"
kind = "fc"
channels = 8
weights = 8

"""


def loaded(text: str, folder: Path) -> TrainingConfig:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load_training(path)


@pytest.mark.parametrize("preset", preset_names())
def test_what_is_written_reads_back(preset: str, tmp_path: Path) -> None:
    space, draw = load_space(preset), Random(0)
    for seed in range(30):
        genome = space.network.genome({gene.name: draw.choice(gene.choices) for gene in space.network.genes})
        recipe = replace(space.short, train_samples=draw.choice([None, 500]), augment=draw.choice(["none", "shift"]))
        config = TrainingConfig(f'a "{seed}" \\ ü', space.dataset, genome, recipe, seed, "T=2, conv1 [8]")
        assert loaded(to_toml(config), tmp_path) == replace(config, recipe=replace(recipe, time_budget_s=None))


def test_a_file_by_hand_has_the_usual_defaults(tmp_path: Path) -> None:
    config = loaded(GOOD, tmp_path)
    assert (config.name, config.dataset, config.seed) == ("by hand", "digits", 0)
    assert config.recipe == Recipe(epochs=3, learning_rate=1e-2)
    assert config.network.pooling == "membrane"
    assert [layer.name for layer in config.network.layers] == ["conv1", "classifier"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "epochs = 3",
            "epoch = 3",
            "recipe.epoch must be one of {keys}, not \"epoch\" ({file}:23); did you mean 'epochs'?",
        ),
        ("epochs = 3", "epochs = 0", "recipe.epochs must be a whole number of at least 1, not 0 ({file}:23)"),
        (
            "[recipe]",
            "[recipes]",
            'recipes must be one of training, images, network, recipe, not "recipes" ({file}:22)',
        ),
        ("timesteps = 2", "timesteps = [1, 2]", "network.timesteps must be a whole number of at least 1, one value"),
        ('dataset = "digits"', 'dataset = "digit"', "training.dataset must be one of"),
        (
            'name = "by hand"',
            'name = "by hand"\nseed = -1',
            "training.seed must be a whole number of at least 0, not -1",
        ),
        (
            'name = "by hand"',
            'name = "by hand"\nsed = 1',
            "training.sed must be one of name, dataset, description, seed",
        ),
        ("pool = 2", "pool = 2\ndensity = 0.1", "conv1.density must be one of"),
        (
            "levels = 1\n",
            'levels = 1\nbinarize = "ale"\nale_saving = 0.85\n',
            "network.ale_saving must be at most 0.835, what binary weights in fc1 save of all weight bits, not 0.85",
        ),
    ],
)
def test_what_is_wrong_is_named_with_file_and_line(old: str, new: str, message: str, tmp_path: Path) -> None:
    text = GOOD.replace("[network.classifier]", FC1 + "[network.classifier]") if "ale" in new else GOOD
    with pytest.raises(SpaceError) as refused:
        loaded(text.replace(old, new, 1), tmp_path)
    keys = ", ".join(Recipe.__dataclass_fields__)
    assert message.format(file=tmp_path / "config.toml", keys=keys) in str(refused.value)


def test_images_of_the_users_own_read_back(tmp_path: Path) -> None:
    own = GOOD.replace('"digits"', '"mine"').replace(
        "[network]", "[images]\ninput_shape = [3, 9, 7]\nclasses = 4\n[network]"
    )
    config = loaded(own, tmp_path)
    assert (config.network.input_shape, config.network.classes) == ((3, 9, 7), 4)
    assert loaded(to_toml(config), tmp_path) == config


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(SpaceError) as refused:
        loaded(GOOD.replace("epochs = 3", "epochs = 0").replace("channels = 8", "channels = 0"), tmp_path)
    assert [problem.subject for problem in refused.value.problems] == ["conv1.channels", "recipe.epochs"]


@pytest.mark.parametrize(
    ("name", "timesteps", "first_stage", "bits", "ale_saving", "dual"),
    [
        ("mnist-binary", 8, 2, [1] * 4, 0.0, False),
        ("fashion-one-step", 1, 1, [8] * 5, 0.2, False),
        ("fashion-dual-threshold", 1, 1, [8] * 4, 0.0, True),
        ("cifar10-one-step", 1, 1, [8] * 7, 0.2, False),
        ("mnist-pruned", 2, 1, [8] * 4, 0.0, False),
        ("mnist-conversion", 8, 1, [8] * 4, 0.0, False),
    ],
)
def test_the_trainings_of_the_documentation_are_what_they_say(
    name: str, timesteps: int, first_stage: int, bits: list[int], ale_saving: float, dual: bool
) -> None:
    config = load_training(Path(__file__).parents[2] / "docs" / "training" / f"{name}.toml")
    network = config.network
    assert config.name == name
    assert config.dataset == {"mnist": "mnist", "fashion": "fashion-mnist", "cifar10": "cifar10"}[name.split("-")[0]]
    assert config.recipe.train_samples is None
    assert (network.timesteps, network.first_stage_timesteps, network.ale_saving) == (
        timesteps,
        first_stage,
        ale_saving,
    )
    assert [layer.weight_bits for layer in network.layers] == bits
    assert [layer.dual_threshold for layer in network.layers] == [dual] * (len(bits) - 1) + [False]
    pruned = {layer.name: layer.prune_ratio for layer in network.layers if layer.prune_ratio}
    assert pruned == ({"conv2": 0.9375, "conv3": 0.9375} if name == "mnist-pruned" else {})
    assert (network.route, network.pooling) == (
        ("conversion", "membrane") if name == "mnist-conversion" else ("stbp", "or")
    )
