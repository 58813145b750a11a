"""A nested search from settings to folder, with a stand-in for training."""

import json
from pathlib import Path

import numpy as np
import pytest
from stand_in import TINY_SPACE, InlineTrainers, settings_in, stand_in_score

from costmodels.accelerator import AcceleratorBatch
from costmodels.errors import InputError
from costmodels.evaluate import evaluate
from dse.errors import StudyError
from dse.results import open_study
from dse.score import Failed
from dse.study.search import StudyResult, run_search
from searchspaces.lowering import lower
from searchspaces.space import load_space


def searched(folder: Path, trainers: InlineTrainers | None = None, **changes: object) -> StudyResult:
    return run_search(settings_in(folder, **changes), make_trainers=trainers or InlineTrainers())


def test_a_search_trains_as_many_distinct_networks_as_asked(tmp_path: Path) -> None:
    trainers = InlineTrainers()
    result = searched(tmp_path, trainers, trials=10)
    assert (result.trained, result.stop_reason, trainers.closed) == (10, "trials", True)
    assert len(set(trainers.trained)) == 10


@pytest.mark.parametrize("bound", [np.inf, 0.08])
def test_the_front_is_what_brute_force_finds_over_every_network_and_machine(tmp_path: Path, bound: float) -> None:
    """Slow twin: price every machine alone, compare all pairs of designs."""
    constraints = () if np.isinf(bound) else (f"area<={bound}",)
    result = searched(tmp_path, trials=6, constraints=constraints)
    space = load_space(settings_in(tmp_path).space)
    machines = space.accelerator.enumerate()
    from costmodels.technology import Technology

    designs, counted = [], {True: 0, False: 0}
    for record in result.folder.networks():
        score = stand_in_score(record.genome, space.short, 0)
        workload = lower(record.genome, score.input_density, score.firing_rates, score.masks)
        for index in range(len(machines)):
            table = evaluate(workload, AcceleratorBatch.of([machines[index]]), Technology.default())
            counted[table.area_mm2[0] <= bound] += 1
            if table.feasible[0] and table.area_mm2[0] <= bound:
                designs.append((-score.deployed_accuracy, float(table.energy_uj[0])))
    kept = {a for a in designs if not any(b != a and b[0] <= a[0] and b[1] <= a[1] for b in designs)}
    found = {(-p.metrics["accuracy"], p.metrics["energy_uj"]) for p in result.front}
    assert len(found) == len(kept)
    assert np.allclose(sorted(found), sorted(kept), rtol=1e-12)
    assert counted[True] > 0
    assert (counted[False] > 0) == np.isfinite(bound)


def test_the_folder_reads_back_what_the_search_returned(tmp_path: Path) -> None:
    result = searched(tmp_path)
    folder = open_study(tmp_path / "results" / "study")
    assert folder.front() == result.front
    assert [p["id"] for p in json.loads((folder.path / "front.json").read_text())["points"]] == [
        p.id for p in result.front
    ]
    assert len((folder.path / "front.csv").read_text().splitlines()) == len(result.front) + 1
    assert len((folder.path / "history.csv").read_text().splitlines()) == result.trained + 1
    assert folder.manifest.stop_reason == "trials"
    assert folder.manifest.digests["code"] == "stand-in"


def test_the_hypervolume_never_falls(tmp_path: Path) -> None:
    volumes = [record.hypervolume for record in searched(tmp_path, trials=10).folder.networks()]
    assert volumes == sorted(volumes)
    assert volumes[-1] > 0


