"""Figures of one candidate and of a comparison, in the look of the report; nothing is computed here but places."""

from collections.abc import Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go

from dse.console import counted
from dse.costing import BITS_PER_KIB, PJ_PER_UJ, TAPS, Breakdown
from dse.dashboard.candidate import LayerView, Roofline
from dse.reporting import theme
from dse.reporting.figures import log_ticks
from dse.words import amount, part_words

LINE = "rgba(138,145,156,0.8)"
FILL = "rgba(138,145,156,0.10)"
NO_AXIS = {"visible": False, "fixedrange": True}
MOST_RATES = 4
"""Firing rates that fit the box of a layer."""
MEMORY_NAMES = ("spike", "weight", "membrane")
MEMORY_COLOURS = {"spike": theme.BLUE, "weight": theme.ORANGE, "membrane": theme.GREEN}


def network_drawing(layers: Sequence[LayerView]) -> go.Figure:
    """The layers from left to right: what a box says is what the hardware sees of the layer."""
    figure = go.Figure(layout=_canvas(250, len(layers) + 0.62))
    _box(figure, (0, 0.28, 0.42, 0.72), "<b>image</b><br>" + _maps(layers[0].maps_in), theme.GREY)
    for place, layer in enumerate(layers):
        left = place + 0.62
        colour = theme.BLUE if layer.weight_bits == 1 else theme.ORANGE
        _arrow(figure, (left - 0.2, 0.5), (left, 0.5))
        _box(figure, (left, 0.06, left + 0.8, 0.94), _layer_text(layer), colour)
    return figure


def _maps(shape: tuple[int, int, int]) -> str:
    return " × ".join(map(str, shape))


def _layer_text(layer: LayerView) -> str:
    kind = f"{layer.kernel}×{layer.kernel} conv" if layer.kind == "conv" else "fully connected"
    weights = "binary weights" if layer.weight_bits == 1 else f"{layer.weight_bits}-bit weights"
    lines = [f"<b>{escape(layer.name)}</b>", kind + (f", pool {layer.pool}" if layer.pool > 1 else ""), weights]
    lines.append({0: "scores, no threshold", 1: "one threshold"}.get(layer.thresholds, "dual threshold"))
    lines.append(f"{100 * (1 - layer.kept):.3g} % of kernels pruned" if layer.kept < 1 else "not pruned")
    lines.append(f"→ {_maps(layer.maps_out)}")
    if layer.firing_rates:
        lines.append(f"fires {_rates(layer.firing_rates)} %")
    return "<br>".join(lines)


def _rates(rates: tuple[float, ...]) -> str:
    """One per step, or where they would not fit a box, the least, the largest and the mean, in percent."""
    percents = [100 * rate for rate in rates]
    if len(percents) <= MOST_RATES:
        return " ".join(f"{rate:.1f}" for rate in percents)
    return f"{min(percents):.1f} .. {max(percents):.1f}, mean {sum(percents) / len(percents):.1f}"


