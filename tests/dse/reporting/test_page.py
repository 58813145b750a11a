"""The page: self-contained, safe against a study's words, and sensible without a front."""

import itertools
import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from made_up import study

from dse.reporting import from_study
from dse.reporting.figures import hover
from dse.reporting.from_study import Study, report_data
from dse.reporting.page import render, safe_json, write_page
from dse.reporting.report_data import FailureRow, ReportData, Tile, percent
from dse.reporting.summary import folding, growth
from dse.results import open_study

MOST_BYTES = 6_000_000
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>&\"'"


class Parsed(HTMLParser):
    """Tags, attributes, texts outside scripts, and scripts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.text += data

    def ids(self) -> list[str]:
        return [attributes["id"] or "" for _, attributes in self.tags if "id" in attributes]


def own(page: str) -> str:
    """The page without plotly's source."""
    return re.sub(r"<script>/\*\*.*?</script>", "", page, count=1, flags=re.DOTALL)


def test_the_page_loads_nothing_and_is_small_enough(tmp_path: Path) -> None:
    write_page(study(40), tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size < MOST_BYTES
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    parsed = Parsed((tmp_path / "page.html").read_text(encoding="utf-8"))
    for tag, attributes in parsed.tags:
        assert "src" not in attributes, tag
        assert tag != "link"
        assert (attributes.get("href") or "#").startswith("#")
    policy = next(a["content"] for t, a in parsed.tags if t == "meta" and "http-equiv" in a)
    assert "default-src 'none'" in policy
    assert sum("plotly.js v" in script[:400] for script in parsed.scripts) == 1


def test_every_id_is_there_once_and_every_link_has_its_place() -> None:
    parsed = Parsed(render(study(5)))
    ids = parsed.ids()
    assert len(ids) == len(set(ids))
    links = {(attributes.get("href") or "")[1:] for tag, attributes in parsed.tags if tag == "a"}
    assert links
    assert links <= set(ids)
    plots = {a["data-for"] for t, a in parsed.tags if t == "script" and "data-for" in a}
    assert plots <= set(ids)


def hostile_study() -> ReportData:
    data = study(3)
    front = tuple(
        replace(each, id=f"{HOSTILE}{i}", network=HOSTILE, machine=HOSTILE, parameters=((HOSTILE, HOSTILE),))
        for i, each in enumerate(data.front)
    )
    return replace(
        data,
        title=HOSTILE,
        subtitle=HOSTILE,
        summary=(HOSTILE,),
        tiles=(Tile(HOSTILE, HOSTILE),),
        front=front,
        refined=front,
        failures=(FailureRow(1, HOSTILE, HOSTILE, 0.1, HOSTILE),),
        settings=((HOSTILE, ((HOSTILE, HOSTILE),)),),
        limits=(HOSTILE,),
        commands=((HOSTILE, HOSTILE),),
        reference=HOSTILE,
    )


def test_words_of_a_study_never_become_markup() -> None:
    plain, hostile = Parsed(render(study(3))), Parsed(render(hostile_study()))
    count = {tag: sum(t == tag for t, _ in plain.tags) for tag in ("script", "img", "style")}
    assert {tag: sum(t == tag for t, _ in hostile.tags) for tag in count} == count
    assert not any(name.startswith("on") for _, attributes in hostile.tags for name in attributes)
    assert hostile.text.count(HOSTILE) >= 10


def test_embedded_data_survive_hostile_words() -> None:
    parsed = Parsed(render(hostile_study()))
    embedded = next(
        json.loads(script)
        for script, (_, a) in zip(parsed.scripts, scripts(parsed), strict=True)
        if a.get("id") == "report-data"
    )
    assert f"{HOSTILE}0" in embedded["layers"]
    assert "<" not in safe_json({"a": HOSTILE})
    assert json.loads(safe_json({"a": HOSTILE})) == {"a": HOSTILE}


def scripts(parsed: Parsed) -> list[tuple[str, dict[str, str | None]]]:
    return [(tag, attributes) for tag, attributes in parsed.tags if tag == "script"]


def test_numbers_that_are_none_are_refused_rather_than_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        safe_json({"a": float("nan")})


def test_without_a_front_the_page_says_why_and_draws_no_empty_figure() -> None:
    data = replace(study(0), failures=(FailureRow(0, "no machine", "weight buffer must hold a filter", 1.0, "conv1"),))
    parsed = Parsed(render(data))
    assert "No point is on the front" in parsed.text
    assert "weight buffer must hold a filter" in parsed.text
    assert not any("data-for" in attributes for _, attributes in parsed.tags)


def test_a_front_of_one_point_is_drawn() -> None:
    parsed = Parsed(render(study(1)))
    drawn = {a["data-for"] for _, a in parsed.tags if "data-for" in a}
    assert drawn == {"plot-pareto", "plot-hv-trainings", "plot-hv-seconds", "plot-energy", "plot-area", "plot-layers"}


def test_a_large_front_says_that_not_every_bar_is_shown() -> None:
    assert "24 of 60 points, evenly along the front" in Parsed(render(study(60))).text


def test_accuracies_stand_side_by_side_and_a_dash_for_what_was_not_measured() -> None:
    page = own(render(study(5)))
    table = page[page.index('id="points"') : page.index('id="refined"')]
    assert [table.count(f"<th>{words}<small>") for words in ("short run", "refined", "test set")] == [1, 1, 1]
    assert table.count("<td>–</td>") == 2 * 2
    for each in study(5).front:
        for measured in each.accuracies.values():
            cell = f"<td><b>{percent(measured.deployed)}</b><small>{percent(measured.float_network)}</small></td>"
            assert cell in table


class TestFinishedStudy:
    """Report data of a study on disk."""

    def test_the_front_is_the_study_s_and_priced_as_the_search_did(self, finished_study: Path) -> None:
        folder = open_study(finished_study)
        data = report_data(folder)
        assert [point.id for point in data.front] == [point.id for point in folder.front()]
        for point in data.front:
            assert sum(point.energy_uj.values()) == pytest.approx(point.metrics["energy_uj"], rel=1e-9)
            assert sum(point.area_mm2.values()) == pytest.approx(point.metrics["area_mm2"], rel=1e-9)
            cycles = sum(layer.compute + layer.stall + layer.fill for layer in point.layers)
            clock_mhz = folder.manifest.technology["clock_mhz"]
            assert cycles / (clock_mhz * 1e3) == pytest.approx(point.metrics["latency_ms"], rel=1e-9)

    def test_dominated_points_are_all_others_of_the_own_fronts(self, finished_study: Path) -> None:
        folder = open_study(finished_study)
        data = report_data(folder)
        every = {f"{record.number}-{index}" for record in folder.networks() for index in record.own_front.machine_index}
        assert {point.id for point in data.dominated} == every - {point.id for point in data.front}

    def test_too_many_dominated_points_are_thinned_evenly(
        self, finished_study: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = open_study(finished_study)
        every = report_data(folder).dominated
        monkeypatch.setattr(from_study, "MOST_DOMINATED", -(-len(every) // 2))
        assert report_data(folder).dominated == every[::2]

    def test_refined_and_test_accuracy_are_those_of_the_network(self, finished_study: Path) -> None:
        folder = open_study(finished_study)
        refined = {record.number: record for record in folder.refined()}
        for point in report_data(folder).front:
            number = int(point.id.partition("-")[0])
            assert ("refined" in point.accuracies) == (number in refined)
            if number in refined:
                assert point.accuracies["refined"].deployed.value == refined[number].score.deployed_accuracy
                assert point.accuracies["test"].deployed.value == 0.89
                assert point.accuracies["test"].float_network.value == 0.9

    def test_the_trace_is_that_of_the_search_and_never_falls(self, finished_study: Path) -> None:
        trace = report_data(open_study(finished_study)).trace
        assert [step.trainings for step in trace] == list(range(1, 15))
        assert all(a.hypervolume <= b.hypervolume for a, b in itertools.pairwise(trace))

    def test_the_failure_is_listed_and_counted(self, finished_study: Path) -> None:
        data = report_data(open_study(finished_study))
        assert [(row.reason, row.trial) for row in data.failures] == [("diverged", 3)]
        assert Tile("1", "trainings failed") in data.tiles
        assert Tile("14", "networks scored") in data.tiles
        assert any("1 failed" in text for text in data.summary)

    def test_the_cost_of_folding_is_told_on_the_best_samples_there_are(self, finished_study: Path) -> None:
        study = Study.read(open_study(finished_study))
        told = "points of the float network's accuracy (test samples)."
        assert folding(study).endswith(f"came between -1.00 and -1.00 {told}")
        assert folding(study) in report_data(open_study(finished_study)).summary
        untested = replace(study, tests={}, refined={})
        scores = [record.score for record in study.networks.values()]
        gaps = [100 * (score.deployed_correct - score.correct) / score.samples for score in scores]
        assert folding(untested).startswith(
            f"Folded to integers, {len(gaps)} networks came between {min(gaps):+.2f} and {max(gaps):+.2f} points"
        )
        assert folding(replace(untested, networks={})) == ""

    def test_the_growth_over_the_last_quarter_and_why_it_ended_are_told(self, finished_study: Path) -> None:
        study = Study.read(open_study(finished_study))
        volumes = [record.hypervolume for record in study.networks.values()]
        assert len(volumes) == 14
        gain = 100 * (volumes[13] - volumes[10]) / volumes[10]
        assert growth(study) == f"The last 3 networks added {gain:.2g} % to the hypervolume."
        assert growth(study) in report_data(study.folder).summary
        session = replace(study.folder.manifest.sessions[-1], stop_reason="converged")
        object.__setattr__(study.folder, "manifest", replace(study.folder.manifest, sessions=(session,)))
        assert growth(study).endswith(
            "; the search stopped because its model expected next to nothing of further networks."
        )
        few = {number: study.networks[number] for number in range(3)}
        assert growth(replace(study, networks=few)) == ""

    def test_ties_are_shown_where_points_are(self, finished_study: Path) -> None:
        study = Study.read(open_study(finished_study))
        data = report_data(study.folder)
        assert {point.id: point.tied for point in data.front if point.tied} == study.tied != {}
        name, rival = next(iter(study.tied.items()))
        assert f"tied with {rival}" in render(data)
        point = next(point for point in data.front if point.id == name)
        assert f"tied with {rival}" in hover(point, data.quantities)
        told = f"{len(study.tied)} point{'s' * (len(study.tied) > 1)}."
        assert any(text.endswith(f"Tied with one that costs no more: {told}") for text in data.summary)

    def test_recalled_figures_are_named_among_the_limits(self, finished_study: Path) -> None:
        assert any("recalled" in text for text in report_data(open_study(finished_study)).limits)

    def test_breakdowns_by_another_cost_model_are_told(self, finished_study: Path, tmp_path: Path) -> None:
        assert not any("has changed" in text for text in report_data(open_study(finished_study)).limits)
        shutil.copytree(finished_study, tmp_path / "old")
        manifest = json.loads((tmp_path / "old" / "manifest.json").read_text())
        manifest["technology"]["dram_pj_per_bit"] *= 2
        (tmp_path / "old" / "manifest.json").write_text(json.dumps(manifest))
        assert any("has changed" in text for text in report_data(open_study(tmp_path / "old")).limits)

    def test_settings_hold_every_digest_and_version(self, finished_study: Path) -> None:
        folder = open_study(finished_study)
        shown = dict(report_data(folder).settings)
        assert dict(shown["Digests"]) == folder.manifest.digests
        assert dict(shown["Versions"]) == folder.manifest.versions

    def test_the_message_of_a_failure_cannot_end_a_script(self, finished_study: Path) -> None:
        page = render(report_data(open_study(finished_study)))
        assert "loss became NaN in epoch 1 &lt;/script&gt;&lt;b&gt;" in page
        assert "epoch 1 </script>" not in page