def test_one_seed_and_one_worker_give_one_front(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    first, again = (searched(tmp_path / name, sampler="auto", trials=9, seed=3) for name in ("a", "b"))
    assert first.front == again.front
    assert [r.digest for r in first.folder.networks()] == [r.digest for r in again.folder.networks()]


def test_another_seed_proposes_other_networks(tmp_path: Path) -> None:
    digests = []
    for seed in (0, 1):
        (tmp_path / str(seed)).mkdir()
        result = searched(tmp_path / str(seed), seed=seed, trials=5)
        digests.append([record.digest for record in result.folder.networks()])
    assert digests[0] != digests[1]


@pytest.mark.parametrize("sampler", ["auto", "gp", "tpe", "nsga2", "nsga3", "random"])
def test_every_sampler_searches(tmp_path: Path, sampler: str) -> None:
    result = searched(tmp_path, sampler=sampler, trials=8, objectives=("acc", "energy", "area"))
    assert result.trained == 8
    assert result.front


@pytest.mark.parametrize("sampler", ["auto", "tpe", "nsga2", "random"])
def test_every_sampler_searches_within_constraints(tmp_path: Path, sampler: str) -> None:
    bound = 0.9 * searched_median_area(tmp_path)
    result = searched(tmp_path, sampler=sampler, trials=7, constraints=(f"area_mm2<={bound}", "ops<=1e9"))
    assert result.front
    assert all(point.metrics["area_mm2"] <= bound for point in result.front)


def searched_median_area(folder: Path) -> float:
    """A bound that some machines meet and others do not."""
    (folder / "probe").mkdir()
    result = searched(folder / "probe", trials=2, sampler="random", objectives=("acc", "energy", "area"))
    return float(np.median([point.metrics["area_mm2"] for point in result.front]))


@pytest.mark.parametrize(
    "objectives",
    [
        ("acc",),
        ("energy",),
        ("storage", "ops"),
        ("acc", "storage"),
        ("acc", "energy", "latency", "area"),
        ("edp", "dram"),
    ],
)
def test_any_objectives_can_be_asked_for(tmp_path: Path, objectives: tuple[str, ...]) -> None:
    result = searched(tmp_path, objectives=objectives, trials=6)
    assert result.front
    assert len(result.front) == len({point.id for point in result.front})


def test_a_failed_training_is_counted_and_the_search_goes_on(tmp_path: Path) -> None:
    fail = iter([True, False] * 50)

    def answer(task: object) -> object:
        failed = Failed("diverged", "the loss is not a number", 0.5)
        return failed if next(fail) else stand_in_score(task.genome, task.recipe, task.seed)  # type: ignore[attr-defined]

    trainers = InlineTrainers(answer=answer)  # type: ignore[arg-type]
    result = searched(tmp_path, trainers, trials=10)
    assert (result.trained, result.failed) == (5, 5)
    assert len(set(trainers.trained)) == 10
    assert {failure.reason for failure in result.folder.failures()} == {"diverged"}


def test_a_space_with_fewer_networks_than_trials_is_exhausted_and_each_network_trained_once(tmp_path: Path) -> None:
    trainers = InlineTrainers()
    result = searched(tmp_path, trainers, space=TINY_SPACE, trials=50)
    assert (result.trained, result.stop_reason) == (8, "exhausted")
    assert len(set(trainers.trained)) == 8


def test_an_unreachable_constraint_ends_without_a_front_and_without_training(tmp_path: Path) -> None:
    trainers = InlineTrainers()
    result = searched(tmp_path, trainers, space=TINY_SPACE, trials=5, constraints=("area_mm2<=1e-9",))
    assert (result.front, trainers.trained, result.stop_reason) == ((), [], "exhausted")
    assert result.forbidden > 0
    assert "area_mm2<=1e-09 is out of reach" in result.folder.failures()[0].message


def test_a_constraint_that_needs_a_training_leaves_the_networks_but_no_front(tmp_path: Path) -> None:
    result = searched(tmp_path, trials=6, sampler="gp", constraints=("acc>=0.9999",))
    assert (result.trained, result.front) == (6, ())
    record = result.folder.networks()[0]
    assert (record.feasible, record.best) == (0, {})
    assert record.infeasible[0].startswith("accuracy>=0.9999 is out of reach: the nearest machine has 0.")


def test_two_workers_never_train_a_network_twice(tmp_path: Path) -> None:
    trainers = InlineTrainers()
    result = searched(tmp_path, trainers, space=TINY_SPACE, trials=8, workers=3)
    assert (result.trained, len(set(trainers.trained)), len(trainers.trained)) == (8, 8, 8)


def test_progress_tells_counts_best_and_time_left(tmp_path: Path) -> None:
    seen = []
    run_search(settings_in(tmp_path, trials=5), seen.append, make_trainers=InlineTrainers())
    assert [p.done for p in seen] == sorted(p.done for p in seen)
    last = seen[-1]
    assert (last.phase, last.done, last.budget, last.running, last.left_s) == ("done", 5, 5, 0, 0)
    assert set(last.best) == {"acc", "energy"}
    assert last.hypervolume > 0


def test_a_timeout_stops_proposing(tmp_path: Path) -> None:
    result = searched(tmp_path, timeout_s=0.0)
    assert (result.trained, result.stop_reason) == (0, "timeout")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objectives": ("acc", "enrgy")}, "did you mean 'energy'?"),
        ({"constraints": ("area<<1",)}, "constraint must"),
        ({"trials": 0}, "trials must be at least 1, not 0"),
        ({"mode": "nestd"}, "did you mean 'nested'?"),
        ({"sampler": "tbe"}, "did you mean 'tpe'?"),
        ({"name": "a/b"}, "name must be one folder name, not 'a/b'"),
        ({"dataset": "mnist"}, "images of mnist must be (1, 8, 8), not (1, 28, 28)"),
        ({"technology": "lp41"}, "technology must be a preset"),
    ],
)
def test_bad_input_says_so_and_writes_nothing(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as error:
        searched(tmp_path, **changes)
    assert message in str(error.value)
    assert not (tmp_path / "results").exists()


def test_all_bad_settings_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        searched(tmp_path, trials=-1, mode="x", objectives=("y",))
    assert len(str(error.value).splitlines()) == 3


def test_a_worker_that_refuses_the_data_leaves_nothing_behind(tmp_path: Path) -> None:
    class Refusing(InlineTrainers):
        def start(self) -> dict[str, object]:
            raise InputError("data must be there")

    with pytest.raises(InputError, match="data must be there"):
        searched(tmp_path, Refusing())
    assert not (tmp_path / "results").exists()


def test_an_error_in_the_middle_keeps_what_was_found(tmp_path: Path) -> None:
    left = iter(range(4))

    def answer(task: object) -> object:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return stand_in_score(task.genome, task.recipe, task.seed)  # type: ignore[attr-defined]

    with pytest.raises(KeyboardInterrupt):
        searched(tmp_path, InlineTrainers(answer=answer))  # type: ignore[arg-type]
    folder = open_study(tmp_path / "results" / "study")
    assert len(folder.networks()) == 4
    assert (folder.path / "front.csv").read_text().count("\n") == len(folder.front()) + 1
    assert folder.manifest.stop_reason == "interrupted"


def test_a_name_that_is_taken_is_refused_with_the_way_to_go_on(tmp_path: Path) -> None:
    searched(tmp_path, trials=1)
    with pytest.raises(StudyError, match=r"--resume .*study"):
        searched(tmp_path, trials=1)


def test_without_a_name_every_study_gets_its_own_folder(tmp_path: Path) -> None:
    paths = {searched(tmp_path, name=None, trials=1).folder.path for _ in range(3)}
    assert len(paths) == 3
    assert all(path.name.startswith("small-2") for path in paths)


def test_the_database_is_a_plain_optuna_study(tmp_path: Path) -> None:
    """What optuna-dashboard opens."""
    import optuna

    result = searched(tmp_path, trials=4)
    url = f"sqlite:///{result.folder.database}"
    (summary,) = optuna.get_all_study_summaries(url)
    study = optuna.load_study(study_name=summary.study_name, storage=url)
    complete = [t for t in study.get_trials() if t.state.name == "COMPLETE"]
    assert len(complete) >= 4
    assert complete[0].user_attrs["network"]["conv1.channels"] in (4, 8, 16)
