"""What the browser is sent: columns of candidates, the importance of genes, and the constants of the look."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from costmodels.errors import InputError
from dse.dashboard.library import Library, Remembered
from dse.objectives import OBJECTIVES
from dse.reporting import theme
from dse.reporting.candidates import Candidates, candidates, columns_dict, pooled
from dse.reporting.figures import FINE_SPAN, log_ticks
from dse.reporting.importance import importances
from dse.reporting.page import POLICY
from dse.reporting.report_data import axis
from dse.results import StudyFolder

WEBGL_FROM = 1500
"""Points of one kind from which a WebGL trace is drawn faster than an SVG one (benchmarks/dashboard.py)."""
RAMP = ("#2585c7", "#5aa0a8", "#8fae7d", "#c9b800", "#d98c00", "#d55e00")
"""Rising values from blue over yellow to vermilion: in this order under all common colour-vision deficiencies."""


@dataclass(frozen=True, eq=False)
class Shown:
    """One study: its candidates, their columns as JSON, and the importance of its genes as JSON."""

    table: Candidates
    columns: bytes
    importances: bytes


def shown(folder: StudyFolder) -> Shown:
    """What of one study can be made before anyone asks."""
    table = candidates(folder)
    return Shown(table, _json(columns_dict(table)), encoded_importances(table))


def readable(library: Library, memory: Remembered, chosen: Sequence[str] | None) -> tuple[list[str], dict[str, str]]:
    """Of the chosen studies those that can be read, and what is wrong with each of the others."""
    found, unreadable = [], {}
    for name in chosen or ():
        try:
            memory.get(library.folder(name), shown)
            found.append(name)
        except InputError as error:
            unreadable[name] = str(error)
    return found, unreadable


def answer(version: str, studies: Sequence[Shown]) -> bytes:
    """JSON of several studies' candidates, with the importance of genes over all of them."""
    many = len(studies) != 1
    over_all = encoded_importances(pooled([each.table for each in studies])) if many and studies else b"{}"
    importance = over_all if many else studies[0].importances
    head = b'{"version":' + _json(version) + b',"importances":' + importance
    return head + b',"studies":[' + b",".join(each.columns for each in studies) + b"]}"


def encoded_importances(table: Candidates) -> bytes:
    """JSON of column to pairs of gene and share, most important first."""
    return _json({column: [list(each) for each in genes] for column, genes in importances(table).items()})


def _json(data: Any) -> bytes:
    return json.dumps(data, allow_nan=False, separators=(",", ":")).encode()


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
