"""Going on with a study: nothing repeated, nothing lost, another budget if one is given."""

import json
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from stand_in import ABOUT, InlineTrainers, settings_in, stand_in_score

from dse.errors import StudyError
from dse.results import open_study
from dse.score import Failed
from dse.study import storage
from dse.study.search import StudyResult, resume, run_search


def searched(folder: Path, **changes: object) -> StudyResult:
    return run_search(settings_in(folder, **changes), make_trainers=InlineTrainers())


def test_more_trials_go_on_where_the_study_stopped(tmp_path: Path) -> None:
    first = searched(tmp_path, trials=4)
    trainers = InlineTrainers()
    result = resume(first.folder.path, make_trainers=trainers, trials=9)
    known = {record.digest for record in first.folder.networks()[:4]}
    assert (result.trained, len(trainers.trained), result.stop_reason) == (9, 5, "trials")
    assert not known & set(trainers.trained)
    assert open_study(result.folder.path).manifest.settings["trials"] == 9
    assert open_study(result.folder.path).networks()[:4][0].digest == first.folder.networks()[0].digest


def test_a_finished_study_resumed_as_it_is_trains_nothing(tmp_path: Path) -> None:
    path = searched(tmp_path, trials=3).folder.path
    trainers = InlineTrainers()
    result = resume(path, make_trainers=trainers)
    assert (result.trained, trainers.trained, result.stop_reason) == (3, [], "trials")


def test_search_time_and_hypervolume_go_on_from_the_earlier_sessions(tmp_path: Path) -> None:
    path = searched(tmp_path, trials=3).folder.path
    resume(path, make_trainers=InlineTrainers(), trials=7)
    networks = open_study(path).networks()
    assert [r.elapsed_s for r in networks] == sorted(r.elapsed_s for r in networks)
    assert [r.hypervolume for r in networks] == sorted(r.hypervolume for r in networks)


def test_a_failed_network_is_not_tried_again(tmp_path: Path) -> None:
    failing = InlineTrainers(answer=lambda task: Failed("diverged", "NaN", 0.1))
    path = run_search(settings_in(tmp_path, trials=3), make_trainers=failing).folder.path
    trainers = InlineTrainers()
    result = resume(path, make_trainers=trainers, trials=6)
    assert (result.trained, result.failed) == (3, 3)
    assert not set(trainers.trained) & set(failing.trained)


def test_other_data_are_refused(tmp_path: Path) -> None:
    path = searched(tmp_path, trials=2).folder.path
    before = (path / "manifest.json").read_bytes()
    with pytest.raises(StudyError, match=r"data of .* must be those it began with .* --data-dir"):
        resume(path, make_trainers=InlineTrainers(about={**ABOUT, "data_digest": "other"}))
    assert (path / "manifest.json").read_bytes() == before


def test_a_changed_technology_is_refused_with_the_way_to_price_anew(tmp_path: Path) -> None:
    constants = tmp_path / "mine.toml"
    constants.write_text('base = "lp40"\n[settings]\nclock_mhz = 200.0\n')
    path = searched(tmp_path, trials=2, technology=str(constants)).folder.path
    constants.write_text('base = "lp40"\n[settings]\nclock_mhz = 100.0\n')
    with pytest.raises(StudyError, match=f"dse recost {path}"):
        resume(path, make_trainers=InlineTrainers())


def test_a_changed_space_file_does_not_matter_since_the_study_keeps_its_own(tmp_path: Path) -> None:
    path = searched(tmp_path, trials=2).folder.path
    (tmp_path / "space.toml").write_text("broken")
    assert resume(path, make_trainers=InlineTrainers(), trials=3).trained == 3


@pytest.mark.parametrize("content", [b"", b"not a database", None])
def test_a_damaged_database_is_named(tmp_path: Path, content: bytes | None) -> None:
    folder = searched(tmp_path, trials=2).folder
    folder.database.unlink()
    if content is not None:
        folder.database.write_bytes(content)
    with pytest.raises(StudyError, match=r"study\.db must"):
        resume(folder.path, make_trainers=InlineTrainers())


