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

from dse.dashboard.candidate import candidate_view, study_of
from dse.reporting.candidates import STATUSES, Candidates, candidates
from dse.results import StudyFolder

Served = Callable[..., str]
Studies = dict[str, Path]
MARKS = """() => {
  const { cloud, mask } = window.Dse.state, [across, up] = cloud.axes();
  return cloud.view.groups.map(group => ({
    status: group.status, rows: group.rows, kept: group.rows.filter(i => mask[i]),
    x: group.rows.map(i => across.p2d(cloud.places.get(i)[0] - across._offset)),
    y: group.rows.map(i => up.p2d(cloud.places.get(i)[1] - up._offset))}));
}"""
"""The marks of the scatter as they lie on the screen, read back through plotly's axes."""
SCREEN = 5e-4
"""Plotly rounds a value read from the screen to what a pixel tells."""
COUNTED = """([now, before]) => {
  const said = document.getElementById('counts').textContent;
  return now ? said.startsWith(now) : said !== before;
}"""
DRAWN = """() => {
  const figures = [...document.querySelectorAll('[data-figure]')];
  return figures.length === 8 && figures.every(figure => figure.data);
}"""
FOUR_ROWS = """async () => {
  const { api } = window.Dse.state;
  await api.setColumnFilterModel('machine.vector_width', {filterType: 'number', type: 'equals', filter: 4});
  api.onFilterChanged('columnFilter');
}"""
IN_TABLE = "() => window.Dse.state.api ? window.Dse.state.api.getDisplayedRowCount() : -1"


def table_of(path: Path) -> Candidates:
    return candidates(StudyFolder(path))


def kept(page: Any) -> set[int]:
    """Rows that the scatter keeps."""
    return {row for group in page.evaluate(MARKS) for row in group["kept"]}


def table_has(page: Any, count: int) -> None:
    """The table comes to show so many rows."""
    page.wait_for_function(f"n => ({IN_TABLE})() === n", arg=count, timeout=WAIT_MS)


def settled(page: Any, act: Any, counts: str = "") -> None:
    """Do something that filters, and wait until the counts say another number of candidates, or the one given."""
    before = page.text_content("#counts")
    act()
    page.wait_for_function(COUNTED, arg=[counts, before], timeout=WAIT_MS)


def bound(page: Any, column: str, place: int) -> None:
    slider = page.locator(f"input[data-column={column}]")
    move = "(input, v) => { input.value = v; input.dispatchEvent(new Event('input')); }"
    settled(page, lambda: slider.evaluate(move, place))


def drag(page: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=6)
    page.mouse.up()


def test_the_scatter_holds_the_numbers_of_the_study(tab: Tab, served: Served, studies: Studies) -> None:
    page, table = tab.open(served(studies["many"])), table_of(studies["many"])
    for group in page.evaluate(MARKS):
        rows = [i for i, each in enumerate(table.status) if each == STATUSES[group["status"]]]
        assert group["rows"] == rows
        assert np.allclose(group["x"], table.metrics["energy_uj"][rows], rtol=SCREEN)
        assert np.allclose(group["y"], 100 * table.metrics["accuracy"][rows], rtol=SCREEN)
    assert page.text_content("#counts") == (
        f"1,800 of 1,800 candidates, {table.status.count('front')} of them on the front"
    )
    titles = page.evaluate("() => ['xaxis', 'yaxis'].map(a => document.getElementById('scatter').layout[a].title.text)")
    assert titles == ["Energy per inference (µJ)", "Deployed accuracy (%)"]
    assert page.evaluate(INKED) == [True] * table.status.count("front"), "every point of the front is drawn"


INKED = """() => {
  const { cloud } = window.Dse.state, pen = cloud.canvas.getContext('2d'), scale = window.devicePixelRatio;
  return cloud.view.groups.at(-1).rows.map(i => { const [x, y] = cloud.places.get(i);
    return pen.getImageData(Math.round(x * scale), Math.round(y * scale), 1, 1).data[3] > 0; }); }"""


def test_axes_scales_colour_and_a_third_axis_can_be_chosen(tab: Tab, served: Served, studies: Studies) -> None:
    page, table = tab.open(served(studies["many"])), table_of(studies["many"])
    page.select_option("#x-axis", "area_mm2")
    page.select_option("#x-scale", "linear")
    front = page.evaluate(MARKS)[-1]
    assert np.allclose(front["x"], table.metrics["area_mm2"][front["rows"]], rtol=SCREEN)
    assert page.evaluate("() => document.getElementById('scatter').layout.xaxis.type") == "linear"
    page.select_option("#colour-by", "machine.vector_width")
    assert page.locator("#colour-legend span").all_text_contents() == ["2", "4", "8"]
    tints = page.evaluate(
        "() => { const g = window.Dse.state.cloud.view.groups.at(-1); return g.rows.map(i => g.tint(i)); }"
    )
    widths = [table.genes["machine.vector_width"][row] for row in front["rows"]]
    assert len(set(zip(widths, tints, strict=True))) == len(set(widths)) == len(set(tints)) > 1
    page.select_option("#z-axis", "latency_ms")
    three = "() => (document.getElementById('scatter').data[0] || {}).type === 'scatter3d'"
    page.wait_for_function(three, timeout=WAIT_MS)
    titles = page.evaluate("() => document.getElementById('scatter').layout.scene.zaxis.title.text")
    assert titles == "Latency (ms)"
    page.select_option("#z-axis", "")
    assert len(kept(page)) == 1800


