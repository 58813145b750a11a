"""The rows and their networks: what they claim to compare is what they compare, counted again here by hand."""

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from dse.reproduction import plan as plans
from dse.reproduction.plan import BUDGETS, ReproductionError, Row, read_plan, rows
from dse.reproduction.quantities import QUANTITIES, UNTRAINED, Outcome, Side, fewest_steps, value_of
from dse.reproduction.table import markdown, table, words
from dse.study.pricing import nominal_workload
from searchspaces.binarisation import savings, total_bits
from searchspaces.genome import NetworkGenome
from searchspaces.shapes import layer_shapes, removed_kernels

SMALL, FULL = read_plan("small"), read_plan("full")


def outcome(seed: int, deployed: int, loss: float = 1.0) -> Outcome:
    return Outcome(seed, deployed + 3, deployed, 1000, loss, 2.0)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_every_row_says_where_its_value_is_from(row: Row) -> None:
    assert row.quantity in QUANTITIES
    assert bool(row.published) != (row.bound is not None)
    if row.figure:
        assert row.figure.status == "read"
        assert row.figure.source
    assert bool(row.against) == (row.quantity != "accuracy")


def test_every_row_belongs_to_a_budget_and_has_another_name() -> None:
    names = [row.name for row in rows()]
    assert len(set(names)) == len(names)
    shown = {row.name for row, _ in (*SMALL.cells(), *FULL.cells())}
    assert shown == set(names)
    assert {dataset for _, dataset in FULL.cells()} == {"mnist", "fashion-mnist", "cifar10"}
    assert {dataset for _, dataset in SMALL.cells()} == {"mnist", "fashion-mnist"}
    assert SMALL.seeds == (0, 1, 2)


def genome(network: str, dataset: str = "mnist", budget: str = "small") -> NetworkGenome:
    return read_plan(budget).trainings[network, dataset].genome


def test_the_networks_are_what_their_names_say() -> None:
    vsa = genome("vsa")
    assert vsa.timesteps == 8
    assert {layer.weight_bits for layer in vsa.layers} == {1}
    local = genome("local", "fashion-mnist")
    assert [layer.weight_bits for layer in local.layers] == [8, 1, 1, 8]
    assert local.timesteps == 1
    two = genome("two-stage", "fashion-mnist")
    assert replace(two, first_stage_timesteps=1) == genome("one-step", "fashion-mnist")
    assert two.first_stage_timesteps == 4
    flips = genome("flips", "fashion-mnist")
    assert replace(flips, bwo=False) == genome("binary", "fashion-mnist")
    assert flips.bwo
    assert replace(genome("membrane"), pooling="or") == replace(genome("count"), pooling="or") == genome("plain")
    assert (genome("membrane").pooling, genome("count").pooling) == ("membrane", "count")
    for dataset in ("mnist", "cifar10"):
        dual = genome("dual", dataset, "full")
        assert all(layer.dual_threshold == layer.spiking for layer in dual.layers)
        plain = tuple(replace(layer, dual_threshold=False) for layer in dual.layers)
        assert replace(dual, layers=plain) == genome("plain", dataset, "full")


@pytest.mark.parametrize("plan", [SMALL, FULL], ids=BUDGETS)
def test_counted_rows_by_hand(plan: plans.Plan) -> None:
    """Multiplications of weight bits by input bits, kernel by kernel, on the maps that are stored."""

    def counts(of: NetworkGenome) -> dict[str, tuple[int, int, int]]:
        found, steps = {}, 1
        for layer, shape in layer_shapes(of):
            kernels = layer.filters * shape.in_channels - removed_kernels(
                layer.prune_ratio, layer.filters * shape.in_channels
            )
            pixels = shape.stored_height * shape.stored_width * layer.pool**2
            weights = kernels * layer.kernel**2 * layer.weight_bits
            membranes = layer.filters * shape.out_height * shape.out_width
            found[layer.name] = (weights * pixels * shape.input_bits * steps, weights, membranes)
            steps = of.timesteps
        return found

    for line in table(plan, {}):
        row = next(row for row in plan.rows if row.name == line.name)
        if row.quantity not in UNTRAINED or row.quantity == "storage-saved":
            continue
        own, other = (counts(plan.trainings[name, line.dataset].genome) for name in (row.network, *row.against))
        which = ("operations", "weights", "membranes").index(row.quantity.split("-")[0])
        dual = [
            layer.name
            for layer in plan.trainings[row.network, line.dataset].genome.layers
            if layer.dual_threshold or "dual" not in row.quantity
        ]
        totals = [sum(found[name][which] for name in dual) for found in (own, other)]
        assert line.ours == pytest.approx(100 * (1 - totals[0] / totals[1]), abs=1e-9)
        assert line.seeds == 0
        if "dual" in row.quantity:
            assert line.ours == pytest.approx(50, abs=1e-9)
            assert line.verdict == "met"


