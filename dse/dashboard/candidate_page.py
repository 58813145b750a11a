"""Everything about one candidate, on one page."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dash import dcc, html

from dse.dashboard import drawings
from dse.dashboard.candidate import CandidateView
from dse.dashboard.cards import Children, figure, notice, pair, quoted, section
from dse.dashboard.what_if_card import controls
from dse.objectives import BY_COLUMN
from dse.reporting import figures, theme
from dse.reporting.report_data import Accuracies, percent
from dse.reporting.texts import LAYERS_CAPTION
from dse.words import amount

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
            pair(
                section(
                    "Cycles by layer and cause", figure(figures.layer_cycles(view.point), "Cycles", LAYERS_CAPTION)
                ),
                section("Energy by layer and term", figure(drawings.energy_by_layer(breakdown), "Energy")),
            ),
            pair(
                section("Area by block", figure(drawings.area_by_block(breakdown), "Area", AREA_CAPTION)),
                section("Roofline", figure(drawings.roofline_figure(view.roofline), "Roofline", ROOFLINE_CAPTION)),
            ),
            section("What fills the buffers", figure(drawings.occupancy(breakdown), "Buffers", OCCUPANCY_CAPTION)),
        ]
    parts += [
        section("What if the machine were another?", controls(view, axes)),
        section("Commands", _commands(view.commands)),
    ]
    return html.Div(parts, className="page")


def _fidelity_links(view: CandidateView) -> Any:
    if len(view.fidelities) < 2:
        return html.P("Costs with the firing rates of the short run.", className="muted")
    links: Children = ["Costs with the firing rates of the "]
    for kind in view.fidelities:
        words = {"short": "short run", "refined": "longer training"}[kind]
        href = f"candidate?study={quoted(view.study)}&id={view.id}&fidelity={kind}"
        links += [html.B(words) if kind == view.fidelity else dcc.Link(words, href=href), " "]
    return html.P(links)


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
