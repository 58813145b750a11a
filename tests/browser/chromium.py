"""How Chromium is started, and a tab that remembers what its console said."""

from dataclasses import dataclass, field
from typing import Any

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT_MS = 30_000
HARMLESS = ("GPU stall due to ReadPixels", "Canvas2D: Multiple readback operations")
"""Chromium's remarks on WebGL without a graphics card, and on how plotly measures the texts of a 3-D scene."""


@dataclass
class Tab:
    """A page and what its console said."""

    page: Any
    said: list[str] = field(default_factory=list)

    def open(self, address: str, ready: str = "#explore[data-ready]") -> Any:
        self.page.goto(address)
        self.page.wait_for_selector(ready, state="attached", timeout=WAIT_MS)
        return self.page
