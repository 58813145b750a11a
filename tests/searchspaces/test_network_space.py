"""Genomes of a space: counted by brute force, canonical, round trips, no gene without effect, conditions in order."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from space_text import SMALL

from searchspaces.document import preset_names
from searchspaces.errors import SpaceError
from searchspaces.genes import Gene
from searchspaces.genome import NetworkGenome
from searchspaces.network import NetworkSpace
from searchspaces.shapes import removed_kernels
from searchspaces.space import SearchSpace, load_space

SPACES = {name: load_space(name) for name in preset_names()}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SearchSpace:
    path = tmp_path_factory.mktemp("space") / "small.toml"
    path.write_text(SMALL)
    return load_space(path)


def brute_force(space: NetworkSpace) -> set[NetworkGenome]:
    """Genomes of every combination of every gene's choices, inactive ones included."""
    names = [gene.name for gene in space.genes]
    rows = itertools.product(*(gene.choices for gene in space.genes))
    return {space.genome(dict(zip(names, row, strict=True))) for row in rows}


def behaviour(space: NetworkSpace, params: dict[str, Any]) -> tuple[object, ...]:
    """What decides the network SMALL's params describe, written out without the code under test."""
    steps, head, channels = params["timesteps"], params["head"], params["conv1.channels"]
    dual = params["conv1.dual_threshold"] and channels in (2,)
    kernels = channels // 2 if dual else channels
    removed = int(params["conv1.prune_ratio"] * kernels)
    pool = params["conv1.pool"]
    last = (params["fc1.channels"], params["fc1.dual_threshold"]) if head == "fc" else params["classifier.kernel"]
    return (
        steps,
        params["reset"] if steps == 2 else None,
        head,
        (channels, dual, removed, pool, params["conv1.weights"]),
        params["pooling"] if pool == 2 else None,
        last,
        params["classifier.weights"],
    )


def test_count_is_that_of_brute_force(small: SearchSpace) -> None:
    assert small.network.combinations() == len(brute_force(small.network))


def test_equal_genomes_are_equal_networks(small: SearchSpace) -> None:
    names = [gene.name for gene in small.network.genes]
    seen: dict[NetworkGenome, tuple[object, ...]] = {}
    for row in itertools.product(*(gene.choices for gene in small.network.genes)):
        params = dict(zip(names, row, strict=True))
        does = behaviour(small.network, params)
        assert seen.setdefault(small.network.genome(params), does) == does
    assert len(set(seen.values())) == len(seen)
    assert len({genome.digest() for genome in seen}) == len(seen)


def test_deeper_chain_is_counted_by_brute_force() -> None:
    data = SPACES["cifar10"].to_dict()
    data["network"]["layers"] = data["network"]["layers"][1:3]
    for layer, channels in zip(data["network"]["layers"], ([1, 2], [3, 6]), strict=True):
        layer.update(channels=channels, weights=["binary", 2], pool=[1, 2], prune_ratio=[0, 0.3, 0.34, 0.5])
    data["network"].update(timesteps=[1, 4], head=["gap"], reset=["hard", "soft"])
    data["network"]["classifier"].update(weights=[2], kernel=[3])
    space = SearchSpace.from_dict(data).network
    assert space.combinations() == len(brute_force(space))