def machine_drawing(breakdown: Breakdown) -> go.Figure:
    """The blocks of the machine with their sizes; memories and DRAM in colour, logic in grey."""
    report = breakdown.report
    config, area, technology = report.config, report.area_mm2, report.technology
    figure = go.Figure(layout=_canvas(330, 5.1))
    v, lanes = config.vector_width, config.channel_lanes
    dram = f"<b>DRAM</b><br>{technology.dram_bytes_per_cycle:g} B/cycle<br>{technology.dram_pj_per_bit:g} pJ/bit"
    spike = f"<b>spike buffer</b><br>{config.spike_buffer_kib} KiB, two halves<br>{_mm2(area, 'spike_sram')}"
    weight = f"<b>weight buffer</b><br>{config.weight_buffer_kib} KiB, two halves<br>{_mm2(area, 'weight_sram')}"
    array = (
        f"<b>PE array</b><br>{v} rows × {lanes} lanes × {TAPS}<br>= {v * lanes * TAPS:,} PEs<br>"
        f"{_mm2(area, 'pe_array', 'lane_addresses')}"
    )
    trees = f"<b>adder trees</b><br>{v} of {lanes * TAPS} inputs<br>{_mm2(area, 'adder_trees', 'alignment')}"
    sums = f"<b>accumulators</b><br>{v}<br>{_mm2(area, 'accumulators', 'scores')}"
    neurons = f"<b>IF units</b><br>{v}<br>{_mm2(area, 'if_units')}"
    pool = f"<b>pooling</b><br>{_mm2(area, 'pooling')}"
    _box(figure, (0.0, 0.3, 0.75, 0.78), dram, theme.VERMILION)
    _box(figure, (1.0, 0.58, 1.9, 0.98), spike, MEMORY_COLOURS["spike"])
    _box(figure, (1.0, 0.1, 1.9, 0.5), weight, MEMORY_COLOURS["weight"])
    _box(figure, (2.1, 0.3, 3.0, 0.78), array, theme.GREY)
    _box(figure, (3.15, 0.58, 3.95, 0.98), trees, theme.GREY)
    _box(figure, (3.15, 0.1, 3.95, 0.5), sums, theme.GREY)
    _box(figure, (4.15, 0.58, 5.0, 0.98), neurons, theme.GREY)
    for start, end in (
        ((0.75, 0.66), (1.0, 0.74)),
        ((0.75, 0.42), (1.0, 0.34)),
        ((1.9, 0.74), (2.1, 0.62)),
        ((1.9, 0.34), (2.1, 0.44)),
        ((3.0, 0.62), (3.15, 0.72)),
        ((3.55, 0.58), (3.55, 0.5)),
        ((3.95, 0.36), (4.15, 0.64)),
    ):
        _arrow(figure, start, end)
    if config.time_order == "outer":
        kib = config.membrane_buffer_kib
        text = f"<b>membrane buffer</b><br>{kib} KiB<br>{_mm2(area, 'membrane_sram')}"
        _box(figure, (4.15, 0.1, 5.0, 0.36), text, MEMORY_COLOURS["membrane"])
        _arrow(figure, (4.72, 0.58), (4.72, 0.36), both=True)
    else:
        words = pool.replace("<br>", " ")
        figure.add_annotation(x=4.57, y=0.46, text=words, showarrow=False, font={"size": 12})
    order = "all steps of a strip back to back" if config.time_order == "inner" else "one step of the network at a time"
    fused = counted(config.fusion_depth, "fused layer")
    caption = (
        f"{fused} · time order {config.time_order}: {order} · "
        f"{technology.name}, {technology.node_nm} nm, {technology.clock_mhz:g} MHz · control {_mm2(area, 'control')}"
    )
    figure.add_annotation(x=0, y=-0.04, xanchor="left", text=escape(caption), showarrow=False, font={"size": 12})
    return figure


def _mm2(area: dict[str, float], *blocks: str) -> str:
    return f"{amount(sum(area.get(block, 0.0) for block in blocks))} mm²"


def _canvas(height: int, width: float) -> dict[str, Any]:
    """A layout without axes: ``width`` units across, 1 up."""
    margin = {"l": 4, "r": 4, "t": 4, "b": 4}
    axes = {"xaxis": {**NO_AXIS, "range": [-0.02, width]}, "yaxis": {**NO_AXIS, "range": [-0.08, 1.0]}}
    return theme.figure_layout(height, margin=margin, **axes)


def _box(figure: go.Figure, corners: tuple[float, float, float, float], text: str, colour: str) -> None:
    x0, y0, x1, y1 = corners
    figure.add_shape(
        type="rect", x0=x0, y0=y0, x1=x1, y1=y1, fillcolor=FILL, line={"color": colour, "width": 2}, layer="below"
    )
    figure.add_annotation(x=(x0 + x1) / 2, y=(y0 + y1) / 2, text=text, showarrow=False, font={"size": 12})


def _arrow(figure: go.Figure, start: tuple[float, float], end: tuple[float, float], both: bool = False) -> None:
    figure.add_annotation(
        x=end[0],
        y=end[1],
        ax=start[0],
        ay=start[1],
        xref="x",
        yref="y",
        axref="x",
        ayref="y",
        text="",
        showarrow=True,
        arrowhead=2,
        arrowsize=1,
        arrowwidth=1.5,
        arrowcolor=LINE,
        arrowside="end+start" if both else "end",
    )


def energy_by_layer(breakdown: Breakdown) -> go.Figure:
    """Energy of each layer by term."""
    report = breakdown.report
    terms = {term: [pj / PJ_PER_UJ for pj in layers] for term, layers in report.energy_pj.items() if sum(layers)}
    ordered = sorted(terms, key=lambda term: -sum(terms[term]))
    bars = [
        go.Bar(
            x=list(report.layers),
            y=terms[term],
            name=escape(part_words(term)),
            marker=theme.bar_style(place),
            hovertemplate=f"%{{x}}: {escape(part_words(term))} %{{y:.4~g}} µJ<extra></extra>",
        )
        for place, term in enumerate(ordered)
    ]
    axes = {"xaxis": theme.axis("layer", type="category"), "yaxis": theme.axis("energy (µJ)", rangemode="tozero")}
    return go.Figure(bars, theme.figure_layout(360, barmode="stack", bargap=0.4, **axes))


