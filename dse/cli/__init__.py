"""The command line `dse`: parse, call one function, print. Heavy imports happen inside the command that needs them."""

from dse.cli.app import app, main

__all__ = ["app", "main"]
