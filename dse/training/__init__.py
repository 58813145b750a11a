"""Training of spiking networks: the neuron, its compiled kernel, quantised weights, short runs and folding."""

from dse.training.allocator import keep_freed_memory

keep_freed_memory()
