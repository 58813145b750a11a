"""A network of MNIST size, 16C3-P2-32C3-P2-10 on 28 x 28 pixels, through Verilator with buffers of real sizes."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from small_cores import random_images, weights_of
from test_memory_system import measured, predicted

from costmodels.accelerator import AcceleratorConfig
from dse.export.core_image import lay_out
from dse.export.integer_network import (
    IntegerClassifier,
    IntegerLayer,
    IntegerNetwork,
    potential_range,
    signed_bits,
    sum_range,
)
from dse.export.rtl_export import write_core
from dse.export.rtl_simulate import simulate

IMAGES, STEPS, FRACTION_BITS, BYTES_PER_CYCLE = 3, 2, 4, 12.8
MACHINES = (AcceleratorConfig(8, 8, 2, 16, 2), AcceleratorConfig(8, 8, 2, 16, 2, "outer", 48))


def convolution(rng: np.random.Generator, name: str, channels: int, size: int, filters: int) -> IntegerLayer:
    """A binary 3 x 3 layer with `or` pooling whose thresholds suit its sums."""
    first = name == "conv1"
    largest = 255 if first else 1
    weights = weights_of(rng, (filters, channels, 3, 3), 1)
    theta = np.full(filters, largest * max(1, channels // 4) << FRACTION_BITS)
    c = rng.integers(-(largest << FRACTION_BITS), largest << FRACTION_BITS, filters)
    sums = sum_range(weights, largest)
    return IntegerLayer(
        name=name,
        kind="conv",
        weights=weights,
        kept=None,
        weight_bits=1,
        stride=1,
        padding=1,
        input_shape=(channels, size, size),
        input_bits=largest.bit_length(),
        largest_input=largest,
        accumulator_bits=signed_bits(int(sums[0].min()), int(sums[1].max())),
        static_input=first,
        fraction_bits=FRACTION_BITS,
        c=c.astype(np.int32),
        thetas=theta[None].astype(np.int32),
        reset="soft",
        pool=2,
        pooling="or",
        membrane_bits=signed_bits(*potential_range(sums, c, theta, STEPS, FRACTION_BITS, "soft")),
    )


def network() -> IntegerNetwork:
    rng = np.random.default_rng(0)
    layers = (convolution(rng, "conv1", 1, 28, 16), convolution(rng, "conv2", 16, 14, 32))
    weights = weights_of(rng, (10, 32 * 49, 1, 1), 2)
    low, high = sum_range(weights, 1)
    last = IntegerClassifier(
        name="fc",
        kind="fc",
        weights=weights,
        kept=None,
        weight_bits=2,
        stride=1,
        padding=0,
        input_shape=(32 * 49, 1, 1),
        input_bits=1,
        largest_input=1,
        accumulator_bits=signed_bits(int(low.min()) * STEPS, int(high.max()) * STEPS),
        bias=rng.integers(-500, 500, 10).astype(np.int32),
        score_bits=32,
    )
    return IntegerNetwork(STEPS, FRACTION_BITS, layers, last)


@pytest.mark.skipif(
    shutil.which("verilator") is None, reason="verilator is not installed (Debian: apt-get install verilator)"
)
@pytest.mark.timeout(1500)  # a minute of compiler alone; many more beside other work
@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.time_order)
def test_a_network_of_mnist_size_runs_in_the_predicted_cycles(machine: AcceleratorConfig, tmp_path: Path) -> None:
    image = lay_out(network(), machine)
    assert [len(one.tiles()) > 1 for one in image.groups] == [True, False]
    assert [one.resident for one in image.groups] == [False, False]
    write_core(image, random_images(image.network, IMAGES, 0), tmp_path, BYTES_PER_CYCLE)
    result = simulate(tmp_path, "verilator", 1400)
    assert result.errors == 0
    assert measured(result) == predicted(image, BYTES_PER_CYCLE)
    assert all(layer.compared for layer in result.layers)
