"""What may be searched: networks, accelerators, and how a trained network becomes a workload."""