def test_failed_and_infeasible_candidates_are_shown_on_demand(tab: Tab, served: Served, studies: Studies) -> None:
    page = tab.open(served(studies["many"]))
    page.check("input[data-status=failed]")
    assert {group["status"]: len(group["rows"]) for group in page.evaluate(MARKS)}[STATUSES.index("failed")] == 5
    page.uncheck("input[data-status=dominated]")
    assert STATUSES.index("dominated") not in {group["status"] for group in page.evaluate(MARKS)}


def test_the_pointer_is_told_what_it_is_on(tab: Tab, served: Served, studies: Studies) -> None:
    page, table = tab.open(served(studies["many"])), table_of(studies["many"])
    front = page.evaluate(MARKS)[-1]["rows"]
    place = page.evaluate("i => window.Dse.state.cloud.places.get(i)", front[0])
    box = page.locator("#scatter").bounding_box()
    page.mouse.move(box["x"] + place[0], box["y"] + place[1])
    page.wait_for_selector(".tip:visible", timeout=WAIT_MS)
    said = page.text_content(".tip")
    assert any(table.ids[row] in said for row in front)
    assert "Energy per inference: " in said
    page.mouse.click(box["x"] + place[0], box["y"] + place[1])
    page.wait_for_selector("#chosen:visible", timeout=WAIT_MS)
    assert page.text_content("#chosen-title").endswith(", front")


@pytest.mark.parametrize("tool", ["box", "lasso"])
def test_a_box_or_lasso_in_the_scatter_filters_table_and_counts(
    tool: str, tab: Tab, served: Served, studies: Studies
) -> None:
    page, table = tab.open(served(studies["many"])), table_of(studies["many"])
    if tool == "lasso":
        page.evaluate("() => Plotly.relayout('scatter', {dragmode: 'lasso'})")
    area = page.locator("#scatter .nsewdrag").bounding_box()
    corners = [(area["x"] + dx, area["y"] + dy) for dx, dy in ((40, 30), (260, 30), (260, 200), (40, 200))]
    if tool == "box":
        settled(page, lambda: drag(page, corners[0], corners[2]))
    else:

        def circle() -> None:
            page.mouse.move(*corners[0])
            page.mouse.down()
            for corner in (*corners[1:], corners[0]):
                page.mouse.move(*corner, steps=5)
            page.mouse.up()

        settled(page, circle)
    edges = page.evaluate(
        """([left, top, right, bottom]) => { const [across, up] = window.Dse.state.cloud.axes();
          return [across.p2d(left), up.p2d(bottom), across.p2d(right), up.p2d(top)]; }""",
        [40, 30, 260, 200],
    )
    energy, accuracy = table.metrics["energy_uj"], 100 * table.metrics["accuracy"]
    inside = (energy >= edges[0]) & (energy <= edges[2]) & (accuracy >= edges[1]) & (accuracy <= edges[3])
    expected = set(np.flatnonzero(inside).tolist())
    assert 0 < len(expected) < 1800
    # A mark within a pixel of the edge may fall on either side.
    assert len(kept(page) ^ expected) <= 0.02 * len(expected)
    found = len(kept(page))
    table_has(page, found)
    assert page.text_content("#counts").startswith(f"{found:,} of 1,800")
    settled(page, lambda: page.click("#clear"), "1,800 of")
    table_has(page, 1800)


def test_shift_adds_a_box(tab: Tab, served: Served, studies: Studies) -> None:
    page = tab.open(served(studies["many"]))
    area = page.locator("#scatter .nsewdrag").bounding_box()
    at = [(area["x"] + dx, area["y"] + dy) for dx, dy in ((40, 30), (200, 200), (230, 30), (400, 200))]
    settled(page, lambda: drag(page, at[0], at[1]))
    first = kept(page)
    page.keyboard.down("Shift")
    settled(page, lambda: drag(page, at[2], at[3]))
    page.keyboard.up("Shift")
    assert first < kept(page)


def test_a_filter_of_the_table_filters_every_view(tab: Tab, served: Served, studies: Studies) -> None:
    page, table = tab.open(served(studies["many"])), table_of(studies["many"])
    settled(page, lambda: page.evaluate(FOUR_ROWS))
    four = {row for row, width in enumerate(table.genes["machine.vector_width"]) if width == 4}
    assert kept(page) == four
    bound(page, "area_mm2", 100)
    area = table.metrics["area_mm2"]
    limit = np.nanmin(area) * (np.nanmax(area) / np.nanmin(area)) ** 0.5
    expected = four & set(np.flatnonzero(area <= limit).tolist())
    assert kept(page) == expected
    table_has(page, len(expected))
    settled(page, lambda: page.click("#clear"), "1,800 of")
    assert len(kept(page)) == 1800
    table_has(page, 1800)


