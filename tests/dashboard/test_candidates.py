"""The columns behind the overview: nothing lost, nothing counted twice, the front the same as everywhere else."""

import json
import math

import numpy as np

from costmodels.accelerator import AcceleratorConfig
from dse.objectives import COLUMNS
from dse.reporting.candidates import STATUSES, candidates, columns_dict, machine_genes
from dse.reporting.importance import codes, explained, importances
from dse.results import StudyFolder
from dse.words import machine_words, network_words


def test_every_candidate_is_there_once_with_its_costs_and_words(searched: StudyFolder) -> None:
    table = candidates(searched)
    records = searched.networks()
    expected = {}
    for record in records:
        own = record.own_front
        for place, index in enumerate(own.machine_index):
            words = network_words(record.genome), machine_words(own.machines[place])
            expected[f"{record.number}-{index}"] = ({c: own.metrics[c][place] for c in COLUMNS}, *words)
    running = {
        table.ids[i]: ({c: table.metrics[c][i] for c in COLUMNS}, table.networks[i], table.machines[i])
        for i in range(len(table))
        if table.status[i] in ("front", "dominated")
    }
    assert running == expected
    assert table.status.count("failed") == len(searched.failures()) == 1
    assert table.status.count("no machine") == sum(not len(record.own_front) for record in records)
    assert [step.hypervolume for step in table.trace] == [record.hypervolume for record in records]


def test_the_marked_front_is_the_front_of_the_study(searched: StudyFolder, made_up: StudyFolder) -> None:
    for folder in (searched, made_up):
        table = candidates(folder)
        marked = {identity for identity, status in zip(table.ids, table.status, strict=True) if status == "front"}
        assert marked == {point.id for point in folder.front()}


def test_designs_that_break_a_constraint_are_marked_so(searched: StudyFolder, tmp_path: object) -> None:
    import shutil
    from pathlib import Path

    copy = StudyFolder(Path(str(tmp_path)) / "copy")
    shutil.copytree(searched.path, copy.path)
    number = searched.networks()[0].number
    machine = AcceleratorConfig(2, 4, 1, 2, 2)
    metrics = dict.fromkeys(COLUMNS, 2.0)
    copy.add_design(40, number, machine, metrics, False)
    copy.add_design(41, number, machine, None, False)
    copy.add_design(42, number, machine, metrics, True)
    table = candidates(copy)
    found = {table.ids[i]: table.metrics["energy_uj"][i] for i, s in enumerate(table.status) if s == "infeasible"}
    assert found["trial 40"] == 2.0
    assert math.isnan(found["trial 41"])
    assert set(found) == {"trial 40", "trial 41"}


def test_the_membrane_buffer_is_a_gene_only_where_it_has_an_effect() -> None:
    inner, outer = AcceleratorConfig(2, 4, 1, 2, 2), AcceleratorConfig(2, 4, 1, 2, 2, "outer", 4)
    assert "machine.membrane_buffer_kib" not in machine_genes(inner)
    assert machine_genes(outer)["machine.membrane_buffer_kib"] == 4


def test_the_browser_gets_the_same_numbers_and_texts(made_up: StudyFolder) -> None:
    table = candidates(made_up)
    plain = json.loads(json.dumps(columns_dict(table), allow_nan=False))
    assert [STATUSES[code] for code in plain["status"]] == list(table.status)
    for column, values in table.metrics.items():
        back = np.array([math.nan if value is None else value for value in plain["metrics"][column]])
        assert np.array_equal(back, values, equal_nan=True)
    for name, values in table.genes.items():
        coded = plain["genes"][name]
        assert [None if code < 0 else coded["values"][code] for code in coded["codes"]] == list(values)
    assert [plain["networks"]["values"][code] for code in plain["networks"]["codes"]] == list(table.networks)


def test_a_gene_that_decides_everything_explains_everything_and_noise_nothing() -> None:
    draw = np.random.default_rng(3)
    groups = draw.integers(4, size=4000)
    assert explained(groups, groups * 2.0) == 1.0
    assert explained(groups, draw.normal(size=4000)) < 0.01
    half = explained(groups, groups + draw.normal(size=4000) * groups.std())
    assert abs(half - 0.5) < 0.05


def test_many_values_of_a_gene_do_not_make_it_important() -> None:
    """Each of 200 groups of 2 follows noise closely; what is explained beyond chance is nothing."""
    draw = np.random.default_rng(4)
    shares = [explained(np.repeat(np.arange(200), 2), draw.normal(size=400)) for _ in range(20)]
    assert np.mean(shares) < 0.1


def test_unknown_values_single_groups_and_singletons_explain_nothing() -> None:
    values = np.array([1.0, 2.0, np.nan, 4.0])
    assert explained(np.array([0, 0, 1, 0]), values) == 0.0
    assert explained(np.array([-1, -1, -1, -1]), values) == 0.0
    assert explained(np.array([0, 1, 2, 3]), values) == 0.0
    assert explained(np.array([0, 1, 0, 1]), np.ones(4)) == 0.0
    assert codes(["a", None, "b", "a"]).tolist() == [0, -1, 1, 0]


def test_importance_of_a_study_finds_the_gene_that_it_follows(made_up: StudyFolder) -> None:
    table = candidates(made_up)
    follows = [{"energy_uj": 3.0**genes} for genes in range(2)]
    steps = table.genes["timesteps"]
    table.metrics["energy_uj"][:] = [follows[0]["energy_uj"] * 10.0 ** (step or 1) for step in steps]
    ranked = importances(table)["energy_uj"]
    assert (ranked[0].gene, round(ranked[0].share, 6)) == ("timesteps", 1.0)
