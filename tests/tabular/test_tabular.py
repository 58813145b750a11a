"""The benchmark of search efficiency on a made-up table: reading, halves, holes, volumes, contestants, rankings."""

import json
from itertools import product
from pathlib import Path

import made_up_table as made_up
import numpy as np
import pytest
from efficiency import Curve, as_markdown, at, competed, first_reaching, verdicts
from fidelity import ranking, regret, rules
from make_table import SPACE, jobs, known, run_job
from question import Question, Step
from question import question as posed_question
from rivals import TableTrainers, joint, nested
from stopping import LEARNT, replayed
from table import Nearest, half, packed, read_table, table_space

from dse.tasks import Task
from searchspaces.space import load_space

Paths = tuple[Path, Path]


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    return made_up.write(tmp_path_factory.mktemp("table"))


@pytest.fixture(scope="module")
def question(paths: Paths) -> Question:
    return posed_question(paths[0], "dev")


def test_a_table_is_packed_without_loss_and_networks_in_the_making_are_left_out(paths: Paths, tmp_path: Path) -> None:
    lines = [json.dumps(line) for line in made_up.lines()]
    (tmp_path / "lines.jsonl").write_text("\n".join(lines[:-1]) + "\n")
    whole, cut = read_table(paths[0]), read_table(tmp_path / "lines.jsonl")
    assert [entry.number for entry in whole] == list(range(108))
    assert [entry.number for entry in cut] == list(range(107))
    first = [line for line in made_up.lines() if line["number"] == 5]
    both = [
        (x["score"]["deployed_correct"] + x["test"]["deployed_correct"]) / 2000 for x in first if x["run"] == "full"
    ]
    assert whole[5].truth == pytest.approx(np.mean(both))
    assert whole[5].params == {name: first[0]["params"][name] for name in made_up.GENES}
    score = whole[5].score("e6", load_space(paths[1]).network.genome(first[0]["params"]))
    short = next(line for line in first if line["run"] == "e6")
    assert score.deployed_accuracy == short["score"]["deployed_correct"] / 1000
    assert score.firing_rates["conv2"] == tuple(short["score"]["firing_rates"]["conv2"])


def test_a_failed_training_leaves_its_network_out() -> None:
    lines = list(made_up.lines())
    lines[0] = {**lines[0], "failed": "diverged"}
    assert [network["number"] for network in packed(map(json.dumps, lines))] == list(range(1, 108))


def test_a_table_cut_short_goes_on_with_what_is_missing(tmp_path: Path) -> None:
    wanted = list(jobs(load_space(SPACE), 2))
    assert len({job.key for job in wanted}) == len(wanted) == 2 * (3 + 6)
    lines = [json.dumps({"number": job.number, "run": job.run, "seed": job.seed}) + "\n" for job in wanted[:5]]
    (tmp_path / "lines.jsonl").write_text("".join(lines)[:-3])
    assert known(tmp_path / "lines.jsonl") == {job.key for job in wanted[:4]}
    assert (tmp_path / "lines.jsonl").read_text() == "".join(lines[:4])
    assert known(tmp_path / "none.jsonl") == set()


def test_the_networks_of_a_table_cut_short_are_the_first_of_the_whole() -> None:
    space = load_space(SPACE.with_name("mnist.toml"))
    few, more = (list(dict.fromkeys(job.number for job in jobs(space, count))) for count in (3, 9))
    assert few == more[:3]
    assert len(set(more)) == 9


def test_a_short_run_of_a_table_is_scored_on_validation_and_test_samples() -> None:
    job = next(job for job in jobs(load_space(SPACE), 1) if job.run == "e2")
    line = run_job(SPACE, job)
    entry = {"validation": line["score"]["samples"], "test": line["test"]["samples"]}
    assert entry == {"validation": 360, "test": 360}
    assert line["genome"] == load_space(SPACE).network.genome(dict(job.params)).digest()
    assert not line["score"].get("masks")
    assert 0 < line["score"]["deployed_correct"] <= 360


def test_the_halves_share_nothing_and_a_network_keeps_its_half_while_the_table_grows(paths: Paths) -> None:
    entries = read_table(paths[0])
    dev, holdout = ({e.number for e in half(entries, name)} for name in ("dev", "holdout"))
    assert not dev & holdout
    assert len(dev | holdout) == 108
    assert 30 < len(dev) < 78
    assert {e.number for e in half(entries[:50], "dev")} == {n for n in dev if n < 50}


