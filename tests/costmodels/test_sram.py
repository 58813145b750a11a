"""SRAM prices against a slow twin that reads the table with its own eyes, and against what every memory obeys."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from priced_machines import grid, one

from costmodels.errors import ConfigurationError
from costmodels.features import Features
from costmodels.memories import Memory, memory_price, memory_prices
from costmodels.sram import QUANTITIES, TABLE, bank_price
from costmodels.technology import Technology

COLUMN = {"read_pj": 6, "write_pj": 7, "leakage_mw": 8, "area_mm2": 9, "access_ns": 10}
SIZES = [1024 * 2**i for i in range(9)]
WIDTHS = [8, 16, 32, 64, 128, 256]
TECHNOLOGY = Technology.default()


def twin_point(quantity: str, size: int, width: int, node: int, cell: str) -> float:
    """Midway between what no orderly table may fall below and what none may exceed, bank by bank.

    A bank that is no larger and no wider may not cost more, one that is no smaller and no narrower not less; of leakage
    and area a byte of a smaller bank may not cost less. Access times of different widths say nothing about each other.
    """
    least, most = 0.0, math.inf
    shared = quantity in ("leakage_mw", "area_mm2")
    for line in TABLE.read_text(encoding="utf-8").splitlines()[1:]:
        row = line.split(",")
        if row[2] != str(node) or row[3] != cell:
            continue
        if quantity == "access_ns" and int(row[1]) != width:
            continue
        bank, bits, value = int(row[0]), int(row[1]), float(row[COLUMN[quantity]])
        if bits <= width and (bank <= size or shared):
            least = max(least, value * min(1.0, size / bank))
        if bits >= width and (bank >= size or shared):
            most = min(most, value * max(1.0, size / bank))
    return math.sqrt(least * most)


BELOW = {"read_pj": 0.25, "write_pj": 0.25, "leakage_mw": 1.0, "area_mm2": 0.5, "access_ns": 0.0}


def twin_bank(quantity: str, size: float, width: float, node: int, cell: str) -> float:
    """Scalar price of a bank by straight lines in log-log."""
    factor = 1.0
    width = max(width, 8.0)
    if size > SIZES[-1]:
        factor = size / SIZES[-1] if quantity in ("leakage_mw", "area_mm2") else 1.0
        size = SIZES[-1]
    if size < SIZES[0]:
        factor, size = (size / SIZES[0]) ** BELOW[quantity], SIZES[0]
    low = max((s for s in SIZES[:-1] if s <= size), default=SIZES[0])
    narrow = max((w for w in WIDTHS[:-1] if w <= width), default=WIDTHS[0])

    def along_size(w: int) -> float:
        a, b = (math.log(twin_point(quantity, s, w, node, cell)) for s in (low, 2 * low))
        return a + (b - a) * math.log(size / low, 2)

    share = math.log(width / narrow, 2)
    log_value = along_size(narrow) * (1 - share) + along_size(2 * narrow) * share
    return factor * math.exp(log_value)


@pytest.mark.parametrize(("node", "cell"), [(40, "itrs-lop"), (28, "itrs-lstp"), (65, "itrs-hp")])
def test_banks_equal_the_slow_twin(node: int, cell: str) -> None:
    rng = np.random.default_rng(1)
    size = np.exp(rng.uniform(np.log(100), np.log(2**20), 12)).round()
    size[:4] = 1024, 262144, 16, 300000
    width = rng.integers(1, 257, 12).astype(float)
    width[:4] = 256, 8, 4, 64
    technology = TECHNOLOGY.override({"node_nm": node, "sram_cell": cell})
    prices = bank_price(size, width, technology)
    for quantity in QUANTITIES:
        expected = [twin_bank(quantity, s, w, node, cell) for s, w in zip(size, width, strict=True)]
        np.testing.assert_allclose(getattr(prices, quantity), expected, rtol=1e-9, err_msg=quantity)


def test_points_of_the_table_are_met_where_it_rises() -> None:
    prices = bank_price(np.array([1024.0, 4096.0]), np.array([32.0, 256.0]), TECHNOLOGY)
    np.testing.assert_allclose(prices.read_pj, [0.3863, 3.4313])
    np.testing.assert_allclose(prices.area_mm2[1], 0.01523)


def test_smoothing_moves_no_point_far() -> None:
    """CACTI's points themselves, 40 nm: within 20 % of area and leakage, 10 % of energies, 15 % of access."""
    rows = [line.split(",") for line in TABLE.read_text(encoding="utf-8").splitlines()[1:]]
    rows = [row for row in rows if row[2:4] == ["40", "itrs-lop"]]
    sizes, widths = (np.array([float(row[i]) for row in rows]) for i in (0, 1))
    prices = bank_price(sizes, widths, TECHNOLOGY)
    bounds = {"read_pj": 0.1, "write_pj": 0.1, "leakage_mw": 0.2, "area_mm2": 0.2, "access_ns": 0.15}
    for quantity, bound in bounds.items():
        raw = np.array([float(row[COLUMN[quantity]]) for row in rows])
        assert np.abs(getattr(prices, quantity) / raw - 1).max() < bound, quantity


