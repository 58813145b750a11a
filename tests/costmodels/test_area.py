"""Area: gates counted by building the datapath bit by bit, blocks by scalar arithmetic, and rules of all machines."""

import random
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from cost_workloads import mnist, pruned
from priced_machines import grid, one

from costmodels.area import BLOCKS, area
from costmodels.features import Features
from costmodels.gates import lane_cells, lane_tree, pipeline_bits, popcount_cells, rotator_depth, rotator_muxes
from costmodels.machine import MACHINE
from costmodels.technology import Technology
from costmodels.workload import Workload

TECHNOLOGY = Technology.default()
PLAIN = Features()
POOLED = Features(pool_bits=3, score_words=16)
EVERYTHING = Features(True, 300, 2, 3, 24, 10, 4)
INNER: dict[str, Any] = {}
OUTER: dict[str, Any] = {"time_order": "outer", "membrane_buffer_kib": 64}


def mnist_with(**fields: Any) -> Workload:
    """Eight steps; every layer has the fields."""
    return Workload("mnist", 8, tuple(replace(layer, **fields) for layer in mnist(8).layers))


@dataclass
class Netlist:
    """Adders that compute while they are counted."""

    full_adders: int = 0
    half_adders: int = 0

    def add(self, *bits: int) -> tuple[int, int]:
        """Sum and carry of three bits (a full adder) or two (a half adder)."""
        self.full_adders += len(bits) == 3
        self.half_adders += len(bits) == 2
        return sum(bits) % 2, sum(bits) // 2

    def popcount(self, bits: list[int]) -> list[int]:
        """Columns of equal weight are added until one bit of each is left."""
        result = []
        while bits:
            carries = []
            while len(bits) > 1:
                taken, bits = bits[:3], bits[3:]
                total, carry = self.add(*taken)
                bits.append(total)
                carries.append(carry)
            result += bits
            bits = carries
        return result


@pytest.mark.parametrize("inputs", [1, 2, 3, 4, 7, 8, 9, 27, 63, 64, 100, 288, 576])
def test_popcount_cells_equal_a_tree_built_bit_by_bit(inputs: int) -> None:
    rng = random.Random(inputs)
    bits = [rng.randrange(2) for _ in range(inputs)]
    netlist = Netlist()
    result = netlist.popcount(bits)
    assert sum(bit << place for place, bit in enumerate(result)) == sum(bits)
    assert (netlist.full_adders, netlist.half_adders, len(result)) == popcount_cells(inputs)


def test_a_lane_holds_its_range() -> None:
    """Two counts of nine taps in four bits each; 2 x 9 - 0 and 2 x 0 - 9 need six signed bits."""
    lane = lane_cells()
    assert popcount_cells(MACHINE.taps) == (5, 2, 4)
    assert (lane.and_gates, lane.full_adders, lane.half_adders, lane.inverters) == (13, 16, 4, 4)
    bits = lane.subtractor_bits
    assert -(2 ** (bits - 1)) <= -9
    assert 2 ** (bits - 2) <= 2 * 9 < 2 ** (bits - 1)


def twin_tree(lanes: int) -> tuple[int, int, int]:
    """Adder bits, sum bits and register bits of a tree built operand by operand."""
    operands = [6] * lanes
    adders, registers, level = 0, sum(operands), 0
    while len(operands) > 1:
        level += 1
        width = max(operands) + 1
        pairs, rest = len(operands) // 2, operands[len(operands) // 2 * 2 :]
        adders += pairs * width
        operands = [width] * (pairs + len(rest))
        if level % 2 == 0 or len(operands) == 1:
            registers += sum(operands)
    return adders, operands[0], registers


def test_lane_trees_equal_trees_built_operand_by_operand() -> None:
    lanes = np.arange(1, 130)
    tree = lane_tree(lanes)
    for index, count in enumerate(lanes):
        assert (tree.adder_bits[index], tree.sum_bits[index], tree.register_bits[index]) == twin_tree(int(count))


def test_a_tree_holds_the_largest_sum_of_its_lanes() -> None:
    lanes = np.arange(1, 130)
    assert (18 * lanes < 2 ** (lane_tree(lanes).sum_bits - 1)).all()


@pytest.mark.parametrize("lanes", [1, 2, 4, 8, 16, 32, 64])
def test_register_stages_are_those_of_the_pipeline(lanes: int) -> None:
    """One stage behind the lanes (in the six fixed ones) and one for every two levels."""
    levels = (lanes - 1).bit_length()
    stages = sum(1 for level in range(1, levels + 1) if level % 2 == 0 or level == levels)
    assert MACHINE.pipeline_depth(lanes) == MACHINE.fixed_stages + stages


def test_rotators_are_counted_row_by_row() -> None:
    batch = one(vector_width=8, channel_lanes=32)
    assert rotator_depth(batch) == 4  # 10 rows
    assert rotator_muxes(batch) == 10 * 3 * 32 * 4 + 9 * 32 * 2
    assert rotator_depth(one(vector_width=2)) == 2
    assert rotator_depth(one(vector_width=6)) == 3
    assert rotator_depth(one(vector_width=32)) == 6


