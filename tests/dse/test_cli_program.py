"""The program as a process: exit codes, streams, imports, pipes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "optuna", "plotly", "pandas", "numpy", "scipy", "sklearn", "moocore", "PIL")
PROGRAM = [sys.executable, "-W", "error", "-c", "from dse.cli import main; main()"]
ROOT = Path(__file__).parents[2]


def dse(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {key: value for key, value in os.environ.items() if not key.startswith("DSE_")}
    given |= {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **environment}
    return subprocess.run([*PROGRAM, *arguments], cwd=folder, env=given, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["search", "--help"], ["config", "show"]])
def test_help_and_settings_import_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    code = (
        "import sys\nfrom dse.cli import main\n"
        f"sys.argv[1:] = {arguments!r}\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        f"found = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "sys.exit(f'imported {found}' if found else 0)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr


def test_spaces_are_listed_without_training_sampling_or_drawing() -> None:
    code = (
        "import sys\nfrom dse.cli import main\nsys.argv[1:] = ['space', 'list', '--json']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "sys.exit(str([n for n in ('torch', 'optuna', 'plotly', 'pandas') if n in sys.modules] or '') or 0)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert {row["name"] for row in json.loads(result.stdout)} >= {"digits", "mnist", "fashion-mnist", "cifar10"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["search", "--constraint", "area<=big"], "dse: bound must be a finite number in mm², not 'big'"),
        (["front", "nowhere"], "dse: results/nowhere must be the folder of a study, not missing"),
    ],
)
def test_wrong_input_is_one_message_and_exit_code_2_and_writes_nothing(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    result = dse(*arguments, folder=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(message), result.stderr
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_setting_in_the_environment_is_told_by_its_name(tmp_path: Path) -> None:
    result = dse("search", folder=tmp_path, DSE_TRIALS="many")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "dse: trials must be a whole number, not 'many' (DSE_TRIALS)\n"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["serch"], "Did you mean 'search'?"),
        (["search", "--objectiv", "acc"], "--objective"),
        (["data", "lst"], "'list'"),
    ],
)
def test_a_mistyped_command_or_option_is_exit_code_2_with_the_nearest_name(
    arguments: list[str], hint: str, tmp_path: Path
) -> None:
    result = dse(*arguments, folder=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert hint in " ".join(result.stderr.split())


def test_a_reader_that_leaves_early_is_no_error(finished_study: Path) -> None:
    command = f'{PROGRAM[0]} -c "{PROGRAM[-1]}" front {finished_study} | true; echo ${{PIPESTATUS[0]}}'
    given = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(["bash", "-c", command], env=given, capture_output=True, text=True, timeout=60)
    assert (result.stdout, result.stderr) == ("0\n", "")


def test_results_go_to_stdout_without_colour_and_hints_to_stderr(finished_study: Path, tmp_path: Path) -> None:
    result = dse("recost", str(finished_study), "--dram", "4.6", folder=tmp_path, FORCE_COLOR="1")
    assert result.returncode == 0
    assert "\x1b" not in result.stdout + result.stderr
    assert result.stdout.startswith("id ")
    assert "written to" in result.stderr
    assert "written to" not in result.stdout
