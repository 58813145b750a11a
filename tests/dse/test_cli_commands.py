"""The commands: what they print, as tables and as JSON, and their exit codes."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dse.cli import app
from dse.results import open_study

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "searchspaces" / "examples" / "digits-small.toml"
runner = CliRunner()


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A working folder and an environment without settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("DSE_DATA_DIR", "DSE_TRIALS", "DSE_RESULTS_DIR"):
        monkeypatch.delenv(name, raising=False)


def run(*arguments: str, code: int = 0) -> tuple[str, str]:
    result = runner.invoke(app, list(arguments), prog_name="dse")
    assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
    return result.stdout, result.stderr


def asked(*arguments: str, code: int = 0) -> object:
    return json.loads(run(*arguments, "--json", code=code)[0])


def test_every_listed_command_works_and_none_is_a_promise() -> None:
    listed = {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}
    wanted = {"search", "front", "show", "report", "recost", "cost", "calibrate", "space", "data", "config"}
    wanted |= {"dashboard", "doctor", "export", "reproduce", "train", "verify", "synth", "scheduler", "worker"}
    assert listed == wanted
    assert all(command.help or command.callback.__doc__ for command in app.registered_commands)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["search", "--objective", "acc,enrgy", "--quiet"], "objective must be one of acc, "),
        (["search", "--objective", ","], "objectives must be at least one of acc, "),
        (["search", "--sampler", "tpee"], "sampler must be one of auto, "),
        (["search", "--trials", "0"], "trials must be at least 1, not 0 (flag --trials)"),
        (["search", "--space", "digts"], "space must be one of cifar10, cifar10-dvs, digits, "),
        (["search", "--dataset", "cifar10"], "images of cifar10 must be (1, 8, 8), not (3, 32, 32)"),
        (["search", "--technology", "lp41"], "technology must be a preset or a .toml file, not 'lp41'"),
        (["search", "--name", "../up"], "name must be one folder name, not '../up'"),
        (["search", "--resume", "gone"], "results/gone must be the folder of a study, not missing"),
        (["cost", "nowhere.toml"], ""),
        (["data", "check", "minst"], "data set must be one of digits, "),
        (["data", "list", "--data-dir", "gone"], "data folder must be an existing folder, not gone"),
    ],
)
def test_wrong_input_is_told_and_nothing_is_written(arguments: list[str], message: str, tmp_path: Path) -> None:
    out, err = run(*arguments, code=2)
    assert out == ""
    assert err.startswith(f"dse: {message}")
    assert list(tmp_path.iterdir()) == []


def test_spaces_are_listed_shown_and_checked() -> None:
    assert run("space", "list")[0].splitlines()[0].split() == [
        "space",
        "data",
        "set",
        "networks",
        "machines",
        "description",
    ]
    described = asked("space", "show", "digits")
    assert described["combinations"] == described["networks"] * described["machines"]
    assert "conv1.weights" in run("space", "show", "digits")[0]
    assert asked("space", "check", "digits")["sound"] is True


def test_a_broken_space_is_told_with_every_problem_at_once(tmp_path: Path) -> None:
    from stand_in import SPACE

    file = tmp_path / "mine.toml"
    file.write_text(
        SPACE.replace("dual_threshold", "dual_treshold").replace("vector_width = [2, 4, 8]", "vector_width = []")
    )
    out, err = run("space", "check", "mine.toml", code=2)
    assert out == ""
    assert err.startswith("dse: ")
    assert "did you mean 'dual_threshold'?" in err
    assert len(err.splitlines()) == 2
    plain = json.loads(run("space", "check", "mine.toml", "--json", code=2)[0])
    assert plain["sound"] is False
    assert len(plain["problems"]) == 2


def test_data_sets_are_listed_and_the_bundled_one_needs_no_file() -> None:
    rows = {row["name"]: row for row in asked("data", "list")}
    assert rows["digits"]["state"] == "found"
    assert run("data", "check", "digits")[0] == "digits is bundled: there is no file to check\n"
    assert run("data", "fetch", "digits")[0] == "digits is bundled: there is nothing to download\n"


def test_a_missing_data_set_names_what_to_run(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    _, err = run("data", "check", "mnist", "--data-dir", "images", code=2)
    assert err.rstrip().endswith("run: dse data fetch mnist")


def test_settings_say_where_they_come_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "dse.toml").write_text('objective = "acc,area"\n')
    monkeypatch.setenv("DSE_TRIALS", "7")
    shown = asked("config", "show")
    assert shown["trials"] == {"value": 7, "source": "DSE_TRIALS"}
    assert shown["objective"] == {"value": "acc,area", "source": "dse.toml line 1"}
    assert shown["seed"] == {"value": 0, "source": "default"}
    assert "DSE_TRIALS" in run("config", "show")[0]


def test_the_cost_of_a_candidate_adds_up() -> None:
    report = asked("cost", str(EXAMPLE))
    layers = range(len(report["layers"]))
    energy_uj = sum(report["energy_pj"][term][layer] for term in report["energy_pj"] for layer in layers) / 1e6
    assert energy_uj == pytest.approx(report["energy_uj"])
    assert sum(report["area_mm2"].values()) == pytest.approx(report["total_area_mm2"])
    assert all(0 < share <= 1 for share in report["utilisation"])
    text = run("cost", str(EXAMPLE))[0]
    assert all(name in text for name in (*report["layers"], "energy by term", "area by block", "activity: assumed"))


def test_dearer_dram_costs_more_and_the_rest_as_before() -> None:
    cheap, dear = (asked("cost", str(EXAMPLE), "--dram", price) for price in ("4.6", "20.3"))
    assert sum(dear["energy_pj"]["dram"]) == pytest.approx(sum(cheap["energy_pj"]["dram"]) * 20.3 / 4.6)
    assert dear["energy_pj"]["leakage"] == cheap["energy_pj"]["leakage"]


def test_a_machine_that_cannot_run_the_network_is_exit_code_3_with_the_reasons(tmp_path: Path) -> None:
    file = tmp_path / "small.toml"
    text = (
        EXAMPLE.read_text()
        .replace("channels = 16", "channels = 512")
        .replace("weight_buffer_kib = 4", "weight_buffer_kib = 1")
    )
    file.write_text(text)
    out, err = run("cost", "small.toml", code=3)
    assert out == ""
    assert len(err.splitlines()) > 1
    plain = json.loads(run("cost", "small.toml", "--json", code=3)[0])
    assert (plain["feasible"], plain["energy_uj"]) == (False, None)
    assert plain["reasons"]


def test_calibration_labels_what_was_not_read() -> None:
    with_all, read_only = asked("calibrate"), asked("calibrate", "--without-recalled")
    assert {row["status"] for row in with_all["figures"]} >= {"read", "recalled"}
    assert "recalled" not in {row["status"] for row in read_only["figures"]}
    text, err = run("calibrate")
    assert text.count("recalled, not seen in its source") == sum(r["status"] == "recalled" for r in with_all["figures"])
    assert "--without-recalled" in err


def test_the_front_as_a_table_and_as_json_agree(finished_study: Path) -> None:
    plain = asked("front", str(finished_study))
    text = run("front", str(finished_study))[0]
    short, refined = text.split("\nRefined:")
    ids = [line.split()[0] for line in short.splitlines()[1:]]
    assert ids == [point["id"] for point in plain["front"]] == [p.id for p in open_study(finished_study).front()]
    assert len(refined.splitlines()) == 2 + len(plain["refined"])
    assert {point["fidelity"] for point in plain["front"]} == {"short"}
    assert {point["fidelity"] for point in plain["refined"]} == {"refined"}
    assert all(point["test"]["samples"] == 1000 for point in plain["refined"])
    assert all(point["test"] is None for point in plain["front"])


def test_a_study_is_found_by_its_name_in_the_results_folder(finished_study: Path) -> None:
    by_name = run("front", "study", "--results-dir", str(finished_study.parent))
    assert by_name == run("front", str(finished_study))


def test_a_point_is_shown_as_the_search_priced_it(finished_study: Path) -> None:
    for point in open_study(finished_study).front():
        shown = asked("show", str(finished_study), point.id)
        for column in ("energy_uj", "latency_ms", "dram_kib"):
            assert shown[column] == pytest.approx(point.metrics[column], rel=1e-12)
    text = run("show", str(finished_study), point.id)[0]
    assert "deployed accuracy" in text
    assert "energy by term" in text


def test_a_network_alone_is_shown_with_its_own_machines(finished_study: Path) -> None:
    text = run("show", str(finished_study), "0")[0]
    assert text.startswith("network 0: conv1 ")
    own = open_study(finished_study).networks()[0].own_front
    assert sum(line.startswith("0-") for line in text.splitlines()) == len(own)
    assert len(asked("show", str(finished_study), "0")["own_front"]) == len(own)


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ("99-1", "network must be one of 0, 1, "),
        ("0-99999", "machine must be a number from 0 to "),
        ("x", "network must be one of"),
    ],
)
def test_an_unknown_point_is_told_what_there_is(finished_study: Path, point: str, message: str) -> None:
    out, err = run("show", str(finished_study), point, code=2)
    assert out == ""
    assert err.startswith(f"dse: {message}")


def test_recost_with_the_same_assumptions_gives_the_same_front(finished_study: Path) -> None:
    again = asked("recost", str(finished_study))
    assert [p["metrics"] for p in again["front"]] == [p["metrics"] for p in again["before"]]


def test_recost_without_a_feasible_machine_is_exit_code_3(finished_study: Path) -> None:
    _out, err = run("recost", str(finished_study), "--constraint", "area_mm2<=0.000001", code=3)
    assert "Nothing is feasible" in err


def test_a_foreign_folder_is_no_study(tmp_path: Path) -> None:
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "manifest.json").write_text('{"format": "x"}')
    out, err = run("front", "foreign", code=2)
    assert out == ""
    assert "must be the manifest of a study" in err
    assert [path.name for path in (tmp_path / "foreign").iterdir()] == ["manifest.json"]


def test_the_report_is_written_where_it_says(finished_study: Path, tmp_path: Path) -> None:
    out, _ = run("report", str(finished_study), "--output", "page.html")
    assert out == "page.html\n"
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.usefixtures("stand_in_training")
class TestSearch:
    """`dse search` with a stand-in for training."""

    def ask(self, folder: Path, *arguments: str, code: int = 0) -> tuple[str, str]:
        from stand_in import write_space

        fixed = (
            "--space",
            write_space(folder),
            "--sampler",
            "random",
            "--name",
            "mine",
            "--cache-dir",
            str(folder / "cache"),
        )
        return run("search", *fixed, *arguments, code=code)

    def test_it_prints_the_front_and_leaves_a_whole_study(self, tmp_path: Path) -> None:
        out, err = self.ask(tmp_path, "--trials", "6", "--refine", "2")
        folder = open_study(tmp_path / "results" / "mine")
        assert [line.split()[0] for line in out.split("\nRefined:")[0].splitlines()[1:]] == [
            p.id for p in folder.front()
        ]
        assert len(folder.networks()) == 6
        assert len(folder.test_scores()) == len(folder.refined()) > 0
        assert (folder.path / "report.html").is_file()
        assert "report: results/mine/report.html" in err
        assert "dse show results/mine" in err

    def test_json_alone_is_on_stdout_and_quiet_leaves_stderr_empty(self, tmp_path: Path) -> None:
        out, err = self.ask(tmp_path, "--trials", "4", "--refine", "0", "--json", "--quiet")
        plain = json.loads(out)
        assert (plain["trained"], plain["stop_reason"], plain["report"]) == (4, "trials", "results/mine/report.html")
        assert err == ""

    def test_it_goes_on_with_a_larger_budget_and_refuses_another_question(self, tmp_path: Path) -> None:
        self.ask(tmp_path, "--trials", "3", "--refine", "0")
        _, err = run("search", "--resume", "mine", "--objective", "acc,area", "--seed", "4", code=2)
        assert "leave out --objective, --seed" in err
        run("search", "--resume", "mine", "--trials", "5", "--refine", "0")
        assert len(open_study(tmp_path / "results" / "mine").networks()) == 5

    def test_a_taken_name_is_refused_with_the_way_out(self, tmp_path: Path) -> None:
        self.ask(tmp_path, "--trials", "2", "--refine", "0")
        out, err = self.ask(tmp_path, "--trials", "2", code=2)
        assert out == ""
        assert "--resume" in err

    def test_nothing_feasible_is_exit_code_3_with_a_report(self, tmp_path: Path) -> None:
        out, err = self.ask(tmp_path, "--trials", "2", "--constraint", "accuracy>=1", code=3)
        assert out == ""
        assert "Nothing is feasible" in err
        assert "No point is on the front" in (tmp_path / "results" / "mine" / "report.html").read_text(encoding="utf-8")

    def test_ctrl_c_ends_cleanly_with_the_command_that_goes_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import os
        import signal

        from stand_in import InlineTrainers

        from dse.workers import Task

        submit = InlineTrainers.submit

        def interrupted(self: InlineTrainers, task: Task) -> object:
            if len(self.trained) == 2:
                os.kill(os.getpid(), signal.SIGINT)
            return submit(self, task)

        monkeypatch.setattr(InlineTrainers, "submit", interrupted)
        _, err = self.ask(tmp_path, "--trials", "9", code=130)
        assert err.splitlines()[-1] == "Interrupted. Go on with: dse search --resume results/mine"
        assert open_study(tmp_path / "results" / "mine").manifest.stop_reason == "interrupted"
        monkeypatch.setattr(InlineTrainers, "submit", submit)
        run("search", "--resume", "results/mine", "--refine", "0")
        assert len(open_study(tmp_path / "results" / "mine").networks()) == 9


def test_a_study_can_be_moved_and_still_be_read(finished_study: Path, tmp_path: Path) -> None:
    shutil.copytree(finished_study, tmp_path / "elsewhere")
    assert run("front", "elsewhere")[0] == run("front", str(finished_study))[0]
