"""The program: its commands, its exit codes, and what becomes of errors."""

import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from costmodels.errors import InputError
from dse.cli import (
    calibrate,
    cluster,
    config,
    cost,
    dashboard,
    data,
    doctor,
    export,
    recost,
    reproduce,
    search,
    space,
    study,
    synth,
    train,
    verify,
)
from dse.cli.exits import EXIT_FAILED, EXIT_INPUT, EXIT_OK
from dse.errors import RunError


class Program(TyperGroup):
    """The command group that turns errors a user can mend into one message and exit code 2."""

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except InputError as error:
            typer.echo(f"dse: {error}", err=True)
            raise typer.Exit(EXIT_INPUT) from None
        except RunError as error:
            typer.echo(f"dse: {error}", err=True)
            raise typer.Exit(EXIT_FAILED) from None
        except BrokenPipeError:
            # The reader (`head`, `less`) has seen enough. stdout is sent nowhere so that Python's last flush is quiet.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(EXIT_OK) from None
        return result


app = typer.Typer(
    cls=Program,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Search spiking neural networks together with the accelerator that runs them.",
    epilog="Every option can also stand in dse.toml or in the environment as DSE_NAME: see `dse config show`.",
)
for module in (
    search,
    study,
    dashboard,
    recost,
    export,
    train,
    verify,
    synth,
    cost,
    calibrate,
    reproduce,
    cluster,
    doctor,
):
    module.register(app)
app.add_typer(space.app, name="space")
app.add_typer(data.app, name="data")
app.add_typer(config.app, name="config")


def _version(wanted: bool) -> None:
    if wanted:
        from dse import __version__

        typer.echo(f"dse {__version__}")
        raise typer.Exit


@app.callback()
def program(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Search spiking neural networks together with the accelerator that runs them."""


def main() -> None:
    """Run the command line and leave with its exit code."""
    app(prog_name="dse")
