"""Takes the pictures of this documentation from the reference study in headless Chromium: python docs/screenshots.py"""

import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser")]
STUDY = ROOT / "results" / "mnist-reference"
IMAGES = ROOT / "docs" / "images"
WIDE = {"width": 1280, "height": 800}
WAIT_MS = 120_000


@contextmanager
def served() -> Iterator[str]:
    """Address of the dashboard over the reference study."""
    from werkzeug.serving import make_server

    from dse.dashboard.app import make_app
    from dse.dashboard.library import library

    server = make_server("127.0.0.1", 0, make_app(library([STUDY], ROOT)).server, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def overview(page: Any, address: str) -> None:
    page.goto(address)
    page.wait_for_selector("#explore[data-ready]", state="attached", timeout=WAIT_MS)
    page.select_option("#colour-by", "timesteps")
    page.screenshot(path=IMAGES / "dashboard-overview.png")
    page.locator("#parallel").scroll_into_view_if_needed()
    page.locator("section.wide").first.screenshot(path=IMAGES / "dashboard-parallel.png")
    page.locator("section.wide").nth(1).screenshot(path=IMAGES / "dashboard-table.png")


def three_axes(page: Any, address: str) -> None:
    page.goto(address)
    page.wait_for_selector("#explore[data-ready]", state="attached", timeout=WAIT_MS)
    page.select_option("#z-axis", "area_mm2")
    page.wait_for_selector("#scatter canvas", timeout=WAIT_MS)
    page.wait_for_timeout(3000)  # of a picture there is nothing to wait for
    page.locator(".marks").screenshot(path=IMAGES / "dashboard-three-axes.png")


def candidate(page: Any, address: str, ids: list[str]) -> None:
    page.goto(f"{address}candidate?study={STUDY.name}&id={ids[0]}")
    drawn = "() => [...document.querySelectorAll('[data-figure]')].filter(d => d.data).length >= 8"
    page.wait_for_function(drawn, timeout=WAIT_MS)
    page.screenshot(path=IMAGES / "dashboard-candidate.png", full_page=True)


def what_if(page: Any) -> None:
    thumb = page.locator(".whatif [role=slider]").first
    thumb.focus()
    before = page.text_content("#what-if-words")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("t => document.getElementById('what-if-answer').textContent.indexOf(t) < 0", arg=before)
    page.wait_for_function("() => [...document.querySelectorAll('#what-if-answer [data-figure]')].every(d => d.data)")
    page.locator("section:has(.whatif)").screenshot(path=IMAGES / "dashboard-what-if.png")


def comparison(page: Any, address: str, ids: list[str]) -> None:
    page.goto(address + "compare?" + "&".join(f"study={STUDY.name}&id={id}" for id in ids))
    page.wait_for_function("() => [...document.querySelectorAll('[data-figure]')].every(d => d.data)", timeout=WAIT_MS)
    page.wait_for_selector("table.compare", timeout=WAIT_MS)
    page.screenshot(path=IMAGES / "dashboard-compare.png")


def report(page: Any) -> None:
    from dse.reporting.from_study import report_data
    from dse.reporting.page import write_page
    from dse.results import StudyFolder

    path = ROOT / "build" / "report.html"
    path.parent.mkdir(exist_ok=True)
    write_page(report_data(StudyFolder(STUDY)), path)
    page.goto(path.as_uri())
    page.wait_for_selector("#plot-layers .main-svg", timeout=WAIT_MS)
    page.locator("#plot-pareto").screenshot(path=IMAGES / "front.png")
    page.evaluate("() => scrollTo(0, 0)")
    page.screenshot(path=IMAGES / "report.png")


def main() -> None:
    """Take them all."""
    from chromium import FLAGS
    from playwright.sync_api import sync_playwright

    from dse.results import StudyFolder

    front = StudyFolder(STUDY).front()
    ids = [front[0].id, front[len(front) // 2].id, front[-1].id]
    with sync_playwright() as started, served() as address:
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        light = browser.new_page(viewport=WIDE)
        report(light)
        overview(light, address)
        candidate(light, address, ids)
        what_if(light)
        comparison(light, address, ids)
        three_axes(light, address)
        dark = browser.new_page(viewport=WIDE, color_scheme="dark")
        dark.goto(address)
        dark.wait_for_selector("#explore[data-ready]", state="attached", timeout=WAIT_MS)
        dark.screenshot(path=IMAGES / "dashboard-dark.png")
        browser.close()


if __name__ == "__main__":
    main()
