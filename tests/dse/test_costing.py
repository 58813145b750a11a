"""One candidate priced: utilisation against a loop that counts, and a technology that comes back from a manifest."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from costmodels.technology_file import load
from costmodels.workload import LayerWorkload
from dse.costing import additions, price_file, technology_from
from searchspaces.candidate import load_candidate, workload

EXAMPLES = sorted((Path(__file__).parents[2] / "searchspaces" / "examples").glob("*.toml"))


def counted_additions(layer: LayerWorkload, timesteps: int) -> int:
    """Slow twin: walk every stored output and every kept kernel."""
    total = 0
    kept = np.ones((layer.filters, layer.in_channels), dtype=bool) if layer.kept is None else layer.kept
    for _row in range(layer.stored_height * layer.pool):
        for _column in range(layer.stored_width * layer.pool):
            for filter_kernels in kept:
                for is_kept in filter_kernels:
                    total += layer.kernel * layer.kernel if is_kept else 0
    planes = layer.weight_bits * layer.input_bits
    return total * planes * (1 if layer.static_input else timesteps)


def test_additions_are_those_that_a_loop_counts() -> None:
    work = workload(load_candidate(EXAMPLES[0]))
    layers = [*work.layers, replace(work.layers[0], static_input=False, out_height=7, out_width=5, pool=2)]
    for layer in layers:
        assert additions(layer, work.timesteps) == counted_additions(layer, work.timesteps)


def test_utilisation_is_additions_over_adders_and_cycles() -> None:
    """digits-small, conv1: 8 filters of 9 weights at 64 positions, 4 x 5 bit planes, on 4 x 4 x 9 adders."""
    first = price_file(EXAMPLES[0], None, None).layers[0]
    assert first.utilisation == pytest.approx(8 * 9 * 64 * 4 * 5 / (4 * 4 * 9 * first.cycles))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_no_layer_uses_more_adders_than_there_are(path: Path) -> None:
    assert all(0 < layer.utilisation <= 1 for layer in price_file(path, None, None).layers)


def test_a_technology_comes_back_whole_from_plain_data() -> None:
    technology = load("lp28").override({"dram_pj_per_bit": 4.6, "energy.adder_pj": 1.0, "area.logic_factor": 0.5})
    again = technology_from(asdict(technology))
    assert again == technology
    assert again.digest() == technology.digest()
    older = {**asdict(technology), "widths": {"score_words": 16, "pool_bits": 3, "kernel_mask_bits": 18}}
    assert technology_from(older) == technology
    drawn = {**asdict(technology), "area": {"control_ge": 1500.0, "logic_factor": 1.5}}
    assert technology_from(drawn) == technology.override({"area.logic_factor": load("lp28").area.logic_factor})