@pytest.mark.parametrize("node", [28, 40, 65])
@pytest.mark.parametrize("cell", ["itrs-lop", "itrs-lstp", "itrs-hp"])
def test_a_larger_bank_never_costs_less(node: int, cell: str) -> None:
    technology = TECHNOLOGY.override({"node_nm": node, "sram_cell": cell})
    sizes = np.geomspace(16, 2**21, 200)
    for width in (1.0, 8.0, 20.0, 128.0, 256.0):
        prices = bank_price(sizes, np.full(200, width), technology)
        for quantity in QUANTITIES:
            assert (np.diff(getattr(prices, quantity)) >= -1e-12).all(), (quantity, width)


def test_a_wider_word_of_the_same_bank_never_costs_less() -> None:
    widths = np.arange(1.0, 257.0)
    for size in (512.0, 5000.0, 262144.0):
        prices = bank_price(np.full(256, size), widths, TECHNOLOGY)
        for quantity in ("read_pj", "write_pj", "leakage_mw", "area_mm2"):
            assert (np.diff(getattr(prices, quantity)) >= -1e-12).all(), quantity


@pytest.mark.parametrize("name", ["vector_width", "channel_lanes"])
@pytest.mark.parametrize("features", [Features(), Features(pruned_channels=64)])
def test_more_rows_or_lanes_over_the_same_bits_never_take_less_area(name: str, features: Features) -> None:
    """More banks, or wider ones: the same bits in more or wider parts."""
    for kib in (1, 4, 16, 64, 256):
        machines = [
            one(**{name: value}, spike_buffer_kib=kib, weight_buffer_kib=kib) for value in (2, 4, 8, 16, 32, 64)
        ]
        for memory in ("spike", "weight"):
            prices = [memory_prices(machine, features, TECHNOLOGY)[memory] for machine in machines]
            for quantity in ("area_mm2", "leakage_mw"):
                values = [float(getattr(price, quantity)[0]) for price in prices]
                assert all(b >= a * (1 - 1e-9) for a, b in itertools.pairwise(values)), (kib, memory, values)


def test_memories_equal_banks_counted_by_hand() -> None:
    """64 KiB of spikes at V = 8, L = 32: 60 banks of 32 bits; weights: 2 banks of three 96-bit slices."""
    prices = memory_prices(one(), Features(), TECHNOLOGY)
    spike = bank_price(np.array([65536 / 60]), np.array([32.0]), TECHNOLOGY)
    np.testing.assert_allclose(prices["spike"].read_pj, spike.read_pj)
    np.testing.assert_allclose(prices["spike"].area_mm2, spike.area_mm2 * 60)
    weight = bank_price(np.array([65536 / 6]), np.array([96.0]), TECHNOLOGY)
    np.testing.assert_allclose(prices["weight"].write_pj, weight.write_pj * 3)
    np.testing.assert_allclose(prices["weight"].leakage_mw, weight.leakage_mw * 6)
    np.testing.assert_allclose(prices["weight"].access_ns, weight.access_ns)


