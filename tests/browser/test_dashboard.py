"""The dashboard in a real browser: every view against the study's own numbers, and a silent console."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromium import WAIT_MS, Tab

from dse.dashboard.candidates import Candidates, candidates
from dse.results import StudyFolder

Served = Callable[..., str]
Studies = dict[str, Path]
TRACES = """() => document.getElementById('scatter').data.map(t => ({
  name: t.name, x: Array.from(t.x), y: Array.from(t.y),
  rows: Array.from(t.customdata), picked: t.selectedpoints ? Array.from(t.selectedpoints) : null, type: t.type}))"""


def table_of(path: Path) -> Candidates:
    return candidates(StudyFolder(path))


def kept(page: Any) -> set[int]:
    """Rows that every view shows, as the scatter has them."""
    traces = page.evaluate(TRACES)
    return {row for t in traces for k, row in enumerate(t["rows"]) if t["picked"] is None or k in set(t["picked"])}


def in_table(page: Any) -> int:
    return int(page.evaluate("async () => (await dash_ag_grid.getApiAsync('table')).getDisplayedRowCount()"))


def bound(page: Any, column: str, place: int) -> None:
    page.locator(f"input[data-column={column}]").evaluate(
        "(input, v) => { input.value = v; input.dispatchEvent(new Event('input')); }", place
    )
    page.wait_for_timeout(400)


def test_the_scatter_holds_the_numbers_of_the_study(tab: Tab, served: Served, studies: Studies) -> None:
    page, table = tab.open(served(studies["many"])), table_of(studies["many"])
    for trace in page.evaluate(TRACES):
        status = "front" if trace["name"].startswith("front") else "dominated"
        rows = [i for i, each in enumerate(table.status) if each == status]
        assert trace["rows"] == rows
        assert trace["type"] == ("scattergl" if len(rows) > 1500 else "scatter")
        assert np.allclose(trace["x"], table.metrics["energy_uj"][rows])
        assert np.allclose(trace["y"], 100 * table.metrics["accuracy"][rows])
    assert page.text_content("#counts") == (
        f"1,800 of 1,800 candidates, {table.status.count('front')} of them on the front"
    )
    titles = page.evaluate("() => ['xaxis', 'yaxis'].map(a => document.getElementById('scatter').layout[a].title.text)")
    assert titles == ["Energy per inference (µJ)", "Deployed accuracy (%)"]


def test_axes_scales_colour_and_a_third_axis_can_be_chosen(tab: Tab, served: Served, studies: Studies) -> None:
    page, table = tab.open(served(studies["many"])), table_of(studies["many"])
    page.select_option("#x-axis", "area_mm2")
    page.select_option("#x-scale", "linear")
    front = next(t for t in page.evaluate(TRACES) if t["name"].startswith("front"))
    assert np.allclose(front["x"], table.metrics["area_mm2"][front["rows"]])
    assert page.evaluate("() => document.getElementById('scatter').layout.xaxis.type") == "linear"
    page.select_option("#colour-by", "machine.vector_width")
    assert page.locator("#colour-legend span").all_text_contents() == ["2", "4", "8"]
    colours = page.evaluate("() => document.getElementById('scatter').data[0].marker.color")
    assert len(set(colours)) == 3
    page.select_option("#z-axis", "latency_ms")
    page.wait_for_timeout(800)
    assert page.evaluate("() => document.getElementById('scatter').data[0].type") == "scatter3d"
    titles = page.evaluate("() => document.getElementById('scatter').layout.scene.zaxis.title.text")
    assert titles == "Latency (ms)"


def test_failed_and_infeasible_candidates_are_shown_on_demand(tab: Tab, served: Served, studies: Studies) -> None:
    page = tab.open(served(studies["many"]))
    page.check("input[data-status=failed]")
    names = [trace["name"] for trace in page.evaluate(TRACES)]
    assert any(name.startswith("failed") and name.endswith("(5)") for name in names)
    page.uncheck("input[data-status=dominated]")
    assert not any(trace["name"].startswith("dominated") for trace in page.evaluate(TRACES))


def test_a_box_in_the_scatter_filters_table_and_counts(tab: Tab, served: Served, studies: Studies) -> None:
    page, table = tab.open(served(studies["many"])), table_of(studies["many"])
    area = page.locator("#scatter .nsewdrag").bounding_box()
    page.mouse.move(area["x"] + 40, area["y"] + 30)
    page.mouse.down()
    page.mouse.move(area["x"] + 260, area["y"] + 200, steps=6)
    page.mouse.up()
    page.wait_for_timeout(600)
    ends = page.evaluate("() => { const s = document.getElementById('scatter').layout.selections[0]; return s }")
    # plotly's box is in axis values: log axes hold exponents or values, depending on the version; compare as shown
    x = sorted(float(ends[k]) for k in ("x0", "x1"))
    y = sorted(float(ends[k]) for k in ("y0", "y1"))
    energy, accuracy = table.metrics["energy_uj"], 100 * table.metrics["accuracy"]
    expected = set(
        np.flatnonzero((energy >= x[0]) & (energy <= x[1]) & (accuracy >= y[0]) & (accuracy <= y[1])).tolist()
    )
    assert 0 < len(expected) < 1800
    assert kept(page) == expected
    assert in_table(page) == len(expected)
    assert page.text_content("#counts").startswith(f"{len(expected):,} of 1,800")
    page.click("#clear")
    page.wait_for_timeout(500)
    assert in_table(page) == 1800


def test_a_constraint_keeps_exactly_what_obeys_it(tab: Tab, served: Served, studies: Studies) -> None:
    page, table = tab.open(served(studies["many"])), table_of(studies["many"])
    bound(page, "area_mm2", 100)
    area = table.metrics["area_mm2"]
    limit = np.nanmin(area) * (np.nanmax(area) / np.nanmin(area)) ** 0.5
    expected = set(np.flatnonzero(area <= limit).tolist())
    assert kept(page) == expected
    assert in_table(page) == len(expected)
    assert page.text_content("output[data-bound=area_mm2]").startswith("≤ ")
    bound(page, "accuracy", 150)
    accuracy = table.metrics["accuracy"]
    floor = np.nanmin(accuracy) + 0.75 * (np.nanmax(accuracy) - np.nanmin(accuracy))
    assert kept(page) == expected & set(np.flatnonzero(accuracy >= floor - 1e-12).tolist())


def test_a_range_on_a_parallel_axis_filters_the_scatter(tab: Tab, served: Served, studies: Studies) -> None:
    page, table = tab.open(served(studies["many"])), table_of(studies["many"])
    page.select_option("#axes-shown", "costs")
    page.locator("#parallel").scroll_into_view_if_needed()
    box = page.locator("#parallel canvas").bounding_box()
    left = box["x"] + page.evaluate("() => window.dseState.parallel.x(0)")
    page.mouse.move(left, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(left + 3, box["y"] + 160, steps=4)
    page.mouse.up()
    page.wait_for_timeout(500)
    low, high = page.evaluate("() => window.dseState.ranges.accuracy[0]")
    accuracy = 100 * table.metrics["accuracy"]
    expected = set(np.flatnonzero((accuracy >= low) & (accuracy <= high)).tolist())
    assert 0 < len(expected) < 1800
    assert kept(page) == expected
    page.mouse.click(left, box["y"] + 100)
    page.wait_for_timeout(500)
    assert len(kept(page)) == 1800


def test_the_csv_holds_what_is_kept_unrounded(tab: Tab, served: Served, studies: Studies) -> None:
    page, table = tab.open(served(studies["many"])), table_of(studies["many"])
    bound(page, "energy_uj", 60)
    with page.expect_download() as download:
        page.click("#save-csv")
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8-sig"))))
    assert len(rows) == len(kept(page)) > 0
    known = dict(zip(table.ids, table.metrics["energy_uj"], strict=True))
    for row in rows:
        assert float(row["Energy per inference (µJ)"]) == known[row["Candidate"]]


def test_the_saved_view_stands_alone(tab: Tab, served: Served, studies: Studies, tmp_path: Path) -> None:
    page = tab.open(served(studies["many"]))
    bound(page, "area_mm2", 100)
    count = page.text_content("#counts")
    with page.expect_download() as download:
        page.click("#save-html")
    saved = tmp_path / "view.html"
    saved.write_bytes(Path(download.value.path()).read_bytes())
    page.goto(saved.as_uri())
    page.wait_for_selector("#f0 .main-svg", timeout=WAIT_MS)
    assert count in page.text_content("header")
    assert "http" not in "".join(page.locator("script[src], link[href]").all_text_contents())
    assert page.locator("tbody tr").count() > 100


def test_a_candidate_is_opened_compared_and_left_again(tab: Tab, served: Served, studies: Studies) -> None:
    folder = StudyFolder(studies["searched"])
    page, front = tab.open(served(folder.path)), folder.front()
    for point in front[:2]:
        page.evaluate("id => { const g = dash_ag_grid.getApi('table'); g.ensureIndexVisible(0); }", point.id)
        page.locator(
            f".ag-center-cols-container .ag-row, .ag-pinned-left-cols-container .ag-row:has-text('{point.id}')"
        )
        page.locator(f".ag-cell[col-id=id]:text-is('{point.id}')").click()
        page.wait_for_selector(f"#chosen-title:text-is('{point.id}, front')", timeout=WAIT_MS)
        page.click("#add-candidate")
    assert page.locator("#tray button").count() == 2
    page.click("#open-candidate")
    page.wait_for_selector("#what-if-words", timeout=WAIT_MS)
    assert f"Candidate {front[1].id} of {folder.name}" in page.text_content(".page h2")
    page.click("text=← all candidates")
    page.wait_for_selector("#scatter .main-svg >> nth=0", state="visible")
    page.click("#compare")
    page.wait_for_selector("table.compare", timeout=WAIT_MS)
    assert page.locator("table.compare th a").count() == 2
    assert page.locator("td.differs").count() > 0


def test_every_part_of_a_candidates_page_is_drawn(tab: Tab, served: Served, studies: Studies) -> None:
    folder = StudyFolder(studies["searched"])
    number = folder.refined()[0].number
    point = next(point for point in folder.front() if point.network == number)
    page = tab.open(served(folder.path) + f"candidate?study={folder.name}&id={point.id}", "#what-if-words")
    page.wait_for_timeout(1000)
    drawn = page.evaluate(
        "() => [...document.querySelectorAll('[data-figure]')].map(d => [d.getAttribute('aria-label'), !!d.data])"
    )
    assert len(drawn) == 8
    assert all(done for _, done in drawn), drawn
    assert page.locator(".commands code").count() == 5
    rows = page.locator(".page table").first.locator("tbody tr td:first-child").all_text_contents()
    assert rows == ["short run", "refined", "test set"]
    page.click("text=longer training")
    page.wait_for_selector("b:text-is('longer training')", timeout=WAIT_MS)


def test_a_slider_prices_another_machine_at_once(tab: Tab, served: Served, studies: Studies) -> None:
    folder = StudyFolder(studies["searched"])
    point = folder.front()[0]
    page = tab.open(served(folder.path) + f"candidate?study={folder.name}&id={point.id}", "#what-if-words")
    before = page.text_content("#what-if-words")
    thumb = page.locator("#what-if-answer").locator("xpath=..").locator("[role=slider]").nth(0)
    thumb.focus()
    page.keyboard.press("ArrowRight" if point.machine.vector_width < 8 else "ArrowLeft")
    page.wait_for_function("t => document.getElementById('what-if-answer').textContent.indexOf(t) < 0", arg=before)
    assert "answered by the cost model in" in page.text_content("#what-if-answer") or "cannot run" in page.text_content(
        "#what-if-answer"
    )


def test_a_search_that_goes_on_is_followed_without_reloading(tab: Tab, served: Served, studies: Studies) -> None:
    from large_study import network

    from searchspaces.space import load_space

    folder = StudyFolder(studies["growing"])
    page = tab.open(served(folder.path))
    assert page.text_content("#counts").startswith("4 of 4 candidates")
    bound(page, "accuracy", 1)
    draw = np.random.default_rng(9)
    for number in (2, 3):
        folder.add_network(network(load_space("digits"), number, 3, draw, 2.0))
    page.wait_for_function("() => document.getElementById('counts').textContent.includes(' of 10 ')", timeout=WAIT_MS)
    assert page.evaluate("() => 'accuracy' in window.dseState.bounds"), "a filter outlives new candidates"


def test_several_studies_stand_in_one_view(tab: Tab, served: Served, studies: Studies) -> None:
    page = tab.open(served(studies["many"], studies["one"]))
    assert page.text_content("#counts").startswith("1,801 of 1,801")
    assert page.evaluate("() => document.getElementById('growth').data.length") == 2
    page.select_option("#colour-by", "study")
    assert page.locator("#colour-legend span").all_text_contents() == ["many", "one"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("empty", "No network of this study has a score so far"),
        ("older", "older cannot be shown"),
        ("corrupt", "corrupt cannot be shown"),
    ],
)
def test_studies_without_a_view_get_a_page_that_says_why(
    name: str, words: str, tab: Tab, served: Served, studies: Studies
) -> None:
    page = tab.page
    page.goto(served(studies[name]))
    page.wait_for_selector(f"text={words}", timeout=WAIT_MS)


def test_one_point_is_a_view_like_any_other(tab: Tab, served: Served, studies: Studies) -> None:
    page = tab.open(served(studies["one"]))
    assert page.text_content("#counts") == "1 of 1 candidates, 1 of them on the front"
    assert page.text_content("#importance-note").startswith("No gene explains")


def test_a_hostile_name_stays_text(tab: Tab, served: Served, studies: Studies) -> None:
    asked = []
    tab.page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page = tab.open(served(studies["hostile"], studies["one"]))
    page.select_option("#colour-by", "study")
    page.wait_for_timeout(500)
    assert asked == []
    assert page.locator("img").count() == 0
    assert "<img" in page.text_content("#studies")


@pytest.mark.parametrize("tab", ["dark"], indirect=True)
def test_dark_readers_get_dark_figures(tab: Tab, served: Served, studies: Studies) -> None:
    from dse.reporting import theme

    page = tab.open(served(studies["one"]))
    assert page.evaluate("() => document.getElementById('scatter').layout.font.color") == theme.DARK["text"]
    assert json.loads(page.get_attribute("#explore-config", "data-config"))["dark"] == theme.DARK
