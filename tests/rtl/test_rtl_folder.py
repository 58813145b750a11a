"""An exported folder alone, copied elsewhere: the commands of its README lint, simulate and synthesise it."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dse.cli import app
from dse.export.rtl_design import read_design

sys.path.append(str(Path(__file__).parents[1] / "dse" / "study"))
SPACE = """
[space]
name = "small"
dataset = "digits"

[network]
timesteps = 2
levels = 1
pooling = "or"
head = "fc"
reset = "hard"

[[network.layers]]
name = "always"
kind = "conv"
channels = 4
pool = 2
weights = 2
dual_threshold = true

[[network.layers]]
name = "endmodule"
kind = "fc"
channels = 4
weights = "binary"

[network.classifier]
weights = "binary"

[accelerator]
vector_width = 2
channel_lanes = 2
fusion_depth = [1, 3]
spike_buffer_kib = [1, 16]
weight_buffer_kib = [1, 32]
time_order = ["inner", "outer"]
membrane_buffer_kib = 1

[training.short]
epochs = 1
train_samples = 200

[training.refine]
epochs = 1
"""
runner = CliRunner()


def run(*arguments: str, code: int = 0) -> tuple[str, str]:
    result = runner.invoke(app, list(arguments), prog_name="dse")
    assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
    return result.stdout, result.stderr


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of one network, trained for a moment, in a folder whose name no tool likes."""
    from stand_in import settings_in

    from dse.study.search import run_search

    folder = tmp_path_factory.mktemp("a folder")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        patch.setattr("dse.study.settings.cores", lambda: 1)
        return run_search(settings_in(folder, SPACE, trials=1, name="module ü")).folder.path


def machine_id(study: Path, fusion_depth: int, spike_kib: int, weight_kib: int, order: str = "inner") -> str:
    """The id of the network on that machine."""
    from dse.results import open_study

    folder = open_study(study)
    wanted = (fusion_depth, spike_kib, weight_kib, order)
    for index in range(folder.manifest.machines):
        machine = folder.machine(f"0-{index}")
        sizes = (machine.fusion_depth, machine.spike_buffer_kib, machine.weight_buffer_kib, machine.time_order)
        if sizes == wanted:
            return f"0-{index}"
    raise AssertionError(wanted)


