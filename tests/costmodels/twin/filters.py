"""Geometry of a layer and the contents of its filters, laid out kernel by kernel."""

from dataclasses import dataclass

from costmodels.workload import LayerWorkload
from twin.machine import MEMBRANE_BITS, TAPS, WINDOW_EDGE, Machine


@dataclass(frozen=True)
class Filter:
    """One filter: words of 9 L bits in buffer and DRAM, array cycles and list steps of one sum, adds of one row."""

    header: int
    words: int
    array_cycles: int
    list_steps: int
    adds: int


def has_winners(layer: LayerWorkload) -> bool:
    """Whether one neuron of each pooling window is chosen by what it has gathered over the steps."""
    return layer.spiking and layer.pool > 1 and layer.pooling not in ("or", "average")


def kept_for_next_step(layer: LayerWorkload) -> list[str]:
    """What each neuron leaves for its next step where steps are parted; nothing behind a classifier."""
    kept = ["membrane"] if layer.spiking else []
    kept += ["sum"] if layer.spiking and layer.static_input else []
    return kept + (["rank"] if has_winners(layer) else [])


def strength_bits(layer: LayerWorkload) -> int:
    """Bits that hold 0 .. levels."""
    return layer.levels.bit_length()


def strip_rows(layer: LayerWorkload, machine: Machine) -> int:
    """Rows of a strip: of V neighbouring rows each S-th stays, of these only whole pooling windows."""
    if layer.kind == "fc":
        return 1
    kept = range(0, machine.rows, layer.stride)
    return layer.pool * (len(kept) // layer.pool)


def visited_columns(layer: LayerWorkload) -> int:
    """Columns computed: those of whole pooling windows."""
    return layer.pool * layer.stored_width


def inputs_per_word(layer: LayerWorkload, lanes: int) -> int:
    """Input channels of one word of lanes; in fc each lane takes nine inputs, one a tap."""
    return lanes if layer.kind == "conv" else TAPS * lanes


def words_of_lanes(layer: LayerWorkload, lanes: int) -> int:
    """Words of lanes that hold all input channels."""
    return len(range(0, layer.in_channels, inputs_per_word(layer, lanes)))


def window_passes(layer: LayerWorkload) -> int:
    """3 x 3 windows that tile a kernel."""
    edges = range(0, layer.kernel, WINDOW_EDGE)
    return sum(1 for _ in edges for _ in edges)


def kept_inputs(layer: LayerWorkload, filter_index: int) -> list[int]:
    """Input channels whose kernel (in fc: weight) is stored."""
    if layer.kept is None:
        return list(range(layer.in_channels))
    return [c for c in range(layer.in_channels) if bool(layer.kept[filter_index, c])]


def kernel_list(layer: LayerWorkload, filter_index: int, lanes: int) -> list[set[int]]:
    """For each lane the words in which a kernel (in fc: a block of nine inputs) of this filter is kept."""
    lists: list[set[int]] = [set() for _ in range(lanes)]
    for c in kept_inputs(layer, filter_index):
        lists[c % lanes].add(c // inputs_per_word(layer, lanes))
    return lists


def constants_bits(layer: LayerWorkload) -> int:
    """The constant c, and the one or two thresholds of a neuron."""
    thresholds = (2 if layer.dual_threshold else 1) if layer.spiking else 0
    return MEMBRANE_BITS * (1 + thresholds)


def header_words(layer: LayerWorkload, lanes: int) -> int:
    """Words in front of a filter's kernels: constants, and under pruning one bit for each kernel of each lane."""
    words = len(range(0, constants_bits(layer), TAPS * lanes))
    if layer.kept is not None:
        words += len(range(0, lanes * words_of_lanes(layer, lanes), TAPS * lanes))
    return words


def steps_through_lists(layer: LayerWorkload, filter_index: int, lanes: int) -> int:
    """Kernels the longest lane goes through: every word when dense, and one even where a filter kept nothing."""
    if layer.kept is None:
        return words_of_lanes(layer, lanes)
    return max(1, *(len(words) for words in kernel_list(layer, filter_index, lanes)))


def lay_out(layer: LayerWorkload, filter_index: int, lanes: int) -> Filter:
    """Filter ``filter_index`` of ``layer`` on a machine with ``lanes`` lanes."""
    kernel_words = layer.weight_bits * window_passes(layer) * steps_through_lists(layer, filter_index, lanes)
    header = header_words(layer, lanes)
    weights = len(kept_inputs(layer, filter_index)) * layer.kernel**2
    return Filter(
        header=header,
        words=header + kernel_words,
        array_cycles=kernel_words * layer.input_bits,
        list_steps=0 if layer.kept is None else steps_through_lists(layer, filter_index, lanes),
        adds=weights * layer.weight_bits * layer.input_bits,
    )
