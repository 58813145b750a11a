"""`dse doctor`: what is installed, what is missing, and how to get it."""

import typer

from dse.cli.exits import EXIT_FAILED
from dse.cli.options import Json
from dse.console import Column, counted, note, say_json, say_table

WORDS = {"ok": "ok", "missing": "MISSING", "optional": "not here"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(json: Json = False) -> None:
    """Say what is installed here, what is missing and how to get it. Exit code 1 if a needed package is missing."""
    from dse.doctor import examine

    findings = examine()
    missing = [finding.name for finding in findings if finding.state == "missing"]
    if json:
        say_json([finding._asdict() for finding in findings])
    else:
        columns = [Column("what"), Column("state"), Column("found", fold=True), Column("for", fold=True)]
        columns.append(Column("how to get it", fold=True))
        say_table(columns, [(f.name, WORDS[f.state], f.found, f.purpose, f.remedy) for f in findings])
        note(
            f"{counted(len(missing), 'needed package')} missing: {', '.join(missing)}"
            if missing
            else "All that is needed is here."
        )
    if missing:
        raise typer.Exit(EXIT_FAILED)