def test_a_hole_is_filled_with_a_network_at_the_least_distance(paths: Paths) -> None:
    space = load_space(paths[1])
    entries = half(read_table(paths[0]), "dev")
    nearest, ranks = Nearest(space.network, entries), {}
    for entry in entries:
        ranks[entry.number] = [made_up.GENES[n].index(v) / (len(made_up.GENES[n]) - 1) for n, v in entry.params.items()]
    for values in product(*made_up.GENES.values()):
        params = dict(zip(made_up.GENES, values, strict=True))
        place = [made_up.GENES[n].index(v) / (len(made_up.GENES[n]) - 1) for n, v in params.items()]
        apart = {number: np.abs(np.subtract(place, rank)).sum() for number, rank in ranks.items()}
        assert apart[nearest(params).number] == pytest.approx(min(apart.values()))
    networks = table_space(space, entries).network
    made = {
        networks.genome(dict(zip(made_up.GENES, v, strict=True))).digest() for v in product(*made_up.GENES.values())
    }
    assert made == {space.network.genome(entry.params).digest() for entry in entries}


def test_all_networks_cover_the_whole_and_one_covers_its_box(question: Question) -> None:
    everything = [Step(entry.number, None, 0.0) for entry in question.entries]
    curve = question.curve(everything)
    assert curve[-1] == pytest.approx(1.0)
    assert curve == sorted(curve)
    entry = question.entries[3]
    priced = question.priced(entry.number, "full")
    energy = priced.metrics["energy_uj"]
    box = np.log10(0.9 / (1 - entry.truth)) * np.log10(
        question.reference.values["energy_uj"] / energy[priced.runs].min()
    )
    assert question.curve([Step(entry.number, None, 0.0)])[0] * question.true_volume == pytest.approx(box)
    machine = int(np.flatnonzero(priced.runs)[0])
    one = np.log10(0.9 / (1 - entry.truth)) * np.log10(question.reference.values["energy_uj"] / energy[machine])
    assert question.curve([Step(entry.number, machine, 0.0)])[0] * question.true_volume == pytest.approx(max(0.0, one))


def test_a_nested_contestant_trains_every_network_once_and_sees_the_short_run_alone(question: Question) -> None:
    steps = nested(question, "auto", 0, trainings=12)
    assert len({step.number for step in steps}) == len(steps) == 12
    assert all(step.machine is None for step in steps)
    assert [s.decided_s for s in steps] == sorted(s.decided_s for s in steps)
    whole = nested(question, "random", 0, trainings=500)
    assert {step.number for step in whole} == {entry.number for entry in question.entries}


def test_trainings_are_answered_with_the_short_run(question: Question) -> None:
    entry = question.entries[7]
    task = Task(3, question.genomes[entry.number], question.space.short, 0)
    answer = TableTrainers(question).submit(task).result()
    assert answer["score"]["deployed_correct"] == entry.runs["e6"][0].deployed != entry.runs["full"][0].deployed


def test_a_joint_contestant_may_train_a_network_again_on_another_machine(question: Question) -> None:
    steps = joint(question, "tpe", 0, trainings=100)
    assert len(steps) == 100 > len({step.number for step in steps})
    assert all(question.priced(step.number, "e6").runs[step.machine] for step in steps)
    assert joint(question, "nsga2", 1, trainings=5)[0].number in question.by_number


def test_the_default_needs_fewer_trainings_than_plain_optuna(question: Question) -> None:
    default = question.curve(nested(question, "auto", 0, trainings=30))
    plain = question.curve(joint(question, "tpe", 0, trainings=60))
    assert default[-1] > plain[-1]


