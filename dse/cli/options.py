"""The options that several commands share, each drawn from its line in `dse.config`."""

from typing import Annotated, Any

import typer

from dse.config import BY_NAME, resolve


def option(name: str, *short: str) -> Any:
    """The typer option of the setting called ``name``; None until the user gives it, so that `resolve` can tell."""
    setting = BY_NAME[name]
    if setting.kind == "switch":
        return typer.Option(setting.flag, *short, help=setting.meaning, show_default=False)
    kind = "TEXT" if setting.kind == "list" else setting.kind.upper()
    default = "" if setting.default in (None, ()) else f" (default {setting.default})"
    metavar = "|".join(setting.choices) or kind
    return typer.Option(setting.flag, *short, metavar=metavar, help=setting.meaning + default, show_default=False)


Space = Annotated[str | None, option("space")]
Dataset = Annotated[str | None, option("dataset")]
DataDir = Annotated[str | None, option("data_dir")]
Objective = Annotated[str | None, option("objective")]
Constraint = Annotated[list[str] | None, option("constraint")]
Mode = Annotated[str | None, option("mode")]
Sampler = Annotated[str | None, option("sampler")]
Trials = Annotated[int | None, option("trials")]
Timeout = Annotated[float | None, option("timeout")]
UntilConverged = Annotated[bool | None, option("until_converged")]
Workers = Annotated[int | None, option("workers")]
Dask = Annotated[str | None, option("dask")]
Seed = Annotated[int | None, option("seed")]
Device = Annotated[str | None, option("device")]
Refine = Annotated[int | None, option("refine")]
ResultsDir = Annotated[str | None, option("results_dir")]
CacheDir = Annotated[str | None, option("cache_dir")]
Technology = Annotated[str | None, option("technology")]
Dram = Annotated[float | None, option("dram")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no hints on stderr.")]
Study = Annotated[str, typer.Argument(metavar="STUDY", help="a study's folder, or its name in the results folder")]


def settled(**flags: Any) -> dict[str, Any]:
    """The value of every setting, given these flags."""
    return {name: resolved.value for name, resolved in resolve(flags).items()}
