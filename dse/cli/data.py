"""`dse data`: which data sets are here, whether they are intact, and how to get them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from dse.cli.options import DataDir, Json, Quiet, settled
from dse.console import Column, note, say, say_json, say_table

app = typer.Typer(no_args_is_help=True, help="List, check and download data sets.")
DatasetName = Annotated[str, typer.Argument(metavar="NAME", help="a data set (see `dse data list`)")]
STATES = {"found": "here", "missing": "not here", "incomplete": "files missing", "corrupt-size": "wrong size"}


@app.command("list")
def list_data(data_dir: DataDir = None, json: Json = False) -> None:
    """List the data sets and what is there of each."""
    from dse.data import list_datasets

    rows = list_datasets(settled(data_dir=data_dir)["data_dir"])
    if json:
        say_json([{**vars(row), "folder": None if row.folder is None else str(row.folder)} for row in rows])
        return
    columns = [Column("name"), Column("data set"), Column("state")]
    columns += [Column(part, "right") for part in ("train", "validation", "test")] + [Column("where", fold=True)]
    say_table(columns, [_list_row(row) for row in rows])
    missing = [row.name for row in rows if row.state != "found"]
    if missing:
        note(f"Download one: dse data fetch {missing[0]}")


def _list_row(row: Any) -> tuple[str, ...]:
    where = str(row.folder) if row.folder else "bundled" if row.state == "found" else "-"
    sizes = (f"{size:,}" for size in (row.train, row.validation, row.test))
    return (row.name, row.title, STATES[row.state], *sizes, where)


@app.command()
def check(name: DatasetName, data_dir: DataDir = None, json: Json = False) -> None:
    """Check size and checksum of every file of a data set. Exit code 2 if one is not intact."""
    from dse.data import check_dataset
    from dse.errors import DataError

    files = check_dataset(name, settled(data_dir=data_dir)["data_dir"])
    spoilt = [file for file in files if file.state != "intact"]
    if json:
        say_json([{**vars(file), "path": str(file.path)} for file in files])
    elif files:
        columns = [Column("file"), Column("state"), Column("bytes", "right"), Column("expected", "right")]
        say_table(columns, [(str(f.path), f.state, _bytes(f.found_bytes), _bytes(f.expected_bytes)) for f in files])
    else:
        say(f"{name} is bundled: there is no file to check")
    if spoilt:
        state = "; ".join(f"{file.path.name} is {file.state}" for file in spoilt)
        raise DataError(f"every file of {name} must be intact, but {state}; run: dse data fetch {name}")


def _bytes(size: int | None) -> str:
    return "-" if size is None else f"{size:,}"


@app.command()
def fetch(name: DatasetName, data_dir: DataDir = None, quiet: Quiet = False) -> None:
    """Download what is missing of a data set, verified; an interrupted download goes on where it stopped."""
    from dse.data.fetching import fetch as fetch_data
    from dse.progress import transfer_bar

    folder: Path | None = settled(data_dir=data_dir)["data_dir"]
    with transfer_bar(quiet) as progress:
        paths = fetch_data(name, folder, progress)
    for path in paths:
        say(str(path))
    if not paths:
        say(f"{name} is bundled: there is nothing to download")
