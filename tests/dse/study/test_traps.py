"""One test for each trap that search tools fall into, numbered as in the design notes of the search."""

import ast
import inspect
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pytest
from stand_in import InlineTrainers, settings_in, stand_in_score

import dse.study
from costmodels.accelerator import AcceleratorBatch
from costmodels.evaluate import evaluate
from costmodels.technology import Technology
from costmodels.workload import Workload
from dse.objectives import parse_objectives
from dse.results import open_study
from dse.results.reference import Reference
from dse.study import storage
from dse.study.nested import Nested
from dse.study.problem import new_problem
from dse.study.samplers import GP_TRAININGS, chosen, derived_seed, make_sampler
from dse.study.search import resume, run_search
from dse.study.told import told_of
from searchspaces.space import load_space

SOURCES = sorted(Path(inspect.getfile(dse.study)).parent.glob("*.py"))


def used_names(path: Path) -> set[str]:
    """Every attribute and name that a source file mentions in code."""
    tree = ast.parse(path.read_text())
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return attributes | {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def test_trap_1_a_resumed_search_with_the_same_seed_proposes_other_networks(tmp_path: Path) -> None:
    first, second = InlineTrainers(), InlineTrainers()
    path = run_search(settings_in(tmp_path, trials=3, sampler="random"), make_trainers=first).folder.path
    result = resume(path, make_trainers=second, trials=6)
    assert not set(first.trained) & set(second.trained)
    study = storage.load(result.folder.database)
    proposals = [tuple(sorted(t.params.items())) for t in study.get_trials(deepcopy=False)]
    storage.close(study)
    assert len(set(proposals)) == len(proposals)


def test_traps_1_and_9_the_sampler_seed_differs_with_every_number_of_trials() -> None:
    seeds = {derived_seed(user, trials) for user in range(20) for trials in range(200)}
    assert len(seeds) == 4000


def test_traps_2_3_and_4_what_is_slow_or_wrong_in_optuna_is_not_used() -> None:
    """Importance plots, ``best_trials`` and copies of all trials, and its parallel coordinates."""
    banned = {"plot_param_importances", "best_trials", "best_trial", "plot_parallel_coordinate", "trials"}
    for path in SOURCES:
        text = path.read_text()
        assert not banned & (used_names(path) - {"trials"}), path.name
        assert "study.trials" not in text
        assert len(re.findall(r"(?<!def _)get_trials\(", text)) == text.count("get_trials(deepcopy=False"), path.name


def test_trap_5_a_torn_line_is_cut_on_resume_and_nothing_is_bricked(tmp_path: Path) -> None:
    path = run_search(settings_in(tmp_path, trials=3), make_trainers=InlineTrainers()).folder.path
    for name in ("networks.jsonl", "points.jsonl"):
        with (path / name).open("ab") as file:
            file.write(b'{"number":3,"tri')
    result = resume(path, make_trainers=InlineTrainers(), trials=5)
    assert [record.number for record in result.folder.networks()] == [0, 1, 2, 3, 4]


def test_trap_6_trials_left_running_are_failed_and_queued_again(tmp_path: Path) -> None:
    path = run_search(settings_in(tmp_path, trials=2), make_trainers=InlineTrainers()).folder.path
    study = storage.load(path / "study.db")
    study.ask(study.get_trials(deepcopy=False)[0].distributions)
    storage.close(study)
    result = resume(path, make_trainers=InlineTrainers(), trials=3)
    study = storage.load(result.folder.database)
    trials = study.get_trials(deepcopy=False)
    storage.close(study)
    assert [t.state.name for t in trials].count("RUNNING") == 0
    assert [t for t in trials if t.user_attrs.get("requeued") == 1]


def test_trap_7_infeasible_networks_are_told_values_and_nothing_is_pruned(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, trials=3, constraints=("ops<=20000",), sampler="gp")
    result = run_search(settings, make_trainers=InlineTrainers())
    assert result.forbidden > 0
    study = storage.load(result.folder.database)
    trials = study.get_trials(deepcopy=False)
    storage.close(study)
    digests = {failure.trial for failure in result.folder.failures()}
    told = [trial for trial in trials if trial.number in digests]
    assert {trial.state.name for trial in told} == {"COMPLETE"}
    assert all(trial.values == [0.0, 0.0] for trial in told)
    assert all(trial.constraints["violation"] > 0 for trial in told)
    for path in SOURCES:
        assert not {"report", "TrialPruned", "should_prune"} & (used_names(path) - {"report"}), path.name


def test_trap_7_every_trial_of_a_constrained_search_has_the_same_constraints(tmp_path: Path) -> None:
    """Otherwise the Gaussian process raises."""
    settings = settings_in(tmp_path, trials=8, constraints=("ops<=400000", "latency<=0.05"), sampler="gp")
    result = run_search(settings, make_trainers=InlineTrainers())
    study = storage.load(result.folder.database)
    complete = [t for t in study.get_trials(deepcopy=False) if t.state.name == "COMPLETE"]
    storage.close(study)
    assert {tuple(t.constraints) for t in complete} == {("violation",)}
    violated = {t.number for t in complete if t.constraints["violation"] > 0}
    assert violated == {f.trial for f in result.folder.failures()} | {
        r.trial for r in result.folder.networks() if not r.feasible
    } | {t.number for t in complete if "repeats" in t.user_attrs and t.constraints["violation"] > 0}


def test_trap_7_an_infeasible_network_never_enters_the_front(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, trials=6, constraints=("energy<=0.02",), sampler="random")
    result = run_search(settings, make_trainers=InlineTrainers())
    assert all(point.metrics["energy_uj"] <= 0.02 for point in result.front)
    blocked = [record for record in result.folder.networks() if not record.feasible]
    assert all(len(record.own_front) == 0 for record in blocked)


def test_trap_8_flat_files_prefix_genes_and_joint_parameters(tmp_path: Path) -> None:
    result = run_search(settings_in(tmp_path, trials=2, mode="joint"), make_trainers=InlineTrainers())
    header = (result.folder.path / "front.csv").read_text().splitlines()[0].split(",")
    assert len(set(header)) == len(header)
    assert "network.timesteps" in header
    study = storage.load(result.folder.database)
    names = study.get_trials(deepcopy=False)[0].params
    storage.close(study)
    assert all(name.startswith(("network.", "machine.")) for name in names)


def test_trap_9_workers_in_parallel_are_given_different_networks(tmp_path: Path) -> None:
    for sampler in ("random", "tpe", "gp", "auto"):
        folder = tmp_path / sampler
        folder.mkdir()
        trainers = InlineTrainers()
        run_search(settings_in(folder, trials=8, workers=4, sampler=sampler), make_trainers=trainers)
        assert len(set(trainers.trained)) == len(trainers.trained) == 8


def test_trap_10_only_the_coordinator_writes_and_one_coordinator_at_a_time() -> None:
    package = Path(inspect.getfile(dse.study)).parents[1]
    importers = [p for p in package.rglob("*.py") if "optuna" in _imports(p)]
    assert importers
    assert all(p.is_relative_to(package / "study") for p in importers)


def _imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    plain = {alias.name.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names}
    return plain | {(n.module or "").split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}


def test_a_joint_auto_changes_from_the_gaussian_process_to_independent_tpe() -> None:
    assert [chosen("auto", "joint", n) for n in (0, GP_TRAININGS - 1, GP_TRAININGS)] == ["gp", "gp", "tpe"]
    assert chosen("auto", "nested", 10_000) == "front"
    assert chosen("nsga2", "nested", 10_000) == "nsga2"
    sampler = make_sampler("tpe", 0, 0, 100)
    assert isinstance(sampler, optuna.samplers.TPESampler)
    assert sampler._multivariate is False


def test_the_sampler_is_told_the_own_front_as_one_value_whatever_the_machine_objectives(tmp_path: Path) -> None:
    reference = Reference(dict.fromkeys(("energy_uj", "area_mm2", "latency_ms"), 1.0) | {"accuracy": 0.1})
    for names, directions in [
        ("acc,energy", ["maximize", "maximize"]),
        ("acc,energy,area,latency", ["maximize", "maximize"]),
        ("acc,storage,energy", ["maximize", "maximize", "maximize"]),
        ("acc,ops", ["maximize", "minimize"]),
        ("energy", ["minimize"]),
        ("energy,area", ["maximize"]),
    ]:
        assert told_of(parse_objectives(names), True, reference).directions == directions, names
    assert told_of(parse_objectives("acc,energy,area"), False, reference).directions == [
        "maximize",
        "minimize",
        "minimize",
    ]


def test_what_is_told_is_the_own_front_above_the_frozen_reference(tmp_path: Path) -> None:
    """Slow twin with one machine objective: decades below chance errors, and decades of the least energy."""
    result = run_search(settings_in(tmp_path, trials=4), make_trainers=InlineTrainers())
    study = storage.load(result.folder.database)
    told = {t.number: t.values for t in study.get_trials(deepcopy=False)}
    storage.close(study)
    reference = result.folder.manifest.reference["energy_uj"]
    for record in result.folder.networks():
        of_errors = np.log10((1 - 1 / 10) / (1 - record.metrics["accuracy"]))
        of_energy = np.log10(reference / record.best["energy_uj"])
        assert told[record.trial] == pytest.approx([of_errors, of_energy])


@pytest.mark.parametrize(("names", "values"), [("acc,energy", [0.0, 0.0]), ("acc", [0.1]), ("acc,ops", [0.1, 5.0])])
def test_an_accurate_network_that_no_machine_runs_is_worth_the_reference(
    tmp_path: Path, names: str, values: list[float]
) -> None:
    record = run_search(settings_in(tmp_path, trials=1), make_trainers=InlineTrainers()).folder.networks()[0]
    useless = replace(record, feasible=0, metrics={**record.metrics, "accuracy": 0.99})
    reference = Reference({"accuracy": 0.1, "energy_uj": 2.0, "operations": 5.0})
    told = told_of(parse_objectives(names), True, reference)
    mode = Nested(load_space("digits").network, told, constrained=False)
    assert mode.answer(0, {}, useless).values == values
    assert mode.answer(0, {}, record).values != values


def test_the_reference_is_the_same_for_every_seed_and_never_moves(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    a = run_search(settings_in(tmp_path / "a", trials=2, seed=1), make_trainers=InlineTrainers())
    other = settings_in(tmp_path / "b", trials=2, seed=2, objectives=("acc", "area"))
    b = run_search(other, make_trainers=InlineTrainers())
    assert a.folder.manifest.reference == b.folder.manifest.reference
    resume(a.folder.path, make_trainers=InlineTrainers(), trials=3)
    assert open_study(a.folder.path).manifest.reference == b.folder.manifest.reference


def test_a_network_is_priced_on_the_whole_space_in_one_call(tmp_path: Path) -> None:
    calls = []

    def counted(workload: Workload, batch: AcceleratorBatch, technology: Technology) -> object:
        calls.append(len(batch))
        return evaluate(workload, batch, technology)

    problem = new_problem(settings_in(tmp_path), counted)
    genome = problem.space.network.genome({gene.name: gene.choices[0] for gene in problem.space.network.genes})
    problem.pricer.price(genome, stand_in_score(genome, problem.space.short, 0))
    assert calls == [48]


def test_a_sampler_that_breaks_down_does_not_end_the_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> dict[str, object]:
        raise ValueError("matrix is not positive definite")

    monkeypatch.setattr(optuna.samplers.GPSampler, "sample_relative", broken)
    trainers = InlineTrainers()
    result = run_search(settings_in(tmp_path, trials=3, sampler="gp"), make_trainers=trainers)
    assert result.trained == 3
    study = storage.load(result.folder.database)
    trials = study.get_trials(deepcopy=False)
    storage.close(study)
    assert not [t for t in trials if t.state.name == "RUNNING"]
    assert any("matrix is not positive" in t.user_attrs.get("sampler_failed", "") for t in trials)