def test_a_constraint_keeps_exactly_what_obeys_it(tab: Tab, served: Served, studies: Studies) -> None:
    page, table = tab.open(served(studies["many"])), table_of(studies["many"])
    bound(page, "area_mm2", 100)
    area = table.metrics["area_mm2"]
    limit = np.nanmin(area) * (np.nanmax(area) / np.nanmin(area)) ** 0.5
    expected = set(np.flatnonzero(area <= limit).tolist())
    assert kept(page) == expected
    table_has(page, len(expected))
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
    left = box["x"] + page.evaluate("() => window.Dse.state.parallel.x(0)")
    settled(page, lambda: drag(page, (left, box["y"] + 60), (left + 3, box["y"] + 160)))
    low, high = page.evaluate("() => window.Dse.state.ranges.accuracy[0]")
    accuracy = 100 * table.metrics["accuracy"]
    expected = set(np.flatnonzero((accuracy >= low) & (accuracy <= high)).tolist())
    assert 0 < len(expected) < 1800
    assert kept(page) == expected
    settled(page, lambda: page.mouse.click(left, box["y"] + 100), "1,800 of")
    assert len(kept(page)) == 1800


def test_the_parallel_axes_follow_the_keyboard(tab: Tab, served: Served, studies: Studies) -> None:
    page, table = tab.open(served(studies["many"])), table_of(studies["many"])
    page.select_option("#axes-shown", "machine")
    page.locator("#parallel canvas").focus()
    names = page.evaluate("() => window.Dse.state.parallel.view.axes.map(axis => axis.name)")
    for _ in range(names.index("machine.vector_width") + 1):
        page.keyboard.press("ArrowRight")
    assert page.text_content("#parallel-range") == "vector width: all"
    settled(page, lambda: page.keyboard.press("ArrowDown"))
    assert page.text_content("#parallel-range") == "vector width: 2, 4"
    settled(page, lambda: page.keyboard.press("Shift+ArrowUp"))
    assert page.text_content("#parallel-range") == "vector width: 4"
    assert kept(page) == {row for row, width in enumerate(table.genes["machine.vector_width"]) if width == 4}
    page.keyboard.press("Delete")
    page.keyboard.press("Home")
    for _ in names:
        page.keyboard.press("ArrowLeft")
    settled(page, lambda: page.keyboard.press("ArrowDown"))
    accuracy = table.metrics["accuracy"]
    least, most = np.nanmin(accuracy), np.nanmax(accuracy)
    bar = most + 0.02 * (most - least) - (most - least) / 20
    assert kept(page) == set(np.flatnonzero(accuracy <= bar + 1e-12).tolist())


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
    page.wait_for_function(DRAWN, timeout=WAIT_MS)
    commands = candidate_view(study_of(folder), point.id).commands
    assert page.locator(".commands code").all_text_contents() == [command for command, _ in commands]
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
    assert page.evaluate("() => 'accuracy' in window.Dse.state.bounds"), "a filter outlives new candidates"


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
    page.wait_for_selector("#colour-legend span >> nth=1", timeout=WAIT_MS)
    assert asked == []
    assert page.locator("img").count() == 0
    assert "<img" in page.text_content("#studies")


@pytest.mark.parametrize("tab", ["dark"], indirect=True)
def test_dark_readers_get_dark_figures(tab: Tab, served: Served, studies: Studies) -> None:
    from dse.reporting import theme

    page = tab.open(served(studies["one"]))
    assert page.evaluate(FONT) == theme.DARK["text"]
    assert json.loads(page.get_attribute("#explore-config", "data-config"))["dark"] == theme.DARK


FONT = "() => document.getElementById('scatter').layout.font.color"


def test_light_and_dark_can_be_chosen_and_are_remembered(tab: Tab, served: Served, studies: Studies) -> None:
    from dse.reporting import theme

    page = tab.open(served(studies["one"]))
    assert page.text_content("#theme") == "As the system"
    page.click("#theme")
    assert (page.text_content("#theme"), page.evaluate(FONT)) == ("Light", theme.LIGHT["text"])
    page.click("#theme")
    page.wait_for_function(f"() => ({FONT})() === '{theme.DARK['text']}'", timeout=WAIT_MS)
    paper = "() => getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper)
    assert dark == "rgb({}, {}, {})".format(*bytes.fromhex(theme.DARK["page"][1:]))
    page.reload()
    page.wait_for_selector("#explore[data-ready]", state="attached", timeout=WAIT_MS)
    assert (page.text_content("#theme"), page.evaluate(paper)) == ("Dark", dark)


def test_importance_over_several_studies_says_so(tab: Tab, served: Served, studies: Studies) -> None:
    page = tab.open(served(studies["many"], studies["searched"]))
    assert page.text_content("#importance-note") == "Over the candidates of all 2 studies."
