"""A headless Chromium and a running dashboard; without either the tests are skipped and say what is missing."""

import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "dashboard"), str(HERE.parent / "dse"), str(HERE.parent / "dse" / "study")]
from chromium import FLAGS, HARMLESS, Tab  # noqa: E402


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install playwright")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is missing (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=chromium, args=FLAGS)
        yield found
        found.close()


@pytest.fixture(scope="session")
def served() -> Iterator[Callable[..., str]]:
    """Serve studies (or a results folder) and give the address."""
    from werkzeug.serving import make_server

    from dse.dashboard.app import make_app
    from dse.dashboard.library import library

    servers = []

    def serve(*studies: Path, results: Path = Path("nowhere")) -> str:
        server = make_server("127.0.0.1", 0, make_app(library(studies, results)).server, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/"

    yield serve
    for server in servers:
        server.shutdown()


@pytest.fixture(params=["light"])
def tab(browser: Any, request: pytest.FixtureRequest) -> Iterator[Tab]:
    """A tab whose console must have stayed silent."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, color_scheme=request.param, accept_downloads=True
    )
    page = context.new_page()
    found = Tab(page)
    page.on("console", lambda m: found.said.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: found.said.append(str(error)))
    yield found
    context.close()
    assert [text for text in found.said if not any(words in text for words in HARMLESS)] == []


@pytest.fixture(scope="session")
def studies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Studies by what they show; ``searched`` was found by a search with a stand-in for training."""
    from large_study import write_study
    from stand_in import InlineTrainers, settings_in

    from dse.study.refine import refine
    from dse.study.search import run_search

    results = tmp_path_factory.mktemp("results")
    searched = run_search(settings_in(results, trials=14), make_trainers=InlineTrainers()).folder
    refine(searched.path, 1, make_trainers=InlineTrainers())
    hostile = write_study(results, "<img src=x onerror=alert(1)>", 3, 2).path
    older = write_study(results, "older", 1, 1).path
    text = (older / "manifest.json").read_text(encoding="utf-8").replace('"machines"', '"machine_count"')
    (older / "manifest.json").write_text(text, encoding="utf-8")
    corrupt = write_study(results, "corrupt", 1, 1).path
    (corrupt / "networks.jsonl").write_text("{\n")
    return {
        "searched": searched.path,
        "many": write_study(results, "many", 300, 6, failures=5).path,
        "empty": write_study(results, "empty", 0, 0).path,
        "one": write_study(results, "one", 1, 1).path,
        "growing": write_study(results, "growing", 2, 2).path,
        "hostile": hostile,
        "older": older,
        "corrupt": corrupt,
    }
