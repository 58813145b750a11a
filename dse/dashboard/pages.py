"""The pages as Dash components: a study's words go in as text, never as markup."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import plotly.graph_objects as go
from dash import dcc, html
from dash_ag_grid import AgGrid

from costmodels.errors import InputError
from dse.dashboard import drawings
from dse.dashboard.candidate import CandidateView
from dse.dashboard.comparison import compared
from dse.dashboard.what_if import WhatIf, change_percent
from dse.objectives import BY_COLUMN
from dse.reporting import figures, theme
from dse.reporting.report_data import Accuracies, Axis, ReportData, percent
from dse.reporting.texts import LAYERS_CAPTION
from dse.words import amount

Children = list[Any]


def figure(drawn: go.Figure, label: str, caption: str = "") -> html.Figure:
    """A figure that the page's script draws in the reader's light or dark."""
    plain = json.loads(drawn.to_json())
    spec = json.dumps({"data": plain["data"], "layout": plain["layout"]}, allow_nan=False)
    height = {"minHeight": f"{plain['layout']['height']}px"}
    marks: dict[str, Any] = {"data-figure": spec, "role": "img", "aria-label": label}
    plot = html.Div(**marks, style=height)
    return html.Figure([plot, *([html.Figcaption(caption)] if caption else [])])


def section(title: str, *children: Any, **attributes: Any) -> html.Section:
    """A card with a heading."""
    return html.Section([html.H2(title), *children], **attributes)


def notice(title: str, *texts: str) -> html.Section:
    """A card that says why there is nothing to see."""
    return section(title, *(html.P(text, className="note") for text in texts), className="notice")


def trouble(error: InputError) -> html.Section:
    """What a request cannot be answered with."""
    return notice("This cannot be shown", str(error))


def _select(identity: str, options: Mapping[str, str] | None = None) -> html.Select:
    shown = [html.Option(text, value=value) for value, text in (options or {}).items()]
    return html.Select(shown, id=identity)


def explore() -> html.Div:
    """The overview's frame, which the page's script fills."""
    scales = {"log": "log", "linear": "linear"}
    side = html.Section(
        [
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
        ],
        className="side",
    )
    chosen = html.Div(
        [
            html.P([html.B(id="chosen-title"), html.Br(), html.Span(id="chosen-words")]),
            html.Button("Open its page", id="open-candidate", className="main"),
            html.Button("Add to comparison", id="add-candidate"),
        ],
        id="chosen",
        hidden=True,
    )
    front = html.Section(
        [
            html.Div([html.H2("Candidates"), html.Span(id="colour-legend", className="legend")], className="head"),
            html.Div([html.Canvas(id="cloud"), _plot("scatter", "Candidates", 452)], className="marks"),
            html.P(
                "Drag a box or lasso to keep what is inside, with shift to add another. Click a candidate to open it.",
                className="muted",
            ),
            chosen,
        ]
    )
    over = {"trainings": "over trainings", "seconds": "over time"}
    growth = html.Section(
        [
            html.Div([html.H2("How the front grew"), _select("growth-over", over)], className="head"),
            _plot("growth", "Hypervolume of the front", 196),
        ]
    )
    importance = html.Section(
        [
            html.Div([html.H2("Gene importance"), _select("importance-of")], className="head"),
            _plot("importance", "Share of the variance that each gene explains", 210),
            html.P(id="importance-note", className="muted"),
        ]
    )
    shown = {
        "important": "objectives and important genes",
        "machine": "objectives and machine",
        "network": "objectives and network",
        "costs": "all quantities",
    }
    parallel = html.Section(
        [
            html.Div([html.H2("Genes and quantities"), _select("axes-shown", shown)], className="head"),
            _plot("parallel", "Parallel coordinates of genes and quantities", 330, role="group"),
            html.P([PARALLEL_HINT, html.Span(id="parallel-note")], className="muted"),
            html.P(id="parallel-range", role="status", className="muted"),
        ],
        className="wide",
    )
    table = html.Section(
        [html.Div([html.H2("Table"), html.Button("Save as CSV", id="save-csv")], className="head"), _table()],
        className="wide",
    )
    head = html.Div(
        [
            html.Span(id="counts", className="muted"),
            html.Button("Clear all filters", id="clear"),
            html.Span(className="grow"),
            html.Span(id="tray"),
            html.Button("Compare", id="compare", className="main"),
            html.Button("Save this view as HTML", id="save-html"),
        ],
        className="bar",
    )
    grid = html.Div([side, front, html.Div([growth, importance], className="stack"), parallel, table], className="grid")
    empty = notice(
        "Nothing to show yet",
        "No network of this study has a score so far. The page looks for new ones every two seconds.",
    )
    return html.Div(
        [html.Div([head, grid], id="explore-body", hidden=True), html.Div(empty, id="explore-empty", hidden=True)],
        id="explore",
    )


PARALLEL_HINT = (
    "Drag along an axis to keep a range; click the axis to lift it. By keyboard: left and right choose the axis, up "
    "and down move the range's upper end, with shift its lower end, Delete lifts it. "
)


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


def candidate_page(view: CandidateView, axes: Mapping[str, Sequence[Any]]) -> html.Div:
    """Everything about one candidate."""
    breakdown = view.breakdown
    reasons = [str(reason) for reason in breakdown.report.reasons]
    head = section(
        f"Candidate {view.id} of {view.study}",
        html.P([breakdown.network, html.Br(), html.Span(f"on {breakdown.machine}", className="muted")]),
        _fidelity_links(view),
        _tiles(view),
    )
    parts: Children = [
        head,
        section("Network", figure(drawings.network_drawing(view.layers), "Network, layer by layer", NETWORK_CAPTION)),
        section("Machine", figure(drawings.machine_drawing(breakdown), "Blocks of the machine with sizes")),
        section("Accuracy at each fidelity", _accuracy_table(view.accuracies)),
    ]
    if reasons:
        parts.append(notice("This machine cannot run this network", *reasons))
    else:
        parts += [
            _pair(
                section(
                    "Cycles by layer and cause", figure(figures.layer_cycles(view.point), "Cycles", LAYERS_CAPTION)
                ),
                section("Energy by layer and term", figure(drawings.energy_by_layer(breakdown), "Energy")),
            ),
            _pair(
                section("Area by block", figure(drawings.area_by_block(breakdown), "Area", AREA_CAPTION)),
                section("Roofline", figure(drawings.roofline_figure(view.roofline), "Roofline", ROOFLINE_CAPTION)),
            ),
            section("What fills the buffers", figure(drawings.occupancy(breakdown), "Buffers", OCCUPANCY_CAPTION)),
        ]
    parts += [
        section("What if the machine were another?", _what_if_controls(view, axes)),
        section("Commands", _commands(view.commands)),
    ]
    return html.Div(parts, className="page")


NETWORK_CAPTION = (
    "Blue: binary weights. Orange: multi-bit weights, which cost a pass for each bit. Rates: one per step, or their "
    "range where there are more than four."
)
AREA_CAPTION = "Blue: memories. Grey: logic."
ROOFLINE_CAPTION = "Left of the bend the DRAM limits, right of it the array. Layers without DRAM traffic are left out."
OCCUPANCY_CAPTION = (
    "Spikes and weights have half a buffer each, since the other half is filled or drained meanwhile. Weights beyond "
    "100 % do not fail: they are streamed, filter by filter."
)


def _pair(*cards: Any) -> html.Div:
    return html.Div(list(cards), className="two", style={"marginBottom": "10px"})


def _fidelity_links(view: CandidateView) -> Any:
    if len(view.fidelities) < 2:
        return html.P("Costs with the firing rates of the short run.", className="muted")
    links: Children = ["Costs with the firing rates of the "]
    for kind in view.fidelities:
        words = {"short": "short run", "refined": "longer training"}[kind]
        href = f"candidate?study={_quoted(view.study)}&id={view.id}&fidelity={kind}"
        links += [html.B(words) if kind == view.fidelity else dcc.Link(words, href=href), " "]
    return html.P(links)


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _tiles(view: CandidateView) -> html.Div:
    measured = view.accuracies.get("refined" if view.fidelity == "refined" else "short")
    shown = [(percent(measured.deployed if measured else None), "deployed accuracy, 95 % interval")]
    shown += [(_with_unit(column, value), BY_COLUMN[column].label.lower()) for column, value in view.totals.items()]
    return html.Div(
        [html.Div([html.B(value), html.Span(meaning)], className="tile") for value, meaning in shown], className="tiles"
    )


def _with_unit(column: str, value: float) -> str:
    return "–" if math.isnan(value) else f"{amount(value)} {BY_COLUMN[column].unit}"


def _accuracy_table(accuracies: Mapping[Any, Accuracies]) -> html.Table:
    heads = ("fidelity", "deployed (integer network)", "interval", "float network", "samples")
    rows = []
    for kind, measured in accuracies.items():
        share = measured.deployed
        interval = f"{100 * share.low:.1f} to {100 * share.high:.1f} %" if share else "–"
        cells = (
            theme.FIDELITY_WORDS[kind],
            percent(share),
            interval,
            percent(measured.float_network),
            f"{share.samples:,}" if share else "–",
        )
        rows.append(html.Tr([html.Td(cell) for cell in cells]))
    return html.Table([html.Thead(html.Tr([html.Th(head) for head in heads])), html.Tbody(rows)])


def _commands(commands: Iterable[tuple[str, str]]) -> html.Div:
    cells: Children = []
    for command, why in commands:
        marks: dict[str, Any] = {"data-copy": command}
        button = html.Button("copy", **marks)
        cells += [html.Code(command), button, html.Span(why, className="muted")]
    return html.Div(cells, className="commands")


def _what_if_controls(view: CandidateView, axes: Mapping[str, Sequence[Any]]) -> html.Div:
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


def what_if_answer(found: WhatIf) -> Children:
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
        html.Th(dcc.Link(f"{view.id} of {view.study}", href=f"candidate?study={_quoted(view.study)}&id={view.id}"))
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
            _pair(
                *(section(f"Cycles of {p.id}", figure(figures.layer_cycles(p), f"Cycles of {p.id}")) for p in points)
            ),
        ],
        className="page",
    )


_OBJECTIVES = tuple(
    Axis(o.name, o.label, o.unit, o.column, o.maximise) for o in (BY_COLUMN["accuracy"], BY_COLUMN["energy_uj"])
)