def test_membranes_are_one_bank_of_rows_times_24_bits() -> None:
    batch = one(vector_width=16, time_order="outer", membrane_buffer_kib=32)
    found = memory_prices(batch, Features(), TECHNOLOGY)["membrane"]
    bank = bank_price(np.array([32768 / 3]), np.array([128.0]), TECHNOLOGY)
    np.testing.assert_allclose(found.read_pj, 3 * bank.read_pj)
    np.testing.assert_allclose(found.area_mm2, 3 * bank.area_mm2)


def test_pruning_gives_every_lane_its_own_banks() -> None:
    """3 columns x 32 lanes x 2 halves of 10 bits; a window of 30 counted words is 96 of them."""
    found = memory_prices(one(), Features(pruned_channels=64), TECHNOLOGY)["spike"]
    bank = bank_price(np.array([65536 / 192]), np.array([10.0]), TECHNOLOGY)
    np.testing.assert_allclose(found.read_pj * 30, bank.read_pj * 96)
    np.testing.assert_allclose(found.write_pj, bank.write_pj)
    np.testing.assert_allclose(found.area_mm2, bank.area_mm2 * 192)


def test_a_shallow_memory_is_priced_as_the_fewest_words() -> None:
    tiny, enough = (
        memory_price(Memory("m", np.array([bits]), np.array([64]), np.array([1]), np.ones(1)), TECHNOLOGY)
        for bits in (8, 16 * 64)
    )
    assert tiny.area_mm2 == enough.area_mm2 > 0
    assert tiny.read_pj == enough.read_pj > 0


def test_no_membrane_buffer_costs_nothing() -> None:
    price = memory_prices(one(), Features(), TECHNOLOGY)["membrane"]
    assert [float(getattr(price, name)[0]) for name in QUANTITIES] == [0.0] * 5


def test_a_batch_is_priced_like_its_machines_one_by_one() -> None:
    batch = grid()
    for features in (Features(), Features(pruned_channels=64)):
        together = memory_prices(batch, features, TECHNOLOGY)
        for index in range(0, len(batch), 7):
            alone = memory_prices(batch.take([index]), features, TECHNOLOGY)
            for name, quantity in ((n, q) for n in together for q in QUANTITIES):
                assert getattr(together[name], quantity)[index] == getattr(alone[name], quantity)[0]


def test_an_empty_batch_has_empty_prices() -> None:
    prices = memory_prices(grid().take(slice(0, 0)), Features(), TECHNOLOGY)
    assert all(price.area_mm2.shape == (0,) for price in prices.values())


def test_unknown_cell_and_wide_slice_are_named() -> None:
    wrong = TECHNOLOGY.override({"sram_cell": "itrs-lp"})
    with pytest.raises(ConfigurationError, match=r"^sram_cell must be one of itrs-hp, .*not 'itrs-lp'; the nearest is"):
        memory_prices(one(), Features(), wrong)
    with pytest.raises(ConfigurationError, match=r"^an SRAM slice must be at most 256 bits wide, not 300$"):
        bank_price(np.array([1024.0]), np.array([300.0]), TECHNOLOGY)


def test_a_node_without_sram_is_named() -> None:
    nodes = (*TECHNOLOGY.nodes, replace(TECHNOLOGY.nodes[0], node_nm=16))
    technology = TECHNOLOGY.override({"nodes": nodes, "node_nm": 16})
    with pytest.raises(
        ConfigurationError,
        match=r"^node_nm must be one of 22, 28, 32, 40, 45, 65 \(the SRAM table\), not 16; the nearest",
    ):
        memory_prices(one(), Features(), technology)
