"""The search's own sampler: its model, its pool, the gain it hopes for, and when it has converged."""

from itertools import product
from pathlib import Path

import numpy as np
import optuna
import pytest
from stand_in import SPACE, TINY_SPACE, InlineTrainers, settings_in, write_space

from dse.study.converged import GAIN, PATIENCE, Convergence
from dse.study.encoding import decoded, encoded
from dse.study.front_sampler import MODELLED, Front, FrontSampler, _modelled, known
from dse.study.pool import CHANGED, DRAWN, NEIGHBOURS, Candidate, Pool
from dse.study.search import resume, run_search
from dse.study.settings import SearchSettings, SettingsError
from dse.study.surrogate import Surrogate
from searchspaces.network import NetworkSpace
from searchspaces.space import load_space


def networks(folder: Path, text: str = SPACE) -> NetworkSpace:
    return load_space(write_space(folder, text)).network


def covered(points: np.ndarray) -> float:
    """Slow twin of a hypervolume above 0: cells of the grid that the coordinates span, each inside or outside."""
    edges = [np.unique([*column[column > 0], 0]) for column in points.T]
    total = 0.0
    for cell in product(*(range(len(edge) - 1) for edge in edges)):
        top = np.array([edge[i + 1] for edge, i in zip(edges, cell, strict=True)])
        if (points >= top).all(axis=1).any():
            total += float(np.prod([edge[i + 1] - edge[i] for edge, i in zip(edges, cell, strict=True)]))
    return total


@pytest.mark.parametrize("values", [1, 2, 3])
def test_the_gain_of_a_point_is_what_it_adds_to_the_covered_cells(values: int) -> None:
    draw = np.random.default_rng(values)
    points = draw.normal(0.5, size=(12, values))
    front = Front.of(points)
    assert front.volume == pytest.approx(covered(points))
    for point in draw.normal(0.5, size=(8, 1, values)):
        expected = covered(np.concatenate([points, point])) - covered(points)
        assert front.gain(point) == pytest.approx(expected, abs=1e-12)


def test_the_model_finds_a_trend_and_tells_it_from_noise() -> None:
    draw = np.random.default_rng(0)
    features = draw.uniform(size=(80, 3))
    truth = np.stack([3 * features[:, 0] - features[:, 1], 10 + features[:, 2] ** 2], axis=1)
    noise = np.array([0.2, 0.02])
    model = Surrogate().fit(features, truth + noise * draw.normal(size=truth.shape))
    unseen = draw.uniform(size=(200, 3))
    expected = np.stack([3 * unseen[:, 0] - unseen[:, 1], 10 + unseen[:, 2] ** 2], axis=1)
    means, spread = model.predict(unseen)
    assert (np.abs(means - expected).mean(axis=0) < noise / 2).all()
    assert (spread.mean(axis=0) < noise).all(), "the noise of a single training is no doubt about a network"
    assert spread[np.linalg.norm(unseen - 0.5, axis=1).argmin()][0] < model.predict(np.full((1, 3), 3.0))[1][0][0]


def test_neighbours_correct_a_single_training_on_every_draw_of_the_noise() -> None:
    genes = np.array(list(product([0.0, 0.5, 1.0], [0.0, 1.0], [0.0, 1.0], [0.0, 0.5, 1.0])))
    truth = genes @ [0.3, 0.2, 0.1, 0.3]
    for seed in range(20):
        noise = 0.1 * np.random.default_rng(seed).normal(size=len(genes))
        judged = Surrogate().fit(genes, (truth + noise)[:, None]).predict(genes)[0][:, 0]
        assert np.abs(judged - truth).mean() < 0.75 * np.abs(noise).mean(), seed


def test_the_model_counts_new_data_before_it_is_fitted_again() -> None:
    draw = np.random.default_rng(1)
    features, surrogate = draw.uniform(size=(40, 2)), Surrogate()
    values = features.sum(axis=1, keepdims=True)
    surrogate.fit(features, values)
    kernels = surrogate.kernels
    more = np.concatenate([features, [[3.0, 3.0]]])
    model = surrogate.fit(more, np.concatenate([values, [[9.0]]]))
    assert surrogate.kernels is kernels
    assert model.predict(np.array([[3.0, 3.0]]))[0][0, 0] > 7


def test_a_model_of_many_networks_learns_from_the_best_and_from_some_of_all_others() -> None:
    draw = np.random.default_rng(2)
    values = draw.normal(size=(1000, 2))
    rows = _modelled(values)
    assert MODELLED * 3 // 4 < len(rows) <= MODELLED
    assert len(set(rows.tolist())) == len(rows)
    best = [i for i, v in enumerate(values) if not (values > v).all(axis=1).any()]
    assert set(best) <= set(rows.tolist())
    worst = np.argsort(values.sum(axis=1))[:500]
    assert set(worst.tolist()) & set(rows.tolist())
    assert _modelled(values[:MODELLED]).tolist() == list(range(MODELLED))


