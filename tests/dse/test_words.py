"""Networks, machines and amounts in words."""

from dataclasses import replace

import pytest

from costmodels.accelerator import AcceleratorConfig
from dse.words import amount, machine_words, network_words, part_words, share_words
from searchspaces.genome import LayerGenome, NetworkGenome

CONV = LayerGenome("conv1", "conv", 32, weight_bits=8, pool=2)
HEAD = LayerGenome("fc", "fc", 10, kernel=1, spiking=False)
NETWORK = NetworkGenome((1, 8, 8), 5, 10, 2, 1, "or", "fc", "hard", (CONV, HEAD))


def test_a_network_is_named_by_its_choices() -> None:
    dual = LayerGenome("conv2", "conv", 64, kernel=5, stride=2, dual_threshold=True, prune_ratio=0.5)
    assert network_words(NETWORK) == "conv1 8b 32ch pool2, T=2, or-pool, fc binary"
    words = network_words(replace(NETWORK, layers=(CONV, dual, HEAD)))
    assert words == "conv1 8b 32ch pool2, conv2 binary dual 64ch 5x5 stride2 pruned 50%, T=2, or-pool, fc binary"


def test_pooling_is_named_only_where_something_is_pooled() -> None:
    assert network_words(replace(NETWORK, layers=(replace(CONV, pool=1), HEAD))) == "conv1 8b 32ch, T=2, fc binary"


def test_networks_that_differ_in_one_choice_have_different_words() -> None:
    others = [
        replace(NETWORK, timesteps=4),
        replace(NETWORK, pooling="average"),
        replace(NETWORK, head="gap"),
        replace(NETWORK, levels=3),
        replace(NETWORK, route="conversion"),
        replace(NETWORK, route="rounded-conversion"),
        replace(NETWORK, ale_saving=0.2),
        replace(NETWORK, ale_loss=0.2),
        *(
            replace(NETWORK, layers=(replace(CONV, **change), HEAD))
            for change in (
                {"channels": 16},
                {"weight_bits": 4},
                {"pool": 1},
                {"prune_ratio": 0.5},
                {"dual_threshold": True},
                {"kernel": 5},
                {"stride": 2},
            )
        ),
        replace(NETWORK, layers=(CONV, replace(HEAD, weight_bits=8))),
    ]
    words = [network_words(network) for network in (NETWORK, *others)]
    assert len(set(words)) == len(words)


def test_layers_that_training_made_binary_are_named() -> None:
    asked = replace(NETWORK, ale_saving=0.25)
    assert network_words(asked) == "conv1 8b 32ch pool2, T=2, or-pool, ALE saves 25%, fc binary"
    assert network_words(asked, ["conv1"]) == "conv1 binary (ALE) 32ch pool2, T=2, or-pool, ALE saves 25%, fc binary"
    assert "ALE within 0.1 nats" in network_words(replace(NETWORK, ale_loss=0.1))


def test_a_machine_names_its_membrane_buffer_only_where_it_has_one() -> None:
    machine = AcceleratorConfig(8, 32, 2, 64, 32)
    assert machine_words(machine) == "V=8 L=32 F=2 spike 64 KiB weight 32 KiB inner"
    outer = replace(machine, time_order="outer", membrane_buffer_kib=16)
    assert machine_words(outer) == "V=8 L=32 F=2 spike 64 KiB weight 32 KiB membrane 16 KiB outer"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"),
        (0.01234, "0.0123"),
        (4.5, "4.50"),
        (45.67, "45.7"),
        (456.4, "456"),
        (999.6, "1,000"),
        (12345.6, "12,346"),
    ],
)
def test_amounts_have_three_figures(value: float, words: str) -> None:
    assert amount(value) == words


def test_a_share_has_its_interval() -> None:
    assert share_words(350, 360) == "97.2 % (95.0 to 98.5)"


def test_parts_are_named_as_readers_know_them() -> None:
    assert [part_words(p) for p in ("spike_sram", "dram", "pe_array", "if_unit", "clock_control")] == [
        "spike SRAM",
        "DRAM",
        "PE array",
        "IF unit",
        "clock control",
    ]