def test_strengths_winners_and_readmission_are_counted_by_brute_force(small: SearchSpace) -> None:
    data = small.to_dict()
    data["network"].update(levels=[1, 3], pooling=["or", "average", "membrane", "count"], dynamic_pruning=[False, True])
    data["network"].update(bwo=[False, True], first_stage_timesteps=[1, 2, 4])
    data["network"]["layers"][0].update(channels=[2], dual_threshold=[False], prune_ratio=[0, 0.5])
    space = SearchSpace.from_dict(data).network
    genomes = brute_force(space)
    assert space.combinations() == len(genomes)
    assert {(genome.levels, genome.reset) for genome in genomes} == {(1, "hard"), (1, "soft"), (3, "soft")}
    at_one_step = {genome.pooling for genome in genomes if genome.timesteps == 1}
    assert at_one_step == {"or", "average", "count"}
    pruned = {any(layer.prune_ratio for layer in genome.layers) for genome in genomes if genome.dynamic_pruning}
    assert pruned == {True}
    flipped = {any(layer.weight_bits == 1 for layer in genome.layers) for genome in genomes if genome.bwo}
    assert flipped == {True}
    stages = {(genome.first_stage_timesteps, genome.timesteps) for genome in genomes}
    assert stages == {(1, 1), (2, 1), (4, 1), (1, 2), (4, 2)}  # two steps after two are one stage
    words = {gene.name: gene.condition for gene in space.genes}
    assert words["bwo"] == "conv1.weights = binary or classifier.weights = binary"
    assert words["reset"] == "timesteps = 2 and levels = 1"
    assert words["dynamic_pruning"] == "conv1.prune_ratio = 0.5"


@pytest.mark.parametrize("weights", [["binary"], ["binary", 2], [2]])
def test_the_only_binary_layer_may_be_missing_under_the_other_head(
    small: SearchSpace, weights: list[str | int]
) -> None:
    data = small.to_dict()
    data["network"].update(bwo=[False, True])
    data["network"]["layers"][0].update(weights=[2, 4], channels=[2], prune_ratio=[0, 0.5])
    data["network"]["layers"][1].update(weights=weights)
    data["network"]["classifier"].update(weights=[4] if "binary" in weights else ["binary", 4])
    space = SearchSpace.from_dict(data).network
    genomes = brute_force(space)
    assert space.combinations() == len(genomes)
    assert {genome.head for genome in genomes if genome.bwo} == ({"fc"} if "binary" in weights else {"fc", "gap"})


