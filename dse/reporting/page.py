"""The self-contained page around the figures: a study's words are escaped, nothing is loaded from elsewhere."""

import json
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from dse.reporting import figures, theme
from dse.reporting.report_data import (
    MOST_BARS,
    Accuracies,
    Axis,
    FailureRow,
    Fidelity,
    Point,
    ReportData,
    csv_rows,
    fidelities,
    percent,
    scatter_axes,
)
from dse.reporting.script import SCRIPT
from dse.reporting.texts import (
    HOW_TO_READ,
    IMPORTANCE_TEXT,
    LAYERS_CAPTION,
    NO_FRONT,
    PARALLEL_CAPTION,
    PARETO_CAPTION,
    POINTS_TEXT,
    REFINED_TEXT,
)
from dse.words import amount

# Nothing may be fetched, even if an escape were missed; plotly compiles its WebGL figures, hence 'unsafe-eval'.
POLICY = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:"
PLOT_SETTINGS = {
    "displaylogo": False,
    "responsive": True,
    "modeBarButtons": [["toImage", "zoom2d", "pan2d", "resetScale2d"]],
    "toImageButtonOptions": {"format": "svg"},
}


def write_page(data: ReportData, path: Path) -> None:
    """Write the page to ``path``, replacing what was there in one step."""
    scratch = path.with_name(f".{path.name}.part")
    scratch.write_text(render(data), encoding="utf-8")
    scratch.replace(path)


def render(data: ReportData) -> str:
    """The whole page as HTML."""
    parts = [part for part in (section(data) for section in SECTIONS) if part]
    links = "".join(f'<a href="#{anchor}">{title}</a>' for anchor, title, _ in parts)
    body = "".join(
        f'<section id="{anchor}" aria-labelledby="{anchor}-title"><h2 id="{anchor}-title">{title}</h2>{inner}</section>'
        for anchor, title, inner in parts
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{escape(data.title)}</title><style>{theme.STYLE}</style>"
        f"<script>{get_plotlyjs()}</script></head><body><main>"
        f"<header><h1>{escape(data.title)}</h1><p>{escape(data.subtitle)}</p><nav>{links}</nav></header>"
        f"{body}</main>{_embedded(data)}<script>{SCRIPT}</script></body></html>\n"
    )