def test_blocks_by_hand() -> None:
    """V = 8, L = 32 in NAND2 units, from the cell areas as numbers."""
    table = area(one(), POOLED, TECHNOLOGY)
    expected = {
        "pe_array": 256 * (13 * 1.333 + 16 * 5.333 + 4 * 3.333 + 4 * 0.667),
        "adder_trees": 8 * (16 * 7 + 8 * 8 + 4 * 9 + 2 * 10 + 11) * 5.333,
        "pipeline": 8 * (32 * 6 + 8 * 8 + 2 * 10 + 11) * 5.667,
        "alignment": (10 * 96 * 4 + 576) * 2.333,
        "accumulators": 8 * (15 * 24 - 2 + 24 * 2.333),
        "if_units": 26.3 * 8 * 24 + 7.6 * 8 + 0.75 * 24,
        "second_threshold": 0,
        "strengths": 0,
        "pooling": 8 * 3 * (5.333 + 5.667),
        "winners": 0,
        "scores": 32 * (16 * 6.667 + 5.333),
        "lane_addresses": 0,
        "control": 1500,
    }
    assert {name: float(ge[0]) for name, ge in table.counted_ge.items()} == pytest.approx(expected)
    assert table.counted_kge[0] == pytest.approx(sum(expected.values()) / 1000)
    assert table.calibrated_kge[0] == pytest.approx(sum(expected.values()) / 1000 * TECHNOLOGY.area.logic_factor)


def test_features_add_their_blocks() -> None:
    table = area(one(), Features(dual_threshold=True, pruned_channels=300), TECHNOLOGY)
    assert table.counted_ge["second_threshold"][0] == pytest.approx(8 * (24 * 6 + 5.667))
    assert table.counted_ge["lane_addresses"][0] == pytest.approx(32 * 18 * (5.667 + 2 * 1.333 + 0.667))


def test_strengths_widen_pooling_and_shift_thresholds() -> None:
    table = area(one(), Features(strength_bits=3, pool_bits=5), TECHNOLOGY)  # levels 7: theta times 4, 2, 1
    assert table.counted_ge["strengths"][0] == pytest.approx(8 * (24 * 2 * 2.333 + 3 * 5.667))
    assert table.counted_ge["pooling"][0] == pytest.approx(8 * 5 * (5.333 + 5.667))  # 4 times 7 is 28, 5 bits
    wide = Features.of(mnist_with(levels=7, output_bits=3))
    assert (wide.strength_bits, wide.pool_bits, wide.rank_bits, wide.timesteps) == (3, 3, 0, 1)


def test_a_machine_is_as_wide_as_its_network_needs() -> None:
    plain = Features.of(mnist())
    assert (plain.pruned_channels, plain.pool_bits, plain.score_words) == (0, 1, 10)
    layers = [pruned(layer, 0.5) for layer in mnist().layers]
    for kept, channels, lanes, bits in ((layers[:2], 64, 4, 18), (layers[:3], 349, 32, 18), (layers[2:], 349, 4, 90)):
        features = Features.of(Workload("pruned", 8, tuple(kept)))
        assert features.pruned_channels == channels  # 3136 inputs are 349 blocks of nine
        assert features.list_bits(np.array([lanes])).tolist() == [bits]
    lists = area(one(channel_lanes=4), Features(pruned_channels=64), TECHNOLOGY).counted_ge["lane_addresses"]
    assert lists[0] == pytest.approx(4 * 18 * (5.667 + 2 * 1.333 + 0.667))


@pytest.mark.parametrize(("pooling", "bits"), [("membrane", 24), ("count", 4)])
def test_winners_remember_a_rank_for_every_step(pooling: str, bits: int) -> None:
    features = Features.of(mnist_with(pooling=pooling))
    assert (features.rank_bits, features.timesteps) == (bits, 8)
    row = bits * (5.333 + 5.667 + 5.333 + 0.667 + 2.333)
    inner, outer = (area(one(**how), features, TECHNOLOGY).counted_ge["winners"][0] for how in (INNER, OUTER))
    assert inner == pytest.approx(8 * row + 4 * 8 * (bits + 1) * 5.667)
    assert outer == pytest.approx(8 * row + 4 * (bits + 1) * 5.667)


def test_blocks_and_memories_add_up() -> None:
    table = area(grid(), EVERYTHING, TECHNOLOGY)
    logic = sum(table.logic_mm2.values())
    sram = sum(table.sram_mm2.values())
    assert set(table.block_mm2) == {*BLOCKS, "spike_sram", "weight_sram", "membrane_sram"}
    np.testing.assert_allclose(table.total_mm2, logic + sram)
    per_kge = 5.98 / 5.667 / 1000
    np.testing.assert_allclose(logic, table.calibrated_kge * per_kge)


@pytest.mark.parametrize("name", ["vector_width", "channel_lanes", "spike_buffer_kib", "weight_buffer_kib"])
def test_more_of_anything_is_never_smaller(name: str) -> None:
    values = (2, 4, 8, 16, 32, 64)
    areas = [area(one(**{name: value}), PLAIN, TECHNOLOGY).total_mm2[0] for value in values]
    if name in ("vector_width", "channel_lanes"):
        areas = [area(one(**{name: value}), PLAIN, TECHNOLOGY).counted_kge[0] for value in values]
    assert areas == sorted(set(areas))


def test_smaller_nodes_are_smaller() -> None:
    areas = [area(one(), PLAIN, TECHNOLOGY.override({"node_nm": node})).total_mm2[0] for node in (28, 40, 65)]
    assert areas == sorted(areas)


def test_pipeline_bits_of_the_batch_are_rows_times_tree() -> None:
    batch = grid()
    bits = pipeline_bits(batch)
    for index in range(len(batch)):
        assert bits[index] == batch.vector_width[index] * twin_tree(int(batch.channel_lanes[index]))[2]
