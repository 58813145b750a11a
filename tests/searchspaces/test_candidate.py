"""Candidate files: the examples, writing and reading back, and what is wrong with a broken one."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costmodels.accelerator import AcceleratorConfig
from searchspaces import candidate as candidates
from searchspaces.candidate import (
    Activity,
    Candidate,
    assumed_masks,
    load_candidate,
    parse_candidate,
    to_toml,
    workload,
)
from searchspaces.document import Document, preset_names
from searchspaces.errors import SpaceError
from searchspaces.shapes import removed_kernels
from searchspaces.space import load_space

EXAMPLES = sorted((Path(candidates.__file__).parent / "examples").glob("*.toml"))
SPACES = {name: load_space(name) for name in preset_names()}
DIGITS = next(path for path in EXAMPLES if path.stem == "digits-small")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_load_and_lower(path: Path, tmp_path: Path) -> None:
    candidate = load_candidate(path)
    assert candidate.name == path.stem
    assert candidate.activity is not None
    assert candidate.activity.source == "assumed"
    assert len(workload(candidate).layers) == len(candidate.network.layers)
    copy = tmp_path / "copy.toml"
    copy.write_text(to_toml(candidate))
    assert load_candidate(copy) == candidate


def test_vsa_example_is_the_published_array() -> None:
    candidate = load_candidate(DIGITS.with_name("vsa-mnist.toml"))
    machine = candidate.accelerator
    assert machine.vector_width * machine.channel_lanes * 9 == 2304
    assert (machine.fusion_depth, candidate.network.timesteps) == (2, 8)
    assert {layer.weight_bits for layer in candidate.network.layers} == {1}
    assert [layer.channels for layer in candidate.network.layers] == [64, 64, 128, 10]


def test_densities_of_layers_steps_and_default() -> None:
    candidate = load_candidate(DIGITS)
    assert candidate.activity is not None
    assert candidate.activity.firing_rates == {"conv1": (0.2, 0.3), "conv2": (0.15, 0.15)}
    work = workload(candidate)
    assert [layer.input_density for layer in work.layers] == [(0.198,), (0.2, 0.3), (0.15, 0.15)]


@settings(deadline=None)
@given(st.data())
def test_any_candidate_of_a_preset_round_trips(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(SPACES)))
    space = SPACES[name]
    genes = (*space.network.genes, *space.accelerator.genes)
    params = {gene.name: data.draw(st.sampled_from(gene.choices)) for gene in genes}
    genome = space.network.genome(params)
    rate = st.floats(0, 1)
    rates = {
        layer.name: tuple(data.draw(st.lists(rate, min_size=genome.timesteps, max_size=genome.timesteps)))
        for layer in genome.layers
        if layer.spiking
    }
    frames = 1 if genome.static_input else genome.timesteps
    density = tuple(data.draw(st.lists(rate, min_size=frames, max_size=frames)))
    activity = Activity(density, rates, "measured on validation images")
    technology = {"name": "28nm", "clock_mhz": 500}
    candidate = Candidate(genome, space.accelerator.config(params), "mine", name, "", technology, activity)
    again = parse_candidate(Document(tomllib.loads(to_toml(candidate)), {}, "mine.toml"))
    assert again == candidate
    assert again.network.digest() == candidate.network.digest()


def test_assumed_masks_are_exact_and_mind_no_lane() -> None:
    space = SPACES["mnist"].network
    for ratio in (0.25, 0.5, 0.75, 0.875):
        params = {gene.name: gene.choices[0] for gene in space.genes}
        genome = space.genome({**params, "conv2.prune_ratio": ratio})
        mask = assumed_masks(genome)["conv2"]
        assert mask.shape == (16, 8)
        assert int(np.sum(~mask)) == removed_kernels(ratio, 128)
        lanes = [int(mask[:, lane::4].sum()) for lane in range(4)]
        assert max(lanes) < 1.5 * min(lanes) + 6
    assert assumed_masks(space.genome(params)) == {}


def test_without_activity_there_is_no_workload() -> None:
    candidate = replace(load_candidate(DIGITS), activity=None)
    assert "density" not in to_toml(candidate)
    with pytest.raises(ValueError, match=r"^candidate digits-small must have activity to be lowered$"):
        workload(candidate)


CASES = {
    "a list": (
        "vector_width = 4",
        "vector_width = [4, 8]",
        "accelerator.vector_width must be a whole number of at least 1, one value in a candidate, not [4, 8]",
        "; take one of the list",
    ),
    "no density": (
        "density = 0.15\n",
        "",
        "conv2.density must be stated",
        "; give the layer, or [activity] for all, a density",
    ),
    "no input density": (
        "input_density = 0.198\n",
        "",
        "activity.input_density must be a number from 0 to 1",
        "; it is missing",
    ),
    "too dense": (
        "density = 0.15\n",
        "density = 15\n",
        "activity.density must be a number from 0 to 1, or a list of 2, one per time step, not 15",
        "",
    ),
    "too few steps": (
        "density = [0.2, 0.3]",
        "density = [0.2]",
        "conv1.density must be a number from 0 to 1, or a list of 2, one per time step, not [0.2]",
        "",
    ),
    "unknown activity": (
        "density = 0.15\n",
        "density = 0.15\ndensities = 1\n",
        'activity.densities must be one of input_density, density, source, not "densities"',
        "; did you mean 'density'?",
    ),
    "training": (
        "[activity]",
        "[training]\n[activity]",
        'training must be one of candidate, images, network, accelerator, technology, activity, not "training"',
        "",
    ),
}
LINES = {"no density": "[activity]", "no input density": "[activity]", "training": "[training]"}


@pytest.mark.parametrize("case", CASES)
def test_message(case: str, tmp_path: Path) -> None:
    old, new, before, behind = CASES[case]
    text = DIGITS.read_text()
    assert old in text
    text = text.replace(f"\n{old}", f"\n{new}")
    path = tmp_path / "mine.toml"
    path.write_text(text)
    fragment = LINES.get(case) or new.strip().splitlines()[-1]
    line = text[: text.rindex(fragment)].count("\n") + 1
    with pytest.raises(SpaceError, match=f"^{re.escape(f'{before} ({path}:{line}){behind}')}$"):
        load_candidate(path)


def test_broken_steps_do_not_blame_the_densities(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(DIGITS.read_text().replace("timesteps = 2", "timesteps = 0").replace("[0.2, 0.3]", "[0.2, 0.3, 9]"))
    with pytest.raises(SpaceError) as error:
        load_candidate(path)
    assert [problem.subject for problem in error.value.problems] == ["network.timesteps", "conv1.density"]
    path.write_text(
        DIGITS.read_text().replace("timesteps = 2", "timesteps = 0").replace("[0.2, 0.3]", "[0.2, 0.3, 0.4]")
    )
    with pytest.raises(SpaceError, match=r"^network\.timesteps must be a whole number of at least 1, not 0 \(.*\)$"):
        load_candidate(path)


def test_machine_of_the_small_example() -> None:
    assert load_candidate(DIGITS).accelerator == AcceleratorConfig(4, 4, 2, 4, 4, "outer", 8)


EVENTS = (
    DIGITS.read_text(encoding="utf-8")
    .replace('dataset = "digits"', 'dataset = "n-mnist"')
    .replace("input_density = 0.198", "input_density = [0.125, 0.25]")
)


def test_a_candidate_of_events_has_a_density_a_step(tmp_path: Path) -> None:
    path = tmp_path / "events.toml"
    path.write_text(EVENTS, encoding="utf-8")
    candidate = load_candidate(path)
    assert candidate.activity is not None
    assert candidate.activity.input_density == (0.125, 0.25)
    first = workload(candidate).layers[0]
    assert (first.static_input, first.input_bits, first.input_density) == (False, 1, (0.125, 0.25))
    path.write_text(to_toml(candidate), encoding="utf-8")
    assert load_candidate(path) == candidate
    path.write_text(EVENTS.replace("[0.125, 0.25]", "0.5"), encoding="utf-8")
    assert workload(load_candidate(path)).layers[0].input_density == (0.5, 0.5)
    path.write_text(EVENTS.replace("[0.125, 0.25]", "[0.125, 0.25, 0.5]"), encoding="utf-8")
    with pytest.raises(
        SpaceError, match=r"activity.input_density must be a number from 0 to 1, or a list of 2, one per"
    ):
        load_candidate(path)


def test_steps_of_events_divide_the_slices(tmp_path: Path) -> None:
    path = tmp_path / "events.toml"
    path.write_text(EVENTS.replace("timesteps = 2", "timesteps = 3"), encoding="utf-8")
    with pytest.raises(SpaceError, match=r"network.timesteps must divide the 8 time slices of an event recording"):
        load_candidate(path)
