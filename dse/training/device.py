"""Which accelerator a training can use."""

import torch


def usable_gpu() -> str:
    """Name of the GPU on which a small product was really computed; empty where there is none."""
    if not torch.cuda.is_available():
        return ""
    ones = torch.ones(8, 8, device="cuda")
    return torch.cuda.get_device_name() if float((ones @ ones).sum()) == 8.0**3 else ""