def test_a_small_space_is_in_the_pool_whole_and_each_network_once(tmp_path: Path) -> None:
    space = networks(tmp_path, TINY_SPACE)
    pool = Pool(space, np.random.default_rng(0))
    pool.refresh([])
    pool.refresh([])
    assert len(pool.candidates) == space.combinations() == 8


def test_the_pool_of_a_large_space_is_bounded_and_looks_around_the_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dse.study.pool.WHOLE", DRAWN + 100)
    space = networks(tmp_path)
    pool = Pool(space, np.random.default_rng(0))
    best = {gene.name: gene.choices[-1] for gene in space.genes}
    pool.refresh([])
    before = set(pool.candidates)
    pool.refresh([best])
    found = [candidate for digest, candidate in pool.candidates.items() if digest not in before]
    near = [c for c in found if sum(best[name] != value for name, value in c.genes.items()) <= CHANGED]
    assert len(near) > NEIGHBOURS / 4
    newest = list(pool.candidates)[-1]
    for _ in range(5):
        pool.refresh([best])
    assert len(pool.candidates) == DRAWN + 100 < space.combinations()
    assert newest in pool.candidates


def test_features_are_the_genes_and_the_decades_of_size_and_work(tmp_path: Path) -> None:
    space = networks(tmp_path)
    pool = Pool(space, np.random.default_rng(0))
    small = {gene.name: gene.choices[0] for gene in space.genes}
    wide = pool.candidate({**small, "conv1.channels": 16, "conv2.channels": 16}).features
    narrow = pool.candidate(small).features
    assert len(wide) == len(narrow)
    assert ((wide[:-2] >= 0) & (wide[:-2] <= 1)).all()
    assert (wide[-2:] > narrow[-2:]).all()
    pooled = pool.candidate({**small, "head": "gap"})
    assert "fc1.channels" not in pooled.genes


def as_they_are(values: np.ndarray) -> np.ndarray:
    return values


def study_of(space: NetworkSpace, told: int, running: int) -> tuple[optuna.Study, FrontSampler]:
    """A study with trials told and in training, all of one gene's making."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = FrontSampler(space, as_they_are, seed=0, startup=4)
    study = optuna.create_study(directions=["maximize", "maximize"], sampler=sampler)
    wanted = sampler.infer_relative_search_space(study, study.ask({}))
    for number in range(told + running):
        trial = study.ask(wanted)
        size = sum(value for value in trial.params.values() if isinstance(value, int))
        if number < told:
            study.tell(trial, [1.0 + size / 10, 9.0 - size / 10])
    return study, sampler


def test_the_first_networks_lie_far_apart_and_then_the_model_is_asked(tmp_path: Path) -> None:
    space = networks(tmp_path)
    study, sampler = study_of(space, told=4, running=0)
    assert sampler.expected_gain == float("inf")
    places = np.stack(
        [sampler._pool.candidate(decoded(space.genes, t.params)).features for t in study.get_trials()[1:]]
    )
    apart = [np.linalg.norm(a[:-2] - b[:-2]) for i, a in enumerate(places) for b in places[:i]]
    drawn = np.stack([c.features[:-2] for c in sampler._pool.candidates.values()])
    typical = np.linalg.norm(drawn[:-1] - drawn[1:], axis=1).mean()
    assert np.mean(apart) > typical
    study.ask(sampler.infer_relative_search_space(study, study.get_trials()[0]))
    assert 0 <= sampler.expected_gain < float("inf")


def test_what_is_in_training_is_not_proposed_and_counts_as_expected(tmp_path: Path) -> None:
    space = networks(tmp_path)
    study, _ = study_of(space, told=6, running=20)
    proposals = [tuple(sorted(trial.params.items())) for trial in study.get_trials(deepcopy=False)[1:]]
    assert len(set(proposals)) == len(proposals)


def test_what_nobody_knows_is_neither_learnt_nor_counted() -> None:
    gains, violations = known(np.array([[0.0, 0.0], [0.4, 0.0], [0.5, 2.0]]), np.array([0.3, 0.1, -0.2]))
    assert np.isnan(gains).tolist() == [[True, True], [False, True], [False, False]]
    assert violations.tolist() == [0.3, 0.1, -0.2]
    assert known(np.array([[0.0, 0.0], [0.5, 2.0]]), np.full(2, np.nan))[1].tolist() == [1.0, -1.0]
    features = np.linspace(0, 1, 20)[:, None]
    values = np.where(features < 0.3, np.nan, 2 * features)
    means, _ = Surrogate().fit(features, values).predict(features)
    assert np.abs(means - 2 * features).max() < 0.1, "as zeros, the unknown ones would pull the trend down"


class Oracle:
    """In place of a fitted model: three candidates' means and deviations of two values and of the violation."""

    def __init__(self, means: list[list[float]], spread: list[list[float]]) -> None:
        self.answer = np.array(means), np.array(spread)
        self.noise = np.full(3, 0.3)

    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.answer


