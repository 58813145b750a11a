"""`dse space`: the presets, what a space holds, and what is wrong with a file."""

from typing import Annotated, Any

import typer

from dse.cli.options import Json
from dse.console import Column, counted, note, say, say_json, say_table

app = typer.Typer(no_args_is_help=True, help="List, show and check search spaces.")
SpaceName = Annotated[str, typer.Argument(metavar="SPACE", help="a preset (see `dse space list`) or a TOML file")]


@app.command("list")
def list_presets(json: Json = False) -> None:
    """List the presets."""
    from searchspaces.presets import presets

    rows = presets()
    if json:
        say_json([vars(row) for row in rows])
        return
    columns = [Column("space"), Column("data set"), Column("networks", "right"), Column("machines", "right")]
    columns.append(Column("description", fold=True))
    say_table(columns, [(r.name, r.dataset, f"{r.networks:,}", f"{r.machines:,}", r.description) for r in rows])


@app.command()
def show(space: SpaceName, json: Json = False) -> None:
    """Show every gene of a space: its choices, when it has an effect, and how many combinations there are."""
    from searchspaces.describe import describe
    from searchspaces.space import load_space

    described = describe(load_space(space))
    if json:
        say_json(
            {**vars(described), "genes": [vars(row) for row in described.genes], "settings": dict(described.settings)}
        )
        return
    say(f"{described.name}: {described.description}" if described.description else described.name)
    say(f"data set {described.dataset}; {_sizes(described)}\n")
    columns = [
        Column("part"),
        Column("gene"),
        Column("choices", fold=True),
        Column("number", "right"),
        Column("when", fold=True),
    ]
    say_table(columns, [(r.part, r.gene, r.choices, str(r.number), r.when or "always") for r in described.genes])
    say()
    say_table([Column("setting"), Column("value")], described.settings)


@app.command()
def check(file: SpaceName, json: Json = False) -> None:
    """Check a space file: every problem at once, each with its line and its fix. Exit code 2 if there is one."""
    from searchspaces.describe import describe
    from searchspaces.errors import SpaceError
    from searchspaces.space import check as check_space

    found = check_space(file)
    if isinstance(found, tuple):
        if json:
            say_json({"sound": False, "problems": [vars(problem) for problem in found]})
        raise SpaceError(found)
    described = describe(found)
    if json:
        say_json({"sound": True, "problems": [], "networks": described.networks, "machines": described.machines})
        return
    say(f"{file} is sound: {_sizes(described)}")
    note(f"Search it: dse search --space {file}")


def _sizes(described: Any) -> str:
    pairs = f"{counted(described.networks, 'network')} x {counted(described.machines, 'machine')}"
    return f"{pairs} = {described.combinations:,} combinations"
