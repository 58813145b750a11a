"""The application: routes, callbacks, and the frame around the pages. Nothing here writes to a study."""

import json
from collections.abc import Callable
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from flask import Response, abort, request

from costmodels.errors import InputError
from dse import __version__
from dse.console import duration
from dse.dashboard import pages
from dse.dashboard.candidate import Trained, candidate_view, machine_axes, study_of, trained
from dse.dashboard.comparison import MOST
from dse.dashboard.guard import guard
from dse.dashboard.library import Library, Remembered, signature
from dse.dashboard.payload import answer, look, shown
from dse.dashboard.what_if import machine_of, what_if
from dse.errors import StudyError
from dse.reporting import theme
from dse.results.manifest import Manifest

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
    _add_callbacks(app, library, memory)
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
            pages.explore(),
            html.Div(id="page"),
        ],
        className="board",
        title=f"dse {__version__}",
    )


def _add_routes(app: Dash, library: Library, memory: Remembered) -> None:
    server = app.server

    def columns() -> Response:
        asked = request.args.getlist("study")
        names = asked or _readable(library, memory, shown_first(library))[0]
        try:
            version = _version(library, names)
            body = answer(version, [memory.get(library.folder(name), shown) for name in names])
        except InputError as error:
            return Response(json.dumps({"error": str(error)}), 404, mimetype="application/json")
        return Response(body, mimetype="application/json")

    def plotly(version: str) -> Response:
        from plotly.offline import get_plotlyjs

        if version != _plotly_version():
            abort(404)
        found = Response(get_plotlyjs(), mimetype="text/javascript")
        found.headers["Cache-Control"] = "max-age=31536000, immutable"
        return found

    server.add_url_rule("/columns", "columns", columns)
    server.add_url_rule("/plotly-<version>.js", "plotly", plotly)


def _add_callbacks(app: Dash, library: Library, memory: Remembered) -> None:
    @app.callback(
        Output("token", "data"),
        Output("notices", "children"),
        Output("live", "children"),
        Output("live", "className"),
        Output("studies", "options"),
        Input("tick", "n_intervals"),
        Input("studies", "value"),
        State("token", "data"),
        State("studies", "options"),
    )
    def poll(_: int | None, chosen: list[str], token: dict[str, Any] | None, options: list[str]) -> tuple[Any, ...]:
        """Look whether the files of the chosen studies have changed."""
        names = list(library.paths)
        readable, notices = _readable(library, memory, chosen)
        new = {"studies": readable, "version": _version(library, readable)}
        if not notices and not names:
            notices = [pages.notice("No study yet", f"{library.results} holds no study. Start one: dse search")]
        live, style = _live(library, readable)
        return (
            no_update if new == token else new,
            notices,
            live,
            style,
            no_update if options == names else names,
        )

    clientside: Any = app.clientside_callback
    clientside(
        ClientsideFunction("dse", "load"),
        Output("loaded", "children"),
        Input("token", "data"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output("page", "children"),
        Output("explore", "hidden"),
        Output("shown", "title"),
        Input("url", "pathname"),
        Input("url", "search"),
    )
    def route(pathname: str | None, search: str | None) -> tuple[Any, bool, str]:
        """The page that an address names."""
        page = PAGES.get((pathname or "/").strip("/"))
        if page is None:
            return [], False, "explore"
        try:
            found = page(library, memory, parse_qs((search or "").lstrip("?")))
        except InputError as error:
            found = pages.trouble(error)
        return [dcc.Link("← all candidates", href="/"), found], True, "page"

    clientside(
        ClientsideFunction("dse", "shown"),
        Output("shown", "children"),
        Input("shown", "title"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output("what-if-answer", "children"),
        Input({"part": "what-if", "axis": ALL}, "value"),
        State({"part": "what-if", "axis": ALL}, "id"),
        State("what-if-of", "data"),
    )
    def another_machine(places: list[int], sliders: list[dict[str, str]], of: dict[str, Any]) -> Any:
        """Price the candidate on the machine that the sliders say."""
        try:
            found = _find(library, memory, of["study"], of["id"], of["fidelity"])
            axes = machine_axes(found.study)
            own = vars(found.machine)
            choices = {
                slider["axis"]: _at(pages.slider_values(axes[slider["axis"]], own[slider["axis"]]), place)
                for slider, place in zip(sliders, places, strict=True)
            }
            return pages.what_if_answer(what_if(found, machine_of(choices)))
        except InputError as error:
            return pages.trouble(error)


def _at(values: list[Any], place: int) -> Any:
    return values[min(max(int(place), 0), len(values) - 1)]


def _readable(library: Library, memory: Remembered, chosen: list[str]) -> tuple[list[str], list[Any]]:
    """Of the chosen studies those that can be read, and a card for each of the others."""
    readable, notices = [], []
    for name in chosen or []:
        try:
            memory.get(library.folder(name), shown)
            readable.append(name)
        except InputError as error:
            notices.append(pages.notice(f"{name} cannot be shown", str(error)))
    return readable, notices


def _version(library: Library, names: list[str]) -> str:
    state = [(name, signature(library.folder(name).path)) for name in names]
    return sha256(repr(state).encode()).hexdigest()[:16]


def _live(library: Library, names: list[str]) -> tuple[str, str]:
    """What the searches behind the chosen studies are doing, and the look of the line."""
    manifests = [library.folder(name).manifest for name in names]
    open_ = [m for m in manifests if m.sessions and not m.sessions[-1].finished]
    if not manifests:
        return "", "muted"
    if open_:
        return f"searching, or stopped hard: {', '.join(m.study for m in open_)}", "muted live"
    spent = ", ".join(f"{m.study}: {_ended(m)} after {duration(m.seconds)}" for m in manifests)
    return spent, "muted"


def _ended(manifest: Manifest) -> str:
    words = {"trials": "all trials spent", "exhausted": "the space is exhausted", "": "no session"}
    return words.get(manifest.stop_reason, manifest.stop_reason)


def _find(library: Library, memory: Remembered, study: str, point: str, fidelity: str) -> Trained:
    return trained(memory.get(library.folder(study), study_of), point, fidelity)


def _candidate(library: Library, memory: Remembered, query: dict[str, list[str]]) -> Any:
    study = memory.get(library.folder(_one(query, "study")), study_of)
    fidelity = query.get("fidelity", ["short"])[0]
    return pages.candidate_page(candidate_view(study, _one(query, "id"), fidelity), machine_axes(study))


def _compare(library: Library, memory: Remembered, query: dict[str, list[str]]) -> Any:
    pairs = list(zip(query.get("study", []), query.get("id", []), strict=False))
    if not 2 <= len(pairs) <= MOST:
        raise StudyError(f"a comparison must be of 2 to {MOST} candidates, not {len(pairs)} (address of the page)")
    views = [candidate_view(memory.get(library.folder(study), study_of), point) for study, point in pairs]
    return pages.compare_page(views)


def _one(query: dict[str, list[str]], name: str) -> str:
    if name not in query:
        raise StudyError(f"the address must name a {name}, such as ?study=NAME&id=3-120")
    return query[name][0]


PAGES: dict[str, Callable[[Library, Remembered, dict[str, list[str]]], Any]] = {
    "candidate": _candidate,
    "compare": _compare,
}
