"""The application: routes, and the frame around the pages. Nothing here writes to a study."""

import json
from html import escape
from pathlib import Path
from typing import Any

from dash import Dash, dcc, html
from flask import Response, abort, request

from costmodels.errors import InputError
from dse import __version__
from dse.dashboard.callbacks import add_callbacks
from dse.dashboard.guard import guard
from dse.dashboard.library import Library, Remembered, version
from dse.dashboard.overview import explore
from dse.dashboard.payload import answer, look, readable, shown
from dse.reporting import theme

POLL_MS = 2000
ASSETS = Path(__file__).parent / "assets"
EARLY = """if (location.pathname === "/")
  window.dseEarly = fetch("columns").then((found) => (found.ok ? found.json() : null), () => null)"""
"""The data of the first view are under way while the browser still reads scripts."""


def make_app(library: Library, host: str = "127.0.0.1", memory: Remembered | None = None) -> Dash:
    """The dashboard over ``library``, as a Dash application whose ``server`` any WSGI server runs."""
    memory = memory or Remembered()
    app = Dash(
        __name__,
        assets_folder=str(ASSETS),
        title="dse dashboard",
        update_title="",
        suppress_callback_exceptions=True,
        serve_locally=True,
    )
    app.index_string = _index()
    app.layout = lambda: _frame(library)
    _add_routes(app, library, memory)
    add_callbacks(app, library, memory)
    guard(app.server, host)
    return app


def _index() -> str:
    return (
        '<!doctype html><html lang="en"><head>{%metas%}<meta name="viewport" content="width=device-width, '
        f'initial-scale=1"><title>{{%title%}}</title><style>{theme.STYLE}</style>{{%css%}}'
        f"<script>{EARLY}</script>"
        f'<script data-plotly src="plotly-{escape(_plotly_version())}.js" defer></script></head><body>{{%app_entry%}}'
        "<footer>{%config%}{%scripts%}{%renderer%}</footer></body></html>"
    )


def _plotly_version() -> str:
    import plotly

    return str(plotly.__version__)


def shown_first(library: Library) -> list[str]:
    """The studies that are chosen when the page opens: all that were named, or the newest of the results folder."""
    paths = library.paths
    if library.results is None:
        return list(paths)
    return sorted(paths, key=lambda name: (paths[name] / "manifest.json").stat().st_mtime)[-1:]


def _frame(library: Library) -> html.Main:
    """Everything that stays while pages change."""
    names = list(library.paths)
    config: dict[str, Any] = {"data-config": json.dumps(look()), "data-base": "/"}
    chooser = dcc.Checklist(names, shown_first(library), id="studies", inline=True)
    return html.Main(
        [
            dcc.Location(id="url"),
            dcc.Interval(id="tick", interval=POLL_MS),
            dcc.Store(id="token"),
            html.Div(id="explore-config", hidden=True, **config),
            html.Div(id="loaded", hidden=True),
            html.Div(id="shown", hidden=True),
            html.Div(
                [
                    html.H1(dcc.Link("dse dashboard", href="/")),
                    chooser,
                    html.Span(className="grow"),
                    html.Span(id="live", className="muted"),
                    html.Button(id="theme", title="light or dark"),
                ],
                className="bar",
            ),
            html.Div(id="notices"),
            explore(),
            html.Div(id="page"),
        ],
        className="board",
        title=f"dse {__version__}",
    )


def _add_routes(app: Dash, library: Library, memory: Remembered) -> None:
    server = app.server

    def columns() -> Response:
        asked = request.args.getlist("study")
        names = asked or readable(library, memory, shown_first(library))[0]
        try:
            body = answer(version(library, names), [memory.get(library.folder(name), shown) for name in names])
        except InputError as error:
            return Response(json.dumps({"error": str(error)}), 404, mimetype="application/json")
        return Response(body, mimetype="application/json")

    def plotly(release: str) -> Response:
        from plotly.offline import get_plotlyjs

        if release != _plotly_version():
            abort(404)
        found = Response(get_plotlyjs(), mimetype="text/javascript")
        found.headers["Cache-Control"] = "max-age=31536000, immutable"
        return found

    server.add_url_rule("/columns", "columns", columns)
    server.add_url_rule("/plotly-<release>.js", "plotly", plotly)