def any_params(genes: tuple[Gene, ...]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({gene.name: st.sampled_from(gene.choices) for gene in genes})


@settings(deadline=None)
@given(st.data())
def test_genome_round_trips(data: st.DataObject) -> None:
    space = SPACES[data.draw(st.sampled_from(sorted(SPACES)))].network
    genome = space.genome(data.draw(any_params(space.genes)))
    assert NetworkGenome.from_dict(genome.to_dict()) == genome
    again = NetworkGenome.from_dict(json.loads(json.dumps(genome.to_dict())))
    assert again == genome
    assert again.digest() == genome.digest()
    assert genome.layers[-1].name == "classifier"
    assert [layer.name for layer in genome.layers if not layer.spiking] == ["classifier"]


@settings(deadline=None)
@given(st.data())
def test_inactive_genes_are_ignored_and_active_ones_are_not(data: st.DataObject) -> None:
    """An inactive gene may be changed or left out and the genome stays; an active one changes it."""
    space = SPACES[data.draw(st.sampled_from(sorted(SPACES)))].network
    params = data.draw(any_params(space.genes))
    genome = space.genome(params)
    gene = data.draw(st.sampled_from([gene for gene in space.genes if gene.free]))
    other = data.draw(st.sampled_from([choice for choice in gene.choices if choice != params[gene.name]]))
    changed = space.genome({**params, gene.name: other})
    if gene.active(params):
        assert changed != genome
    else:
        assert changed == genome
        assert space.genome({name: value for name, value in params.items() if name != gene.name}) == genome


@pytest.mark.parametrize("name", sorted(SPACES))
def test_no_gene_is_dead(name: str) -> None:
    space = SPACES[name].network
    first = {gene.name: gene.choices[0] for gene in space.genes}
    for gene in (gene for gene in space.genes if gene.free):
        assert gene.active(first) or gene.when, gene.name
        active = first if gene.active(first) else {**first, **{name: fit[0] for name, fit in gene.when[0]}}
        assert gene.active(active), gene.name
        genomes = {space.genome({**active, gene.name: choice}).digest() for choice in gene.choices}
        assert len(genomes) == len(gene.choices), gene.name


@pytest.mark.parametrize("name", [*sorted(SPACES), "small"])
def test_conditions_name_earlier_genes(name: str, small: SearchSpace) -> None:
    space = small if name == "small" else SPACES[name]
    for genes in (space.network.genes, space.accelerator.genes):
        known: set[str] = set()
        for gene in genes:
            assert {other for alternatives in gene.when for other, _ in alternatives} <= known, gene.name
            assert gene.name not in known
            known.add(gene.name)
            hash(gene)


def test_conditions_in_words(small: SearchSpace) -> None:
    words = {gene.name: gene.condition for gene in small.network.genes}
    assert words["reset"] == "timesteps = 2"
    assert words["pooling"] == "conv1.pool = 2"
    assert words["conv1.dual_threshold"] == "conv1.channels = 2"
    assert words["fc1.channels"] == "head = fc"
    assert words["fc1.dual_threshold"] == "head = fc"
    assert words["classifier.kernel"] == "head = gap"
    assert words["timesteps"] == ""


def test_single_choices_may_be_left_out(small: SearchSpace) -> None:
    params = {gene.name: gene.choices[0] for gene in small.network.genes if gene.free}
    assert "fc1.weights" not in params
    assert small.network.genome(params).layers[1].weight_bits == 4


def test_canonical_values(small: SearchSpace) -> None:
    params = {gene.name: gene.choices[-1] for gene in small.network.genes}
    genome = small.network.genome({**params, "timesteps": 1, "conv1.pool": 1, "conv1.channels": 3})
    assert (genome.reset, genome.pooling) == ("hard", "or")
    assert not genome.layers[0].dual_threshold
    assert genome.layers[0].prune_ratio == 1 / 3  # a half of three kernels removes one
    assert genome.layers[-1].kernel == 3


@settings(deadline=None)
@given(st.integers(1, 70000), st.floats(0, 1, exclude_max=True))
def test_exact_ratio_removes_the_same_kernels(kernels: int, ratio: float) -> None:
    removed = removed_kernels(ratio, kernels)
    assert 0 <= removed <= kernels
    assert abs(removed - ratio * kernels) < 1
    assert removed_kernels(removed / kernels, kernels) == removed


def test_decimal_ratios_mean_what_they_say() -> None:
    assert removed_kernels(0.29, 100) == 29
    assert removed_kernels(0.85, 100) == 85
    assert removed_kernels(0.99, 8) == 7
    assert removed_kernels(0.1, 9) == 0


def test_missing_value_is_named(small: SearchSpace) -> None:
    params = {gene.name: gene.choices[0] for gene in small.network.genes if gene.name != "conv1.weights"}
    with pytest.raises(
        SpaceError, match=r'^conv1\.weights must be one of "binary", 2 \(parameters\); give it a value$'
    ):
        small.network.genome(params)


def test_misspelt_gene_is_hinted_and_all_come_at_once(small: SearchSpace) -> None:
    params = {gene.name: gene.choices[0] for gene in small.network.genes}
    params["conv1.weight"] = params.pop("conv1.weights")
    params["timesteps"] = 3
    with pytest.raises(SpaceError) as error:
        small.network.genome(params)
    assert str(error.value).splitlines() == [
        "timesteps must be one of 1, 2, not 3 (parameters)",
        "conv1.weights must be one of \"binary\", 2 (parameters); did you mean 'conv1.weight'?",
    ]


def test_a_flag_is_not_a_number(small: SearchSpace) -> None:
    params = {gene.name: gene.choices[0] for gene in small.network.genes}
    with pytest.raises(SpaceError, match=r"^timesteps must be one of 1, 2, not true \(parameters\)$"):
        small.network.genome({**params, "timesteps": True})