def test_every_published_share_of_operations_and_storage_can_be_met() -> None:
    for plan in (SMALL, FULL):
        lines = [line for line in table(plan, {}) if line.seeds == 0 and line.ours is not None]
        assert lines
        assert all(line.verdict == "met" for line in lines), [line for line in lines if line.verdict != "met"]


def test_quantities_pair_seeds() -> None:
    one = SMALL.trainings["plain", "mnist"].genome
    own = Side(one, (outcome(0, 900, 0.5), outcome(1, 940, 0.25), outcome(2, 1000)))
    other = Side(one, (outcome(1, 950, 0.75), outcome(0, 930, 0.5)))
    assert QUANTITIES["accuracy"](own, []) == [90.0, 94.0, 100.0]
    assert QUANTITIES["accuracy-lost"](own, [other]) == pytest.approx([3.0, 1.0])
    assert QUANTITIES["accuracy-gained"](own, [other]) == pytest.approx([-3.0, -1.0])
    assert QUANTITIES["loss-lowered"](own, [other]) == [0.0, 0.5]
    assert value_of("accuracy-lost", [3.0, -1.0]) == 1.0
    assert value_of("accuracy-distance", [-3.0, 1.0]) == 1.0
    assert QUANTITIES["accuracy-lost"](own, [other, Side(one, ())]) == []


def test_several_others_are_compared_by_their_mean() -> None:
    one = SMALL.trainings["plain", "mnist"].genome
    own = Side(one, (outcome(0, 950), outcome(1, 900)))
    others = [Side(one, (outcome(0, 930), outcome(1, 905))), Side(one, (outcome(1, 890), outcome(0, 960)))]
    assert QUANTITIES["accuracy-gained"](own, others) == pytest.approx([0.5, 0.25])
    assert QUANTITIES["accuracy-gained"](own, [*others, Side(one, (outcome(1, 900),))]) == pytest.approx([0.5 / 3])


def test_every_choice_of_equal_bytes_is_one_of_the_others() -> None:
    """What ALE may pick saves as much whatever it picks, and all that it may pick is what it is compared with."""
    (row,) = read_plan("small", "ale-choice").rows
    for budget in BUDGETS:
        picking = genome(row.network, "fashion-mnist", budget)
        assert picking.ale
        saved = savings(picking)
        assert len(saved) == 4
        assert len(set(saved.values())) == 1
        needed = picking.ale_saving * total_bits(picking) / next(iter(saved.values()))
        assert 1 < needed <= 2
        expected = {picking.binarised(pair) for pair in combinations(saved, 2)}
        assert {genome(name, "fashion-mnist", budget) for name in row.against} == expected
        assert len(row.against) == 6


def test_the_choice_is_judged_by_the_network_that_has_it_from_the_start() -> None:
    (row,) = read_plan("small", "ale-choice").rows
    sides = [
        Side(genome(name, "fashion-mnist"), (outcome(0, 900 + 10 * i), outcome(1, 940)))
        for i, name in enumerate(row.against)
    ]
    picked = replace(outcome(0, 100), binarised=("conv4", "conv5"))
    own = Side(genome(row.network, "fashion-mnist"), (picked, outcome(1, 100), outcome(2, 100)))
    assert QUANTITIES["choice-gained"](own, sides) == pytest.approx([95 - 92.5])
    assert QUANTITIES["choice-gained"](own, [*sides[:-1], Side(sides[-1].genome, ())]) == []


def test_storage_of_picked_layers() -> None:
    ale, plain = genome("ale", "fashion-mnist"), genome("one-step", "fashion-mnist")
    assert replace(ale, ale_saving=0.0) == plain
    picked = [replace(outcome(0, 900), binarised=("fc1",)), replace(outcome(1, 900), binarised=("conv2", "fc1"))]
    found = QUANTITIES["storage-picked"](Side(ale, tuple(picked)), [Side(plain, ())])
    conv2, fc1 = 7 * 16 * 32 * 9, 7 * 32 * 49 * 64
    bits = nominal_workload(plain).storage_bits
    assert found == pytest.approx([100 * fc1 / bits, 100 * (conv2 + fc1) / bits])


