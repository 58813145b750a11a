"""Figures: axes carry units, fidelities stay apart, and hostile words stay words."""

from dataclasses import replace

import plotly.graph_objects as go
import pytest
from made_up import ACCURACY, ENERGY, OTHERS, point, study

from dse.reporting import figures, theme
from dse.reporting.report_data import Accuracies, Share


def named(figure: go.Figure) -> dict[str, go.Scatter]:
    return {trace.name: trace for trace in figure.data if trace.name}


def test_every_axis_has_a_title_and_every_measured_one_its_unit() -> None:
    data = study(5)
    assert figures.pareto(data).layout.xaxis.title.text == "Energy per inference (µJ)"
    assert figures.pareto(data).layout.yaxis.title.text == "Deployed accuracy (%)"
    assert figures.stacked(data, "energy_uj").layout.xaxis.title.text == "energy per inference (µJ)"
    assert figures.stacked(data, "area_mm2").layout.xaxis.title.text == "area (mm²)"
    assert figures.layer_cycles(data.front[0]).layout.yaxis.title.text == "cycles"
    assert figures.hypervolume(data, "seconds").layout.xaxis.title.text == "time since the start (s)"
    assert [d.label for d in figures.parallel(data).data[0].dimensions][:2] == ["acc (%)", "energy (µJ)"]


def test_fidelities_have_markers_of_their_own_and_are_never_one_trace() -> None:
    data = study(5)
    traces = named(figures.pareto(data))
    assert list(traces) == ["dominated", "front (short runs)", "longer training", "longer training, test set"]
    symbols = {trace.marker.symbol for name, trace in traces.items() if name != "dominated"}
    assert symbols == set(theme.FIDELITY_SYMBOLS.values())
    for name, kind in (("front (short runs)", "short"), ("longer training", "refined")):
        points = data.front if kind == "short" else data.refined
        assert list(traces[name].y) == [each.accuracies[kind].deployed.value for each in points]


def test_intervals_reach_from_low_to_high() -> None:
    data = study(3)
    uneven = {"short": Accuracies(None, Share(0.9, 0.7, 0.95, 20))}
    data = replace(data, front=tuple(replace(each, accuracies=uneven) for each in data.front))
    trace = named(figures.pareto(data))["front (short runs)"]
    for each, y, up, down in zip(data.front, trace.y, trace.error_y.array, trace.error_y.arrayminus, strict=True):
        deployed = each.accuracies["short"].deployed
        assert (y + up, y - down) == (pytest.approx(deployed.high), pytest.approx(deployed.low))


def test_a_line_is_drawn_only_where_the_two_axes_are_the_whole_front() -> None:
    data = study(4)
    assert any(trace.mode == "lines" for trace in figures.pareto(data).data)
    third = replace(data, objectives=(ACCURACY, ENERGY, OTHERS[0]))
    assert not any(trace.mode == "lines" for trace in figures.pareto(third).data)


def test_markers_carry_what_a_change_of_axis_needs() -> None:
    data = study(4)
    trace = named(figures.pareto(data))["front (short runs)"]
    for axis in data.quantities:
        assert list(trace.meta[axis.column]) == [each.metrics[axis.column] for each in data.front]
    assert list(trace.customdata) == [each.id for each in data.front]


def test_hover_shows_every_gene_and_escapes_it() -> None:
    hostile = replace(point(1, 0.9, 1.0), id="<i>", parameters=(("<b>gene</b>", "<script>"), ("vector_width", "8")))
    text = figures.hover(hostile, study(1).quantities)
    assert "<script>" not in text
    assert "<i>" not in text
    assert "&lt;b&gt;gene&lt;/b&gt;: &lt;script&gt;" in text
    assert "vector_width: 8" in text
    assert "Energy per inference: 1.00 µJ" in text


def test_bars_add_up_to_each_point_s_total() -> None:
    data = study(6)
    for of in ("energy_uj", "area_mm2"):
        figure = figures.stacked(data, of)
        for index, each in enumerate(data.front):
            assert sum(bar.x[index] for bar in figure.data) == pytest.approx(sum(getattr(each, of).values()))


def test_a_part_looks_the_same_in_both_figures_and_no_two_parts_of_one_figure_look_alike() -> None:
    data = study(6)
    looks = {}
    for of in ("energy_uj", "area_mm2"):
        bars = {bar.name: (bar.marker.color, bar.marker.pattern.shape) for bar in figures.stacked(data, of).data}
        assert len(set(bars.values())) == len(bars)
        for name in (set(bars) & set(looks)) - {"others"}:
            assert bars[name] == looks[name]
        looks |= bars


def test_cycles_are_stacked_by_cause() -> None:
    each = point(2, 0.9, 1.0)
    bars = named(figures.layer_cycles(each))
    assert list(bars) == ["compute", "stall", "fill"]
    assert list(bars["stall"].y) == [layer.stall for layer in each.layers]


@pytest.mark.parametrize(
    ("value", "words"), [(0.05, "0.05"), (20, "20"), (5_000, "5k"), (2e6, "2M"), (1e-6, "0.000001")]
)
def test_ticks_read_as_plain_numbers(value: float, words: str) -> None:
    assert figures.tick_words(value) == words


def test_the_hypervolume_names_what_it_is_made_of() -> None:
    data = study(2)
    assert figures.volume_unit(data) == "hypervolume (decades^2)"
    assert figures.volume_unit(replace(data, objectives=(ENERGY,))) == "hypervolume (decades)"


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two colours (WCAG 2.1)."""

    def luminance(colour: str) -> float:
        shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [s / 12.92 if s <= 0.03928 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [theme.LIGHT, theme.DARK])
def test_text_is_legible_on_light_and_dark(colours: dict[str, str]) -> None:
    for text in ("text", "muted", "accent"):
        for ground in ("page", "card"):
            assert contrast(colours[text], colours[ground]) >= 4.5
