"""Joint search: designs are proposed, networks trained once, every machine priced all the same."""

from pathlib import Path

from stand_in import TINY_SPACE, InlineTrainers, settings_in

from dse.study.search import resume, run_search


def test_a_network_proposed_on_several_machines_is_trained_once(tmp_path: Path) -> None:
    trainers = InlineTrainers()
    settings = settings_in(tmp_path, TINY_SPACE, trials=8, mode="joint", sampler="random")
    result = run_search(settings, make_trainers=trainers)
    assert (result.trained, len(trainers.trained), len(set(trainers.trained))) == (8, 8, 8)
    designs = result.folder.designs()
    assert len(designs) > 8
    assert {design["network"] for design in designs} == set(range(8))


def test_the_front_of_a_joint_search_holds_every_machine_of_its_networks(tmp_path: Path) -> None:
    result = run_search(settings_in(tmp_path, trials=5, mode="joint"), make_trainers=InlineTrainers())
    tried = [d["metrics"] for d in result.folder.designs() if d["allowed"]]
    found = [(point.metrics["accuracy"], point.metrics["energy_uj"]) for point in result.front]
    for design in tried:
        assert any(a >= design["accuracy"] and e <= design["energy_uj"] + 1e-12 for a, e in found)


def test_a_design_is_told_its_own_metrics(tmp_path: Path) -> None:
    from dse.study import storage

    result = run_search(settings_in(tmp_path, trials=4, mode="joint"), make_trainers=InlineTrainers())
    study = storage.load(result.folder.database)
    told = {t.number: t.values for t in study.get_trials(deepcopy=False)}
    storage.close(study)
    for design in result.folder.designs():
        if design["metrics"]:
            assert told[design["trial"]] == [design["metrics"]["accuracy"], design["metrics"]["energy_uj"]]


def test_a_joint_search_resumes_with_pruned_networks_known(tmp_path: Path) -> None:
    first = run_search(settings_in(tmp_path, TINY_SPACE, trials=3, mode="joint"), make_trainers=InlineTrainers())
    result = resume(first.folder.path, make_trainers=InlineTrainers(), trials=8)
    assert (result.trained, result.stop_reason) == (8, "trials")
