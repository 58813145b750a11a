"""The overview's frame, which the page's scripts fill."""

import json
from collections.abc import Mapping
from typing import Any

from dash import html
from dash_ag_grid import AgGrid

from dse.dashboard.cards import notice

BRUSH_HINT = "Drag a box or lasso to keep what is inside, with shift to add another. Click a candidate to open it."
PARALLEL_HINT = (
    "Drag along an axis to keep a range; click the axis to lift it. By keyboard: left and right choose the axis, up "
    "and down move the range's upper end, with shift its lower end, Delete lifts it. "
)


def explore() -> html.Div:
    """Every view over all candidates; hidden until there is one."""
    stack = html.Div([_growth(), _importance()], className="stack")
    grid = html.Div([_side(), _front(), stack, _parallel(), _candidates()], className="grid")
    empty = notice(
        "Nothing to show yet",
        "No network of this study has a score so far. The page looks for new ones every two seconds.",
    )
    return html.Div(
        [html.Div([_bar(), grid], id="explore-body", hidden=True), html.Div(empty, id="explore-empty", hidden=True)],
        id="explore",
    )


def _bar() -> html.Div:
    parts = [
        html.Span(id="counts", className="muted"),
        html.Button("Clear all filters", id="clear"),
        html.Span(className="grow"),
        html.Span(id="tray"),
        html.Button("Compare", id="compare", className="main"),
        html.Button("Save this view as HTML", id="save-html"),
    ]
    return html.Div(parts, className="bar")


def _side() -> html.Section:
    scales = {"log": "log", "linear": "linear"}
    parts = [
        html.H3("Axes"),
        html.Label("Across"),
        html.Div([_select("x-axis"), _select("x-scale", scales)], className="pair"),
        html.Label("Up"),
        html.Div([_select("y-axis"), _select("y-scale", dict(reversed(scales.items())))], className="pair"),
        html.Label(["Third ", _select("z-axis")]),
        html.Label(["Colour ", _select("colour-by")]),
        html.H3("Shown"),
        html.Div(id="statuses"),
        html.H3("Constraints"),
        html.Div(id="sliders"),
    ]
    return html.Section(parts, className="side")


def _front() -> html.Section:
    words = html.P([html.B(id="chosen-title"), html.Br(), html.Span(id="chosen-words")])
    buttons = [
        html.Button("Open its page", id="open-candidate", className="main"),
        html.Button("Add to comparison", id="add-candidate"),
    ]
    return html.Section(
        [
            _head("Candidates", html.Span(id="colour-legend", className="legend")),
            html.Div([html.Canvas(id="cloud"), _plot("scatter", "Candidates", 452)], className="marks"),
            html.P(BRUSH_HINT, className="muted"),
            html.Div([words, *buttons], id="chosen", hidden=True),
        ]
    )


def _growth() -> html.Section:
    over = {"trainings": "over trainings", "seconds": "over time"}
    head = _head("How the front grew", _select("growth-over", over))
    return html.Section([head, _plot("growth", "Hypervolume of the front", 196)])


def _importance() -> html.Section:
    head = _head("Gene importance", _select("importance-of"))
    plot = _plot("importance", "Share of the variance that each gene explains", 210)
    return html.Section([head, plot, html.P(id="importance-note", className="muted")])


def _parallel() -> html.Section:
    shown = {
        "important": "objectives and important genes",
        "machine": "objectives and machine",
        "network": "objectives and network",
        "costs": "all quantities",
    }
    parts = [
        _head("Genes and quantities", _select("axes-shown", shown)),
        _plot("parallel", "Parallel coordinates of genes and quantities", 330, role="group"),
        html.P([PARALLEL_HINT, html.Span(id="parallel-note")], className="muted"),
        html.P(id="parallel-range", role="status", className="muted"),
    ]
    return html.Section(parts, className="wide")


def _candidates() -> html.Section:
    return html.Section([_head("Table", html.Button("Save as CSV", id="save-csv")), _table()], className="wide")


def _head(title: str, beside: Any) -> html.Div:
    return html.Div([html.H2(title), beside], className="head")


def _select(identity: str, options: Mapping[str, str] | None = None) -> html.Select:
    shown = [html.Option(text, value=value) for value, text in (options or {}).items()]
    return html.Select(shown, id=identity)


def _plot(identity: str, label: str, height: int, role: str = "img") -> html.Div:
    marks: dict[str, Any] = {"role": role, "aria-label": label}
    return html.Div(id=identity, style={"height": f"{height}px"}, **marks)


def _table() -> AgGrid:
    colours = {
        "backgroundColor": "var(--card)",
        "foregroundColor": "var(--text)",
        "headerTextColor": "var(--muted)",
        "borderColor": "var(--line)",
        "accentColor": "var(--accent)",
        "fontFamily": "inherit",
    }
    quartz = f"themeQuartz.withParams({json.dumps({**colours, 'fontSize': 13, 'spacing': 5})})"
    options = {"theme": {"function": quartz}, "rowHeight": 28, "headerHeight": 44, "animateRows": False}
    return AgGrid(
        id="table",
        columnDefs=[],
        rowData=[],
        className="",
        dashGridOptions=options,
        defaultColDef={"sortable": True, "resizable": True, "wrapHeaderText": True},
        style={"height": "420px", "marginTop": "8px"},
    )
