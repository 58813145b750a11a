"""Area: trees built bit by bit, terms against parts counted one by one, known structures, rules of all machines."""

import random
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from cost_workloads import mnist, pruned
from priced_machines import grid, one
from twin.area import block_ge, terms

from costmodels.accelerator import AcceleratorBatch, AcceleratorConfig
from costmodels.area import area
from costmodels.features import Features
from costmodels.gates import lane_cells, lane_tree, pipeline_bits, popcount_cells, rotator_depth
from costmodels.logic_area import TERMS, Sizes, coefficients, synthesised, term_values
from costmodels.machine import MACHINE
from costmodels.technology import Technology
from costmodels.workload import Workload

TECHNOLOGY = Technology.default()
PLAIN = Features()
EVERYTHING = Features(True, 300, 2, 3, (8, 3, 2), 3, 2, 24, 4, True)


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
    """Two counts of nine taps in four bits; nine agreeing or none, 2 x 9 - 9 and 2 x 0 - 9, need five signed bits."""
    lane = lane_cells()
    assert popcount_cells(MACHINE.taps) == (5, 2, 4)
    assert (lane.and_gates, lane.full_adders, lane.half_adders, lane.inverters) == (13, 15, 4, 4)
    bits = lane.subtractor_bits
    assert -(2 ** (bits - 1)) <= -9
    assert 2 ** (bits - 2) <= 9 < 2 ** (bits - 1)


def twin_tree(lanes: int) -> tuple[int, int, int]:
    """Adder bits, sum bits and register bits of a tree built operand by operand."""
    operands = [5] * lanes
    adders, registers, level = 0, sum(operands), 0
    while len(operands) > 1:
        level += 1
        width = max(operands) + 1
        pairs, rest = len(operands) // 2, operands[len(operands) // 2 * 2 :]
        adders += pairs * width
        operands = [width] * pairs + rest
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
    assert (9 * lanes < 2 ** (lane_tree(lanes).sum_bits - 1)).all()


@pytest.mark.parametrize("lanes", [1, 2, 4, 8, 16, 32, 64])
def test_register_stages_are_those_of_the_pipeline(lanes: int) -> None:
    """One stage behind the lanes (in the six fixed ones) and one for every two levels."""
    levels = (lanes - 1).bit_length()
    stages = sum(1 for level in range(1, levels + 1) if level % 2 == 0 or level == levels)
    assert MACHINE.pipeline_depth(lanes) == MACHINE.fixed_stages + stages


def test_rows_pass_a_multiplexer_for_each_bit_of_their_turn() -> None:
    assert [int(rotator_depth(one(vector_width=rows))[0]) for rows in (2, 6, 8, 32)] == [2, 3, 4, 6]


def random_machine(rng: random.Random) -> tuple[AcceleratorConfig, Features]:
    """Any size, any features."""
    order: dict[str, Any] = rng.choice([{}, {"time_order": "outer", "membrane_buffer_kib": 8}])
    config = AcceleratorConfig(rng.randint(1, 33), rng.randint(1, 65), rng.randint(1, 5), 8, 8, **order)
    features = Features(
        dual_threshold=rng.random() < 0.5,
        pruned_channels=rng.choice([0, 0, 1, 64, 349]),
        strength_bits=rng.randint(1, 3),
        planes=rng.randint(1, 6),
        port_planes=tuple(rng.randint(1, 8) for _ in range(rng.randint(1, 4))),
        largest_pool=rng.randint(1, 3),
        largest_stride=rng.randint(1, 3),
        rank_bits=rng.choice([0, 4, 24]),
        timesteps=rng.randint(1, 8),
        grids=rng.random() < 0.5,
    )
    return config, features


@pytest.mark.parametrize("seed", range(40))
def test_terms_and_blocks_equal_parts_counted_one_by_one(seed: int) -> None:
    config, features = random_machine(random.Random(seed))
    batch = AcceleratorBatch.of([config])
    found = {name: float(term(Sizes.of(batch, features))[0]) for name, term in TERMS.items()}
    assert found == pytest.approx(dict(terms(config, features)))
    blocks = {name: float(ge[0]) for name, ge in area(batch, features, TECHNOLOGY).synthesised_ge.items()}
    assert blocks == pytest.approx(block_ge(config, features))


def test_a_batch_equals_its_machines() -> None:
    batch = grid()
    together = synthesised(term_values(batch, EVERYTHING), "ge")
    for index in range(0, len(batch), 7):
        alone = synthesised(term_values(batch.take(slice(index, index + 1)), EVERYTHING), "ge")
        assert {name: ge[index] for name, ge in together.items()} == pytest.approx(
            {n: ge[0] for n, ge in alone.items()}
        )


def test_known_structures_cost_what_their_cells_do() -> None:
    """Trees and popcounts are nothing but cells: coefficients fitted to machines must be the areas of the cells."""
    full_adder, half_adder, register, mux2 = 5.333, 3.333, 5.667, 2.333
    found = {(each.module, each.term): each for each in coefficients()}
    assert found["adder_tree", "tree_bits"].ge == pytest.approx(full_adder, rel=3e-2)
    # The lowest bit is a half adder; of the highest nobody reads the carry: two XOR2 of 2, more or less a gate.
    assert found["adder_tree", "tree_adders"].ge == pytest.approx(half_adder + 4 - full_adder, abs=1.5)
    assert found["adder_tree", "tree_registers"].ge == pytest.approx(register + mux2, rel=3e-2)
    assert found["adder_tree", "tree_registers"].registers == pytest.approx(1, rel=1e-3)
    popcounts = 2 * (5 * full_adder + 2 * half_adder)
    assert found["popcount_nine", "row_lanes"].ge == pytest.approx(popcounts, rel=2e-3)


