"""Machines whose buffers are filled to the last bit, which random sizes hardly meet."""

from costmodels.accelerator import AcceleratorConfig
from costmodels.workload import LayerWorkload, Workload
from twin.configurations import Configuration


def classifier(inputs: int, classes: int, weight_bits: int) -> LayerWorkload:
    """A dense fully connected classifier behind plain spikes, two steps."""
    return LayerWorkload(
        name="fc",
        kind="fc",
        in_channels=inputs,
        in_height=1,
        in_width=1,
        out_channels=classes,
        out_height=1,
        out_width=1,
        kernel=1,
        stride=1,
        padding=0,
        weight_bits=weight_bits,
        input_bits=1,
        static_input=False,
        dual_threshold=False,
        spiking=False,
        levels=1,
        pool=1,
        pooling="or",
        output_bits=1,
        input_density=(0.5, 0.25),
        output_density=(),
    )


def convolution(size: int, filters: int) -> LayerWorkload:
    """A dense 3 x 3 convolution of one spiking channel, two steps."""
    return LayerWorkload(
        name="conv",
        kind="conv",
        in_channels=1,
        in_height=size,
        in_width=size,
        out_channels=filters,
        out_height=size,
        out_width=size,
        kernel=3,
        stride=1,
        padding=1,
        weight_bits=1,
        input_bits=1,
        static_input=False,
        dual_threshold=False,
        spiking=True,
        levels=1,
        pool=1,
        pooling="or",
        output_bits=1,
        input_density=(0.5, 0.25),
        output_density=(0.5, 0.5),
    )


# 16 filters of 1 + 5 x 3 words of 144 bits are 36864 bits, half of 9 KiB.
ALL_FILTERS = Configuration(
    Workload("all filters", 2, (classifier(432, 16, 5),)), AcceleratorConfig(2, 16, 1, 4, 9), dram_bytes_per_cycle=4.0
)
# A filter of 1 + 15 x 17 words of 144 bits is 36864 bits, half of 9 KiB; there are two.
ONE_FILTER = Configuration(
    Workload("one filter", 2, (classifier(2448, 2, 15),)), AcceleratorConfig(2, 16, 1, 4, 9), dram_bytes_per_cycle=4.0
)
# 8 of 16 rows of 16 columns and 8 filters have 1024 membranes of 24 bits, 3 KiB.
MEMBRANES = Configuration(
    Workload("membranes", 2, (convolution(16, 8),)),
    AcceleratorConfig(4, 8, 1, 32, 32, "outer", 3),
    dram_bytes_per_cycle=4.0,
)
# All 16 rows of the input and of the output, of 16 columns and words of 8 bits, are 4096 bits, half of 1 KiB.
SPIKES = Configuration(
    Workload("spikes", 2, (convolution(16, 8),)),
    AcceleratorConfig(4, 8, 1, 1, 32, "outer", 32),
    dram_bytes_per_cycle=4.0,
)
EXACT_FITS = (ALL_FILTERS, ONE_FILTER, MEMBRANES, SPIKES)
