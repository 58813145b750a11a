"""Adaptive binarisation and conversion in spaces: refused where impossible, counted exactly, conditions in words."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from space_text import SMALL

from searchspaces.candidate import parse_candidate
from searchspaces.document import Document
from searchspaces.errors import SpaceError
from searchspaces.genome import NetworkGenome
from searchspaces.network import NetworkSpace
from searchspaces.space import SearchSpace, load_space

Change = Callable[[dict[str, Any]], object]
NETWORK: dict[str, Any] = {
    "timesteps": [1, 2],
    "head": ["fc", "gap"],
    "reset": ["hard", "soft"],
    "layers": [
        {"name": "conv1", "kind": "conv", "channels": 2, "weights": 4},
        {
            "name": "conv2",
            "kind": "conv",
            "channels": [2, 4],
            "weights": ["binary", 4],
            "dual_threshold": [False, True],
        },
        {"name": "fc1", "kind": "fc", "channels": 4, "weights": 4},
    ],
    "classifier": {"weights": ["binary", 8], "kernel": 1},
}


def parsed(
    network: dict[str, Any], layers: dict[int, dict[str, Any]] | None = None, dataset: str = "digits"
) -> NetworkSpace:
    """The networks of `NETWORK` with other keys, and other keys of some layers."""
    changed = [{**layer, **(layers or {}).get(number, {})} for number, layer in enumerate(NETWORK["layers"])]
    data = {
        "space": {"name": "mine", "dataset": dataset},
        "network": {**NETWORK, "layers": changed, **network},
        "accelerator": MACHINE,
        "training": {"short": {"epochs": 1}, "refine": {}},
    }
    return SearchSpace.from_dict(data, "mine").network


def brute_force(space: NetworkSpace) -> set[NetworkGenome]:
    """Genomes of every combination of every gene's choices, inactive ones included."""
    names = [gene.name for gene in space.genes]
    rows = itertools.product(*(gene.choices for gene in space.genes))
    return {space.genome(dict(zip(names, row, strict=True))) for row in rows}


MACHINE = {
    "vector_width": 4,
    "channel_lanes": 4,
    "fusion_depth": 1,
    "spike_buffer_kib": 8,
    "weight_buffer_kib": 8,
}
BINARY = {1: {"weights": "binary"}, 2: {"weights": "binary"}}
REFUSED: dict[str, tuple[dict[str, Any], dict[int, dict[str, Any]], str]] = {
    "no layer for ALE": (
        {"binarize": ["explicit", "ale"]},
        BINARY,
        "network.binarize must be explicit where no layer between the first and the classifier has more than one "
        'weight bit, not ["explicit", "ale"] (mine); drop it or give such a layer weights = 4',
    ),
    "more than ALE can save": (
        {"binarize": "ale", "ale_saving": [0.2, 0.75]},
        {},
        "network.ale_saving must be below 0.75, what binary instead of 4-bit weights save, not 0.75 (mine); save less "
        "or give layers more weight bits",
    ),
    "shares without ALE": (
        {"binarize": "ale-loss", "ale_saving": [0.2, 0.4]},
        {},
        'network.ale_saving must be left out without binarize = "ale", not [0.2, 0.4] (mine); drop it or add "ale" to '
        "network.binarize",
    ),
    "losses without ALE": (
        {"ale_loss": [0.2, 0.4]},
        {},
        'network.ale_loss must be left out without binarize = "ale-loss", not [0.2, 0.4] (mine); drop it or add '
        '"ale-loss" to network.binarize',
    ),
    "nothing saved": (
        {"binarize": "ale", "ale_saving": 0},
        {},
        "network.ale_saving must be a number above 0 and below 1, not 0 (mine)",
    ),
    "a gain": (
        {"binarize": "ale-loss", "ale_loss": -0.1},
        {},
        "network.ale_loss must be a number above 0, not -0.1 (mine)",
    ),
    "another rule": (
        {"binarize": "al"},
        {},
        "network.binarize must be one of explicit, ale, ale-loss, not \"al\" (mine); did you mean 'ale'?",
    ),
    "BWO without binary layers": (
        {"bwo": True, "classifier": {"weights": 8, "kernel": 1}},
        {1: {"weights": 4}},
        "network.bwo must be left out where no layer is binary, not [true] (mine); drop it or give a layer weights = "
        '"binary"',
    ),
    "a dual threshold in conversion": (
        {"route": "conversion", "reset": "soft"},
        {},
        "conv2.dual_threshold must be false under route conversion: a rectified unit has one threshold, not "
        '[false, true] (mine); drop it or write route = "stbp"',
    ),
    "a dual threshold in a rounded conversion": (
        {"route": "rounded-conversion", "reset": "soft"},
        {},
        "conv2.dual_threshold must be false under route conversion: a rectified unit has one threshold, not "
        '[false, true] (mine); drop it or write route = "stbp"',
    ),
    "a forced dual threshold": (
        {"route": ["stbp", "conversion"]},
        {1: {"dual_threshold": True}},
        "conv2.dual_threshold must allow false under route conversion: a rectified unit has one threshold, not [true] "
        '(mine); drop it or write route = "stbp"',
    ),
    "a stage with steps in conversion": (
        {"route": "conversion", "reset": "soft", "first_stage_timesteps": [1, 4]},
        {1: {"dual_threshold": False}},
        "network.first_stage_timesteps must be left out under route conversion, which trains without time steps, not "
        "[1, 4] (mine); drop it",
    ),
    "a hard reset in conversion": (
        {"route": ["stbp", "conversion"], "reset": "hard"},
        {},
        "network.reset must allow soft under route conversion: what a hard reset throws away is activation, not "
        '["hard"] (mine); write reset = "soft"',
    ),
    "two resets in conversion": (
        {"route": "conversion"},
        {1: {"dual_threshold": False}},
        'network.reset must be soft alone under route conversion, not ["hard", "soft"] (mine); write reset = "soft"',
    ),
}


