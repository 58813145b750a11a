"""How fast the dashboard opens a large study and answers a brush, by the browser's own clock.

    python benchmarks/dashboard.py [--networks 1000] [--machines 10] [--rounds 5] [--json dashboard.json]

A study of that many made-up candidates is served by `dse dashboard` in a process of its own and opened in headless
Chromium at 1280 x 800, a new browser context each time. "open" runs from the start of the navigation to the frame in
which every view is drawn; "brush" from moving a constraint slider, or letting go of a box in the scatter, to the frame
after all linked views have followed. Bars: 3 s and 300 ms on two cores.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "dashboard"), str(ROOT / "tests" / "browser")]

OPEN_BAR_MS, BRUSH_BAR_MS = 3000.0, 300.0
OPENED = """() => new Promise(done => {
  const ready = () => document.querySelector('#explore[data-ready]')
    ? requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))) : requestAnimationFrame(ready);
  ready();
})"""
SLID = """value => new Promise(done => {
  const input = document.querySelector('input[data-column=energy_uj]'), start = performance.now();
  input.value = value;
  input.dispatchEvent(new Event('input'));
  const next = requestAnimationFrame, end = () => done(performance.now() - start);
  next(() => next(() => next(end)));
})"""
BRUSHES = "() => performance.getEntriesByName('dse:brush').map(m => m.duration)"
PARTS = "() => Object.fromEntries(performance.getEntriesByType('measure').map(m => [m.name, m.duration]))"


@contextmanager
def dashboard(study: Path) -> Iterator[str]:
    """The address of `dse dashboard` over one study."""
    program = [sys.executable, "-c", "from dse.cli import main; main()", "dashboard", str(study)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        program, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def once(browser: Any, address: str) -> dict[str, Any]:
    """Open, slide and draw a box, in a browser that knows nothing yet."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(address, wait_until="commit")
    page.wait_for_selector("#explore", state="attached")
    opened = page.evaluate(OPENED)
    parts = page.evaluate(PARTS)
    slid = [page.evaluate(SLID, value) for value in (150, 120, 170, 90)]
    page.evaluate(SLID, 200)
    before = len(page.evaluate(BRUSHES))
    area = page.locator("#scatter .nsewdrag").bounding_box()
    page.mouse.move(area["x"] + 60, area["y"] + 40)
    page.mouse.down()
    page.mouse.move(area["x"] + 250, area["y"] + 220, steps=4)
    page.mouse.up()
    page.wait_for_function(f"performance.getEntriesByName('dse:brush').length > {before}")
    boxed = page.evaluate(BRUSHES)[before:]
    context.close()
    return {"open_ms": opened, "slide_ms": slid, "box_ms": boxed, "parts_ms": parts}


def main() -> None:
    """Print the medians and, if asked, write every figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=1000)
    parser.add_argument("--machines", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()

    from chromium import FLAGS
    from large_study import write_study
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as started:
        study = write_study(Path(folder), "large", asked.networks, asked.machines)
        with dashboard(study.path) as address:
            browser = started.chromium.launch(executable_path=chromium, args=FLAGS)
            rounds = [once(browser, address) for _ in range(asked.rounds)]
            version = browser.version
            browser.close()
    opened = [each["open_ms"] for each in rounds]
    slid = [value for each in rounds for value in each["slide_ms"]]
    boxed = [value for each in rounds for value in each["box_ms"]]
    print(f"{asked.networks * asked.machines:,} candidates, Chromium {version}, {platform.processor()} ")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end")
    for name, values, bar in (
        ("open", opened, OPEN_BAR_MS),
        ("slide", slid, BRUSH_BAR_MS),
        ("box", boxed, BRUSH_BAR_MS),
    ):
        print(
            f"{name:6} median {statistics.median(values):7.0f} ms, worst {max(values):7.0f} ms, bar {bar:5.0f} ms, "
            f"{'met' if statistics.median(values) < bar else 'MISSED'} by the median"
        )
    shown = {name.removeprefix("dse:"): round(value) for name, value in rounds[-1]["parts_ms"].items()}
    print(f"parts of the last opening in ms: {shown}")
    if asked.json:
        asked.json.write_text(json.dumps({"candidates": asked.networks * asked.machines, "rounds": rounds}, indent=1))


if __name__ == "__main__":
    main()
