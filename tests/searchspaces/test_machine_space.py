"""Machines of a space: the batch is what a naive product of configurations gives."""

import itertools

import pytest

from costmodels.accelerator import AcceleratorBatch, AcceleratorConfig
from searchspaces.document import preset_names
from searchspaces.errors import SpaceError
from searchspaces.machines import AcceleratorSpace
from searchspaces.space import load_space

SMALL = AcceleratorSpace((2, 4), (4, 8), (1, 2, 3), (8,), (4, 16), ("outer", "inner"), (0, 8, 32))


def naive(space: AcceleratorSpace) -> set[AcceleratorConfig]:
    """Every configuration, from all combinations of all axes."""
    return {
        AcceleratorConfig(v, lanes, fusion, spikes, weights, order, kib if order == "outer" else 0)  # type: ignore[arg-type]
        for v, lanes, fusion, spikes, weights, order, kib in itertools.product(
            space.vector_width,
            space.channel_lanes,
            space.fusion_depth,
            space.spike_buffer_kib,
            space.weight_buffer_kib,
            space.time_order,
            space.membrane_buffer_kib,
        )
    }


def rows(batch: AcceleratorBatch) -> list[AcceleratorConfig]:
    return [batch[index] for index in range(len(batch))]


def test_every_machine_once() -> None:
    machines = rows(SMALL.enumerate())
    assert len(machines) == len(set(machines)) == SMALL.combinations() == 2 * 2 * 3 * 2 * 4
    assert set(machines) == naive(SMALL)


def test_order_is_that_of_the_genes() -> None:
    machines = rows(SMALL.enumerate())
    assert machines[0] == AcceleratorConfig(2, 4, 1, 8, 4, "outer", 0)
    assert machines[1] == AcceleratorConfig(2, 4, 1, 8, 4, "outer", 8)
    assert machines[3] == AcceleratorConfig(2, 4, 1, 8, 4, "inner", 0)
    assert machines[4] == AcceleratorConfig(2, 4, 1, 8, 16, "outer", 0)
    assert machines[24] == AcceleratorConfig(2, 8, 1, 8, 4, "outer", 0)
    assert machines[-1] == AcceleratorConfig(4, 8, 3, 8, 16, "inner", 0)


@pytest.mark.parametrize("name", preset_names())
def test_presets_count_what_they_enumerate(name: str) -> None:
    space = load_space(name).accelerator
    batch = space.enumerate()
    columns = [batch.vector_width, batch.channel_lanes, batch.fusion_depth, batch.spike_buffer_kib]
    columns += [batch.weight_buffer_kib, batch.outer, batch.membrane_buffer_kib]
    assert len(set(zip(*(column.tolist() for column in columns), strict=True))) == len(batch) == space.combinations()
    assert {str(column.dtype) for column in columns} == {"int64", "bool"}


def test_config_ignores_an_inactive_membrane_buffer() -> None:
    params = {gene.name: gene.choices[-1] for gene in SMALL.genes}
    assert SMALL.config(params) == AcceleratorConfig(4, 8, 3, 8, 16, "inner", 0)
    assert SMALL.config({**params, "time_order": "outer"}).membrane_buffer_kib == 32


def test_config_asks_for_an_active_membrane_buffer() -> None:
    params = {gene.name: gene.choices[0] for gene in SMALL.genes if gene.name != "membrane_buffer_kib"}
    with pytest.raises(SpaceError, match=r"^membrane_buffer_kib must be one of 0, 8, 32 \(parameters\)"):
        SMALL.config(params)
