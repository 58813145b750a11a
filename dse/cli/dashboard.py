"""`dse dashboard`: studies in a browser, live."""

from pathlib import Path
from typing import Annotated

import typer

from dse.cli.options import ResultsDir, settled
from dse.console import note, say

Studies = Annotated[
    list[str] | None,
    typer.Argument(metavar="[STUDY]...", help="folders of studies, or their names in the results folder; none: all"),
]
Host = Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Address to listen on; others than this warn.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, metavar="PORT", help="0 takes a free one.")]
Open = Annotated[bool, typer.Option("--open", help="Open the page in the browser.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("dashboard")(dashboard)


def dashboard(
    studies: Studies = None,
    host: Host = "127.0.0.1",
    port: Port = 0,
    open_: Open = False,
    results_dir: ResultsDir = None,
) -> None:
    """Show studies in a browser, live while a search runs. Reads only; stop with Ctrl-C."""
    from importlib.util import find_spec

    from dse.errors import StudyError

    if not all(map(find_spec, ("dash", "dash_ag_grid"))):
        raise StudyError("dash and dash-ag-grid must be installed, not missing; run: pip install 'snn-dse[dashboard]'")
    from dse.dashboard.library import library
    from dse.dashboard.serve import serve

    results: Path = settled(results_dir=results_dir)["results_dir"]
    paths = [Path(name) if Path(name).is_dir() else results / name for name in studies or []]

    def opened(address: str) -> None:
        say(address)
        note("Ctrl-C stops it.")
        if open_:
            import webbrowser

            webbrowser.open(address)

    serve(library(paths, results), host, port, note, opened)