def test_trainings_that_add_nothing_to_what_was_told_are_hopeless_and_cost_their_early_run(question: Question) -> None:
    steps = nested(question, "random", 0, trainings=40)
    short = replayed(question, steps, early="e6")
    seen, points, idle = [], np.zeros((0, 2)), 0
    for step in steps:
        priced, right = question.priced(step.number, "e6"), question.by_number[step.number].runs["e6"][0].deployed
        metrics = {**priced.metrics, "accuracy": np.full(len(priced.runs), right / 1000)}
        gains = question.reference.gains(metrics, question.problem.objectives)[priced.runs]
        more = np.concatenate([points, gains])
        idle += len(seen) >= LEARNT and covered(more) <= covered(points) + 1e-12
        seen.append(step)
        points = more
    assert short.hopeless == pytest.approx(idle / 40)
    assert 0 < idle < 30
    assert short.saved == 0
    assert short.saved_by_two == pytest.approx(idle / 40 - 1)
    assert 0 <= short.lost < 0.2
    unlike = replayed(question, steps, early="full")
    assert unlike.saved <= 0, "the early run of this table takes longer than the told one"


def covered(points: np.ndarray) -> float:
    """Area above 0 of points in two dimensions, from the right."""
    area, highest = 0.0, 0.0
    for x, y in sorted(np.maximum(points, 0).tolist(), reverse=True):
        area += x * max(0.0, y - highest)
        highest = max(highest, y)
    return area


CURVES = {
    "nested auto": [Curve([0.5, 0.8, 0.99], [1.0, 2.0, 3.0]), Curve([0.4, 0.9], [1.0, 2.0])],
    "joint tpe": [Curve([0.1, 0.7], [1.0, 2.0]), Curve([0.2, 0.9], [1.0, 2.0])],
}


def test_shares_and_bars_are_read_off_the_curves() -> None:
    assert at(CURVES["nested auto"], 2).tolist() == [0.8, 0.9]
    assert at(CURVES["nested auto"], 100).tolist() == [0.99, 0.9]
    assert first_reaching(CURVES["nested auto"], 0.8) == 2
    assert first_reaching(CURVES["nested auto"], 0.95) == float("inf")
    assert verdicts(CURVES) == [
        "joint tpe after 300: 0.800, the default after 2 (bar 30: met)",
        "default after 100: 0.945 of the true volume (bar 0.97: short)",
    ]
    assert "| joint tpe |" in as_markdown(
        {m: [Curve(c.shares * 10, c.seconds * 10) for c in v] for m, v in CURVES.items()}
    )


def test_medians_and_rankings_are_drawn(tmp_path: Path, question: Question) -> None:
    pytest.importorskip("matplotlib", reason="plots need the extra bench")
    import efficiency
    import fidelity

    efficiency.plotted(CURVES, tmp_path / "a.svg")
    fidelity.plotted({"e6": fidelity.Ranking(0.8, 0.7, 0.9, 0.1, 0.1)}, tmp_path / "b.svg")
    assert "trainings" in (tmp_path / "a.svg").read_text()
    assert "cost" in (tmp_path / "b.svg").read_text()


def test_curves_that_are_known_are_not_run_again(tmp_path: Path) -> None:
    kept, asked = tmp_path / "curves.json", {"table": "no such table"}
    kept.write_text(json.dumps({"asked": asked, "curves": {"joint tpe": {"0": [[0.5], [1.0]]}}}))
    assert competed(asked, ["joint tpe"], 1, 1, kept) == {"joint tpe": [Curve([0.5], [1.0])]}


def test_a_rule_that_knows_the_truth_ranks_perfectly_and_one_that_lies_backwards(question: Question) -> None:
    entries, places = question.entries, np.zeros((len(question.entries), 1))
    rule = rules(entries)["e6"]
    truth = np.array([entry.truth for entry in entries])
    perfect = ranking(type(rule)(("e6",), lambda e, _: np.array([x.truth for x in e])), entries, places)
    assert (perfect.tau, perfect.regret, perfect.cost) == (pytest.approx(1), 0, pytest.approx(0.1))
    backwards = ranking(type(rule)(("e6",), lambda e, _: -np.array([x.truth for x in e])), entries, places)
    assert backwards.tau == pytest.approx(-1)
    count = len(truth) // 10
    assert backwards.regret == pytest.approx(100 * (np.sort(truth)[-count:].mean() - np.sort(truth)[:count].mean()))
    told = ranking(rule, entries, places)
    assert told.low < told.tau < told.high


def test_regret_is_what_the_choice_of_a_tenth_loses() -> None:
    truth = np.array([0.5, 0.6, 0.7, 0.8, 0.9] * 2)
    assert regret(truth, truth) == 0
    assert regret(np.arange(10.0)[::-1], truth) == pytest.approx(40)
