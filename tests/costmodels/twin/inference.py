"""One inference, walked: group, pass, layer, filter, strip, column, step; every event and every cycle is counted."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from costmodels.workload import LayerWorkload, Workload
from twin.filters import (
    Filter,
    has_winners,
    kept_for_next_step,
    lay_out,
    strength_bits,
    strip_rows,
    visited_columns,
)
from twin.machine import MEMBRANE_BITS, SCORE_BITS, TAPS, WINDOW_EDGE, Machine
from twin.port import Port
from twin.tiles import LayerRows, groups, in_raster_order, rows_per_tile, tiles

Events = Counter[str]


@dataclass(frozen=True)
class Pass:
    """One tile for the steps ``steps``; ``first`` where it is the tile's first pass, ``last`` the group's last."""

    rows: list[LayerRows]
    steps: range
    first: bool
    last: bool


@dataclass(frozen=True)
class Slot:
    """Array cycles (0 where no sum is taken), neuron steps of one output position, and the step the input is of."""

    array_cycles: int
    neuron_steps: tuple[int, ...]
    input_step: int


class Group:
    """Layers that run one after the other on a tile, their filters and passes."""

    def __init__(self, workload: Workload, indices: list[int], machine: Machine) -> None:
        self.indices = indices
        self.layers = in_raster_order([workload.layers[index] for index in indices], workload.layers, indices[0])
        self.filters = [[lay_out(layer, m, machine.lanes) for m in range(layer.filters)] for layer in self.layers]
        self.rows = rows_per_tile(self.layers, machine, workload.timesteps)
        self.timesteps = 1 if self.layers[0].static_input and not self.layers[0].spiking else workload.timesteps
        steps = [range(t, t + 1) for t in range(self.timesteps)] if machine.outer else [range(self.timesteps)]
        cut = tiles(self.layers, self.rows) if self.rows else []
        self.passes = [
            Pass(tile, some, some is steps[0], tile is cut[-1] and some is steps[-1]) for tile in cut for some in steps
        ]
        self.words = sum(one.words for filters in self.filters for one in filters)
        self.resident = self.words * TAPS * machine.lanes <= machine.weight_half

    def visits(self) -> list[tuple[int, Filter]]:
        """The filters of one pass in their order, each with its layer's position in the group."""
        return [(position, one) for position, filters in enumerate(self.filters) for one in filters]