def running(path: Path, count: int, requeued: int = 0) -> list[dict[str, object]]:
    """Leave trials running, as a kill does; their parameters."""
    study = storage.load(path / "study.db")
    study.sampler = optuna.samplers.RandomSampler(seed=99)
    distributions = study.get_trials(deepcopy=False)[0].distributions
    left = []
    for _ in range(count):
        if requeued:
            fixed = optuna.samplers.RandomSampler(seed=7)
            study.sampler = fixed
            params = study.ask(distributions).params
            study.enqueue_trial(params, user_attrs={"requeued": requeued})
            study.tell(study.get_trials(deepcopy=False)[-2].number, state=optuna.trial.TrialState.FAIL)
        left.append(study.ask(distributions).params)
    storage.close(study)
    return left


def states(path: Path) -> list[str]:
    study = storage.load(path / "study.db")
    names = [trial.state.name for trial in study.get_trials(deepcopy=False)]
    storage.close(study)
    return names


def test_trials_a_kill_left_running_are_trained_first(tmp_path: Path) -> None:
    path = searched(tmp_path, trials=3).folder.path
    left = running(path, 2)
    resume(path, make_trainers=InlineTrainers(), trials=5)
    assert "RUNNING" not in states(path)
    study = storage.load(path / "study.db")
    retried = [t.params for t in study.get_trials(deepcopy=False) if t.user_attrs.get("requeued") == 1]
    storage.close(study)
    assert retried == left
    assert open_study(path).manifest.stop_reason == "trials"


def test_a_trial_killed_three_times_is_given_up_and_reported(tmp_path: Path) -> None:
    path = searched(tmp_path, trials=3).folder.path
    running(path, 1, requeued=2)
    result = resume(path, make_trainers=InlineTrainers(), trials=6)
    assert (result.trained, result.failed) == (5, 1)
    assert "killed 3 times" in result.folder.failures()[0].message
    assert "RUNNING" not in states(path)


def test_a_trial_killed_while_it_was_asked_is_failed_and_not_repeated(tmp_path: Path) -> None:
    path = searched(tmp_path, trials=2).folder.path
    study = storage.load(path / "study.db")
    trial = study.ask()
    trial.suggest_int("timesteps", 0, 2)
    storage.close(study)
    resume(path, make_trainers=InlineTrainers(), trials=3)
    assert "RUNNING" not in states(path)
    assert "WAITING" not in states(path)


def test_a_network_recorded_but_not_told_is_told_and_not_trained_again(tmp_path: Path) -> None:
    """A kill between the record and the tell."""
    path = searched(tmp_path, trials=2).folder.path
    (params,) = running(path, 1)
    folder = open_study(path)
    from dse.study.encoding import decoded
    from dse.study.ledger import Ledger
    from dse.study.problem import saved_problem
    from dse.study.settings import SearchSettings

    problem = saved_problem(folder, SearchSettings.from_dict(folder.manifest.settings, path))
    genes = problem.space.network.genes
    genome = problem.space.network.genome(decoded(genes, params))
    score = stand_in_score(genome, problem.space.short, 0)
    Ledger.opened(folder, problem.pricer).add(9, genome, decoded(genes, params), score, False, 1.0)
    trainers = InlineTrainers()
    result = resume(path, make_trainers=trainers, trials=4)
    assert result.trained == 4
    assert genome.digest() not in trainers.trained
    assert len({record.digest for record in result.folder.networks()}) == 4


def test_a_newer_study_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = searched(tmp_path, trials=2).folder.path
    data = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps({**data, "format": 99}))
    before = sorted((p.name, p.stat().st_mtime_ns) for p in path.iterdir())
    with pytest.raises(StudyError, match="install a newer dse"):
        resume(path, make_trainers=InlineTrainers())
    assert sorted((p.name, p.stat().st_mtime_ns) for p in path.iterdir()) == before


def test_settings_read_back_from_the_manifest(tmp_path: Path) -> None:
    result = searched(tmp_path, trials=2, constraints=("area<=5",), dram_pj_per_bit=3.5)
    back = type(settings_in(tmp_path)).from_dict(result.folder.manifest.settings, result.folder.path)
    assert back == replace(settings_in(tmp_path, trials=2, constraints=("area<=5",), dram_pj_per_bit=3.5))
