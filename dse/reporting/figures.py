"""Figures drawn from report data; nothing is computed here that a reader would call a result."""

from collections.abc import Sequence
from html import escape
from typing import Any, Literal

import plotly.graph_objects as go

from dse.reporting import theme
from dse.reporting.report_data import (
    OTHERS,
    Axis,
    Fidelity,
    GeneShare,
    Parts,
    Point,
    ReportData,
    Share,
    bars_shown,
    fidelities,
    parts_shown,
    percent,
    scatter_axes,
    staircase,
)
from dse.words import amount, part_words

LOG_DECADES = range(-6, 13)
COARSE_DIGITS = (1, 2, 5)
FINE_DIGITS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9)
FINE_SPAN = 12.0


def pareto(data: ReportData) -> go.Figure:
    """Front over the points that others dominate; markers carry all their quantities for a change of axis."""
    across, up = scatter_axes(data)
    grey = {"color": theme.GREY, "size": 6, "opacity": 0.4}
    blue = {"color": theme.FIDELITY_COLOURS["short"], "size": 10, "symbol": theme.FIDELITY_SYMBOLS["short"]}
    traces = [_markers(data, data.dominated, across, up, "short", "dominated", grey), *_bound(data, across, up)]
    traces += [_markers(data, data.front, across, up, "short", "front (short runs)", blue, bars=True)]
    if up.column == "accuracy":
        traces += [_measured_again(data, across, up, kind) for kind in fidelities(data.refined) if kind != "short"]
    values, texts = log_ticks(fine=_within_a_decade([x for trace in traces for x in trace.x]))
    layout = theme.figure_layout(
        520,
        xaxis=theme.axis(across.title, type="log", tickvals=values, ticktext=texts),
        yaxis=theme.axis(up.title, tickformat=".1%" if up.column == "accuracy" else ""),
        hovermode="closest",
    )
    return go.Figure([trace for trace in traces if len(trace.x)], layout)


def _within_a_decade(values: Sequence[float]) -> bool:
    return bool(values) and max(values) < FINE_SPAN * min(values)


def log_ticks(fine: bool) -> tuple[list[float], list[str]]:
    """Ticks of every decade that a quantity of ours may have, and how they read; ``fine`` suits a decade or two."""
    digits = FINE_DIGITS if fine else COARSE_DIGITS
    values = [digit * 10.0**decade for decade in LOG_DECADES for digit in digits]
    return values, [tick_words(value) for value in values]


def tick_words(value: float) -> str:
    """``0.05``, ``20``, ``5k``, ``2M``."""
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{suffix}"
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _markers(
    data: ReportData,
    points: Sequence[Point],
    across: Axis,
    up: Axis,
    kind: Fidelity,
    name: str,
    marker: dict[str, Any],
    bars: bool = False,
) -> go.Scatter:
    trace = go.Scatter(
        x=[point.metrics[across.column] for point in points],
        y=[_height(point, up, kind) for point in points],
        mode="markers",
        name=name,
        marker=marker,
        customdata=[point.id for point in points],
        meta={axis.column: [point.metrics[axis.column] for point in points] for axis in data.quantities},
        text=[hover(point, data.quantities) for point in points],
        hovertemplate="%{text}<extra></extra>",
    )
    if bars and up.column == "accuracy":
        trace.error_y = _interval([_deployed(point, kind) for point in points], marker["color"])
    return trace


def _height(point: Point, up: Axis, kind: Fidelity) -> float:
    measured = _deployed(point, kind)
    return measured.value if up.column == "accuracy" and measured else point.metrics[up.column]


def _bound(data: ReportData, across: Axis, up: Axis) -> list[go.Scatter]:
    """The staircase under the front, drawn only where the two axes are the whole front."""
    if (
        {axis.column for axis in data.objectives} != {across.column, up.column}
        or across.maximise
        or len(data.front) < 2
    ):
        return []
    corners = staircase([(p.metrics[across.column], p.metrics[up.column]) for p in data.front], up.maximise)
    line = {"color": theme.FIDELITY_COLOURS["short"], "width": 1.5}
    x, y = zip(*corners, strict=True)
    return [go.Scatter(x=x, y=y, mode="lines", line=line, opacity=0.5, hoverinfo="skip", showlegend=False)]


def _measured_again(data: ReportData, across: Axis, up: Axis, kind: Fidelity) -> go.Scatter:
    points = [point for point in data.refined if _deployed(point, kind)]
    marker = {"color": theme.FIDELITY_COLOURS[kind], "size": 12, "symbol": theme.FIDELITY_SYMBOLS[kind]}
    name = "longer training" if kind == "refined" else "longer training, test set"
    return _markers(data, points, across, up, kind, name, marker, bars=True)


def _deployed(point: Point, kind: Fidelity) -> Share | None:
    measured = point.accuracies.get(kind)
    return measured.deployed if measured else None


def _interval(shares: Sequence[Share | None], colour: str) -> dict[str, Any]:
    return {
        "type": "data",
        "array": [share.high - share.value if share else 0 for share in shares],
        "arrayminus": [share.value - share.low if share else 0 for share in shares],
        "color": colour,
        "thickness": 1,
        "width": 3,
    }