def test_logic_as_synthesised_and_calibrated() -> None:
    table = area(one(), PLAIN, TECHNOLOGY)
    total = sum(float(ge[0]) for ge in table.synthesised_ge.values())
    assert table.synthesised_kge[0] == pytest.approx(total / 1000)
    assert table.calibrated_kge[0] == pytest.approx(total / 1000 * TECHNOLOGY.area.logic_factor)


RICHER: dict[str, Any] = {
    "dual_threshold": True,
    "pruned_channels": 64,
    "strength_bits": 2,
    "planes": 2,
    "port_planes": (8,),
    "largest_pool": 2,
    "largest_stride": 2,
    "rank_bits": 4,
    "timesteps": 8,
    "grids": True,
}


@pytest.mark.parametrize("feature", RICHER)
def test_every_feature_costs_gates(feature: str) -> None:
    plain, richer = (
        area(one(), features, TECHNOLOGY) for features in (PLAIN, replace(PLAIN, **{feature: RICHER[feature]}))
    )
    assert richer.synthesised_kge[0] > plain.synthesised_kge[0]


def test_order_outer_costs_gates_where_there_is_more_than_one_step() -> None:
    for steps, dearer in ((1, False), (4, True)):
        features = replace(PLAIN, timesteps=steps)
        inner, outer = (
            area(one(time_order=order), features, TECHNOLOGY).synthesised_ge for order in ("inner", "outer")
        )
        assert (outer["membrane_addresses"] > 0).all() == dearer
        assert inner["membrane_addresses"] == 0
        assert (outer["control"] > inner["control"]).all() == dearer


def test_a_machine_is_as_wide_as_its_network_needs() -> None:
    plain = Features.of(mnist())
    assert (plain.pruned_channels, plain.planes, plain.largest_pool, plain.largest_stride) == (0, 1, 2, 1)
    assert (plain.timesteps, plain.grids, plain.strength_bits, plain.rank_bits) == (8, False, 1, 0)
    layers = [pruned(layer, 0.5) for layer in mnist().layers]
    for kept, channels, lanes, bits in ((layers[:2], 64, 4, 18), (layers[:3], 349, 32, 18), (layers[2:], 349, 4, 90)):
        features = Features.of(Workload("pruned", 8, tuple(kept)))
        assert features.pruned_channels == channels  # 3136 inputs are 349 blocks of nine
        assert features.list_bits(np.array([lanes])).tolist() == [bits]


@pytest.mark.parametrize(("pooling", "bits"), [("membrane", 24), ("count", 4)])
def test_winners_need_a_rank(pooling: str, bits: int) -> None:
    assert Features.of(mnist_with(pooling=pooling)).rank_bits == bits


def test_strengths_and_sums_widen_what_is_stored() -> None:
    wide = Features.of(mnist_with(levels=7, output_bits=5))
    assert (wide.strength_bits, wide.planes) == (3, 5)


def test_only_maps_between_groups_cross_the_port() -> None:
    layers = list(mnist().layers)
    layers[1] = replace(layers[1], output_bits=3)
    layers[0] = replace(layers[0], input_bits=2)
    assert Features.of(Workload("two bits", 8, tuple(layers))).port_planes == (3, 3, 2, 2)
    assert Features.of(mnist()).port_planes == (8, 8, 8, 8)


def test_wide_sums_beside_narrow_ones_need_grids_of_their_own() -> None:
    """Eight-bit weights on eight-bit pixels: 8 steps of 9 x 128 x 255 / 2 have 21 bits, 8 + 1 more than 24 hold."""
    layers = list(mnist().layers)
    wide = replace(layers[0], weight_bits=8)
    assert Features.of(Workload("wide", 8, (wide, *layers[1:]))).grids
    assert not Features.of(Workload("alone", 8, (replace(wide, spiking=True),))).grids


def test_blocks_and_memories_add_up() -> None:
    table = area(grid(), EVERYTHING, TECHNOLOGY)
    logic = sum(table.logic_mm2.values())
    sram = sum(table.sram_mm2.values())
    assert set(table.block_mm2) == {*table.synthesised_ge, "spike_sram", "weight_sram", "membrane_sram"}
    np.testing.assert_allclose(table.total_mm2, logic + sram)
    per_kge = 5.98 / 5.667 / 1000
    np.testing.assert_allclose(logic, table.calibrated_kge * per_kge)


@pytest.mark.parametrize("name", ["vector_width", "channel_lanes", "spike_buffer_kib", "weight_buffer_kib"])
def test_more_of_anything_is_never_smaller(name: str) -> None:
    values = (2, 4, 8, 16, 32, 64)
    areas = [area(one(**{name: value}), PLAIN, TECHNOLOGY).total_mm2[0] for value in values]
    if name in ("vector_width", "channel_lanes"):
        areas = [area(one(**{name: value}), PLAIN, TECHNOLOGY).synthesised_kge[0] for value in values]
    assert areas == sorted(set(areas))


def test_smaller_nodes_are_smaller() -> None:
    areas = [area(one(), PLAIN, TECHNOLOGY.override({"node_nm": node})).total_mm2[0] for node in (28, 40, 65)]
    assert areas == sorted(areas)


def test_pipeline_bits_of_the_batch_are_rows_times_tree() -> None:
    batch = grid()
    bits = pipeline_bits(batch)
    for index in range(len(batch)):
        assert bits[index] == batch.vector_width[index] * twin_tree(int(batch.channel_lanes[index]))[2]
