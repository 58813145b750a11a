"""One candidate: what its page says agrees with the cost model and with what `dse show` says."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from costmodels.accelerator import AcceleratorConfig
from dse.cli import app
from dse.dashboard import drawings, what_if_card
from dse.dashboard.candidate import CandidateView, candidate_view, machine_axes, study_of, trained
from dse.dashboard.candidate_page import candidate_page
from dse.dashboard.comparison import compared
from dse.dashboard.what_if import change_percent, machine_of, what_if
from dse.errors import StudyError
from dse.results import StudyFolder


@pytest.fixture(scope="module")
def view(searched: StudyFolder) -> CandidateView:
    study = study_of(searched)
    number = next(iter(study.refined))
    return candidate_view(study, next(point.id for point in study.front if point.network == number))


def test_costs_are_those_that_the_search_saw(searched: StudyFolder) -> None:
    study = study_of(searched)
    for point in study.front:
        totals = candidate_view(study, point.id).totals
        assert totals == pytest.approx({column: point.metrics[column] for column in totals})


def test_layers_say_what_is_really_pruned_and_fires(searched: StudyFolder, view: CandidateView) -> None:
    record = next(r for r in searched.networks(masks=True) if r.number == int(view.id.split("-")[0]))
    for layer in view.layers:
        mask = record.score.masks.get(layer.name)
        assert layer.kept == (1.0 if mask is None else pytest.approx(mask.mean()))
        assert layer.firing_rates == tuple(record.score.firing_rates.get(layer.name, ()))
    assert [layer.thresholds for layer in view.layers][-1] == 0
    assert [layer.name for layer in view.layers] == list(view.breakdown.report.layers)


def test_no_layer_is_above_the_roof(searched: StudyFolder) -> None:
    study = study_of(searched)
    for point in study.front:
        roof = candidate_view(study, point.id).roofline
        assert roof.points[0].name == "whole network"
        for each in roof.points:
            assert each.giga_additions_per_s <= roof.peak_giga_additions_per_s * (1 + 1e-9)
        whole = roof.points[0]  # layers may borrow the port's time from others; the whole network cannot
        assert whole.giga_additions_per_s <= whole.additions_per_byte * roof.gigabytes_per_s * (1 + 1e-9)


def test_accuracies_stand_at_every_fidelity_with_intervals(view: CandidateView) -> None:
    assert list(view.accuracies) == ["short", "refined", "test"]
    for measured in view.accuracies.values():
        assert measured.deployed is not None
        assert measured.deployed.low <= measured.deployed.value <= measured.deployed.high


def test_every_command_of_the_page_runs(view: CandidateView, tmp_path: object) -> None:
    assert len(view.commands) == 10
    for command, _ in view.commands:
        program, *arguments = shlex.split(command)
        assert program == "dse"
        if arguments[0] in ("export", "train", "verify"):
            continue  # need trained weights: tests/dse/test_export_training.py runs them
        elsewhere = {
            "recost": ["--name", "elsewhere", "--results-dir", str(tmp_path)],
            "report": ["-o", f"{tmp_path}/r"],
        }
        known = CliRunner().invoke(app, [arguments[0], "--help"]).output
        extra = elsewhere.get(arguments[0], [])
        extra = extra if all(flag in known for flag in extra if flag.startswith("--")) else []
        result = CliRunner().invoke(app, [*arguments, *extra])
        assert result.exit_code == 0, (command, result.output)


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ("999-0", "candidate must be a trained network on a machine, such as 3-120, not '999-0'"),
        ("../../etc", "candidate must be a trained network on a machine"),
        ("0-99999999", "machine must be a number from 0 to "),
        ("0", "machine must be a number from 0 to "),
        ("²-1", "candidate must be a trained network"),
    ],
)
def test_ids_that_are_none_are_refused(searched: StudyFolder, point: str, message: str) -> None:
    with pytest.raises(StudyError, match="^" + message.replace("(", r"\(").replace(".", r"\.")):
        candidate_view(study_of(searched), point)


def test_what_if_prices_as_the_search_did(searched: StudyFolder) -> None:
    """Every other machine of a network's own front, reached by sliders, costs what the search wrote for it."""
    study = study_of(searched)
    record = max(study.networks.values(), key=lambda record: len(record.own_front))
    own = record.own_front
    found = trained(study, f"{record.number}-{own.machine_index[0]}")
    for place in range(len(own)):
        answer = what_if(found, machine_of(vars(own.machines[place])))
        assert answer.after.report.energy_uj == pytest.approx(own.metrics["energy_uj"][place])
        assert answer.after.report.total_area_mm2 == pytest.approx(own.metrics["area_mm2"][place])
        assert answer.before.report.energy_uj == pytest.approx(own.metrics["energy_uj"][0])


