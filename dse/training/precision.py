"""In which number format convolutions compute while training."""

from typing import Literal

import torch


def native_bfloat16(device: torch.device) -> bool:
    """True where the device multiplies bfloat16 in hardware; emulation would be slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and bool(torch.cpu._is_avx512_bf16_supported())


def compute_type(precision: Literal["auto", "float32"], device: torch.device) -> torch.dtype:
    """The recipe's precision on this device; parameters, membranes and batch norm stay float32 in any case."""
    return torch.bfloat16 if precision == "auto" and native_bfloat16(device) else torch.float32