def area_by_block(breakdown: Breakdown) -> go.Figure:
    """Area of each block, largest first."""
    blocks = sorted(((mm2, name) for name, mm2 in breakdown.report.area_mm2.items() if mm2), reverse=True)
    bar = go.Bar(
        x=[mm2 for mm2, _ in blocks],
        y=[part_words(name) for _, name in blocks],
        orientation="h",
        marker={"color": [theme.BLUE if name.endswith("sram") else theme.GREY for _, name in blocks]},
        hovertemplate="%{y}: %{x:.4~g} mm²<extra></extra>",
    )
    axes = {
        "xaxis": theme.axis("area (mm²)", rangemode="tozero"),
        "yaxis": theme.axis("block", autorange="reversed", type="category"),
    }
    return go.Figure([bar], theme.figure_layout(360, showlegend=False, bargap=0.3, **axes))


def occupancy(breakdown: Breakdown) -> go.Figure:
    """Demand on each buffer as a share of what it holds, group by group; above 100 % weights are streamed."""
    groups = breakdown.report.occupancy
    bars = []
    for memory in MEMORY_NAMES:
        bounds = [getattr(group, f"{memory}_bound_bits") for group in groups]
        demands = [getattr(group, f"{memory}_demand_bits") for group in groups]
        if not any(bounds):
            continue
        texts = [
            f"{amount(demand / BITS_PER_KIB)} of {amount(bound / BITS_PER_KIB)} KiB"
            for demand, bound in zip(demands, bounds, strict=True)
        ]
        bars.append(
            go.Bar(
                x=[100 * demand / bound if bound else None for demand, bound in zip(demands, bounds, strict=True)],
                y=[group.group for group in groups],
                orientation="h",
                name=f"{memory} buffer",
                text=texts,
                textposition="auto",
                marker={"color": MEMORY_COLOURS[memory]},
                hovertemplate=f"%{{y}}: {memory} buffer %{{x:.1f}} % (%{{text}})<extra></extra>",
            )
        )
    axes = {
        "xaxis": theme.axis("demand (% of the buffer, or of its half)", rangemode="tozero"),
        "yaxis": theme.axis("fused group", autorange="reversed", type="category"),
    }
    layout = theme.figure_layout(140 + 70 * len(groups), barmode="group", bargap=0.25, **axes)
    figure = go.Figure(bars, layout)
    figure.add_vline(x=100, line={"color": theme.VERMILION, "width": 2, "dash": "dash"})
    return figure


def roofline_figure(roofline: Roofline) -> go.Figure:
    """What the machine allows, and what the network and each layer reach."""
    ridge = roofline.peak_giga_additions_per_s / roofline.gigabytes_per_s
    found = [point.additions_per_byte for point in roofline.points] or [ridge]
    left, right = min(*found, ridge) / 3, max(*found, ridge) * 3
    roof = [left * roofline.gigabytes_per_s, roofline.peak_giga_additions_per_s, roofline.peak_giga_additions_per_s]
    line = go.Scatter(
        x=[left, ridge, right],
        y=roof,
        mode="lines",
        name="limit: DRAM, then array",
        line={"color": theme.GREY, "width": 2},
        hoverinfo="skip",
    )
    whole, *layers = roofline.points or (None,)
    shown = [("whole network", [whole] if whole else [], theme.VERMILION, "star", 13)]
    shown.append(("layers", layers, theme.BLUE, "circle", 9))
    traces = [line]
    for name, points, colour, symbol, size in shown:
        traces.append(
            go.Scatter(
                x=[point.additions_per_byte for point in points],
                y=[point.giga_additions_per_s for point in points],
                text=[escape(point.name) for point in points],
                mode="markers+text" if name == "layers" else "markers",
                textposition="bottom right",
                textfont={"size": 12},
                name=name,
                marker={"color": colour, "symbol": symbol, "size": size},
                hovertemplate="%{text}: %{x:.4~g} additions a byte, %{y:.4~g} billion/s<extra></extra>",
            )
        )
    values, texts = log_ticks(fine=False)
    ticks = {"type": "log", "tickvals": values, "ticktext": texts}
    axes = {
        "xaxis": theme.axis("additions per DRAM byte", **ticks),
        "yaxis": theme.axis("billion additions per second", **ticks),
    }
    return go.Figure(traces, theme.figure_layout(360, **axes))