def test_events_are_not_converted() -> None:
    with pytest.raises(SpaceError, match=r"^network\.route must be stbp on event data: a CNN sees one frame where "):
        parsed({"route": ["stbp", "conversion"]}, dataset="n-mnist")


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_with_its_reason(case: str) -> None:
    network, layers, message = REFUSED[case]
    with pytest.raises(SpaceError) as error:
        parsed(network, layers)
    assert str(error.value) == message


SPACES: dict[str, tuple[dict[str, Any], dict[int, dict[str, Any]]]] = {
    "a share": ({"binarize": ["explicit", "ale"], "ale_saving": [0.1, 0.3], "bwo": [False, True]}, {}),
    "ALE alone": ({"binarize": ["ale", "ale-loss"], "ale_loss": [1, 2], "bwo": [False, True]}, {}),
    "only fc may be picked": ({"binarize": "ale", "bwo": [False, True]}, {1: {"weights": "binary"}}),
    "only fc, of many widths": (
        {"binarize": "ale-loss", "bwo": [False, True]},
        {1: {"weights": "binary"}, 2: {"weights": [2, 8]}},
    ),
    "both routes": (
        {
            "route": ["stbp", "conversion", "rounded-conversion"],
            "levels": [1, 3],
            "first_stage_timesteps": [1, 4],
            "pooling": ["or", "membrane", "count"],
        },
        {1: {"pool": [1, 2], "prune_ratio": [0, 0.25, 0.3]}},
    ),
    "conversion alone": (
        {"route": ["rounded-conversion", "conversion"], "reset": "soft", "binarize": ["explicit", "ale"]},
        {1: {"dual_threshold": False}},
    ),
}


@pytest.mark.parametrize("name", SPACES)
def test_genomes_are_counted_and_canonical(name: str) -> None:
    space = parsed(*SPACES[name])
    genomes = brute_force(space)
    assert space.combinations() == len(genomes)
    for genome in genomes:
        several_bits = any(layer.weight_bits > 1 for layer in genome.layers[1:-1])
        assert not genome.ale or several_bits
        assert not (genome.ale_saving and genome.ale_loss)
        if set(space.binarize) & {"explicit"} == set() and several_bits:
            assert genome.ale
        if genome.bwo:
            assert genome.ale or any(layer.weight_bits == 1 for layer in genome.layers)
        if genome.converted:
            assert genome.reset == "soft"
            assert genome.first_stage_timesteps == 1
            assert not any(layer.dual_threshold for layer in genome.layers)
    assert {genome.route for genome in genomes} == set(space.route)
    assert any(genome.ale or genome.converted for genome in genomes)


def test_conditions_in_words() -> None:
    space = parsed({"binarize": ["explicit", "ale"], "bwo": [False, True], "route": ["stbp", "conversion"]})
    words = {gene.name: gene.condition for gene in space.genes}
    assert words["binarize"] == "conv2.weights = 4 or head = fc"
    assert words["ale_saving"] == "conv2.weights = 4 or head = fc and binarize = ale"
    assert words["bwo"] == "conv2.weights = binary or classifier.weights = binary or binarize = ale"
    assert words["conv2.dual_threshold"] == "route = stbp"
    assert words["reset"] == "timesteps = 2 and route = stbp"


def test_a_candidate_states_a_share_that_its_layers_can_save() -> None:
    single = {
        "candidate": {"name": "mine", "dataset": "digits"},
        "network": {
            "timesteps": 1,
            "head": "fc",
            "binarize": "ale",
            "ale_saving": 0.4,
            "layers": [
                {"name": "conv1", "kind": "conv", "channels": 16, "weights": 8},
                {"name": "fc1", "kind": "fc", "channels": 2, "weights": 2},
            ],
            "classifier": {"weights": 8},
        },
        "accelerator": MACHINE,
        "activity": {"input_density": 0.2, "density": 0.2},
    }
    # 8 * 144 + 2 * 2048 + 8 * 20 bits, of which one half of 4096 can be saved
    with pytest.raises(
        SpaceError, match=r"^network\.ale_saving must be at most 0\.379, what binary weights in fc1 save"
    ):
        parse_candidate(Document(single, {}, "mine.toml"))


def test_the_small_space_asks_for_none_of_it(tmp_path: Any) -> None:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    genomes = brute_force(load_space(path).network)
    assert {(genome.route, genome.ale) for genome in genomes} == {("stbp", False)}
