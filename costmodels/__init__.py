"""Analytical cycles, traffic, energy and area of the vectorwise spiking accelerator."""