def safe_json(data: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _embedded(data: ReportData) -> str:
    """What the script needs to answer a choice of point or of axis."""
    layers = {
        p.id: {
            "layers": [x.name for x in p.layers],
            "causes": [[getattr(x, c) for x in p.layers] for c in theme.CYCLE_COLOURS],
        }
        for p in data.front
    }
    embedded = {
        "layers": layers,
        "csv": csv_rows(data),
        "light": theme.LIGHT,
        "dark": theme.DARK,
        "coarse": figures.log_ticks(fine=False),
        "fine": figures.log_ticks(fine=True),
        "span": figures.FINE_SPAN,
    }
    return f'<script id="report-data" type="application/json">{safe_json(embedded)}</script>'


def _figure(figure: go.Figure, name: str, caption: str, label: str) -> str:
    """A figure, drawn by the script when the page opens."""
    spec = json.loads(figure.to_json())
    spec = {"data": spec["data"], "layout": spec["layout"], "config": PLOT_SETTINGS}
    height = spec["layout"]["height"]
    return (
        f'<figure><div id="plot-{name}" role="img" aria-label="{escape(label)}" style="min-height:{height}px"></div>'
        f'<script class="spec" data-for="plot-{name}" type="application/json">{safe_json(spec)}</script>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _paragraphs(texts: Iterable[str], mark: str = "") -> str:
    return "".join(f"<p{mark}>{escape(text)}</p>" for text in texts)


def _table(head: Sequence[str], rows: Iterable[str]) -> str:
    """A scrolling table; heads and rows are markup already."""
    body = f"<thead><tr>{''.join(head)}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return f'<div class="scroll"><table>{body}</table></div>'


Section = tuple[str, str, str] | None


def _summary(data: ReportData) -> Section:
    tiles = "".join(
        f'<div class="tile"><b>{escape(t.value)}</b><span>{escape(t.meaning)}</span></div>' for t in data.tiles
    )
    return "summary", "Summary", f'{_paragraphs(data.summary)}<div class="tiles">{tiles}</div>'


def _pareto(data: ReportData) -> Section:
    if not data.front:
        return "front", "Pareto front", _paragraphs(NO_FRONT, ' class="note"')
    across, up = scatter_axes(data)
    options = "".join(_axis_option(axis, axis == across) for axis in data.quantities if axis.column != up.column)
    controls = (
        f'<div class="controls"><label>Across <select id="across">{options}</select></label>'
        '<label><input type="checkbox" id="log" checked> logarithmic</label>'
        '<span class="muted">Click a point to find it in the table and to see its layers.</span></div>'
    )
    caption = PARETO_CAPTION
    shown = _figure(figures.pareto(data), "pareto", caption, f"Scatter of {up.label} over {across.label}")
    return "front", "Pareto front", controls + shown


def _axis_option(axis: Axis, chosen: bool) -> str:
    title = escape(axis.title)
    return f'<option value="{escape(axis.column)}" data-title="{title}"{" selected" * chosen}>{title}</option>'


def _points(data: ReportData) -> Section:
    if not data.front:
        return None
    button = '<div class="controls"><button id="csv" type="button">Save this table as CSV</button></div>'
    return "points", "Points of the front", f"<p>{POINTS_TEXT}</p>{button}{_point_table(data, data.front)}"


def _refined(data: ReportData) -> Section:
    if not data.refined:
        return None
    return "refined", "Refined points", f"<p>{REFINED_TEXT}</p>{_point_table(data, data.refined)}"


def _point_table(data: ReportData, points: Sequence[Point]) -> str:
    kinds = fidelities(points)
    costs = [axis for axis in data.quantities if axis.column != "accuracy"]
    head = [
        '<th class="code">id</th>',
        *(f"<th>{theme.FIDELITY_WORDS[kind]}<small>deployed, float</small></th>" for kind in kinds),
    ]
    head += [f"<th>{escape(axis.label)}<small>{escape(axis.unit)}</small></th>" for axis in costs]
    rows = [_point_rows(point, kinds, [axis.column for axis in costs]) for point in points]
    body = f"<thead><tr>{''.join(head)}</tr></thead>{''.join(rows)}"
    return f'<div class="scroll"><table class="points">{body}</table></div>'


def _point_rows(point: Point, kinds: Sequence[Fidelity], columns: Sequence[str]) -> str:
    """Two lines: the figures, and below them network and machine in words."""
    cells = [
        f'<td class="code">{escape(point.id)}</td>',
        *(_accuracy_cell(point.accuracies.get(kind)) for kind in kinds),
    ]
    cells += [f"<td>{amount(point.metrics[column])}</td>" for column in columns]
    words = f"{escape(point.network)} <span>on {escape(point.machine)}</span>"
    words += f" · tied with {escape(point.tied)}" * bool(point.tied)
    return (
        f'<tbody data-id="{escape(point.id)}" tabindex="0"><tr>{"".join(cells)}</tr>'
        f'<tr class="words"><td></td><td colspan="{len(cells) - 1}">{words}</td></tr></tbody>'
    )


def _accuracy_cell(measured: Accuracies | None) -> str:
    if measured is None:
        return "<td>–</td>"
    return f"<td><b>{percent(measured.deployed)}</b><small>{percent(measured.float_network)}</small></td>"


def _all_quantities(data: ReportData) -> Section:
    if len(data.front) < 2:
        return None
    label = "Parallel coordinates of every quantity of the front points"
    shown = _figure(figures.parallel(data), "parallel", PARALLEL_CAPTION, label)
    return "quantities", "All quantities at once", shown


def _growth(data: ReportData) -> Section:
    if not data.trace:
        return None
    over_trainings = _figure(
        figures.hypervolume(data, "trainings"),
        "hv-trainings",
        "Over trainings. A long flat end means more trials would buy little.",
        "Hypervolume over trainings",
    )
    over_seconds = _figure(
        figures.hypervolume(data, "seconds"),
        "hv-seconds",
        "The same over the time spent searching.",
        "Hypervolume over seconds",
    )
    text = "The hypervolume is how much of the objectives' space the front dominates; it can only grow."
    return "growth", "How the front grew", f"{_paragraphs([text, data.reference])}{over_trainings}{over_seconds}"


def _importance(data: ReportData) -> Section:
    if not data.importances:
        return None
    shown = "".join(
        f"<h3>{escape(axis.label)}</h3>"
        + _figure(figures.importance(ranked), f"importance-{place}", "", f"Genes that explain {axis.label}")
        for place, (axis, ranked) in enumerate(data.importances)
    )
    return "importance", "Gene importance", f"{_paragraphs(IMPORTANCE_TEXT)}{shown}"


def _breakdowns(data: ReportData) -> Section:
    if not data.front:
        return None
    shown = f" {MOST_BARS} of {len(data.front)} points, evenly along the front." if len(data.front) > MOST_BARS else ""
    toggle = '<div class="controls"><label><input type="checkbox" id="shares"> as shares of each point</label></div>'
    energy = _figure(
        figures.stacked(data, "energy_uj"),
        "energy",
        f"From the firing rates and masks measured in each network's training run.{shown}",
        "Energy by term",
    )
    area = _figure(figures.stacked(data, "area_mm2"), "area", f"Logic by block and memories.{shown}", "Area by block")
    return (
        "breakdowns",
        "Where energy and area go",
        f"{toggle}<h3>Energy by term</h3>{energy}<h3>Area by block</h3>{area}",
    )


def _layers(data: ReportData) -> Section:
    with_layers = [point for point in data.front if point.layers]
    if not with_layers:
        return None
    options = "".join(
        f'<option value="{escape(p.id)}">{escape(p.id)} · {escape(p.network)}</option>' for p in with_layers
    )
    chooser = f'<div class="controls"><label>Point <select id="point">{options}</select></label></div>'
    shown = _figure(figures.layer_cycles(with_layers[0]), "layers", LAYERS_CAPTION, "Cycles of each layer by cause")
    return "layers", "Cycles by layer and cause", chooser + shown


def _failures(data: ReportData) -> Section:
    if not data.failures:
        return "failures", "Failures", _paragraphs(["Every training gave a score."])
    head = [
        "<th>trial</th>",
        '<th class="words">reason</th>',
        '<th class="words">message</th>',
        "<th>time<small>s</small></th>",
    ]
    head.append('<th class="words">network</th>')
    rows = [_failure_row(row) for row in data.failures]
    return "failures", "Failures", _table(head, rows)


def _failure_row(row: FailureRow) -> str:
    words = "".join(f'<td class="words">{escape(text)}</td>' for text in (row.reason, row.message))
    return f'<tr><td>{row.trial}</td>{words}<td>{row.seconds:.1f}</td><td class="words">{escape(row.network)}</td></tr>'


def _reading(data: ReportData) -> Section:
    commands = "".join(
        f"<dt><code>{escape(command)}</code></dt><dd>{escape(why)}</dd>" for command, why in data.commands
    )
    return "reading", "How to read this", f"{_paragraphs(HOW_TO_READ)}<h3>Next</h3><dl>{commands}</dl>"


def _limits(data: ReportData) -> Section:
    return "limits", "Limits", _paragraphs(data.limits) if data.limits else ""


def _settings(data: ReportData) -> Section:
    groups = "".join(
        f"<h3>{escape(title)}</h3><dl>"
        + "".join(f"<dt>{escape(n)}</dt><dd>{escape(v)}</dd>" for n, v in lines)
        + "</dl>"
        for title, lines in data.settings
    )
    return "settings", "Settings, versions and digests", groups


SECTIONS = (
    _summary,
    _pareto,
    _points,
    _refined,
    _all_quantities,
    _growth,
    _importance,
    _breakdowns,
    _layers,
    _failures,
    _reading,
    _limits,
    _settings,
)
