"""What the browser is sent: columns of candidates with the importance of genes, and the constants of the look."""

import json
from typing import Any

from dse.dashboard.candidates import candidates, columns_dict
from dse.dashboard.importance import importances
from dse.objectives import OBJECTIVES
from dse.reporting import theme
from dse.reporting.figures import FINE_SPAN, log_ticks
from dse.reporting.from_study import axis
from dse.reporting.page import POLICY
from dse.results import StudyFolder

WEBGL_FROM = 1500
"""Points of one kind from which a WebGL trace is drawn faster than an SVG one (benchmarks/dashboard.py)."""
RAMP = ("#2585c7", "#5aa0a8", "#8fae7d", "#c9b800", "#d98c00", "#d55e00")
"""Rising values from blue over yellow to vermilion: in this order under all common colour-vision deficiencies."""


def encoded_columns(folder: StudyFolder) -> bytes:
    """JSON of one study's candidates."""
    table = candidates(folder)
    found = {column: [list(each) for each in genes] for column, genes in importances(table).items()}
    return json.dumps({**columns_dict(table), "importances": found}, allow_nan=False, separators=(",", ":")).encode()


def look() -> dict[str, Any]:
    """Palette, layout, axes and quantities that the figures of the overview are drawn with."""
    return {
        "quantities": [{**axis(o)._asdict(), "title": axis(o).title} for o in OBJECTIVES.values()],
        "layout": theme.figure_layout(400),
        "axis": {name: value for name, value in theme.axis("").items() if name != "title"},
        "light": theme.LIGHT,
        "dark": theme.DARK,
        "palette": theme.PALETTE,
        "ramp": RAMP,
        "scale": [[place / (len(RAMP) - 1), colour] for place, colour in enumerate(RAMP)],
        "blue": theme.BLUE,
        "grey": theme.GREY,
        "orange": theme.ORANGE,
        "purple": theme.PURPLE,
        "vermilion": theme.VERMILION,
        "coarse": log_ticks(fine=False),
        "fine": log_ticks(fine=True),
        "span": FINE_SPAN,
        "webgl_from": WEBGL_FROM,
        "policy": POLICY,
        "style": theme.STYLE,
    }
