"""Cards, figures and notices of which the pages are made: a study's words go in as text, never as markup."""

import json
from typing import Any
from urllib.parse import quote

import plotly.graph_objects as go
from dash import html

from costmodels.errors import InputError

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


def pair(*cards: Any) -> html.Div:
    return html.Div(list(cards), className="two", style={"marginBottom": "10px"})


def quoted(text: str) -> str:
    return quote(text, safe="")
