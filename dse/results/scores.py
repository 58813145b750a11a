"""A network's score as plain data: in the lines of a study, and between a worker and the coordinator."""

import base64
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.errors import StudyError
from dse.results.lines import read_json, write_json
from dse.results.typed import as_kind
from dse.score import NetworkScore

Masks = dict[str, NDArray[np.bool_]]


@dataclass(frozen=True)
class PackedMask:
    """A mask as text: its shape, and its bits compressed."""

    shape: list[int]
    bits: str


def score_to_dict(score: NetworkScore, masks: bool) -> dict[str, Any]:
    """JSON that `score_from_dict` reads back; the masks are packed into text, or left out."""
    plain = {name: value for name, value in vars(score).items() if name != "masks"}
    packed = {name: pack_mask(mask) for name, mask in score.masks.items()} if masks else {}
    return {**plain, "firing_rates": {k: list(v) for k, v in score.firing_rates.items()}, "masks": packed}


def score_from_dict(data: dict[str, Any], masks: Masks | None = None) -> NetworkScore:
    """The score that `score_to_dict` wrote, with ``masks`` where they were left out.

    Raises:
        ValueError: it is another's.
    """
    return as_kind(score_fields(data, _unpacked(data["masks"]) if masks is None else masks), NetworkScore)


def score_fields(data: dict[str, Any], masks: Masks) -> dict[str, Any]:
    """The fields of a score with these masks; studies from before event data have one number as the input density."""
    density = data.get("input_density")
    return {**data, "input_density": [density] if isinstance(density, float) else density, "masks": masks}


def pack_mask(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Shape and compressed bits of one mask."""
    bits = zlib.compress(np.packbits(mask.astype(np.bool_)).tobytes())
    return {"shape": list(mask.shape), "bits": base64.b64encode(bits).decode()}


def unpack_mask(packed: dict[str, Any]) -> NDArray[np.bool_]:
    """The mask that `pack_mask` packed.

    Raises:
        ValueError: it is none, or its bits are not as many as its shape says.
    """
    plain = as_kind(packed, PackedMask)
    count = math.prod(plain.shape)
    size = -(-count // 8)
    try:
        raw = zlib.decompressobj().decompress(base64.b64decode(plain.bits), size + 1)
    except (zlib.error, OverflowError) as error:
        raise ValueError(str(error)) from error
    if min(plain.shape, default=1) < 0 or len(raw) != size:
        raise ValueError(f"mask must hold the bits of its shape {plain.shape}, not {len(raw):,} bytes")
    return np.unpackbits(np.frombuffer(raw, np.uint8), count=count).astype(np.bool_).reshape(plain.shape)


def _unpacked(masks: Any) -> Masks:
    return {name: unpack_mask(mask) for name, mask in as_kind(masks, dict[str, Any]).items()}


def write_masks(path: Path, masks: Masks) -> None:
    """Write the masks of one network to one file, whole or not at all."""

    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {name: pack_mask(mask) for name, mask in masks.items()})


def read_masks(path: Path) -> Masks:
    """The masks that `write_masks` wrote; none where there is no file (nothing was pruned).

    Raises:
        StudyError: the file holds something else.
    """
    if not path.exists():
        return {}
    try:
        return _unpacked(read_json(path))
    except ValueError as error:
        raise StudyError(f"{path} must hold pruning masks, not be damaged ({error}); restore it from a copy") from error