@pytest.mark.parametrize(
    ("means", "spread", "expected"),
    [
        ([[1, 1, -1], [2, 2, -1], [3, 1, -1]], [[0.1] * 3] * 3, 1),
        ([[2, 2, -1]] * 3, [[0.1] * 3, [0.1] * 3, [0.5] * 3], 2),  # as good on average, and less known
        # Single trainings scatter by 0.3: one near the front may pass it, sooner than one that is merely unknown.
        ([[1.4, 1.4, -1], [0.8, 0.8, -1], [0, 0, -1]], [[0.01] * 3, [0.6] * 3, [0.6] * 3], 0),
        ([[1, 1, -1], [2, 2, 1], [3, 3, 1]], [[0.1] * 3] * 3, 0),  # the better ones are outside the constraints
        ([[1, 1, 0.5], [2, 2, 0.3], [3, 3, 0.9]], [[0.1] * 3] * 3, 1),  # all are: the nearest
        ([[1, 1, 0.5], [2, 2, 0.3], [3, 3, 0.9]], [[0.1] * 3, [0.1] * 3, [1.0] * 3], 2),  # or one that may be inside
    ],
)
def test_the_candidate_that_promises_most_within_the_constraints_is_taken(
    tmp_path: Path, means: list[list[float]], spread: list[list[float]], expected: int
) -> None:
    sampler = FrontSampler(networks(tmp_path), as_they_are, seed=0, startup=4)
    front, new = Front.of(np.array([[1.5, 1.5]])), [Candidate({}, str(i), np.zeros(1)) for i in range(3)]
    assert sampler._most_gaining(Oracle(means, spread), new, front).digest == str(expected)  # type: ignore[arg-type]


def test_a_constrained_search_trains_what_it_was_asked_to(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, trials=12, sampler="auto", constraints=("ops<=60000", "acc>=0.3"))
    result = run_search(settings, make_trainers=InlineTrainers())
    assert result.trained == 12
    assert all(record.metrics["operations"] <= 60000 for record in result.folder.networks())


def test_a_space_with_nothing_new_is_left_to_whoever_asked(tmp_path: Path) -> None:
    space = networks(tmp_path, TINY_SPACE)
    sampler = FrontSampler(space, as_they_are, seed=0, startup=4)
    study = optuna.create_study(directions=["maximize"], sampler=sampler)
    pool = Pool(space, np.random.default_rng(0))
    pool.refresh([])
    for candidate in pool.candidates.values():
        study.enqueue_trial(encoded(space.genes, candidate.genes))
        wanted = sampler.infer_relative_search_space(study, None)  # type: ignore[arg-type]
        study.tell(study.ask(wanted), 1.0)
    assert sampler.sample_relative(study, study.get_trials()[0], {}) == {}


@pytest.mark.parametrize("objectives", [("acc", "energy"), ("acc", "ops")])
def test_it_finds_more_than_chance_with_the_same_trainings(tmp_path: Path, objectives: tuple[str, ...]) -> None:
    """Told as decades above the reference, and as they are."""
    reached = {}
    for sampler in ("auto", "random"):
        (tmp_path / sampler).mkdir()
        settings = settings_in(tmp_path / sampler, trials=20, sampler=sampler, objectives=objectives)
        reached[sampler] = run_search(settings, make_trainers=InlineTrainers()).folder.networks()[-1].hypervolume
    assert reached["auto"] > reached["random"]


def test_a_search_has_converged_once_several_networks_in_a_row_promised_nothing() -> None:
    convergence = Convergence()
    for _ in range(PATIENCE - 1):
        convergence.add(GAIN / 2)
    assert not convergence.reached
    convergence.add(GAIN / 2)
    assert convergence.reached
    convergence.add(GAIN)
    assert not convergence.reached
    convergence.add(float("inf"))
    assert not convergence.reached


def test_until_converged_stops_early_and_a_resumed_search_trains_a_few_more(tmp_path: Path) -> None:
    trainers = InlineTrainers()
    result = run_search(settings_in(tmp_path, trials=300, sampler="auto", until_converged=True), make_trainers=trainers)
    assert result.stop_reason == "converged"
    assert 10 < result.trained < 300
    volumes = [record.hypervolume for record in result.folder.networks()]
    assert volumes[-1] < volumes[-PATIENCE - 1] * (1 + 10 * GAIN)
    again = resume(result.folder.path, make_trainers=trainers)
    assert again.stop_reason == "converged"
    assert again.trained >= result.trained + PATIENCE


@pytest.mark.parametrize(("mode", "sampler"), [("joint", "auto"), ("nested", "tpe")])
def test_until_converged_needs_the_model(mode: str, sampler: str) -> None:
    with pytest.raises(SettingsError, match="until-converged must go with mode nested and sampler auto"):
        SearchSettings(mode=mode, sampler=sampler, until_converged=True)
