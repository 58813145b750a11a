"""What the page asks the server while it is open: whether files have changed, another page, another machine."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, dcc, no_update

from costmodels.errors import InputError
from dse.console import duration
from dse.dashboard.candidate import Trained, candidate_view, machine_axes, study_of, trained
from dse.dashboard.candidate_page import candidate_page
from dse.dashboard.cards import notice, trouble
from dse.dashboard.compare_page import compare_page
from dse.dashboard.comparison import MOST
from dse.dashboard.library import Library, Remembered, version
from dse.dashboard.payload import readable
from dse.dashboard.what_if import machine_of, what_if
from dse.dashboard.what_if_card import answer, slider_values
from dse.errors import StudyError
from dse.results.manifest import Manifest


def add_callbacks(app: Dash, library: Library, memory: Remembered) -> None:
    """Wire the page to ``library``; its scripts load and draw."""
    _follow_files(app, library, memory)
    _follow_address(app, library, memory)
    _follow_sliders(app, library, memory)
    clientside: Any = app.clientside_callback
    for function, target, source in (
        ("load", Output("loaded", "children"), Input("token", "data")),
        ("shown", Output("shown", "children"), Input("shown", "title")),
    ):
        clientside(ClientsideFunction("dse", function), target, source, prevent_initial_call=True)


def _follow_files(app: Dash, library: Library, memory: Remembered) -> None:
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
        found, unreadable = readable(library, memory, chosen)
        notices = [notice(f"{name} cannot be shown", why) for name, why in unreadable.items()]
        if not names:
            notices.append(notice("No study yet", f"{library.results} holds no study. Start one: dse search"))
        new = {"studies": found, "version": version(library, found)}
        live, style = _live(library, found)
        return (
            no_update if new == token else new,
            notices,
            live,
            style,
            no_update if options == names else names,
        )


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


def _follow_address(app: Dash, library: Library, memory: Remembered) -> None:
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
            found = trouble(error)
        return [dcc.Link("← all candidates", href="/"), found], True, "page"


def _candidate(library: Library, memory: Remembered, query: dict[str, list[str]]) -> Any:
    study = memory.get(library.folder(_one(query, "study")), study_of)
    fidelity = query.get("fidelity", ["short"])[0]
    return candidate_page(candidate_view(study, _one(query, "id"), fidelity), machine_axes(study))


def _compare(library: Library, memory: Remembered, query: dict[str, list[str]]) -> Any:
    pairs = list(zip(query.get("study", []), query.get("id", []), strict=False))
    if not 2 <= len(pairs) <= MOST:
        raise StudyError(f"a comparison must be of 2 to {MOST} candidates, not {len(pairs)} (address of the page)")
    views = [candidate_view(memory.get(library.folder(study), study_of), point) for study, point in pairs]
    return compare_page(views)


def _one(query: dict[str, list[str]], name: str) -> str:
    if name not in query:
        raise StudyError(f"the address must name a {name}, such as ?study=NAME&id=3-120")
    return query[name][0]


PAGES: dict[str, Callable[[Library, Remembered, dict[str, list[str]]], Any]] = {
    "candidate": _candidate,
    "compare": _compare,
}


def _follow_sliders(app: Dash, library: Library, memory: Remembered) -> None:
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
                slider["axis"]: _at(slider_values(axes[slider["axis"]], own[slider["axis"]]), place)
                for slider, place in zip(sliders, places, strict=True)
            }
            return answer(what_if(found, machine_of(choices)))
        except InputError as error:
            return trouble(error)


def _find(library: Library, memory: Remembered, study: str, point: str, fidelity: str) -> Trained:
    return trained(memory.get(library.folder(study), study_of), point, fidelity)


def _at(values: list[Any], place: int) -> Any:
    return values[min(max(int(place), 0), len(values) - 1)]