def test_what_if_of_a_machine_that_cannot_run_it_gives_reasons(searched: StudyFolder, view: CandidateView) -> None:
    study = study_of(searched)
    tiny = AcceleratorConfig(2, 4, 1, 1, 1, "outer", 0)
    answer = what_if(trained(study, view.id), tiny)
    assert not answer.after.report.feasible
    assert "cannot run this network" in str(what_if_card.answer(answer))


def test_machines_of_sliders_have_no_membrane_buffer_under_inner() -> None:
    choices = dict(vars(AcceleratorConfig(2, 4, 1, 2, 2))) | {"membrane_buffer_kib": 8}
    assert machine_of(choices).membrane_buffer_kib == 0
    assert machine_of(choices | {"time_order": "outer"}).membrane_buffer_kib == 8
    assert what_if_card.slider_values((2, 4), 3) == [3, 2, 4]
    assert change_percent(2.0, 3.0) == 50.0
    assert change_percent(2.0, float("nan")) is None


def test_a_comparison_marks_exactly_the_differences(searched: StudyFolder) -> None:
    study = study_of(searched)
    views = [candidate_view(study, point.id) for point in study.front[:2]]
    same = [row for _, rows in compared([views[0], views[0]]) for row in rows]
    assert same
    assert not any(row.differs for row in same)
    machines = dict(compared(views))["Machine"]
    one, other = (vars(view.breakdown.report.config) for view in views)
    assert [row.differs for row in machines] == [one[name] != other[name] for name in one]


def test_drawings_hold_the_numbers(view: CandidateView) -> None:
    report = view.breakdown.report
    text = " ".join(annotation.text or "" for annotation in drawings.machine_drawing(view.breakdown).layout.annotations)
    assert f"{report.config.vector_width * report.config.channel_lanes * 9:,} PEs" in text
    assert f"{report.config.spike_buffer_kib} KiB" in text
    energy = drawings.energy_by_layer(view.breakdown)
    assert sum(sum(bar.y) for bar in energy.data) == pytest.approx(report.energy_uj)
    area = drawings.area_by_block(view.breakdown)
    assert sum(area.data[0].x) == pytest.approx(report.total_area_mm2)
    for each in (energy, area, drawings.occupancy(view.breakdown), drawings.roofline_figure(view.roofline)):
        assert each.layout.xaxis.title.text
        assert each.layout.yaxis.title.text


def test_a_page_with_hostile_words_stays_text(view: CandidateView, searched: StudyFolder) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    layers = (view.layers[0]._replace(name=hostile), *view.layers[1:])
    drawn = drawings.network_drawing(layers).to_json()
    assert "<img" not in drawn.replace("\\u003c", "<")
    page = candidate_page(replace(view, study=hostile), machine_axes(study_of(searched)))
    heading = page.children[0].children[0].children
    assert heading == f"Candidate {view.id} of {hostile}"


def test_every_point_of_the_reference_study_has_its_page() -> None:
    """It was written by an earlier version, whose genomes said less and so had other digests."""
    folder = StudyFolder(Path(__file__).parents[2] / "results" / "mnist-reference")
    study = study_of(folder)
    for point in folder.front():
        view = candidate_view(study, point.id)
        pruned = any(layer.kept < 1 for layer in view.layers)
        genome = study.networks[point.network].genome
        assert pruned == any(layer.prune_ratio for layer in genome.layers)