def test_steps_to_the_plateau() -> None:
    def steps(*correct: int) -> Outcome:
        return replace(outcome(0, 990), by_steps=tuple(zip((1, 2, 4, 8, 16), correct, strict=True)))

    slow, fast = steps(900, 985, 970, 986, 990), steps(984, 985, 989, 990, 988)
    assert fewest_steps(slow, 985) == 8, "two steps were luck"
    assert fewest_steps(slow, 980) == 8
    assert fewest_steps(slow, 991) is None
    assert fewest_steps(fast, 984) == 1
    one = SMALL.trainings["plain", "mnist"].genome

    def ratio(own: Outcome, other: Outcome) -> float:
        (found,) = QUANTITIES["steps-fewer"](Side(one, (own,)), [Side(one, (other,))])
        return found

    assert ratio(fast, slow) == 8 / 2
    assert ratio(slow, fast) == 2 / 8
    assert ratio(fast, steps(900, 900, 900, 900, 984)) == 16 / 2, "never there: the most that was asked, a lower bound"
    assert ratio(steps(900, 900, 900, 900, 984), fast) == 0


def test_lines_of_trained_rows() -> None:
    key, base = ("dual", "mnist"), ("plain", "mnist")
    some = {key: (outcome(0, 990), outcome(1, 994)), base: (outcome(0, 993), outcome(1, 999))}
    lines = {(line.name, line.dataset): line for line in table(SMALL, some)}
    lost = lines["dual-loss", "mnist"]
    assert (lost.published, lost.target, lost.seeds) == (0.4, 0.4, 2)
    assert lost.ours == pytest.approx(0.4)
    assert lost.deviation == pytest.approx(0.1 * 2**0.5)
    assert lost.difference == pytest.approx(0, abs=1e-12)
    assert lost.verdict == "met"
    assert lost.source.startswith("Front. Comput. Neurosci.")
    assert lost.setting == "16-32-64-10, T = 4, 4 epochs of 6,000 samples, test set, integer network"
    worse = {**some, base: (outcome(0, 999), outcome(1, 999))}
    assert {line.name: line for line in table(SMALL, worse) if line.dataset == "mnist"}["dual-loss"].verdict == "short"
    open_line = lines["dual-loss", "fashion-mnist"]
    assert (open_line.ours, open_line.difference, open_line.verdict, open_line.seeds) == (None, None, "open", 0)
    told = {cells[1:3]: cells for cells in words(tuple(lines.values()))}
    assert told[lost.what, "mnist"][3:9] == (
        "at most 0.4",
        "0.4",
        "0.40 ± 0.14",
        *told[lost.what, "mnist"][6:7],
        "2",
        "met",
    )
    text = markdown(tuple(lines.values()))
    assert len(text.splitlines()) == len(lines) + 2
    assert all(line.count("|") == 11 for line in text.splitlines())


def test_one_row_or_one_method() -> None:
    assert [row.name for row in read_plan("small", "vsa").rows] == ["vsa-accuracy"]
    assert set(read_plan("small", "dual-loss").trainings) == {
        (network, dataset) for network in ("plain", "dual") for dataset in ("mnist", "fashion-mnist")
    }
    assert SMALL.whole
    assert not read_plan("small", "vsa").whole


@pytest.mark.parametrize(
    ("budget", "name", "message"),
    [
        ("smal", None, r"^budget must be one of small, full, not smal$"),
        ("small", "dual-los", r"^name must be one of VSA, DT-SCNN, .*, not dual-los; did you mean dual-loss\?$"),
        ("small", "local-accuracy-cifar10", r"^local-accuracy-cifar10 must be asked under another budget than small"),
    ],
)
def test_what_is_not_there_is_refused(budget: str, name: str | None, message: str) -> None:
    with pytest.raises(ReproductionError, match=message):
        read_plan(budget, name)


def test_a_row_without_anything_to_compare_with_is_refused() -> None:
    row = replace(rows()[0], bound=None)
    with pytest.raises(ReproductionError, match=r"^row vsa-accuracy must have a published value or a bound"):
        _ = row.target


def test_the_spaces_lie_beside_the_rows() -> None:
    folder = Path(plans.__file__).parent
    assert {path.stem for path in folder.glob("*.toml")} == {"rows", "mnist", "cifar10", "choice"}