class Inference:
    """Runs a workload on a machine; ``events[i]`` are the counts of layer i, ``clock`` the latency in cycles."""

    def __init__(self, workload: Workload, machine: Machine) -> None:
        self.machine = machine
        self.timesteps = workload.timesteps
        self.events: list[Events] = [Counter() for _ in workload.layers]
        self.adds = [0.0 for _ in workload.layers]
        self.port = Port()
        self.clock = 0
        self.groups = [Group(workload, indices, machine) for indices in groups(workload.layers, machine.depth)]

    def run(self) -> None:
        """All groups in order; weights of the next one are loaded ahead where both stay in the buffer."""
        loaded = 0
        for group, following in zip(self.groups, [*self.groups[1:], None], strict=True):
            self.fill(group, loaded)
            ahead = self.all_weights(following) if following and group.resident and following.resident else 0
            self.port.ahead = ahead
            for index, _ in enumerate(group.passes):
                self.run_pass(group, index)
            loaded = ahead - self.port.ahead
            self.port.ahead = 0
            self.port.maps += self.output(group, len(group.passes) - 1)
            self.wait_for_maps(group.indices[-1], "fill_cycles")

    # Time

    def spend(self, index: int, booking: str, cycles: int) -> None:
        """Let ``cycles`` pass on account of layer ``index`` while the port works on."""
        self.clock += cycles
        self.events[index][booking] += cycles
        for _ in range(cycles):
            if not self.port.busy:
                break
            self.port.tick()

    def wait_for_maps(self, index: int, booking: str) -> None:
        """Stand still until the port has moved the maps."""
        while self.port.filter or self.port.maps:
            self.spend(index, booking, 1)

    def wait_for_filter(self, index: int) -> None:
        """Stand still until the next filter is loaded."""
        while self.port.filter:
            self.spend(index, "stall_cycles", 1)

    # Transfers

    def load_filter(self, index: int, one: Filter) -> int:
        """Count the load of one filter; returns its cycles on the port."""
        self.events[index]["weight_writes"] += one.words
        word = TAPS * self.machine.lanes
        self.events[index]["dram_weight_bits"] += one.words * word
        return self.machine.transfer_cycles([word] * one.words)

    def all_weights(self, group: Group) -> int:
        """Cycles of the one transfer of all filters of a resident group."""
        return self.machine.transfer_cycles([TAPS * self.machine.lanes] * group.words)

    def fill(self, group: Group, loaded: int) -> None:
        """The first weights and the first input, before anything can be computed."""
        if group.resident:
            for position, one in group.visits():
                self.load_filter(group.indices[position], one)
            self.port.maps += self.all_weights(group) - loaded
        else:
            self.port.maps += self.load_filter(group.indices[0], group.filters[0][0])
        self.port.maps += self.input(group, 0)
        self.wait_for_maps(group.indices[0], "fill_cycles")

    def input(self, group: Group, index: int) -> int:
        """Count the input of pass ``index``; returns its cycles on the port, 0 where there is none to load."""
        if index == len(group.passes):
            return 0
        layer, current = group.layers[0], group.passes[index]
        events = self.events[group.indices[0]]
        if layer.static_input and not current.first:
            return 0
        place = self.machine.words_of(layer.in_channels, layer.input_bits)
        words: list[int] = []
        for _ in range(1) if layer.static_input else current.steps:
            for _ in current.rows[0].read:
                words += place * layer.in_width
                events["spike_writes"] += layer.in_width * len(place) * layer.input_bits
        events["dram_input_bits"] += sum(words)
        return self.machine.transfer_cycles(words)

    def output(self, group: Group, index: int) -> int:
        """Count the output of pass ``index``; returns its cycles on the port."""
        if index < 0:
            return 0
        layer, done = group.layers[-1], group.passes[index]
        events = self.events[group.indices[-1]]
        words: list[int] = []
        if not layer.spiking:
            words = [SCORE_BITS] * layer.out_channels if done.last else []
        else:
            place = self.machine.words_of(layer.out_channels, layer.output_bits)
            for _ in done.steps:
                for _ in done.rows[-1].stored:
                    words += place * layer.stored_width
                    events["spike_reads"] += layer.stored_width * len(place) * layer.output_bits
        events["dram_output_bits"] += sum(words)
        return self.machine.transfer_cycles(words)

    # Computation

    def run_pass(self, group: Group, index: int) -> None:
        """All filters of all layers on one tile; ends when the port has moved this pass's maps, too."""
        visits = group.visits()
        self.port.maps += self.input(group, index + 1) + self.output(group, index - 1)
        for (position, one), following in zip(visits, [*visits[1:], visits[0]], strict=True):
            layer_index = group.indices[position]
            at_the_very_end = group.passes[index].last and one is visits[-1][1]
            if not group.resident and not at_the_very_end:
                self.port.filter += self.load_filter(group.indices[following[0]], following[1])
            self.run_filter(layer_index, group.layers[position], one, group.passes[index], position)
            if one is group.filters[position][-1]:
                self.drain_pipeline(layer_index, group.layers[position], one, group.passes[index])
            self.wait_for_filter(layer_index)
        self.wait_for_maps(group.indices[-1], "stall_cycles")

    def slots(self, layer: LayerWorkload, one: Filter, steps: range) -> list[Slot]:
        """The slots of one position in a pass."""
        if not layer.static_input:
            return [Slot(one.array_cycles, (t,), t) for t in steps]
        if not self.machine.outer:
            return [Slot(one.array_cycles, tuple(steps), 0)]
        return [Slot(one.array_cycles if t == 0 else 0, (t,), 0) for t in steps]

    def neuron_cycles(self, layer: LayerWorkload, slot: Slot) -> int:
        """Cycles the neurons need for a slot, or the membrane buffer, a word a cycle; a classifier needs none."""
        if not layer.spiking:
            return 0
        words = len(kept_for_next_step(layer)) if self.machine.outer and self.timesteps > 1 else 0
        return max(strength_bits(layer) * len(slot.neuron_steps), words)

    def positions(self, layer: LayerWorkload, rows: range) -> Iterator[tuple[int, bool]]:
        """Rows in use at each position of one filter's strips and columns, and whether pooling windows end there."""
        height = strip_rows(layer, self.machine)
        computed = range(layer.pool * len(rows))
        for top in computed[::height]:
            for column in range(visited_columns(layer)):
                yield len(computed[top : top + height]), column % layer.pool == layer.pool - 1

    def run_filter(self, index: int, layer: LayerWorkload, one: Filter, current: Pass, position: int) -> None:
        """One visit to a filter: header, slots, and the sums of a classifier."""
        events = self.events[index]
        events["weight_reads"] += one.header
        self.spend(index, "compute_cycles", one.header)
        for rows, window_ends in self.positions(layer, current.rows[position].stored):
            for slot in self.slots(layer, one, current.steps):
                cycles = max(slot.array_cycles, self.neuron_cycles(layer, slot), 1)
                self.spend(index, "compute_cycles", cycles)
                self.count_array(index, layer, one, slot, rows)
                self.count_membranes(events, layer, slot)
                if layer.spiking:
                    self.count_neurons(events, layer, slot, rows, window_ends)
        if not layer.spiking:
            self.spend(index, "compute_cycles", strip_rows(layer, self.machine))
            events["accumulator_updates"] += strip_rows(layer, self.machine)

    def drain_pipeline(self, index: int, layer: LayerWorkload, one: Filter, current: Pass) -> None:
        """After a layer's last filter: its last slot passes the pipeline, the neurons last."""
        neurons = max(self.neuron_cycles(layer, slot) for slot in self.slots(layer, one, current.steps))
        self.spend(index, "compute_cycles", self.machine.pipeline_stages() + max(neurons, 1) - 1)

    def count_array(self, index: int, layer: LayerWorkload, one: Filter, slot: Slot, rows: int) -> None:
        """Each array cycle reads a window and a weight word and adds into the row accumulators."""
        if not slot.array_cycles:
            return
        events = self.events[index]
        window = TAPS if layer.kind == "fc" else WINDOW_EDGE * (self.machine.rows + WINDOW_EDGE - 1)
        events["pe_cycles"] += slot.array_cycles
        events["weight_reads"] += slot.array_cycles
        events["spike_reads"] += slot.array_cycles * window
        events["row_cycles"] += slot.array_cycles * rows
        events["accumulator_updates"] += slot.array_cycles * rows
        events["list_steps"] += one.list_steps
        self.adds[index] += rows * one.adds * layer.input_density[slot.input_step]

    def count_membranes(self, events: Events, layer: LayerWorkload, slot: Slot) -> None:
        """Under ``outer`` what a later step needs is put away, and fetched by it; every static step needs the sum."""
        if not self.machine.outer or not layer.spiking:
            return
        (step,) = slot.neuron_steps
        for word in kept_for_next_step(layer):
            changes = word != "sum" or step == 0
            events["membrane_reads"] += 1 if step > 0 else 0
            events["membrane_writes"] += 1 if step + 1 < self.timesteps and changes else 0

    def rank_bits(self, layer: LayerWorkload) -> int:
        """A membrane's bits, or those that count up to all steps at full strength."""
        if layer.pooling == "membrane":
            return MEMBRANE_BITS
        bits = 0
        while 2**bits <= self.timesteps * layer.levels:
            bits += 1
        return bits

    def count_neurons(self, events: Events, layer: LayerWorkload, slot: Slot, rows: int, window_ends: bool) -> None:
        """Each row's neuron steps and compares, spikes into the pool, and what is stored where a window ends."""
        maps = 2 if layer.dual_threshold else 1
        for _ in slot.neuron_steps:
            events["if_updates"] += rows
            events["threshold_compares"] += rows * strength_bits(layer) * maps
            if layer.pool > 1:
                events["pool_updates"] += rows * maps
            if has_winners(layer):
                events["pool_rank_bits"] += rows * self.rank_bits(layer)
            if window_ends:
                events["spike_writes"] += rows // layer.pool * maps * layer.output_bits
