"""Every command of README and documentation is run, page by page, with a small budget."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from blocks import ROOT, SHORT, Block, blocks, cut, outside_fences, pages

LIMIT_S = 1500
PAGES = [page for page in pages() if blocks(page)]


def names(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.timeout(2 * LIMIT_S)  # a busy machine takes its time
@pytest.mark.parametrize("page", PAGES, ids=names)
def test_the_commands_of_a_page_run(page: Path, checkout: Path, environment: dict[str, str]) -> None:
    left_out = []
    for block in blocks(page):
        reason = why_not(block, environment)
        if reason:
            left_out.append(f"{block.where}: {reason}")
        elif block.mark == "options":
            has_options(block, checkout, environment)
        else:
            expected = int(block.mark.split()[1]) if block.mark.startswith("exits") else 0
            text, own = with_ids(cut(block.text), checkout), dict[str, str]()
            if block.mark == "stand-in images":
                own = stand_in_images(checkout)
                text = text.replace("--space mnist", "--space few-machines.toml")
            run(text, block.where, expected, checkout, environment | own)
    if len(left_out) == len(blocks(page)):
        pytest.skip("; ".join(left_out))


def why_not(block: Block, environment: dict[str, str]) -> str:
    """Why a block is left out here, or nothing."""
    kind, _, what = block.mark.partition(" ")
    if kind == "data":
        folder = environment.get("DSE_DATA_DIR") or str(ROOT.parent / "shared" / "data")
        if not (Path(folder) / what).is_dir():
            return f"no {what} in DSE_DATA_DIR or ../shared/data"
        environment["DSE_DATA_DIR"] = folder
    if kind == "program" and shutil.which(what) is None:
        return f"no {what} here"
    return {"installs": "installation is the Makefile's", "network": "needs a network"}.get(kind, "")


def run(text: str, where: str, expected: int, checkout: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=checkout,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    assert done.returncode == expected, f"{where}\n{text}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def with_ids(text: str, checkout: Path) -> str:
    """``STUDY`` becomes the newest study, ``ID`` behind a study the first point of its front."""

    def point(found: re.Match[str]) -> str:
        front = json.loads((checkout / found[1] / "front.json").read_text(encoding="utf-8"))
        return f"{found[1]} {front['points'][0]['id']}"

    newest = max((checkout / "results").iterdir(), key=lambda path: (path / "manifest.json").stat().st_mtime)
    return re.sub(r"(results/\S+) ID\b", point, text.replace("STUDY", newest.name))


FEW_MACHINES = f"""{SHORT}
[space]
extends = "mnist"

[accelerator]
vector_width = [4, 8]
channel_lanes = [8, 16]
fusion_depth = [1, 2]
spike_buffer_kib = [32]
weight_buffer_kib = [32]
time_order = "inner"
membrane_buffer_kib = 0
"""


def stand_in_images(checkout: Path) -> dict[str, str]:
    """Settings under which 120 random images of MNIST's shape take its place, and its space with a few machines."""
    draw = np.random.default_rng(0)
    images, labels = draw.integers(0, 256, (120, 28, 28), dtype=np.uint8), np.arange(120) % 10
    arrays = {f"{part}_{what}": a for part in ("train", "test") for what, a in (("images", images), ("labels", labels))}
    (checkout / "DIR").mkdir(exist_ok=True)
    (checkout / "few-machines.toml").write_text(FEW_MACHINES)
    np.savez(checkout / "DIR" / "made-up.npz", **arrays)
    return {"DSE_DATASET": "made-up", "DSE_DATA_DIR": str(checkout / "DIR")}


def has_options(block: Block, checkout: Path, environment: dict[str, str]) -> None:
    """The help of each program names every option that the block gives it."""
    for line in block.text.splitlines():
        command = line.partition("#")[0].split()
        shown = run(" ".join([*command[:2], "--help"]), block.where, 0, checkout, environment)
        missing = [word for word in command if word.startswith("--") and word not in shown]
        assert not missing, f"{block.where}: {command[:2]} knows no {missing}"


def test_no_command_hides_where_no_test_looks() -> None:
    assert {names(page): outside_fences(page) for page in pages() if outside_fences(page)} == {}
    assert len(PAGES) > 8


def test_marks_are_known() -> None:
    known = re.compile(r"|stand-in images|installs|network|options|exits \d+|(data|program) [a-z0-9-]+")
    assert [block for page in pages() for block in blocks(page) if not known.fullmatch(block.mark)] == []


def test_completion_offers_commands_and_options(checkout: Path, environment: dict[str, str]) -> None:
    """As bash asks for it when the tabulator key is pressed."""
    for typed, wanted in (("dse se", {"search"}), ("dse search --sam", {"--sampler"}), ("dse space s", {"show"})):
        words = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1), "_DSE_COMPLETE": "complete_bash"}
        offered = run("dse", typed, 0, checkout, environment | words).split()
        assert wanted <= set(offered), (typed, offered)


def test_the_completion_works_in_bash(checkout: Path, environment: dict[str, str]) -> None:
    """The script is loaded and its function called as bash calls it."""
    text = """
    eval "$(_DSE_COMPLETE=source_bash dse)"
    COMP_WORDS=(dse con); COMP_CWORD=1; COMP_LINE="dse con"; COMP_POINT=7
    $(complete -p dse | sed 's/.*-F \\([^ ]*\\).*/\\1/') dse con dse
    echo "${COMPREPLY[@]}"
    """
    assert run(text, "bash", 0, checkout, environment).split() == ["config"]


def test_space_files_have_every_key() -> None:
    from searchspaces.rules import ACCELERATOR, CLASSIFIER, CONV_LAYER, NETWORK, recipe_rules

    text = (ROOT / "docs" / "reference" / "spaces.md").read_text(encoding="utf-8")
    keys = {*NETWORK, *CONV_LAYER, *CLASSIFIER, *ACCELERATOR, *recipe_rules()}
    assert {key for key in keys if f"`{key}`" not in text} == set()


def test_pages_of_the_guide_are_in_the_navigation() -> None:
    text, guide = (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), ROOT / "docs"
    names = [str(page.relative_to(guide)) for page in pages() if page.is_relative_to(guide)]
    made = ("plans/", "decisions/")  # not published, and taken as a folder
    assert [name for name in names if not name.startswith(made) and name not in text] == []