def hover(point: Point, quantities: Sequence[Axis]) -> str:
    """Everything about a point, escaped for a hover label."""
    lines = [f"<b>{escape(point.id)}</b>"]
    for kind, measured in point.accuracies.items():
        shares = f"deployed {percent(measured.deployed)}, float {percent(measured.float_network)}"
        lines.append(f"{theme.FIDELITY_WORDS[kind]}: {shares}")
    lines += [f"tied with {escape(point.tied)}"] * bool(point.tied)
    costs = [axis for axis in quantities if axis.column != "accuracy"]
    lines += [f"{escape(axis.label)}: {amount(point.metrics[axis.column])} {escape(axis.unit)}" for axis in costs]
    lines += ["", *(f"{escape(name)}: {escape(value)}" for name, value in point.parameters)]
    return "<br>".join(lines)


def hypervolume(data: ReportData, over: Literal["trainings", "seconds"]) -> go.Figure:
    """How the front grew over trainings or over seconds."""
    line = {"color": theme.BLUE, "width": 2, "shape": "hv"}
    trace = go.Scatter(
        x=[getattr(step, over) for step in data.trace],
        y=[step.hypervolume for step in data.trace],
        mode="lines+markers" if len(data.trace) < 3 else "lines",
        line=line,
        hovertemplate="%{y:.4f} after %{x:.4~g} " + over + "<extra></extra>",
    )
    title = "trainings" if over == "trainings" else "time since the start (s)"
    axes = {"xaxis": theme.axis(title, rangemode="tozero"), "yaxis": theme.axis(volume_unit(data))}
    return go.Figure([trace], theme.figure_layout(320, showlegend=False, **axes))


def volume_unit(data: ReportData) -> str:
    """The hypervolume with its unit: every axis counts in decades, errors as well as costs."""
    axes = len(data.objectives)
    unit = "decades" if axes == 1 else f"decades^{axes}"
    return f"hypervolume ({unit})"


def stacked(data: ReportData, of: Parts) -> go.Figure:
    """Energy by term or area by block, a bar for each front point."""
    points = bars_shown(data.front)
    label, unit = ("energy per inference", "µJ") if of == "energy_uj" else ("area", "mm²")
    styles = _part_styles(points)
    bars = [
        go.Bar(
            y=[point.id for point in points],
            x=values,
            orientation="h",
            name=escape(part_words(part)),
            marker=styles.get(part, {"color": theme.GREY}),
            hovertemplate=f"%{{y}}: {escape(part_words(part))} %{{x:.4~g}} {unit}<extra></extra>",
        )
        for part, values in parts_shown(points, of).items()
    ]
    layout = theme.figure_layout(
        150 + 26 * len(points),
        barmode="stack",
        bargap=0.25,
        xaxis=theme.axis(f"{label} ({unit})", rangemode="tozero"),
        yaxis=theme.axis("front point", autorange="reversed", type="category"),
    )
    return go.Figure(bars, layout)


def _part_styles(points: Sequence[Point]) -> dict[str, dict[str, Any]]:
    """A look for each term and block shown by name: one that is in both figures looks the same in both."""
    energy, area = ([name for name in parts_shown(points, of) if name != OTHERS] for of in ("energy_uj", "area_mm2"))
    places = {name: index for index, name in enumerate(energy)}
    free = iter(index for index in range(len(energy) + len(area)) if index not in {places.get(name) for name in area})
    return {
        name: theme.bar_style(index)
        for name, index in (places | {n: next(free) for n in area if n not in places}).items()
    }


def layer_cycles(point: Point) -> go.Figure:
    """Cycles of each layer of one point by cause."""
    names = [layer.name for layer in point.layers]
    bars = [
        go.Bar(
            x=names,
            y=[getattr(layer, cause) for layer in point.layers],
            name=cause,
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate=f"%{{x}}: %{{y:,.0f}} cycles {cause}<extra></extra>",
        )
        for cause, colour in theme.CYCLE_COLOURS.items()
    ]
    axes = {"xaxis": theme.axis("layer", type="category"), "yaxis": theme.axis("cycles", tickformat="~s")}
    return go.Figure(bars, theme.figure_layout(360, barmode="stack", bargap=0.4, **axes))


def importance(ranked: Sequence[GeneShare]) -> go.Figure:
    """Genes by the share of an objective's variance that each explains alone, most important on top."""
    bars = go.Bar(
        x=[100 * each.share for each in ranked],
        y=[each.gene for each in ranked],
        orientation="h",
        marker={"color": theme.BLUE},
        hovertemplate="%{y}: %{x:.1f} %<extra></extra>",
    )
    axes = {
        "xaxis": theme.axis("variance explained alone (%)", rangemode="tozero"),
        "yaxis": theme.axis("", type="category", autorange="reversed", ticks=""),
    }
    return go.Figure([bars], theme.figure_layout(90 + 24 * len(ranked), bargap=0.3, showlegend=False, **axes))


def parallel(data: ReportData) -> go.Figure:
    """Front points as lines over every quantity; dragging along an axis greys the lines outside."""
    dimensions = [
        {"label": _short_title(axis), "values": [_shown(point, axis) for point in data.front]}
        for axis in data.quantities
    ]
    line = {"color": theme.BLUE}
    trace = go.Parcoords(
        dimensions=dimensions, line=line, labelfont={"size": 12}, unselected={"line": {"opacity": 0.08}}
    )
    return go.Figure([trace], theme.figure_layout(380, margin={"l": 80, "r": 80, "t": 70, "b": 30}))


def _short_title(axis: Axis) -> str:
    unit = "%" if axis.unit == "fraction" else axis.unit
    return f"{axis.name} ({unit})" if unit else axis.name


def _shown(point: Point, axis: Axis) -> float:
    return point.metrics[axis.column] * (100 if axis.unit == "fraction" else 1)
