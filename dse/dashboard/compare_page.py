"""Candidates side by side."""

from collections.abc import Sequence

from dash import dcc, html

from dse.dashboard.candidate import CandidateView
from dse.dashboard.cards import figure, pair, quoted, section
from dse.dashboard.comparison import compared
from dse.objectives import BY_COLUMN
from dse.reporting import figures
from dse.reporting.report_data import Axis, ReportData

_OBJECTIVES = tuple(
    Axis(o.name, o.label, o.unit, o.column, o.maximise) for o in (BY_COLUMN["accuracy"], BY_COLUMN["energy_uj"])
)


def compare_page(views: Sequence[CandidateView]) -> html.Div:
    """Candidates side by side; cells of properties in which they differ are marked."""
    groups = []
    for title, rows in compared(views):
        body = [
            html.Tr([html.Td(row.name), *(html.Td(v, className="differs" if row.differs else "") for v in row.values)])
            for row in rows
        ]
        groups += [html.Tr(html.Td(html.B(title), colSpan=len(views) + 1)), *body]
    links = [
        html.Th(dcc.Link(f"{view.id} of {view.study}", href=f"candidate?study={quoted(view.study)}&id={view.id}"))
        for view in views
    ]
    table = html.Table([html.Thead(html.Tr([html.Th(""), *links])), html.Tbody(groups)], className="compare")
    points = [view.point for view in views]
    data = ReportData("", "", (), (), _OBJECTIVES, _OBJECTIVES, front=tuple(points))
    return html.Div(
        [
            section("Comparison", html.P("Marked: where the candidates differ.", className="muted"), table),
            section("Energy by term", figure(figures.stacked(data, "energy_uj"), "Energy by term")),
            section("Area by block", figure(figures.stacked(data, "area_mm2"), "Area by block")),
            pair(*(section(f"Cycles of {p.id}", figure(figures.layer_cycles(p), f"Cycles of {p.id}")) for p in points)),
        ],
        className="page",
    )
