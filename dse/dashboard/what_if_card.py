"""The same network on another machine: sliders, and the cost model's answer beside the own machine."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from dash import dcc, html

from dse.dashboard.candidate import CandidateView
from dse.dashboard.cards import Children, figure
from dse.dashboard.what_if import WhatIf, change_percent
from dse.objectives import BY_COLUMN
from dse.reporting import theme
from dse.words import amount


def controls(view: CandidateView, axes: Mapping[str, Sequence[Any]]) -> html.Div:
    config = view.breakdown.report.config
    sliders = []
    for name, choices in axes.items():
        own = getattr(config, name)
        values = slider_values(choices, own)
        words = name.replace("_kib", " (KiB)").replace("_", " ")
        marks = {place: str(value) for place, value in enumerate(values)}
        slider = dcc.Slider(
            id={"part": "what-if", "axis": name},
            min=0,
            max=max(1, len(values) - 1),
            step=1,
            marks=marks,
            value=values.index(own),
            disabled=len(values) < 2,
            updatemode="drag",
            included=False,
            allow_direct_input=False,
        )
        sliders.append(html.Label([words, slider]))
    store = dcc.Store(
        id="what-if-of",
        data={
            "study": view.study,
            "id": view.id,
            "fidelity": view.fidelity,
            "axes": {name: list(choices) for name, choices in axes.items()},
        },
    )
    return html.Div([store, html.Div(sliders), html.Div(id="what-if-answer")], className="whatif")


def slider_values(choices: Sequence[Any], own: Any) -> list[Any]:
    """What a slider can be set to: the choices of the space, and before them the own value where it is none of them."""
    return [*choices] if own in choices else [own, *choices]


def answer(found: WhatIf) -> Children:
    """Costs before and after, and the cycles of each layer."""
    report = found.after.report
    if not report.feasible:
        reasons = [html.Li(str(reason)) for reason in report.reasons]
        return [html.P(f"{found.after.machine} cannot run this network:", className="note"), html.Ul(reasons)]
    before = found.before.report
    pairs = (
        ("energy_uj", before.energy_uj, report.energy_uj),
        ("latency_ms", before.latency_ms, report.latency_ms),
        ("area_mm2", before.total_area_mm2, report.total_area_mm2),
        ("dram_kib", before.dram_kib, report.dram_kib),
    )
    heads = ("", "own machine", "this machine", "change")
    rows = [html.Tr([html.Td(BY_COLUMN[c].title), *_change_cells(old, new)]) for c, old, new in pairs]
    table = html.Table([html.Thead(html.Tr([html.Th(head) for head in heads])), html.Tbody(rows)])
    words = f"{found.after.machine}; answered by the cost model in {found.milliseconds:.1f} ms"
    return [
        html.P(words, className="muted", id="what-if-words"),
        table,
        figure(_before_and_after(found), "Cycles of each layer on both machines"),
    ]


def _change_cells(old: float, new: float) -> Children:
    change = change_percent(old, new)
    mark = "" if change is None or abs(change) < 0.05 else "worse" if change > 0 else "better"
    text = "–" if change is None else f"{change:+.1f} %"
    return [html.Td(amount(old)), html.Td(amount(new)), html.Td(text, className=mark)]


def _before_and_after(found: WhatIf) -> go.Figure:
    bars = [
        go.Bar(
            x=[layer.name for layer in breakdown.layers],
            y=[layer.cycles for layer in breakdown.layers],
            name=name,
            marker={"color": colour},
            hovertemplate=f"%{{x}}: %{{y:,.0f}} cycles, {name}<extra></extra>",
        )
        for name, breakdown, colour in (
            ("own machine", found.before, theme.GREY),
            ("this machine", found.after, theme.BLUE),
        )
    ]
    axes = {"xaxis": theme.axis("layer", type="category"), "yaxis": theme.axis("cycles", tickformat="~s")}
    return go.Figure(bars, theme.figure_layout(280, barmode="group", bargap=0.35, **axes))
