"""Pages that the program itself writes when the documentation is built; MkDocs calls what is named ``on_...``."""

import pkgutil
from importlib import import_module
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

HERE = Path(__file__).parent
PACKAGES = (
    "dse",
    "dse.data",
    "dse.training",
    "dse.study",
    "dse.results",
    "dse.export",
    "dse.reporting",
    "dse.dashboard",
    "searchspaces",
    "costmodels",
)
"""Packages with a page of their own, on which their modules stand one after the other."""
PYTHON = "reference/python/"
DECISIONS = "decisions/"
CALIBRATION = """---
hide: [toc]
---
# Calibration

What `dse calibrate` prints, made when this page was built. *Recalled* figures were not read in their source; the second
table does without them. What was fitted, and what the remaining errors mean, is explained in
[prices](cost-model-prices.md#calibration).
"""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put every page of a folder where the navigation names the folder."""
    pages = {PYTHON: [f"{PYTHON}{package}.md" for package in PACKAGES], DECISIONS: decisions()}
    for section in config.nav or []:
        for title, entries in section.items() if isinstance(section, dict) else ():
            if isinstance(entries, str) and entries in pages:
                section[title] = pages[entries]
    return config


def decisions() -> list[str]:
    """Paths of the decision notes below docs/."""
    return sorted(f"{DECISIONS}{path.name}" for path in (HERE / DECISIONS).glob("*.md"))


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made here."""
    made = {"reference/commands.md": commands(), "reference/settings.md": settings(), "calibration.md": calibration()}
    made |= {f"{PYTHON}{package}.md": modules(package) for package in PACKAGES}
    for name, content in made.items():
        files.append(File.generated(config, name, content=content))
    return files


def commands() -> str:
    """Every command with its arguments and options, as `dse COMMAND --help` has them."""
    import typer
    from typer.cli import get_docs_for_click

    from dse.cli import app

    program = typer.main.get_command(app)
    text = get_docs_for_click(obj=program, ctx=type(program).context_class(program, info_name="dse"), name="dse")
    return text.replace("# `dse`", "# Commands", 1)


def settings() -> str:
    """What every setting is called as an option, in the environment and in dse.toml."""
    from dse.config import FILE_NAME, SETTINGS

    head = (
        f"# Settings\n\nA flag wins over the environment, that over `{FILE_NAME}` in the working folder, that over the "
        "default; `dse config show` prints which value holds and where it came from.\n\n"
        f"| option | environment | `{FILE_NAME}` | default | meaning |\n|---|---|---|---|---|\n"
    )
    rows = [
        f"| `{s.flag}` | `{s.variable}` | `{s.name}` | {_default(s.default)} | {_cell(s.meaning)} |" for s in SETTINGS
    ]
    return head + "\n".join(rows) + "\n"


def calibration() -> str:
    """Every published figure beside the model's value, with and without those that were not read in their source."""
    from costmodels.calibration import calibrate

    parts = [CALIBRATION]
    for without in (False, True):
        fitted = calibrate(without)
        technology = fitted.technology
        parts += ["\n## Without recalled figures\n\n" if without else "\n## All figures\n\n"]
        parts += [f"Factor on logic energy {technology.energy.logic_factor:.4g}, on logic area "]
        parts += [f"{technology.area.logic_factor:.4g}.\n\n"]
        parts += ["| design | quantity | published | model | error | status | use | source |\n"]
        parts += ["|---|---|---|---|---|---|---|---|\n"]
        for row in fitted.rows:
            model = "-" if row.model is None else f"{row.model:.4g}"
            off = "fitted" if row.fitted else "-" if row.error_percent is None else f"{row.error_percent:+.1f} %"
            figure = row.figure
            cells = (figure.design, figure.quantity, f"{figure.value:g}", model, off, row.label, figure.use)
            parts += ["| ", " | ".join(_cell(cell) for cell in (*cells, figure.source)), " |\n"]
    return "".join(parts)


def modules(package: str) -> str:
    """The modules of a package, and what they offer, from their docstrings."""
    found = import_module(package)
    inner = [name for _, name, is_package in pkgutil.iter_modules(found.__path__) if not is_package]
    names = sorted(f"{package}.{name}" for name in inner if not name.startswith("_"))
    return f"# {package}\n\n{found.__doc__ or ''}\n\n" + "\n\n".join(f"::: {name}" for name in names) + "\n"


def _default(value: object) -> str:
    return "" if value in (None, ()) else f"`{value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
