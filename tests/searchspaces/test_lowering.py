"""Workloads of genomes: shapes against torch running the layers, bits and densities against counted maps."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from costmodels.consistency import reject_inconsistent
from costmodels.errors import ConfigurationError
from searchspaces.candidate import assumed_masks
from searchspaces.genome import LayerGenome, NetworkGenome
from searchspaces.lowering import lower
from searchspaces.shapes import layer_shapes, stored_bits


def network(
    *layers: LayerGenome, head: str = "fc", pooling: str = "or", steps: int = 2, **changes: Any
) -> NetworkGenome:
    kind = "fc" if head == "fc" else "conv"
    kernel = 1 if head == "fc" else 3
    classifier = LayerGenome("classifier", kind, 10, kernel=kernel, spiking=False)  # type: ignore[arg-type]
    settings = {"input_shape": (3, 11, 9), "input_bits": 8, "classes": 10, "levels": 1, "reset": "hard", **changes}
    return NetworkGenome(timesteps=steps, pooling=pooling, head=head, layers=(*layers, classifier), **settings)  # type: ignore[arg-type]


def rates(genome: NetworkGenome, rate: float = 0.25) -> dict[str, tuple[float, ...]]:
    return {layer.name: (rate,) * genome.timesteps for layer in genome.layers if layer.spiking}


def masks(genome: NetworkGenome) -> dict[str, Any]:
    shapes = {layer.name: (layer, shape) for layer, shape in layer_shapes(genome)}
    return {
        name: np.ones((layer.filters, shape.in_channels), dtype=np.bool_)
        for name, (layer, shape) in shapes.items()
        if layer.prune_ratio
    }


conv = st.builds(
    LayerGenome,
    name=st.just(""),
    kind=st.just("conv"),
    channels=st.sampled_from([2, 4, 6]),
    kernel=st.sampled_from([1, 3, 5, 7]),
    stride=st.sampled_from([1, 2]),
    pool=st.sampled_from([1, 2, 3]),
    weight_bits=st.sampled_from([1, 4]),
    dual_threshold=st.booleans(),
    prune_ratio=st.sampled_from([0.0, 0.5]),
)
fc = st.builds(LayerGenome, name=st.just(""), kind=st.just("fc"), channels=st.sampled_from([4, 7]), kernel=st.just(1))


def named(layers: list[LayerGenome]) -> list[LayerGenome]:
    return [LayerGenome(**{**layer.__dict__, "name": f"layer{index}"}) for index, layer in enumerate(layers)]


@settings(deadline=None)
@given(st.lists(conv, min_size=1, max_size=3), st.lists(fc, max_size=2), st.sampled_from(["fc", "gap"]), st.data())
def test_shapes_are_those_of_torch(
    convs: list[LayerGenome], fcs: list[LayerGenome], head: str, data: st.DataObject
) -> None:
    rows, columns = data.draw(st.integers(3, 40)), data.draw(st.integers(3, 40))
    pooling = data.draw(st.sampled_from(["or", "average"]))
    layers = named([*convs, *(fcs if head == "fc" else [])])
    genome = network(*layers, head=head, pooling=pooling, input_shape=(3, rows, columns))
    maps = torch.zeros(1, 3, rows, columns)
    expected = []
    for layer in genome.layers:
        if layer.kind == "fc":
            maps = maps.flatten(1)[:, :, None, None]
        read = tuple(maps.shape[1:])
        maps = torch.nn.functional.conv2d(
            maps,
            torch.zeros(layer.channels, read[0], layer.kernel, layer.kernel),
            None,
            layer.stride,
            layer.kernel // 2,
        )
        computed = tuple(maps.shape[1:])
        if min(computed[1:]) < layer.pool:
            return  # a map that the space would have refused
        maps = torch.nn.functional.max_pool2d(maps, layer.pool)
        expected.append((layer, read, computed, tuple(maps.shape[1:])))
    work = lower(genome, (0.5,), rates(genome), masks(genome))
    for lowered, (layer, read, computed, stored) in zip(work.layers, expected, strict=True):
        assert (lowered.in_channels, lowered.in_height, lowered.in_width) == read
        assert (lowered.out_channels, lowered.out_height, lowered.out_width) == computed
        assert (lowered.out_channels, lowered.stored_height, lowered.stored_width) == stored
        assert lowered.padding == (layer.kernel // 2 if layer.kind == "conv" else 0)
        assert (lowered.filters, lowered.weight_bits) == (layer.filters, layer.weight_bits)


@pytest.mark.parametrize("pool", [1, 2, 3, 4])
@pytest.mark.parametrize("pooling", ["or", "average", "membrane", "count"])
@pytest.mark.parametrize("levels", [1, 3, 7])
def test_stored_bits_hold_every_result(pool: int, pooling: Any, levels: int) -> None:
    """The strongest window, of full strengths alone, needs exactly so many binary digits."""
    window = [levels] * pool**2
    strongest = sum(window) if pooling == "average" else max(window)
    assert stored_bits(pool, pooling, levels) == len(f"{strongest:b}")


def test_conventions() -> None:
    genome = network(
        LayerGenome("conv1", "conv", 4, pool=2, dual_threshold=True),
        LayerGenome("conv2", "conv", 6, weight_bits=2),
        LayerGenome("fc1", "fc", 5, kernel=1),
        pooling="average",
    )
    work = lower(genome, (0.3,), {"conv1": (0.1, 0.2), "conv2": (0.4, 0.5), "fc1": (0.6, 0.7)}, {}, name="mine")
    first, second, third, last = work.layers
    assert (work.name, work.timesteps) == ("mine", 2)
    assert [layer.static_input for layer in work.layers] == [True, False, False, False]
    assert [layer.input_bits for layer in work.layers] == [8, 3, 1, 1]
    assert [layer.output_bits for layer in work.layers] == [3, 1, 1, 0]
    assert [layer.spiking for layer in work.layers] == [True, True, True, False]
    assert [layer.input_density for layer in work.layers] == [(0.3,), (0.1, 0.2), (0.4, 0.5), (0.6, 0.7)]
    assert [layer.output_density for layer in work.layers] == [(0.1, 0.2), (0.4, 0.5), (0.6, 0.7), ()]
    assert (first.filters, second.in_channels, third.in_channels) == (2, 4, 6 * 5 * 4)
    assert (last.kind, last.in_channels, last.out_channels) == ("fc", 5, 10)


@pytest.mark.parametrize("prune_ratio", [0.0, 0.5])
@pytest.mark.parametrize("bits", [1, 4])
def test_a_dual_threshold_halves_weights_membranes_and_operations_exactly(bits: int, prune_ratio: float) -> None:
    def sizes(dual: bool) -> tuple[int, int, int]:
        """Weight bits and membranes of the second layer, and what it adds to the operations."""
        second = LayerGenome("conv2", "conv", 8, weight_bits=bits, dual_threshold=dual, prune_ratio=prune_ratio)
        genome = network(LayerGenome("conv1", "conv", 4), second)
        work = lower(genome, (0.3,), {"conv1": (0.1, 0.2), "conv2": (0.4, 0.5)}, assumed_masks(genome))
        layer = work.layers[1]
        empty = replace(layer, kept=np.zeros((layer.filters, layer.in_channels), dtype=np.bool_))
        without = replace(work, layers=(work.layers[0], empty, work.layers[2]))
        weights = layer.kept_kernels * layer.kernel**2 * layer.weight_bits
        return weights, layer.filters * layer.out_height * layer.out_width, work.operations - without.operations

    assert [size / 2 for size in sizes(False)] == list(sizes(True))


def test_gap_classifier_is_a_convolution_that_does_not_spike() -> None:
    last = lower(network(LayerGenome("conv1", "conv", 4), head="gap"), (0.3,), {"conv1": (0.1, 0.2)}, {}).layers[-1]
    assert (last.kind, last.kernel, last.padding, last.spiking) == ("conv", 3, 1, False)
    assert (last.in_height, last.out_height, last.out_width) == (11, 11, 9)


def test_one_time_step_is_static_in_the_first_layer_alone() -> None:
    work = lower(network(LayerGenome("conv1", "conv", 4), steps=1), (0.3,), {"conv1": (0.1,)}, {})
    assert [layer.static_input for layer in work.layers] == [True, False]


def test_columns_of_a_mask_lie_as_the_machine_numbers_channels() -> None:
    """Behind a dual threshold map h of membrane m is channel 2 m + h; the network numbers it 3 h + m."""
    genome = network(
        LayerGenome("conv1", "conv", 6, dual_threshold=True), LayerGenome("conv2", "conv", 2, prune_ratio=0.5)
    )
    kept = np.array([[True, False, False, True, True, True], [False, True, False, False, True, False]])
    found = lower(genome, (0.3,), rates(genome), {"conv2": kept}).layers[1].kept
    assert found is not None
    for m, h in np.ndindex(3, 2):
        assert found[:, 2 * m + h].tolist() == kept[:, 3 * h + m].tolist()


@pytest.mark.parametrize("dual", [False, True])
def test_columns_of_a_flattened_mask_lie_as_the_machine_writes_inputs(dual: bool) -> None:
    genome = network(
        LayerGenome("conv1", "conv", 4, pool=2, dual_threshold=dual),
        LayerGenome("fc1", "fc", 3, kernel=1, prune_ratio=0.5),
        input_shape=(1, 6, 4),
    )
    kept = np.random.default_rng(0).random((3, 4 * 3 * 2)) < 0.5
    layer = lower(genome, (0.3,), rates(genome), {"fc1": kept}).layers[1]
    assert layer.kept is not None
    maps, membranes, written = (2, 2, 0) if dual else (1, 4, 0)
    for m in range(membranes):
        for x in range(2):
            for y in range(3):
                for h in range(maps):
                    channel = h * membranes + m
                    flattened = channel * 6 + y * 2 + x
                    assert layer.kept[:, written].tolist() == kept[:, flattened].tolist()
                    written += 1
    assert written == 24


def test_a_pruned_fully_connected_layer_stores_binary_weights_in_two_bits() -> None:
    fc1 = LayerGenome("fc1", "fc", 3, kernel=1, prune_ratio=0.5)
    genome = network(LayerGenome("conv1", "conv", 4, prune_ratio=0.25), fc1)
    work = lower(genome, (0.3,), rates(genome), masks(genome))
    assert [layer.weight_bits for layer in work.layers] == [1, 2, 1]
    with pytest.raises(ConfigurationError, match="weight_bits must be at least 2 in a pruned fully connected layer"):
        reject_inconsistent(replace(work, layers=(work.layers[0], replace(work.layers[1], weight_bits=1))))


def test_mask_reaches_its_layer() -> None:
    genome = network(LayerGenome("conv1", "conv", 4), LayerGenome("conv2", "conv", 2, prune_ratio=0.5))
    kept = np.array([[True, False, False, True], [False, True, True, False]])
    work = lower(genome, (0.3,), rates(genome), {"conv2": kept})
    assert work.layers[0].kept is None
    assert work.layers[1].kept is not None
    assert work.layers[1].kept.tolist() == kept.tolist()
    assert work.layers[1].kept_kernels == 4


PRUNED = network(LayerGenome("conv1", "conv", 4), LayerGenome("conv2", "conv", 2, prune_ratio=0.5))
KEPT = {"conv2": np.ones((2, 4), dtype=np.bool_)}
GOOD = rates(PRUNED)


@pytest.mark.parametrize(
    ("density", "firing_rates", "kept", "message"),
    [
        (1.5, GOOD, KEPT, r"^input_density must be from 0 to 1, not 1\.5$"),
        (float("nan"), GOOD, KEPT, r"^input_density must be from 0 to 1, not nan$"),
        (0.5, {"conv1": (0.1, 0.1)}, KEPT, r"^firing_rates must name the layers conv1, conv2, not conv1$"),
        (
            0.5,
            {**GOOD, "classifier": (0.1, 0.1)},
            KEPT,
            r"^firing_rates must name the layers conv1, conv2, not conv1, conv2, c",
        ),
        (0.5, {**GOOD, "conv2": (0.1,)}, KEPT, r"^firing rates of conv2 must be one per time step \(2\), not 1$"),
        (0.5, {**GOOD, "conv2": (0.1, -0.1)}, KEPT, r"^firing rates of conv2 must be from 0 to 1, not -0\.1$"),
        (0.5, GOOD, {}, r"^masks must name the layers conv2, not none$"),
        (0.5, GOOD, {**KEPT, "conv1": KEPT["conv2"]}, r"^masks must name the layers conv2, not conv2, conv1$"),
        (
            0.5,
            GOOD,
            {"conv2": np.ones((4, 2), dtype=np.bool_)},
            r"^mask of conv2 must be 2 x 4 booleans \(filters x input channels\), not 4 x 2 of bool$",
        ),
        (0.5, GOOD, {"conv2": np.ones((2, 4))}, r"^mask of conv2 must be 2 x 4 booleans .*, not 2 x 4 of float64$"),
    ],
)
def test_messages(density: float, firing_rates: Any, kept: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        lower(PRUNED, (density,), firing_rates, kept)


def test_all_reasons_at_once() -> None:
    with pytest.raises(ConfigurationError) as error:
        lower(PRUNED, (2.0,), {**GOOD, "conv1": ()}, {})
    assert len(str(error.value).splitlines()) == 3
