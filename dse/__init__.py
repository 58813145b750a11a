"""Design-space exploration of spiking neural networks together with their accelerator."""

__version__ = "0.1.0"
