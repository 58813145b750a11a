"""A search in which training picks binary layers: costs and pages follow; what cannot be saved is not trained."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from stand_in import InlineTrainers, settings_in, stand_in_score
from typer.testing import CliRunner

from dse.cli import app
from dse.dashboard.candidate import candidate_view, study_of
from dse.reporting.from_study import report_data
from dse.results import StudyFolder
from dse.score import NetworkScore
from dse.study.recost import recost
from dse.study.search import StudyResult, run_search
from dse.workers import Task
from searchspaces.binarisation import saving_rule, savings
from searchspaces.candidate import assumed_masks
from searchspaces.genome import NetworkGenome
from searchspaces.lowering import lower

SPACE = """
[space]
name = "picked"
dataset = "digits"

[network]
timesteps = 2
head = "fc"
binarize = "ale"
ale_saving = [0.2, 0.6]

[[network.layers]]
name = "conv1"
kind = "conv"
channels = [4, 8]
weights = 8

[[network.layers]]
name = "conv2"
kind = "conv"
channels = 4
weights = [2, 8]
prune_ratio = [0, 0.5]

[[network.layers]]
name = "fc1"
kind = "fc"
channels = 2
weights = [2, 4]

[network.classifier]
weights = 8

[accelerator]
vector_width = 4
channel_lanes = [4, 8]
fusion_depth = 1
spike_buffer_kib = 4
weight_buffer_kib = 8

[training.short]
epochs = 1

[training.refine]
epochs = 2
"""


def picking(task: Task) -> NetworkScore:
    """A training that makes the layer of the most bits binary."""
    saved = savings(task.genome)
    return replace(
        stand_in_score(task.genome, task.recipe, task.seed), binarised=(max(saved, key=lambda name: saved[name]),)
    )


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyResult, InlineTrainers]:
    trainers = InlineTrainers(answer=picking)
    settings = settings_in(tmp_path_factory.mktemp("picked"), SPACE, trials=16, sampler="random")
    return run_search(settings, make_trainers=trainers), trainers


def explicit(genome: NetworkGenome, score: NetworkScore) -> NetworkGenome:
    """The network with its binary layers written into it."""
    layers = tuple(replace(x, weight_bits=1) if x.name in score.binarised else x for x in genome.layers)
    return replace(genome, layers=layers, ale_saving=0.0)


def test_costs_are_those_of_the_layers_as_they_ended(found: tuple[StudyResult, InlineTrainers]) -> None:
    folder = found[0].folder
    assert len(folder.networks()) > 4
    for record in folder.networks():
        rates, masks = record.score.firing_rates, assumed_masks(record.genome)
        ended = lower(explicit(record.genome, record.score), record.score.input_density, rates, masks)
        assert record.metrics["storage_kib"] == ended.storage_bits / 8192
        asked = lower(record.genome, record.score.input_density, rates, masks)
        assert record.metrics["storage_kib"] < asked.storage_bits / 8192


def test_what_cannot_be_saved_is_refused_before_any_training(found: tuple[StudyResult, InlineTrainers]) -> None:
    result, trainers = found
    for record in result.folder.networks():
        assert saving_rule(record.genome) == ""
    refused = [each for each in result.folder.failures() if each.reason == "infeasible"]
    assert refused
    for failure in refused:
        assert failure.message.startswith("ale_saving must be at most 0.")
        assert failure.message.endswith("save of all weight bits, not 0.6")
        assert failure.digest not in trainers.trained


def test_pages_tables_and_recosting_follow(found: tuple[StudyResult, InlineTrainers]) -> None:
    folder: StudyFolder = found[0].folder
    point = folder.front()[0]
    record = folder.networks()[point.network]
    (name,) = record.score.binarised
    view = candidate_view(study_of(folder), point.id)
    assert {layer.name: layer.weight_bits for layer in view.layers}[name] == 1
    assert view.totals == pytest.approx({column: point.metrics[column] for column in view.totals})
    assert f"{name} binary (ALE)" in view.breakdown.network
    assert f"{name} binary (ALE)" in report_data(folder).front[0].network
    shown = CliRunner().invoke(app, ["show", str(folder.path), point.id]).output
    assert f"binary by ALE      {name}" in shown or f"binary by ALE     {name}" in shown
    listed = json.loads(CliRunner().invoke(app, ["front", str(folder.path), "--json"]).stdout)
    assert listed["front"][0]["binarised"] == [name]
    assert f"{name} binary (ALE)" in listed["front"][0]["network_words"]
    again = recost(Path(folder.path))
    assert [each.metrics for each in again.front] == [each.metrics for each in folder.front()]
