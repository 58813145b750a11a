"""What the model says of each published figure: the computation behind every row of the calibration table."""

from collections.abc import Callable
from dataclasses import replace
from math import exp, log

from costmodels.logic_area import synthesised, term_values
from costmodels.machine import MACHINE
from costmodels.reference_machines import Vsa, vwa
from costmodels.technology import Technology
from costmodels.workload import Workload

_BITS_INT8 = 8
_HOROWITZ_NM = 45
Counterpart = Callable[[Technology, Vsa], float]


def _int8_add_pj(technology: Technology, machine: Vsa) -> float:
    """Eight bits of the bare adder, from 40 to 45 nm along the power law through the 40 and 65 nm factors."""
    near, far = _energy_factor(technology, 40), _energy_factor(technology, 65)
    exponent = log(far / near) / log(65 / 40)
    scale = near * exp(exponent * log(_HOROWITZ_NM / 40))
    return _BITS_INT8 * technology.energy.adder_pj / technology.energy.operand_bits * scale


def _operations_saved_percent(technology: Technology, machine: Vsa) -> float:
    """Operations of the reference layer with a dual threshold against one without."""
    plain = machine.workload
    dual = Workload(plain.name, plain.timesteps, tuple(replace(layer, dual_threshold=True) for layer in plain.layers))
    return 100.0 * (1.0 - dual.operations / plain.operations)


def _membrane_pooling_kge(technology: Technology, machine: Vsa) -> float:
    """Winner units of the reference machine, as synthesised."""
    features = replace(machine.features, rank_bits=MACHINE.membrane_bits)
    return float(synthesised(term_values(machine.batch, features), "ge")["winners"][0]) / 1000


_INPUT = "given to the model, not predicted"
_COEFFICIENT = "the coefficient itself"
COUNTERPARTS: dict[tuple[str, str], tuple[Counterpart, str]] = {
    ("VSA", "power_efficiency_tops_per_w"): (
        lambda technology, machine: machine.tops_per_w(technology),
        "dense binary 3 x 3 layer, on chip with SRAM, without DRAM",
    ),
    ("VSA", "time_steps"): (lambda technology, machine: machine.workload.timesteps, _INPUT),
    ("VSA", "processing_elements"): (lambda technology, machine: machine.processing_elements, "V x L x 9"),
    ("VSA", "clock_mhz"): (lambda technology, machine: technology.clock_mhz, _INPUT),
    ("VSA", "peak_throughput_gops"): (
        lambda technology, machine: machine.peak_gops(technology),
        "two operations per PE and clock",
    ),
    ("VSA", "core_power_mw"): (
        lambda technology, machine: machine.power_mw(technology),
        "follows from the fit to TOPS/W; on chip with SRAM, without DRAM",
    ),
    ("VSA", "logic_kge"): (
        lambda technology, machine: machine.calibrated_kge(technology),
        "gates as synthesised, times the area factor",
    ),
    ("VSA", "sram_kib"): (
        lambda technology, machine: machine.config.spike_buffer_kib + machine.config.weight_buffer_kib,
        _INPUT + "; the split is assumed",
    ),
    ("VSA", "node_nm"): (lambda technology, machine: technology.node_nm, _INPUT),
    ("VSA", "energy_per_cycle_pj"): (
        lambda technology, machine: machine.cycle_pj(technology),
        "follows from the fit to TOPS/W",
    ),
    ("VSA", "logic_ge_per_pe"): (
        lambda technology, machine: 1000 * machine.calibrated_kge(technology) / machine.processing_elements,
        "follows from the fit to logic_kge",
    ),
    ("VWA", "logic_kge"): (
        lambda technology, machine: vwa().counted_kge(technology),
        "another machine: 168 8 x 8 array multipliers from our cells, without the area factor, which is of our control",
    ),
    ("VWA", "sram_kib"): (lambda technology, machine: vwa().sram_kib, _INPUT),
    ("VWA", "power_mw"): (
        lambda technology, machine: vwa().power_mw(technology),
        "another machine: all multipliers busy, energies per bit as calibrated, assumed SRAM traffic",
    ),
    ("This machine at VSA's size", "logic_kge"): (
        lambda technology, machine: machine.synthesised_kge(technology),
        "sum of fitted terms, without the area factor",
    ),
    ("DT-SCNN", "conv_operations_saved_percent"): (
        _operations_saved_percent,
        "operations of one layer with two thresholds against one; the layer after it is unchanged",
    ),
    ("Spiking max-pool block", "logic_kge"): (
        _membrane_pooling_kge,
        "winner units of 8 rows, 24 bits, 8 steps as synthesised, without the factor, which is of whole machines",
    ),
    ("40 nm logic", "adder_32b_pj"): (lambda technology, machine: technology.energy.adder_pj, _COEFFICIENT),
    ("40 nm logic", "comparator_32b_pj"): (lambda technology, machine: technology.energy.comparator_pj, _COEFFICIENT),
    ("40 nm logic", "register_1b_pj"): (lambda technology, machine: technology.energy.register_pj, _COEFFICIENT),
    ("40 nm logic", "bitwise_32b_pj"): (lambda technology, machine: technology.energy.bitwise_pj, _COEFFICIENT),
    ("45 nm, 0.9 V", "int8_add_pj"): (_int8_add_pj, "bare adder without the energy factor, scaled from 40 to 45 nm"),
    ("DRAM", "dramsim3_pj_per_bit"): (lambda technology, machine: technology.dram_pj_per_bit, _COEFFICIENT),
    ("DRAM", "lpddr3_core_pj_per_bit"): (
        lambda technology, machine: technology.dram_pj_per_bit,
        "the default setting against another one",
    ),
    ("DRAM", "horowitz_low_pj_per_bit"): (
        lambda technology, machine: technology.dram_pj_per_bit,
        "the default setting against another one",
    ),
    ("scaling", "energy_factor_40_to_28"): (
        lambda technology, machine: _energy_factor(technology, 28) / _energy_factor(technology, 40),
        _COEFFICIENT,
    ),
    ("scaling", "energy_factor_65_to_40"): (
        lambda technology, machine: _energy_factor(technology, 40) / _energy_factor(technology, 65),
        _COEFFICIENT,
    ),
}
NO_COUNTERPART = {
    "Spiking max-pool block": "the clock of this machine is a setting, and no timing of the block is modelled",
    "DT-SCNN": "of the network, not of the machine",
    "ALBSNN": "of the network, not of the machine",
    "M-SNN": "of the network, not of the machine",
    "SpikeExplorer": "another tool's result on an FPGA",
}


def _energy_factor(technology: Technology, node_nm: int) -> float:
    return next(node.energy_factor for node in technology.nodes if node.node_nm == node_nm)