@pytest.fixture(scope="module")
def exported(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder, moved elsewhere after it was written."""
    written = tmp_path_factory.mktemp("written") / "rtl"
    out, _ = run("export", str(study), machine_id(study, 3, 16, 32), "--to", "rtl", "-o", str(written))
    assert out == f"{written}\n"
    elsewhere = tmp_path_factory.mktemp("else where") / "my rtl"
    written.rename(elsewhere)
    return elsewhere


def commands(folder: Path, section: str) -> list[list[str]]:
    """The shell blocks of a section of the README, as lines."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    section = text.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return [block.strip().splitlines() for block in re.findall(r"```sh\n(.*?)```", section, re.DOTALL)]


def shell(folder: Path, lines: list[str]) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(lines)], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def needs(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed (Debian: apt-get install {program})")


@pytest.mark.parametrize("index", [0, 1], ids=["verilator", "iverilog"])
def test_it_simulates_with_the_commands_of_its_readme(exported: Path, index: int, tmp_path: Path) -> None:
    lines = commands(exported, "Simulate")[index]
    needs(lines[0].split()[0])
    shutil.copytree(exported, tmp_path / "copy")
    said = shell(tmp_path / "copy", lines)
    assert "PASS" in said.splitlines()
    assert f"images {read_design(exported).images} errors 0" in said.splitlines()


def test_it_lints_without_a_word(exported: Path) -> None:
    needs("verilator")
    (lines,) = commands(exported, "Lint")
    assert shell(exported, lines) == ""


def test_it_synthesises_and_dse_synth_counts_the_same(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs("yosys")
    (lines,) = commands(exported, "Synthesise")
    copy = tmp_path / "copy"
    shutil.copytree(exported, copy)
    shell(copy, lines)
    report = (copy / "synth.txt").read_text()
    total = float(re.findall(r"Chip area for top module .*: ([\d.]+)", report)[-1])

    def the_same_again(command: list[str], folder: Path, *_: object) -> str:
        if command == ["yosys", "-V"]:
            return "Yosys\n"
        assert [command] == [line.split() for line in lines]
        (folder / "synth.txt").write_text(report)
        return ""

    monkeypatch.setattr("dse.export.rtl_synthesis.run_tool", the_same_again)  # it takes long
    found = json.loads(run("synth", str(exported), "--json")[0])
    assert found["total_ge"] == pytest.approx(total, rel=1e-5)
    assert found["calibrated_ge"] == pytest.approx(total * found["area_factor"], rel=1e-5)
    assert {"accelerator", "compute_core", "pe_lane", "pass_control"} <= {block["name"] for block in found["blocks"]}
    assert f"{found['total_ge']:,.0f}" in run("synth", str(exported))[0]


def test_verify_prints_spikes_and_cycles_by_layer(exported: Path) -> None:
    needs("iverilog")
    found = json.loads(run("verify", str(exported), "--simulator", "iverilog", "--json")[0])
    assert found["sound"] is True
    assert found["images"] == 3
    assert [layer["name"] for layer in found["layers"]] == ["always", "endmodule", "classifier"]
    assert [layer["spikes"] for layer in found["layers"]] == [3 * 4 * 4 * 4 * 2, 3 * 4 * 2, 0]
    assert all(layer["measured"] == layer["predicted"] > 0 == layer["mismatches"] for layer in found["layers"])
    out, _ = run("verify", str(exported), "--simulator", "iverilog")
    assert out.splitlines()[-1] == "PASS"
    assert sorted(path.suffix for path in exported.iterdir() if path.suffix in (".vvp", ".txt")) == []


def test_a_wrong_weight_and_a_wrong_prediction_fail_with_exit_code_1(exported: Path, tmp_path: Path) -> None:
    needs("iverilog")
    for name, change in (("stores.mem", r"^\w+"), ("design.json", r'(?<="cycles": )\d+')):
        folder = tmp_path / name
        shutil.copytree(exported, folder)
        text = (folder / name).read_text(encoding="utf-8")
        (folder / name).write_text(
            re.sub(change, lambda old: str(int(old[0], 16) ^ 1), text, count=1), encoding="utf-8"
        )
        out, _ = run("verify", str(folder), "--simulator", "iverilog", code=1)
        assert out.splitlines()[-1] == "FAIL"


def test_no_simulator_names_the_packages(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert "apt-get install verilator iverilog" in run("verify", str(exported), code=2)[1]
    assert "apt-get install yosys" in run("synth", str(exported), code=2)[1]


def test_wrong_input_is_one_message_and_leaves_nothing(study: Path, exported: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    whole = machine_id(study, 3, 16, 32)
    for arguments, message in (
        ((str(study), "0"), "id must be NETWORK-MACHINE, as in the front, for --to rtl, not '0'"),
        ((str(study), "7-0"), "network must be one of 0, not '7'"),
        ((str(study), whole, "--refined"), "refined network must be one of none, not '0'"),
        ((str(study), whole, "-o", str(exported)), "output folder must be new or empty, not a folder with files in it"),
    ):
        out, err = run("export", *arguments, "--to", "rtl", *([] if "-o" in arguments else ["-o", str(target)]), code=2)
        assert (out, err.startswith(f"dse: {message}")) == ("", True), err
    assert list(tmp_path.iterdir()) == []
    assert "not a folder without design.json" in run("verify", str(tmp_path), code=2)[1]
    assert "not missing" in run("synth", str(target), code=2)[1]


@pytest.mark.parametrize(("fusion_depth", "order"), [(1, "inner"), (1, "outer"), (3, "outer")])
def test_other_machines_verify_as_well(study: Path, fusion_depth: int, order: str, tmp_path: Path) -> None:
    """Layers in groups of their own, which go through the memory; steps one by one."""
    needs("iverilog")
    folder = tmp_path / "out"
    run("export", str(study), machine_id(study, fusion_depth, 16, 32, order), "--to", "rtl", "-o", str(folder))
    found = json.loads(run("verify", str(folder), "--simulator", "iverilog", "--json")[0])
    assert found["sound"] is True
    assert all(layer["measured"] == layer["predicted"] for layer in found["layers"])


def test_lost_weights_are_trained_again_with_the_same_outcome(study: Path, exported: Path, tmp_path: Path) -> None:
    point = machine_id(study, 3, 16, 32)
    _, err = run(
        "export", str(study), point, "--to", "rtl", "-o", str(tmp_path / "out"), "--cache-dir", str(tmp_path / "empty")
    )
    assert "training it again, seed 0" in err
    assert "as recorded" in err
    lines = (tmp_path / "out" / "weights.mem").read_text()
    assert lines == (exported / "weights.mem").read_text()
